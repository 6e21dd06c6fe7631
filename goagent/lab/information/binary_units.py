"""Units of one bit: how much they carry, how well a network of them plays, and what its made-up gradient is worth.
Start with `BinaryUnits`.

A sign has no gradient, so one is made up for it (straight through). Where units are signs at random, there is a true
gradient, that of the expected loss; with eight units and 256 inputs it is computed here exactly, by summing over all
states, and the made-up gradient and the score function's are held against it.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import special
from torch import Tensor, nn
from torch.nn import functional

from goagent.lab.capture_go import PLANES, judge_moves, observe, random_boards
from goagent.lab.core import Claim, Criterion, Experiment, Figures, Result, Role, Scale
from goagent.lab.information.bits import all_codes, expand, information_read, nearest
from goagent.lab.information.measures import entropy
from goagent.noise.binary import BinaryActivation, BinaryConv2d, binarize, clip_weights, pack
from goagent.policies.heads import CategoricalHead

BITS = 8  # of a code: every code is met
DIMENSIONS = 24  # that it is written into
BINARY, FLOAT, DRAWN = "binary", "float", "drawn binary"
STATES = all_codes(BITS)  # of as many binary units
UNITS = {BINARY: (1, 2, 4, 8, 16), FLOAT: (1, 2, 4, 8), DRAWN: (BITS,)}
AUTOENCODERS = {f"{n} {kind} units": (kind, n) for kind, numbers in UNITS.items() for n in numbers}
WIDTHS = {BINARY: (8, 16, 32), FLOAT: (4, 8, 32)}
WIDE, NARROW, SMALL = 32, 8, 4
POLICIES = {f"{n} {kind} channels": (kind, n) for kind, widths in WIDTHS.items() for n in widths}
LAYERS = 3  # convolutions
LOOKS = (0, 0.02, 0.1, 0.5, 1)  # at gradients, after these shares of training
EARLY = 3  # of them are while most is learned
GROUPS = 20  # independent pairs of gradients
COLOURS = {BINARY: "#0072B2", FLOAT: "#D55E00", DRAWN: "#009E73"}


@dataclass(frozen=True)
class Settings:
    hidden: int = 64  # units of the autoencoder, before and after those that are counted
    steps: int = 1000  # of the autoencoder
    rate: float = 0.01
    draws: int = 10  # of a gradient, in each group
    boards: int = 10_000  # to learn from
    tests: int = 1000
    batch: int = 64
    policy_steps: int = 300
    policy_rate: float = 0.03


class BinaryUnits(Experiment):
    name = "binary-units"
    title = "Units of one bit"
    claim = Claim(
        sentence="A unit that is a sign carries one bit at most, so that two features cannot share it; networks of "
        "such units and weights are not more powerful, but hardly less, and far smaller; the gradient they learn from "
        "is a noisy version of the true one.",
        essay="Jang 2016, Limiting information in neural nets: binarized networks, whose source of noise is the "
        "mismatch of the gradient; a unit's one bit regularises against the squeezing of two features into one unit.",
        source="Hubara et al. 2016, arXiv:1602.02830: binary weights and activations, real-valued accumulators, "
        "gradients straight through a hard tanh's window; nearly state of the art on MNIST, CIFAR-10 and SVHN, 32 "
        "times less memory. Williams 1992 for the score function (REINFORCE).",
        data=f"Synthetic: all {2**BITS} codes of {BITS} bits, written into {DIMENSIONS} dimensions by the tanh of a "
        "random linear map. Synthetic, too: random 7x7 Capture-Go positions in which the mover can capture, with all "
        "moves that do, 10,000 to learn from and 1,000 others.",
        models="An autoencoder with 1 to 16 units in the middle, signs or tanh, 1,000 steps of Adam (rate 0.01, the "
        "best for signs of 0.001, 0.003, 0.01 and 0.03; tanh loses next to nothing by it). A policy of "
        f"{LAYERS} convolutions of 3x3, binary weights and signs or floats and ReLU, head and biases always floats, "
        "300 steps of Adam on 64 boards (rate 0.03, better for both than 0.01).",
        baselines="Float units and networks of the same shape; a float network that takes no more bits than the "
        "binary one; the exact gradient.",
        metric="Bits about the code, all codes equally likely: of a unit, its entropy; of the answers, the entropy of "
        "the nearest words to them (both are functions of the code, so these are exact); decoded, Fano's lower bound "
        "from the share of right answers. Share of boards on which the likeliest move captures. Memory: one bit for a "
        "binary weight, 32 for any other number. Gradients of the encoder's weights over all codes, while it learns "
        "with units at random: cosines between expectations, which are exact here, and averages of "
        f"{GROUPS * Settings.draws} draws; p one-sided, from the inner products of {GROUPS} pairs of averages, by "
        "Student's t. The claim is judged while most is learned, in the first tenth: where training ends, the mean "
        "straight-through gradient is near zero, whatever the true one.",
        shows_not="That a unit's one bit regularises: nothing is learned from few examples here. What binary weights "
        "do for speed. That the exact gradient of signs at random is that of plain signs, which have none.",
    )
    criteria = (
        Criterion("unit", "most bits that any binary unit carries", Role.CLAIM, at_most=1),
        Criterion("excess", "most bits by which answers through m binary units exceed m", Role.CLAIM, at_most=0),
        Criterion(f"{2 * BITS} {BINARY} units: decoded", f"bits decoded of {BITS} through {2 * BITS} binary units",
                  Role.CLAIM, at_least=0.9 * BITS),
        Criterion("lost", f"share of boards won by {WIDE} float channels and not by as many binary ones", Role.CLAIM,
                  at_most=0.08),
        Criterion("packed", "size of float weights by that of the same weights packed", Role.CLAIM, at_least=32),
        Criterion("p", "that straight-through and score-function gradient have nothing in common, at its largest in "
                  "the first tenth of training", Role.CLAIM, at_most=0.01),
        Criterion("aligned", "the mismatch is no noise alone: cosine of the mean straight-through gradient and the "
                  "exact one after a tenth of training", Role.CONDITION, at_most=0.9),
        Criterion("aligned, end", "nor in the end: the same after training", Role.CONDITION, at_most=0.5),
        Criterion("lost, narrow", f"few binary units do lose: the same of {NARROW} channels", Role.CONDITION,
                  at_least=0.08),
        Criterion("gained, small", f"a float network of no more bits ({SMALL} channels) does as well: its share less "
                  f"that of {WIDE} binary channels", Role.CONDITION, at_least=-0.01),
        Criterion(f"{BITS // 2} {FLOAT} units: read", f"{BITS // 2} float units hold more than a bit each: bits of the "
                  "answers", Role.CONTROL, at_least=0.75 * BITS),
        Criterion(f"{WIDE} {FLOAT} channels: won", f"the task can be learned: boards won by {WIDE} float channels",
                  Role.CONTROL, at_least=0.9),
        Criterion("estimator", "cosine of averaged score-function and exact gradient, at its lowest", Role.CONTROL,
                  at_least=0.8),
        Criterion("cosine", "of straight-through and score-function gradient, at its lowest in the first tenth of "
                  "training", Role.DETAIL, at_least=0),
        Criterion("aligned, plain signs", "the same after training with plain signs", Role.DETAIL, at_least=0.5),
        Criterion("memory", f"{SMALL} float channels' bits by those of {WIDE} binary ones, all numbers", Role.DETAIL,
                  at_most=1),
    )  # fmt: skip
    settings: Mapping[Scale, Settings] = {
        "test": Settings(hidden=16, steps=50, draws=1, boards=300, tests=60, batch=16, policy_steps=5),
        "quick": Settings(steps=200, draws=3, boards=4000, tests=400, policy_steps=100),
        "full": Settings(),
    }

    def cells(self, settings: Settings) -> tuple[str, ...]:
        return (*AUTOENCODERS, *POLICIES)

    def measure(self, cell: str, seed: int, settings: Settings) -> Figures:
        with torch.random.fork_rng(devices=[]):  # weights and signs at random are drawn from torch's own generator
            torch.manual_seed(seed)
            if cell in AUTOENCODERS:
                return measure_autoencoder(*AUTOENCODERS[cell], seed, settings)
            return measure_policy(*POLICIES[cell], seed, settings)

    def derive(self, figures: Figures) -> Figures:
        binary = {name: units for name, (kind, units) in AUTOENCODERS.items() if kind != FLOAT}
        gradients = figures[f"{BITS} {DRAWN} units: gradients"]
        won = {name: figures[f"{name}: won"] for name in POLICIES}
        wide = won[f"{WIDE} {BINARY} channels"]
        sizes = {name: figures[f"{name}: bits"] for name in POLICIES}
        return {
            "unit": max(figures[f"{name}: unit"] for name in binary),
            "excess": max(figures[f"{name}: read"] - units for name, units in binary.items()),
            "lost": won[f"{WIDE} {FLOAT} channels"] - wide,
            "lost, narrow": won[f"{NARROW} {FLOAT} channels"] - won[f"{NARROW} {BINARY} channels"],
            "gained, small": won[f"{SMALL} {FLOAT} channels"] - wide,
            "memory": sizes[f"{SMALL} {FLOAT} channels"] / sizes[f"{WIDE} {BINARY} channels"],
            "packed": figures[f"{WIDE} {BINARY} channels: packed"],
            "p": max(point["p"] for point in gradients[:EARLY]),
            "cosine": min(point["cosine"] for point in gradients[:EARLY]),
            "aligned": gradients[EARLY - 1]["straight"],
            "aligned, end": gradients[-1]["straight"],
            "aligned, plain signs": figures[f"{BITS} {BINARY} units: gradients"][-1]["straight"],
            "estimator": min(point["estimator"] for point in gradients),
        }

    def draw(self, result: Result) -> Figure:
        return picture(result)

    def conclude(self, result: Result) -> str:
        mean = result.mean
        half, twice = BITS // 2, 2 * BITS
        return (
            f"{half} binary units pass {mean(f'{half} {BINARY} units: read'):.2f} of {BITS} bits and {twice} "
            f"{mean(f'{twice} {BINARY} units: decoded'):.2f}; {half} float units pass "
            f"{mean(f'{half} {FLOAT} units: read'):.2f}. On the board {WIDE} binary channels lose {mean('lost'):.1%} "
            f"that float ones win, {NARROW} lose {mean('lost, narrow'):.0%}. Packed, their weights take 1 / "
            f"{mean('packed'):.0f}, yet {SMALL} float channels, with {mean('memory'):.2f} times the bits of {WIDE} "
            f"binary ones, win {mean('gained, small'):+.1%} more. In the first tenth of training straight-through and "
            f"score-function gradient agree with a cosine of at least {mean('cosine'):.2f} (p at most "
            f"{mean('p'):.1g}). But with the exact gradient the mean straight-through one has "
            f"{mean('aligned'):.2f} then and {mean('aligned, end'):.2f} in the end."
        )


class Autoencoder(nn.Module):
    """(n, DIMENSIONS) -> the same, through `units` numbers: signs, signs drawn at random in training, or tanh."""

    def __init__(self, kind: str, units: int, hidden: int) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(DIMENSIONS, hidden), nn.ReLU(), nn.Linear(hidden, units))
        self.units = nn.Tanh() if kind == FLOAT else BinaryActivation(stochastic=kind == DRAWN)
        self.decoder = nn.Sequential(nn.Linear(units, hidden), nn.ReLU(), nn.Linear(hidden, DIMENSIONS))

    def forward(self, x: Tensor) -> Tensor:
        return self.decoder(self.units(self.encoder(x)))


def measure_autoencoder(kind: str, units: int, seed: int, settings: Settings) -> Figures:
    """Bits of its units and answers; of as many binary units as bits, also gradients along training."""
    words = expand(all_codes(BITS), DIMENSIONS, torch.Generator().manual_seed(seed))
    network = Autoencoder(kind, units, settings.hidden)
    optimiser = torch.optim.Adam(network.parameters(), lr=settings.rate)
    looks = {round(settings.steps * share) for share in LOOKS if kind != FLOAT and units == BITS}
    gradients = []
    for step in range(settings.steps + 1):
        if step in looks:
            gradients.append({"step": step} | compare_gradients(network, words, settings.draws))
        if step == settings.steps:
            break
        optimiser.param_groups[0]["lr"] = settings.rate * (1 - step / settings.steps)
        loss = functional.mse_loss(network(words), words)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    network.eval()
    with torch.no_grad():
        values = network.units(network.encoder(words))
        guesses = nearest(network.decoder(values), words)
    right = float((guesses == torch.arange(len(words))).double().mean())
    return {
        "unit": max(entropy(unit.unique(return_counts=True)[1].numpy(), corrected=False) for unit in values.T),
        "read": entropy(guesses.bincount().numpy(), corrected=False),
        "decoded": information_read(right, len(words)),
        "right": right,
        "values": values[:, :2].tolist(),
        "gradients": gradients,
    }


def compare_gradients(network: Autoencoder, words: Tensor, draws: int) -> dict[str, float]:
    """Of a network with BITS units, taken to be signs at random: two estimates of its gradient, and the exact one.

    cosine: of the estimates' averages, with p that they have nothing in common. With the exact gradient, straight: of
    the expectation of the straight-through one; estimator: of the score function's average.
    """
    weights = list(network.encoder.parameters())

    def gradient(loss: Callable[[], Tensor]) -> Tensor:
        return torch.cat([part.flatten() for part in torch.autograd.grad(loss(), weights)])

    def averages(loss: Callable[[], Tensor]) -> Tensor:
        """(GROUPS, weights)"""
        return torch.stack([torch.stack([gradient(loss) for _ in range(draws)]).mean(dim=0) for _ in range(GROUPS)])

    baseline = expected_loss(network, words).detach()
    straight = averages(lambda: errors(network, binarize(network.encoder(words), stochastic=True), words).mean())
    score = averages(lambda: score_loss(network, words, baseline))
    exact = gradient(lambda: expected_loss(network, words).mean())
    products = (straight * score).sum(dim=1).double().numpy()
    t = products.mean() / (products.std(ddof=1) / math.sqrt(GROUPS))
    return {
        "cosine": cosine(straight.mean(dim=0), score.mean(dim=0)),
        "p": float(special.stdtr(GROUPS - 1, -t)),
        "straight": cosine(gradient(lambda: expected_straight_through(network, words).mean()), exact),
        "estimator": cosine(score.mean(dim=0), exact),
    }


def errors(network: Autoencoder, states: Tensor, words: Tensor) -> Tensor:
    """Mean squared errors of what the decoder makes of states (..., units), one for each."""
    return (network.decoder(states) - words).square().mean(dim=-1)


def log_chance(means: Tensor, states: Tensor) -> Tensor:
    """Nats: log probability of states (..., units) of -1 and +1 whose units are independent and have these means."""
    return ((1 + means.clamp(-1, 1) * states) / 2).clamp(min=1e-12).log().sum(dim=-1)


def expected_loss(network: Autoencoder, words: Tensor) -> Tensor:
    """(n,) for each word the expectation of its error over all states of BITS units."""
    every = errors(network, STATES, words[:, None])  # (n, states)
    return (log_chance(network.encoder(words)[:, None], STATES).exp() * every).sum(dim=1)


def expected_straight_through(network: Autoencoder, words: Tensor) -> Tensor:
    """(n,) the same numbers, whose gradient for the encoder is what the straight-through one is on average."""
    means = network.encoder(words)[:, None]
    window = means.clamp(-1, 1)
    every = errors(network, STATES + window - window.detach(), words[:, None])
    return (log_chance(means.detach(), STATES).exp() * every).sum(dim=1)


def score_loss(network: Autoencoder, words: Tensor, baseline: Tensor) -> Tensor:
    """One draw, whose gradient for the encoder is that of `expected_loss` on average."""
    means = network.encoder(words)
    states = binarize(means.detach(), stochastic=True)
    gain = errors(network, states, words).detach() - baseline
    return (gain * log_chance(means, states)).mean()


def cosine(a: Tensor, b: Tensor) -> float:
    return float(functional.cosine_similarity(a, b, dim=0))


def policy(kind: str, channels: int) -> nn.Sequential:
    """Planes of a board (n, PLANES, 7, 7) -> features; and a head for them."""
    layers: list[nn.Module] = []
    for inputs in (PLANES, *[channels] * (LAYERS - 1)):
        if kind == BINARY:
            layer: nn.Conv2d = BinaryConv2d(inputs, channels, 3, padding=1)
            nn.init.uniform_(layer.weight, -1, 1)
            layers += [layer, BinaryActivation()]
        else:
            layers += [nn.Conv2d(inputs, channels, 3, padding=1), nn.ReLU()]
    return nn.Sequential(nn.Sequential(*layers), CategoricalHead(channels))


def measure_policy(kind: str, channels: int, seed: int, settings: Settings) -> Figures:
    """Boards won, and what the network takes in memory."""
    rng = np.random.default_rng(seed)
    known, fresh = (random_boards(7, n, rng) for n in (settings.boards, settings.tests))
    planes, tests = (
        torch.from_numpy(observe(some.boards)).contiguous(memory_format=torch.channels_last) for some in (known, fresh)
    )  # in which convolutions are faster
    answers = torch.from_numpy(known.answers / known.answers.sum(axis=1, keepdims=True)).float()
    network = policy(kind, channels).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    trunk, head = network
    optimiser = torch.optim.Adam(network.parameters(), lr=settings.policy_rate)
    for step in range(settings.policy_steps):
        optimiser.param_groups[0]["lr"] = settings.policy_rate * (1 - step / settings.policy_steps)
        chosen = torch.from_numpy(rng.integers(settings.boards, size=settings.batch))
        chances = head.logits(trunk(planes[chosen])).log_softmax(dim=1)[:, :-1]  # the pass wins nothing
        loss = -(answers[chosen] * chances).sum(dim=1).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        clip_weights(network)
    with torch.no_grad():
        moves = head.logits(trunk(tests)).argmax(dim=1).numpy()
    signs = [layer.weight for layer in trunk if isinstance(layer, BinaryConv2d)]
    packed = sum(pack(weight).nbytes for weight in signs)
    unpacked = sum(weight.nbytes for weight in signs)
    whole = sum(parameter.nbytes for parameter in network.parameters())
    found: Figures = {
        "won": float(judge_moves(fresh.boards, moves).wins.mean()),
        "bits": 8.0 * (whole - unpacked + packed),
    }
    return found | ({"packed": unpacked / packed} if packed else {})


def picture(result: Result) -> Figure:
    """All codes in two units of either kind; bits by units; boards by memory; gradients along training."""
    figure = Figure(figsize=(14, 4.6), facecolor="white", layout="constrained")
    plane, passed, won, angles = figure.subplots(1, 4, width_ratios=(1, 1.1, 1.1, 1.1))
    for kind in (FLOAT, BINARY):
        x, y = np.array(result.first(f"2 {kind} units: values")).T
        plane.scatter(x, y, s=10 if kind == FLOAT else 150, color=COLOURS[kind], zorder=3 - (kind == FLOAT))
    plane.set(xlim=(-1.25, 1.25), ylim=(-1.25, 1.25), xticks=(-1, 0, 1), yticks=(-1, 0, 1), aspect="equal")
    plane.set(xlabel="one unit", ylabel="the other")
    plane.set_title(f"What two units say of {2**BITS} codes:\nsigns (blue) and floats (orange)", fontsize=10)

    for kind in (BINARY, FLOAT):
        bits = [result.mean(f"{n} {kind} units: read") for n in UNITS[kind]]
        passed.plot(UNITS[kind], bits, "o-", color=COLOURS[kind])
        passed.annotate(kind, (4, bits[2]), (0, -16), textcoords="offset points", color=COLOURS[kind])
    passed.plot(UNITS[BINARY], [min(n, BITS) for n in UNITS[BINARY]], ":", color="black")
    passed.annotate("a bit a unit", (1, 1), (12, -8), textcoords="offset points", fontsize=9)
    passed.set_xscale("log", base=2)
    passed.set_xticks(UNITS[BINARY], [str(n) for n in UNITS[BINARY]])
    passed.set(xlabel="units", ylabel=f"bits that answers carry, of {BITS}", ylim=(0, BITS + 0.5))
    passed.set_title("Bits through a layer of units", fontsize=10)

    for kind, widths in WIDTHS.items():
        cells = [f"{n} {kind} channels" for n in widths]
        memory, share = ([result.mean(f"{cell}: {name}") for cell in cells] for name in ("bits", "won"))
        won.plot(memory, share, "o-", color=COLOURS[kind])
        place = (0, 7) if kind == FLOAT else (8, -12)
        for n, x, y in zip(widths, memory, share, strict=True):
            won.annotate(f"{n}", (x, y), place, textcoords="offset points", fontsize=9, color=COLOURS[kind])
    won.set_xscale("log")
    won.set(xlabel="bits of memory", ylabel="boards won", ylim=(0, 1.1))
    won.set_title("Capture-Go by channels,\nbinary (blue) and float (orange)", fontsize=10)

    draw_angles(angles, result)
    for axes in (plane, passed, won, angles):
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def draw_angles(axes: Axes, result: Result) -> None:
    """Cosines with the exact gradient along training, mean over seeds."""
    lines = (
        (DRAWN, "estimator", "score function", "#999999", 1.03),
        (BINARY, "straight", "straight through,\ntrained with plain signs", COLOURS[BINARY], 0.68),
        (DRAWN, "straight", "straight through,\ntrained with drawn signs", COLOURS[DRAWN], -0.4),
    )
    for kind, name, label, colour, place in lines:
        paths = [figures[f"{BITS} {kind} units: gradients"] for figures in result.by_seed]
        values = np.mean([[point[name] for point in path] for path in paths], axis=0)
        axes.plot(range(len(LOOKS)), values, "o-", color=colour)
        axes.annotate(label, (4, place), color=colour, ha="right", fontsize=9)
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set_xticks(range(len(LOOKS)), [f"{share:.0%}" for share in LOOKS])
    axes.set(xlabel="of training", ylabel="cosine with the exact gradient", ylim=(-0.5, 1.15))
    axes.set_title("Gradients through signs at random", fontsize=10)


EXPERIMENT = BinaryUnits()
