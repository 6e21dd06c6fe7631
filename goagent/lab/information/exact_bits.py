"""Whether the bits that pass a layer can be set. Start with `ExactBits`.

A variational bottleneck knows its rate, a bound of what passes it; a controller moves the price of a bit until that is
the one asked for. What does pass is measured by itself.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn import functional

from goagent.lab.capture_go import PLANES, observe, random_boards
from goagent.lab.core import Claim, Criterion, Experiment, Figures, Result, Role, Scale
from goagent.lab.information.capacity import information
from goagent.lab.information.known_measurements import LENGTH, SCALES, vectors
from goagent.lab.information.known_networks import signs_log_likelihood, training
from goagent.lab.information.variational_autoencoder import Autoencoders
from goagent.noise.bottleneck import VariationalBottleneck, mean_and_std
from goagent.noise.rate import RateController

VECTORS, BOARDS = "vectors", "boards"
KNOWN, SIZE = 10, 7  # bits of a vector; lines of a board
SET = (1, 2, 4, 8)  # bits asked for
LED = {f"{bits} bits": (bits, 0.01) for bits in SET}  # and the share by which the rate is led down a step
AT_ONCE = {f"{bits} at once": (bits, 1.0) for bits in SET}
HELD = LED | AT_ONCE
ARMS = (*HELD, "price 1")  # where a bit costs a bit
UNITS, CHANNELS, BATCH = 10, 8, 128
RATE = {VECTORS: 0.003, BOARDS: 0.01}  # of Adam
STRENGTH = {VECTORS: (1.0, 20.0), BOARDS: (0.1, 3.0)}  # of the controllers: speed and stiffness
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#999999"


@dataclass(frozen=True)
class Settings:
    steps: int = 600
    boards: int = 40_000  # to learn from
    fresh: int = 2048  # boards to be measured on
    samples: int = 8192  # of what passes


class ExactBits(Experiment):
    name = "exact-bits"
    title = "Setting the bits that pass a layer"
    claim = Claim(
        sentence="With a variational bottleneck one sets how many bits pass a layer: its rate is held at the number "
        "asked for, and no more bits pass.",
        essay="Jang 2016, Limiting information in neural nets: what variational autoencoders have over other ways is "
        "that the user fixes the number of bits for each layer, exactly.",
        source="Alemi et al. 2018, arXiv:1711.00464: the rate is an upper bound of the information, and the usual "
        "bound on the likelihood does not fix it. Alemi et al. 2017, arXiv:1612.00410: the bottleneck. Platt and Barr "
        "1988, NIPS: a multiplier that holds a constraint.",
        data=f"Synthetic: {2**KNOWN:,} vectors of {LENGTH} signs, {KNOWN} of them random, the rest a rule's. Go: "
        "random 7x7 Capture-Go positions with all capturing moves, 40,000 to learn from and 2,048 others.",
        models=f"A layer of {UNITS} units with learned mean and spread between layers of 64 ReLU units, of boards a "
        "convolution before; 600 steps of Adam at 0.003 and, on boards, 0.01. That, and a faster controller for the "
        "larger loss of vectors, were chosen on development seeds. The controller leads the rate down by 1 % a step.",
        baselines="A bit at the price of a bit (beta = 1). A controller that asks for the target at once.",
        metric="Bits. Rate: mean divergence from a standard normal, over all vectors or fresh boards: an upper bound. "
        "Passing: information between what arrives and which vector or board it was, without bias; of boards at most "
        "11. Read, lower bounds: of vectors, by the decoder's likelihood, its scale fitted on other draws; of boards, "
        "the code length of a winning move, saved over the moves' frequencies.",
        shows_not="That these bits are those that matter. Several such layers in one network. That no other code "
        "passes more at the same rate. What the bits do for generalisation.",
    )
    criteria = (
        *(Criterion(f"{cell}: off", f"{cell}: largest share by which a rate misses what was asked for", Role.CLAIM,
                    at_most=0.05) for cell in (VECTORS, BOARDS)),
        *(Criterion(f"{cell}: over", f"{cell}: most bits read beyond what was asked for", Role.CLAIM, at_most=0.1)
          for cell in (VECTORS, BOARDS)),
        *(Criterion(f"{cell}: price 1 off", f"{cell}: a price alone does not set it: share by which the rate at price "
                    "1 misses the nearest target", Role.CONDITION, at_least=0.05) for cell in (VECTORS, BOARDS)),
        *(Criterion(f"{cell}: share", f"{cell}: the rate is but a bound: share of 8 bits that passes", Role.CONDITION,
                    at_most=0.95) for cell in (VECTORS, BOARDS)),
        Criterion(f"{BOARDS}: share at once", "held at once, boards: least share passing", Role.CONDITION, at_most=0.5),
        *(Criterion(f"{cell}: excess", f"{cell}: the theorem: most bits that pass beyond the rate", Role.CONTROL,
                    at_most=0.05) for cell in (VECTORS, BOARDS)),
        Criterion(f"{VECTORS}: 8 bits, read", f"bits are of use: read of vectors of {KNOWN}, 8 asked for", Role.CONTROL,
                  at_least=5),
        Criterion(f"{BOARDS}: 8 bits, read", "and of a winning move", Role.CONTROL, at_least=2.5),
        Criterion(f"{BOARDS}: off at once", "boards, held at once: largest share by which a rate misses", Role.DETAIL,
                  at_most=0.05),
        Criterion(f"{VECTORS}: share at once", "vectors: least share that passes", Role.DETAIL, at_least=0.8),
    )  # fmt: skip
    settings: Mapping[Scale, Settings] = {
        "test": Settings(steps=6, boards=200, fresh=128, samples=512),
        "quick": Settings(boards=10_000, fresh=1024, samples=2048),
        "full": Settings(),
    }

    def cells(self, settings: Settings) -> tuple[str, ...]:
        return (VECTORS, BOARDS)

    def measure(self, cell: str, seed: int, settings: Settings) -> Figures:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            task = vector_task() if cell == VECTORS else board_task(seed, settings)
            return measure_arms(cell, task, settings)

    def draw(self, result: Result) -> Figure:
        return picture(result)

    def conclude(self, result: Result) -> str:
        def of(name: str, form: str = ".2f") -> str:
            return " and ".join(f"{result.mean(f'{cell}: {name}'):{form}}" for cell in (VECTORS, BOARDS))

        return (
            f"On vectors and on fresh boards, rates of 1 to 8 bits are held to {of('off', '.1%')}. Of 8 bits, "
            f"{of('8 bits, passing')} pass, and {of('8 bits, read')} are read. At a price of 1 the rates are "
            f"{of('price 1, rate')}. Held at 2 at once, they are {of('2 at once, rate')}, and "
            f"{of('2 at once, passing')} pass."
        )


class Task(NamedTuple):
    x: Tensor  # (n, ...) to learn from
    told: Tensor  # (m, ...) to be measured on
    error: Callable[[Tensor, Tensor], Tensor]  # answers (networks, batch, outputs), indices in x -> nats, summed
    read: Callable[[Tensor], float]  # answers (draws, m, outputs) of one network -> bits that they tell


def vector_task() -> Task:
    x = vectors(KNOWN)

    def told(scale: float, answers: Tensor) -> float:
        likelihood = signs_log_likelihood(answers.flatten(0, 1), x)
        return information(scale * likelihood, torch.arange(len(x)).repeat(len(answers)))

    def read(answers: Tensor) -> float:
        return told(max(SCALES, key=lambda scale: told(scale, answers[:1])), answers[1:])

    return Task(x, x, lambda answers, chosen: functional.softplus(-x[chosen] * answers).sum(), read)


def board_task(seed: int, settings: Settings) -> Task:
    n = settings.boards
    found = random_boards(SIZE, n + settings.fresh, np.random.default_rng(seed))
    x, winning = torch.from_numpy(observe(found.boards)), torch.from_numpy(found.answers).float()
    shares = winning / winning.sum(dim=1, keepdim=True)  # any winning move is right
    entropy = torch.special.entr(shares[n:].mean(dim=0)).sum()

    def read(answers: Tensor) -> float:
        return float(entropy + (shares[n:] * answers.log_softmax(dim=2)).sum(dim=2).mean()) / math.log(2)

    return Task(x[:n], x[n:], lambda answers, chosen: -(shares[chosen] * answers.log_softmax(dim=2)).sum(), read)


class Points(nn.Module):
    """A convolution in each network: (count, n, PLANES, SIZE, SIZE) -> (count, n, CHANNELS * SIZE * SIZE)."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(count * PLANES, count * CHANNELS, 3, padding=1, groups=count)

    def forward(self, x: Tensor) -> Tensor:
        features: Tensor = self.convolution(x.transpose(0, 1).flatten(1, 2)).relu()
        return features.unflatten(1, (len(x), -1)).flatten(2).transpose(0, 1)


