"""What is measured of networks that learn vectors of known information; `known_information.py` is the experiment.

Start with `vectors`. Random numbers are torch's own, but for the labellings of one unit.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from goagent.lab.core import Figures
from goagent.lab.information.bits import all_codes, expand, information_read
from goagent.lab.information.capacity import (
    dichotomies,
    erasure_bound,
    information,
    peak_capacity,
    separable,
    share_separable,
)
from goagent.lab.information.known_networks import (
    Autoencoder,
    Autoregressive,
    SideBySide,
    erasure_log_likelihood,
    gaussian_log_likelihood,
    signs_log_likelihood,
    train,
    training,
)
from goagent.noise.binary import BinaryActivation
from goagent.noise.bottleneck import NoisyBottleneck

LENGTH = 32  # signs of a vector
EXAMPLES = {4: 8, 8: 64, 12: 256}  # by known bits k: vectors to learn from, of the 2^k
DROPOUT = (0.0, 0.2, 0.5)  # of the networks side by side
WITHOUT, WITH = 0, 2  # of these, those that are compared

WEIGHTS = 40  # of the one unit, its bias included
LABELS = (1.0, 1.5, 2.0, 2.5, 3.0)  # for each weight, whose share of separable ones is counted
LOADS = (1, 2, 4, 8, 16)  # random bits for each weight
FULL, FLOODED = 2, 4  # of these
ENDLESS = 64  # a load so high that a weight is one parameter among many data
STORES = (8, 24, 72)  # hidden units

BINARY, NOISE, DROPPED, SMOOTH = "binary", "noise", "dropout", "dropout of tanh"
BOUNDED = (BINARY, NOISE, DROPPED)  # in bits a unit
STD, LOST = 0.5, 0.5  # of the noise, the share lost to dropout
CHANNELS: Mapping[str, Callable[[], nn.Module]] = {
    BINARY: BinaryActivation,
    NOISE: lambda: NoisyBottleneck(STD),
    DROPPED: lambda: nn.Sequential(BinaryActivation(), nn.Dropout(LOST)),
    SMOOTH: lambda: nn.Sequential(nn.Tanh(), nn.Dropout(LOST)),
}
NOISY_UNIT = peak_capacity(STD)[1]  # bits
RATIOS = (0.25, 0.5, 1.0, 2.0)  # of the narrow layer's capacity to k, about
SCALES = (0.1, 0.15, 0.25, 0.4, 0.6, 0.8, 1.0)  # of a decoder's log-likelihood, which takes signs for independent
BATCH = 128

MODELS = (8, 32, 128, 256)  # hidden units


@dataclass(frozen=True)
class Settings:
    trials: int = 100  # labellings of each number of points
    tables: int = 10  # of labels, of each size
    unit_steps: int = 500
    store_steps: int = 800
    code_steps: int = 1000
    draws: int = 2048  # through a narrow layer
    model_steps: int = 1000
    checks: int = 40  # of a model, at any of which it may be stopped


def vectors(bits: int) -> Tensor:
    """(2 ** bits, LENGTH) of -1 and +1: every code, and what a random rule makes of it."""
    codes = all_codes(bits)
    return torch.cat([codes, expand(codes, LENGTH - bits, torch.default_generator).sign()], dim=1)


def random_signs(*shape: int) -> Tensor:
    return torch.randint(2, shape) * 2.0 - 1


def measure_unit(seed: int, settings: Settings) -> Figures:
    """How many labellings one unit can learn, and how many bits of random labels training leaves in a weight."""
    rng = np.random.default_rng(seed)
    shares = [share_separable(round(labels * WEIGHTS), WEIGHTS, settings.trials, rng) for labels in LABELS]
    exact = [separable(round(labels * WEIGHTS), WEIGHTS) for labels in LABELS]
    loads = (*LOADS, ENDLESS)
    bits = [labels_stored(load * WEIGHTS, settings) for load in loads]
    ceiling = [dichotomies(load * WEIGHTS, WEIGHTS) / WEIGHTS for load in loads]
    return {
        "off": float(np.abs(np.subtract(shares, exact)).max()),
        "excess": float(np.subtract(bits, ceiling).max()),
        "endless": bits[-1],
        "bits": bits,
        "shares": shares,
    }


def labels_stored(points: int, settings: Settings) -> float:
    """Bits a weight, mean over tables: so many labels, less their code length under a trained unit."""
    x, labels = torch.randn(settings.tables, points, WEIGHTS - 1), random_signs(settings.tables, points, 1)
    unit = SideBySide(settings.tables, WEIGHTS - 1, 1)

    def code_length() -> Tensor:
        return functional.softplus(-labels * unit(x)).mean(dim=(1, 2)) / math.log(2)  # of a label

    train(unit, lambda: code_length().sum(), settings.unit_steps, rate=0.03)
    return points * (1 - float(code_length().detach().mean())) / WEIGHTS


def measure_storage(settings: Settings) -> Figures:
    """Bits of a random table that a weight stores: (sizes, loads, DROPOUT)."""
    found = [table_stored(hidden, load, settings) for hidden in STORES for load in LOADS]
    bits = np.reshape([stored for stored, _ in found], (len(STORES), len(LOADS), len(DROPOUT)))
    sizes = [Autoregressive(LENGTH, hidden, DROPOUT).size for hidden in STORES]
    plain, dropped = bits[:, FULL, WITHOUT], bits[:, FULL, WITH]
    return {
        "a weight": float(plain.mean()),
        "flooded": float((bits[:, FLOODED, WITHOUT] / plain).mean()),
        "power": float(np.polyfit(np.log(sizes), np.log(plain * sizes), 1)[0]),
        "kept": float((dropped / plain).mean()),
        "fresh": max(fresh for _, fresh in found),
        "bits": bits.tolist(),
    }


def table_stored(hidden: int, load: int, settings: Settings) -> tuple[np.ndarray, float]:
    """Bits a weight (DROPOUT,); and the most that one of the networks knows of a random vector that is not its own."""
    model = Autoregressive(LENGTH, hidden, DROPOUT)
    table = random_signs(round(load * model.size / LENGTH), LENGTH)
    train(model, lambda: model.bits(table).mean(dim=1).sum(), settings.store_steps, rate=0.03)
    stored = len(table) * (LENGTH - code_length(model, table)) / model.size
    return stored, float((LENGTH - code_length(model, random_signs(500, LENGTH))).max())


@torch.no_grad()
def code_length(model: Autoregressive, x: Tensor) -> np.ndarray:
    """Bits of a vector of x, mean, without dropout: (count,). Leaves the model in training."""
    bits = model.eval().bits(x).mean(dim=1).numpy()
    model.train()
    return bits


def measure_passage(bits: int, settings: Settings) -> Figures:
    """What an autoencoder's narrow layer passes of `bits`, and its decoder reads: for each channel a list by RATIOS."""
    x = vectors(bits)
    shapes = [(channel, units(channel, ratio * bits)) for channel in CHANNELS for ratio in RATIOS]
    coder = Autoencoder(LENGTH, [(CHANNELS[channel](), number) for channel, number in shapes])

    def loss() -> Tensor:
        batch = x[torch.randint(len(x), (BATCH,))]
        return functional.softplus(-batch * coder(batch)).sum(dim=2).mean(dim=1).sum()

    train(coder, loss, settings.code_steps, rate=0.01)
    with torch.no_grad():
        sent = torch.randint(len(x), (settings.draws,))
        received = coder.send(x[sent])
        answers = coder.decoder(received)
        points = coder.eval().send(x)  # without noise
    tuned, counted = slice(settings.draws // 4), slice(settings.draws // 4, None)
    figures: Figures = {f"{channel} {name}": [] for channel in CHANNELS for name in ("bound", "pass", "read", "fano")}
    for (channel, number), got, point, answer in zip(shapes, received, points, answers, strict=True):
        decoder = signs_log_likelihood(answer, x)
        by_scale = {scale: information(scale * decoder[tuned], sent[tuned]) for scale in SCALES}
        scale = max(SCALES, key=by_scale.__getitem__)
        right = float((decoder.argmax(dim=1) == sent).double().mean())
        figures[f"{channel} bound"].append(most(channel, number, bits))
        if channel in BOUNDED:
            truth = gaussian_log_likelihood(got, point, STD) if channel == NOISE else erasure_log_likelihood(got, point)
            figures[f"{channel} pass"].append(information(truth[counted], sent[counted]))
        figures[f"{channel} read"].append(information(scale * decoder[counted], sent[counted]))
        figures[f"{channel} fano"].append(information_read(right, len(x)))
    return figures


def units(channel: str, capacity: float) -> int:
    """How many units carry about so many bits."""
    return max(1, round(capacity / (1 - LOST) if channel in (DROPPED, SMOOTH) else capacity))


def most(channel: str, number: int, bits: int) -> float:
    """Bits of `bits` that so many units pass at most."""
    if channel == SMOOTH:
        return bits * (1 - LOST**number)  # a real number may say all, if it is left
    if channel == NOISE:
        return min(bits, number * NOISY_UNIT)
    return erasure_bound(bits, number, LOST if channel == DROPPED else 0)


def measure_learning(bits: int, settings: Settings) -> Figures:
    """Code lengths of vectors learned from and of unseen ones: (MODELS, DROPOUT), at the end or where stopped."""
    x = vectors(bits)[torch.randperm(2**bits)]
    learned, rest = x[: EXAMPLES[bits]], x[EXAMPLES[bits] :]
    courses = np.array([course(hidden, (learned, rest[::2], rest[1::2]), settings) for hidden in MODELS])
    seen, validated, unseen = courses[:, -1].swapaxes(0, 1)  # (MODELS, DROPOUT) each
    stop = courses[:, :, 1].argmin(axis=1)[:, None, None]
    _, validated_stopped, unseen_stopped = np.take_along_axis(courses, stop, axis=1)[:, 0].swapaxes(0, 1)
    best, best_stopped = (
        {d: float(length[best[d], d]) for d in (WITHOUT, WITH)}
        for length, best in ((unseen, validated.argmin(axis=0)), (unseen_stopped, validated_stopped.argmin(axis=0)))
    )
    beyond = bits - math.log2(len(learned))  # bits of the list that are not the rule's
    return {
        "taken": float((seen[:, WITH] - seen[:, WITHOUT]).mean()),
        "given": float((unseen[:, WITHOUT] - unseen[:, WITH]).mean()),
        "smallest": float(unseen[0, WITHOUT] - unseen[0, WITH]),
        "known": LENGTH - best[WITH],
        "by heart": float(bits - seen[-1, WITHOUT]) / beyond,
        "by heart with dropout": float(bits - seen[-1, WITH]) / beyond,
        "best size": best[WITHOUT] - best[WITH],
        "over stopping": best_stopped[WITHOUT] - best[WITH],
        "both stopped": best_stopped[WITHOUT] - best_stopped[WITH],
        "best without": best[WITHOUT],
        "best with": best[WITH],
        "stopped without": best_stopped[WITHOUT],
        "seen": seen.tolist(),
        "unseen": unseen.tolist(),
        "unseen, stopped": unseen_stopped.tolist(),
    }


def course(hidden: int, parts: Sequence[Tensor], settings: Settings) -> list[list[np.ndarray]]:
    """Train on the first part: code lengths (checks, parts, DROPOUT) on the way."""
    model = Autoregressive(LENGTH, hidden, DROPOUT)
    every = settings.model_steps // settings.checks
    steps = training(model, lambda: model.bits(parts[0]).mean(dim=1).sum(), settings.model_steps, rate=0.003)
    return [[code_length(model, part) for part in parts] for step in steps if (step + 1) % every == 0]