def build(cell: str) -> Autoencoders:
    """A network for each of ARMS, side by side."""
    inputs, outputs = (LENGTH, LENGTH) if cell == VECTORS else (CHANNELS * SIZE**2, SIZE**2)
    networks = Autoencoders([True] * len(ARMS), inputs, outputs, UNITS)
    if cell == BOARDS:
        networks.encoder.insert(0, Points(len(ARMS)))
    return networks


def learn(cell: str, networks: Autoencoders, task: Task, steps: int) -> list[list[float]]:
    """Train all at once. Gives, now and then, the step and the rate of each."""
    controllers = [RateController(bits, *STRENGTH[cell], descent) for bits, descent in HELD.values()]
    rates, course = torch.empty(0), []

    def loss() -> Tensor:
        nonlocal rates
        chosen = torch.randint(len(task.x), (BATCH,))
        answers, rates = networks(task.x[chosen].expand(len(ARMS), -1, *task.x.shape[1:]))
        held = sum(one.penalty(bits) for one, bits in zip(controllers, rates, strict=False))
        return task.error(answers, chosen) / BATCH + held + math.log(2) * rates[-1].mean()

    for step in training(networks, loss, steps, RATE[cell]):
        for controller, bits in zip(controllers, rates, strict=False):
            controller.update(bits)
        if step % max(steps // 60, 1) == 0:
            course.append([step, *rates.detach().mean(dim=1).tolist()])
    return course


def passing(said: Tensor, draws: int) -> float:
    """Bits between what arrives, z ~ N(mean, std^2), and which of m inputs it was; said (m, 2 * units) for each."""
    mean, std = mean_and_std(said.double())
    constant = -0.5 * (mean / std).square().sum(dim=1) - std.log().sum(dim=1)
    drawn = [VariationalBottleneck()(said.double()) for _ in range(draws)]
    logs = (z @ (mean / std.square()).T - 0.5 * z.square() @ std.pow(-2).T + constant for z in drawn)
    return sum(information(log, torch.arange(len(said))) for log in logs) / draws


def measure_arms(cell: str, task: Task, settings: Settings) -> Figures:
    networks = build(cell)
    course = learn(cell, networks, task, settings.steps)
    told, draws = task.told.expand(len(ARMS), *task.told.shape), max(settings.samples // len(task.told), 2)
    with torch.no_grad():
        answers = torch.stack([networks(told)[0] for _ in range(draws)], dim=1)
        read = dict(zip(ARMS, map(task.read, answers), strict=True))
        rates = dict(zip(ARMS, networks(told)[1].mean(dim=1).tolist(), strict=True))
        passed = dict(zip(ARMS, (passing(said, draws) for said in networks.encoder(told)), strict=True))
    return {
        "off": max(abs(rates[arm] / bits - 1) for arm, (bits, _) in LED.items()),
        "off at once": max(abs(rates[arm] / bits - 1) for arm, (bits, _) in AT_ONCE.items()),
        "over": max(read[arm] - bits for arm, (bits, _) in HELD.items()),
        "price 1 off": min(abs(rates["price 1"] / bits - 1) for bits in SET),
        "share": passed[f"{SET[-1]} bits"] / SET[-1],
        "share at once": min(passed[arm] / bits for arm, (bits, _) in AT_ONCE.items()),
        "excess": max(passed[arm] - rates[arm] for arm in ARMS),
        "course": course,
    } | {f"{arm}, {name}": had[arm] for arm in ARMS
         for name, had in (("rate", rates), ("passing", passed), ("read", read))}  # fmt: skip


def picture(result: Result) -> Figure:
    """How rates get where they are asked to, and what passes and is read."""
    figure = Figure(figsize=(13, 4.6), facecolor="white", layout="constrained")
    path, *others = figure.subplots(1, 3)
    course = np.array(result.first(f"{BOARDS}: course"))
    path.plot(course[:, 0], course[:, 1 : len(SET) + 1], color=BLUE)
    path.plot(course[:, 0], course[:, -1], color=GREY)
    path.set_yscale("log", base=2)
    path.set(xlabel="steps", ylabel="rate, bits", ylim=(0.2, 100), yticks=(*SET, 64), yticklabels=(*SET, 64))
    path.set_title("Rates on boards: led down (blue), at a price of 1 (grey)", fontsize=10)
    for axes, cell, title in zip(others, (VECTORS, BOARDS), ("Vectors of ten bits", "Fresh boards"), strict=True):
        axes.plot([0, 8.5], [0, 8.5], color=GREY, linestyle="--", linewidth=1)
        for name, colour, mark in (("rate", "black", "+"), ("passing", BLUE, "o"), ("read", GREEN, "s")):
            axes.plot(SET, [result.mean(f"{cell}: {arm}, {name}") for arm in LED], mark, ms=9, color=colour, label=name)
        axes.plot(SET, [result.mean(f"{cell}: {arm}, passing") for arm in AT_ONCE], "x", ms=8, color=ORANGE,
                  label="passing, held at once")  # fmt: skip
        axes.set(title=title, xlabel="bits asked for", ylabel="bits", xticks=SET)
        axes.legend(fontsize=9, frameon=False, loc="upper left")
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
    return figure


EXPERIMENT = ExactBits()
