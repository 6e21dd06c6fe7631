"""What dropout does: whether it helps where data are few and noisy, and whether it limits information as Gaussian noise
does. Start with `Dropout`.

A unit under Bernoulli dropout is an erasure channel: it is lost or arrives whole, with all its digits. A unit under
Gaussian noise always arrives, with a few of them.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn import functional

from goagent.lab.core import Claim, Criterion, Experiment, Figures, Result, Role, Scale
from goagent.lab.information.stochastic_depth import expert_positions
from goagent.noise.bottleneck import NoisyBottleneck
from goagent.noise.dropout import GaussianDropout, VariationalLinear, matching_alpha
from goagent.noise.labels import disturb_labels
from goagent.noise.sampling import sample_mean

TEACHER, GAMES, PLENTY, BITS = "teacher", "games", "plenty", "bits"
PLAIN, BERNOULLI, GAUSSIAN, VARIATIONAL = "plain", "dropout", "Gaussian dropout", "variational dropout"
STRONG, WEAK, SIGNS = "strong noise", "weak noise", "dropout of signs"
ARMS = (PLAIN, BERNOULLI, GAUSSIAN, VARIATIONAL)
POINTS, CLASSES, TEACHING = 49, 8, 6  # of the teacher's boards; hidden units of the teacher
P = {TEACHER: 0.7, GAMES: 0.5, PLENTY: 0.7, BITS: 0.7}
STD = {STRONG: 2.0, WEAK: 0.5}  # of noise on tanh units: more, and less, than is best for accuracy
ALPHA = 0.9  # of variational dropout at first
WIDTH, BATCH, RATE = 128, 50, 1e-3
LOOKS = tuple(2**k for k in range(8))  # units looked at
SINGLE = 16  # units that are looked at by themselves
FEWER = 16  # times fewer inputs, for the growth of what a unit says
COLOURS = {PLAIN: "#999999", BERNOULLI: "#D55E00", GAUSSIAN: "#009E73", VARIATIONAL: "#CC79A7", STRONG: "#0072B2"}


@dataclass(frozen=True)
class Settings:
    examples: int = 600
    steps: int = 800
    checks: int = 20  # along the way
    tests: int = 3000
    games: int = 20  # to learn from
    pool: int = 300  # games that all come from
    inputs: int = 4096  # that a layer is to tell apart
    draws: int = 400


class Data(NamedTuple):
    """To learn from, then to be measured on. Answers that are not allowed are given no probability."""

    x: Tensor  # (n, inputs)
    allowed: Tensor  # (n, answers) bool
    y: Tensor  # (n,) int64
    x_test: Tensor
    allowed_test: Tensor
    y_test: Tensor


class Dropout(Experiment):
    name = "dropout"
    title = "Dropout: a limit of information?"
    claim = Claim(
        sentence="Dropout acts as noise that limits how much information passes a layer, much like the noise of a "
        "variational autoencoder, and so helps a network to generalise from few and noisy examples.",
        essay="Jang 2016, Limiting information in neural nets: dropout is closely related to the noise of a VAE, "
        "possibly equivalent, and forces the network to learn under limited bandwidth, which explains why it works.",
        source="Srivastava et al. 2014, JMLR 15: dropout. Kingma, Salimans and Welling 2015, arXiv:1506.02557: "
        "Gaussian dropout is variational inference with a scale-invariant prior and fixed noise, drawn for each unit. "
        "A rebuttal has the title Variational Gaussian Dropout is not Bayesian.",
        data="Boards of 49 random points (-1, 0, 1), labelled by a random tanh teacher with 8 classes: 600 examples, "
        "30 % of their labels redrawn at random; and 6,000 clean ones. Go on 7x7: the moves of 20 games of strong "
        "players, of their own 17 planes. 3,000 test examples, of the teacher's true labels and of other games.",
        models=f"Two hidden layers of {WIDTH} ReLU units, dropout after both, Adam at {RATE:g} and the same batches "
        "for 800 steps, weights and seed the same. p 0.7 for the teacher, 0.5 for Go, chosen of 0.5 and 0.7; Gaussian "
        "dropout with the same variance; variational dropout, whose variance is learned, in all three layers. For "
        f"bits, tanh units, so that signals are bounded: dropout, or Gaussian noise of std {STD[STRONG]:g} or "
        f"{STD[WEAK]:g}, between which accuracy is best; on either side of it is that of dropout.",
        baselines="No dropout; no dropout and stopped at its best on the test examples, which nobody could know.",
        metric="Test accuracy at the end; gain: over no dropout with the same seed. Bits: information that the noisy "
        "output of the first layer has about which of 4,096 fresh inputs it was, 12 bits at most: the mean of "
        "log2(p(z | x) / p(z)) over draws, densities exact. Without bias for these inputs; the error of 400 draws is "
        "about 0.1 bits. No reader of the layer can have more.",
        shows_not="That a network uses all that passes. Values are as exact as a float, as the essay has it; dropout "
        "of their signs alone is given too. Noise of fixed strength stands for that of a VAE, which is learned. Wide "
        "layers pass everything; few units are in the picture.",
    )
    criteria = (
        Criterion(f"{TEACHER}: {BERNOULLI}, gain", "few and noisy examples: accuracy gained by dropout", Role.CLAIM,
                  at_least=0.02),
        Criterion(f"{GAMES}: {BERNOULLI}, gain", "few games of Go: accuracy gained by dropout", Role.CLAIM,
                  at_least=0.02),
        Criterion(f"{BITS}: {BERNOULLI}, share", "share of the bits about the input that a layer with dropout passes",
                  Role.CLAIM, at_most=0.9),
        Criterion(f"{BITS}: {BERNOULLI}, growth", "a limit does not grow: bits that a unit says more of sixteen times "
                  "the inputs", Role.CLAIM, at_most=0.1),
        Criterion(f"{TEACHER}: over stopped", "stopping early does as much: accuracy gained over it, teacher",
                  Role.CONDITION, at_most=0),
        Criterion(f"{GAMES}: over stopped", "the same, Go", Role.CONDITION, at_most=0),
        Criterion(f"{TEACHER}: {PLAIN}, train", "without dropout the noisy labels are learned by heart: share, teacher",
                  Role.CONTROL, at_least=0.95),
        Criterion(f"{GAMES}: {PLAIN}, train", "and the moves: share, Go", Role.CONTROL, at_least=0.9),
        Criterion(f"{TEACHER}: {PLAIN}, accuracy", "it learns something, too: accuracy, teacher (chance 0.125)",
                  Role.CONTROL, at_least=0.3),
        Criterion(f"{GAMES}: {PLAIN}, accuracy", "and accuracy, Go (chance 0.04)", Role.CONTROL, at_least=0.1),
        Criterion(f"{BITS}: accuracy apart", "equal accuracy: of dropout, less that of strong noise", Role.CONTROL,
                  at_least=-0.02, at_most=0.02),
        Criterion(f"{BITS}: {STRONG}, share", "a limit can be seen: share of the bits, strong noise", Role.CONTROL,
                  at_most=0.9),
        Criterion(f"{BITS}: {STRONG}, growth", "and does not grow: strong noise", Role.CONTROL, at_most=0.1),
        Criterion(f"{BITS}: {PLAIN}, share", "without noise every input can be told: share of the bits", Role.CONTROL,
                  at_least=0.99),
        Criterion(f"{BITS}: ratio", "bits of a layer with dropout, by those with strong noise", Role.DETAIL,
                  at_most=1.5),
        Criterion(f"{BITS}: {WEAK}, share", "weak noise: share of the bits", Role.DETAIL, at_most=0.9),
        Criterion(f"{BITS}: {SIGNS}, share", "dropout of signs, a bit a unit: share of the bits", Role.DETAIL,
                  at_most=0.9),
        Criterion(f"{BITS}: {GAUSSIAN}, share", "Gaussian dropout: share of the bits", Role.DETAIL, at_most=0.9),
        Criterion(f"{BITS}: {GAUSSIAN}, growth", "and bits that a unit says more", Role.DETAIL, at_most=0.1),
        Criterion(f"{TEACHER}: {GAUSSIAN}, gain", "gained by Gaussian dropout, teacher", Role.DETAIL, at_least=0.02),
        Criterion(f"{GAMES}: {GAUSSIAN}, gain", "the same, Go", Role.DETAIL, at_least=0.02),
        Criterion(f"{TEACHER}: {VARIATIONAL}, gain", "gained by variational dropout, teacher", Role.DETAIL,
                  at_least=0.02),
        Criterion(f"{GAMES}: {VARIATIONAL}, gain", "the same, Go", Role.DETAIL, at_least=0.02),
        Criterion(f"{PLENTY}: {BERNOULLI}, gain", "gained by dropout from ten times the examples, clean", Role.DETAIL,
                  at_most=0.01),
        Criterion(f"{TEACHER}: {BERNOULLI}, sampled", "bits an answer saved by the mean of 30 noisy answers, teacher",
                  Role.DETAIL, at_least=0),
        Criterion(f"{GAMES}: {BERNOULLI}, sampled", "the same, Go", Role.DETAIL, at_least=0),
    )  # fmt: skip
    settings: Mapping[Scale, Settings] = {
        "test": Settings(examples=100, steps=20, checks=2, tests=100, games=3, pool=8, inputs=256, draws=40),
        "quick": Settings(steps=400, checks=10, tests=1000, pool=100, draws=100),
        "full": Settings(),
    }

    def cells(self, settings: Settings) -> tuple[str, ...]:
        return (TEACHER, GAMES, PLENTY, BITS)

    def measure(self, cell: str, seed: int, settings: Settings) -> Figures:
        with torch.random.fork_rng(devices=[]):  # dropout draws from torch's own generator
            torch.manual_seed(seed)
            if cell == BITS:
                return measure_bits(seed, settings)
            if cell == GAMES:
                data = from_games(seed, settings)
            elif cell == TEACHER:
                data = from_teacher(settings.examples, settings.tests, wrong=0.3)
            else:
                data = from_teacher(10 * settings.examples, settings.tests, wrong=0)
            figures: Figures = {}
            for arm in ARMS[:2] if cell == PLENTY else ARMS:
                figures |= {f"{arm}, {name}": value for name, value in learned(arm, cell, data, seed, settings).items()}
        for arm in ARMS[1:]:
            if f"{arm}, accuracy" in figures:
                figures[f"{arm}, gain"] = figures[f"{arm}, accuracy"] - figures[f"{PLAIN}, accuracy"]
        figures["over stopped"] = figures[f"{BERNOULLI}, accuracy"] - max(figures[f"{PLAIN}, path"])
        return figures

    def draw(self, result: Result) -> Figure:
        return picture(result)

    def conclude(self, result: Result) -> str:
        mean = result.mean

        def points(name: str) -> str:
            return f"{100 * mean(name):+.1f}"

        def bits(arm: str) -> str:
            return f"{mean(f'{BITS}: {arm}, share') * math.log2(result.experiment.settings[result.scale].inputs):.1f}"

        return (
            f"From few and noisy examples dropout gains {points(f'{TEACHER}: {BERNOULLI}, gain')} points of accuracy "
            f"with the teacher and {points(f'{GAMES}: {BERNOULLI}, gain')} in Go, or "
            f"{points(f'{TEACHER}: over stopped')} and {points(f'{GAMES}: over stopped')} over the best moment to "
            f"stop; from plenty of clean ones {points(f'{PLENTY}: {BERNOULLI}, gain')}. But its layer passes "
            f"{bits(BERNOULLI)} of {bits(PLAIN)} bits about the input, and one with Gaussian dropout {bits(GAUSSIAN)}, "
            f"where strong noise of equal accuracy ({points(f'{BITS}: accuracy apart')} points apart) leaves "
            f"{bits(STRONG)}. A unit with dropout says {mean(f'{BITS}: {BERNOULLI}, unit'):.1f} bits, and "
            f"{mean(f'{BITS}: {BERNOULLI}, growth'):.1f} more of {FEWER} times the inputs; with noise "
            f"{mean(f'{BITS}: {STRONG}, unit'):.2f}, and {round(mean(f'{BITS}: {STRONG}, growth'), 2) + 0:.2f} more."
        )


def from_teacher(examples: int, tests: int, wrong: float) -> Data:
    """By torch's own generator; test labels are true."""
    incoming = torch.randn(POINTS, TEACHING) * 2 / math.sqrt(POINTS * 2 / 3)
    outgoing = torch.randn(TEACHING, CLASSES)
    x = torch.randint(-1, 2, (examples + tests, POINTS)).float()
    y = (torch.tanh(x @ incoming) @ outgoing).argmax(dim=1)
    allowed = torch.ones(len(x), CLASSES, dtype=torch.bool)
    disturbed = disturb_labels(y[:examples], allowed[:examples], wrong)
    return Data(x[:examples], allowed[:examples], disturbed, x[examples:], allowed[examples:], y[examples:])


def from_games(seed: int, settings: Settings) -> Data:
    """The moves of some games, and of others in positions that, up to symmetry, are not in those."""
    positions, rng = expert_positions(settings.pool), np.random.default_rng(seed)
    learned = np.isin(positions.games, rng.permutation(settings.pool)[: settings.games])
    fresh = np.flatnonzero(~learned & ~np.isin(positions.keys, positions.keys[learned]))
    parts = [positions.where(chosen) for chosen in (learned, rng.permutation(fresh)[: settings.tests])]
    arrays = [(part.planes().reshape(len(part), -1), part.legal, part.actions) for part in parts]
    return Data(*(torch.from_numpy(array) for some in arrays for array in some))


def build(arm: str, inputs: int, answers: int, p: float, bounded: bool = False) -> nn.Sequential:
    """Two hidden layers with the arm's noise after both; bounded: of tanh units instead of ReLU."""
    layers: list[nn.Module] = []
    for size in (inputs, WIDTH):
        layers.append(VariationalLinear(size, WIDTH, ALPHA) if arm == VARIATIONAL else nn.Linear(size, WIDTH))
        if arm in STD:
            layers.append(NoisyBottleneck(STD[arm]))
            continue
        layers.append(nn.Tanh() if bounded else nn.ReLU())
        if arm == BERNOULLI:
            layers.append(nn.Dropout(p))
        elif arm == GAUSSIAN:
            layers.append(GaussianDropout(matching_alpha(p)))
    layers.append(VariationalLinear(WIDTH, answers, ALPHA) if arm == VARIATIONAL else nn.Linear(WIDTH, answers))
    return nn.Sequential(*layers)


def fit(network: nn.Sequential, data: Data, seed: int, settings: Settings) -> list[float]:
    """Test accuracy at each check. Batches are the seed's; noise is torch's own."""
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(network.parameters(), lr=RATE)
    priced = [layer for layer in network if isinstance(layer, VariationalLinear)]
    path = []
    for step in range(1, settings.steps + 1):
        chosen = torch.randint(len(data.x), (BATCH,), generator=generator)
        said = network(data.x[chosen]).masked_fill(~data.allowed[chosen], -math.inf)
        loss = functional.cross_entropy(said, data.y[chosen])
        for layer in priced:
            loss = loss + layer.kl() / len(data.x)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step * settings.checks % settings.steps == 0:
            path.append(accuracy(network, data.x_test, data.allowed_test, data.y_test))
    return path


@torch.no_grad()
def accuracy(network: nn.Sequential, x: Tensor, allowed: Tensor, y: Tensor) -> float:
    """Without noise. The network is left in training mode."""
    said = network.eval()(x).masked_fill(~allowed, -math.inf)
    network.train()
    return float((said.argmax(dim=1) == y).double().mean())


def learned(arm: str, cell: str, data: Data, seed: int, settings: Settings) -> Figures:
    """The arm's network on one set of data."""
    torch.manual_seed(seed)
    network = build(arm, data.x.shape[1], data.allowed.shape[1], P[cell])
    path = fit(network, data, seed, settings)
    figures: Figures = {
        "accuracy": path[-1],
        "train": accuracy(network, data.x, data.allowed, data.y),
        "path": path,
    }
    if arm == BERNOULLI:
        figures["sampled"] = sampling_saves(network.eval(), data)
    return figures


class Probabilities(nn.Module):
    """What a network answers, as probabilities of what is allowed."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor, allowed: Tensor) -> Tensor:
        return self.network(x).masked_fill(~allowed, -math.inf).softmax(dim=1)


@torch.no_grad()
def sampling_saves(network: nn.Module, data: Data) -> float:
    """Bits an answer by which the mean of noisy answers is better than the answer without noise, on the tests."""
    answers = Probabilities(network).eval()
    one = answers(data.x_test, data.allowed_test)
    mean = sample_mean(answers, data.x_test, data.allowed_test, samples=30)
    right = torch.arange(len(data.y_test)), data.y_test
    return float((mean[right].clamp_min(1e-30) / one[right].clamp_min(1e-30)).log2().mean())


def measure_bits(seed: int, settings: Settings) -> Figures:
    """What passes the first layer, with each noise, in networks that learned from the teacher."""
    data = from_teacher(settings.examples, settings.tests, wrong=0.3)
    x = torch.randint(-1, 2, (settings.inputs, POINTS)).float()
    chosen = torch.randint(settings.inputs, (settings.draws,))
    fewer = settings.inputs // FEWER
    figures: Figures = {}
    for arm in (PLAIN, BERNOULLI, GAUSSIAN, STRONG, WEAK):
        torch.manual_seed(seed)
        network = build(arm, POINTS, CLASSES, P[BITS], bounded=True)
        figures[f"{arm}, accuracy"] = fit(network, data, seed, settings)[-1]
        with torch.no_grad():
            units = network[0](x).tanh()
            sent = {arm: units, SIGNS: units.sign()} if arm == BERNOULLI else {arm: units}
            for name, values in sent.items():
                path = bits_by_units(arm, values, chosen)
                unit, unit_of_fewer = unit_bits(arm, values, chosen), unit_bits(arm, values[:fewer], chosen % fewer)
                figures |= {
                    f"{name}, path": path,
                    f"{name}, share": path[-1] / math.log2(settings.inputs),
                    f"{name}, unit": unit,
                    f"{name}, growth": unit - unit_of_fewer,
                }
    return figures | {
        "ratio": figures[f"{BERNOULLI}, share"] / figures[f"{STRONG}, share"],
        "accuracy apart": figures[f"{BERNOULLI}, accuracy"] - figures[f"{STRONG}, accuracy"],
    }


def bits_by_units(arm: str, units: Tensor, chosen: Tensor) -> list[float]:
    """Bits that the first 1, 2, 4, ... of units (inputs, WIDTH) say about the input under the arm's noise.

    One draw for each of `chosen` (draws,), indices of inputs, of which all are equally likely.
    """
    logs, path = torch.zeros(len(chosen), len(units), dtype=torch.float64), []
    for begin, end in pairwise((0, *LOOKS)):
        logs += likelihoods(arm, units[:, begin:end], chosen)  # noise is each unit's own
        path.append(told_apart(logs, chosen))
    return path


def unit_bits(arm: str, units: Tensor, chosen: Tensor) -> float:
    """Bits that one unit says, on average over some."""
    return float(np.mean([told_apart(likelihoods(arm, units[:, k : k + 1], chosen), chosen) for k in range(SINGLE)]))


def likelihoods(arm: str, units: Tensor, chosen: Tensor) -> Tensor:
    """(draws, inputs) log p(z | input), up to a number for each draw, of z drawn from what the chosen inputs send.

    units: (inputs, k), what each of k units sends for each input.
    """
    if arm in (PLAIN, BERNOULLI):
        lost = torch.rand(len(chosen), units.shape[1]) < (P[BITS] if arm == BERNOULLI else 0)
        logs = torch.zeros(len(chosen), len(units), dtype=torch.float64)
        for unit, gone in zip(units.T, lost.T, strict=True):  # lost is as likely from any input, the rest is exact
            logs.masked_fill_((unit[chosen, None] != unit) & ~gone[:, None], -math.inf)
        return logs
    means = units.double()
    variances = matching_alpha(P[BITS]) * means.square() if arm == GAUSSIAN else torch.full_like(means, STD[arm] ** 2)
    variances = variances.clamp_min(1e-20)
    z = means[chosen] + variances[chosen].sqrt() * torch.randn_like(means[chosen])
    constants = (means.square() / variances + variances.log()).sum(dim=1)
    return z @ (means / variances).T - (z.square() @ (1 / variances).T + constants) / 2


def told_apart(logs: Tensor, chosen: Tensor) -> float:
    """Bits, from the log-likelihoods (draws, inputs) of every input for what each of the chosen ones sent."""
    drawn = logs.gather(1, chosen[:, None])[:, 0]
    among = logs.logsumexp(dim=1) - math.log(logs.shape[1])
    return float((drawn - among).mean()) / math.log(2)


def picture(result: Result) -> Figure:
    """Test accuracy while networks learn, and the bits that pass some units of a layer."""
    figure = Figure(figsize=(13, 4.8), facecolor="white", layout="constrained")
    grid = figure.subplots(1, 3, width_ratios=(1, 1, 1.2))
    settings = result.experiment.settings[result.scale]
    titles = {
        TEACHER: f"{settings.examples} examples, a quarter of the labels wrong",
        GAMES: f"Go: the moves of {settings.games} games",
    }

    def path(name: str) -> np.ndarray:
        return np.mean([figures[f"{name}, path"] for figures in result.by_seed], axis=0)

    steps = np.arange(1, settings.checks + 1) * settings.steps / settings.checks
    for axes, (cell, title) in zip(grid, titles.items(), strict=False):
        for arm in ARMS:
            axes.plot(steps, path(f"{cell}: {arm}"), color=COLOURS[arm], linewidth=2, label=arm)
        axes.set(xlabel="steps", ylabel="test accuracy")
        axes.set_title(title, fontsize=10)
    grid[0].legend(fontsize=9, frameon=False, loc="lower right")
    lines = {
        PLAIN: ("no noise", PLAIN, "-"),
        BERNOULLI: (f"dropout, {P[BITS]:g}", BERNOULLI, "-"),
        SIGNS: ("dropout of signs", BERNOULLI, "--"),
        GAUSSIAN: ("Gaussian dropout", GAUSSIAN, "-"),
        WEAK: (f"Gaussian noise, std {STD[WEAK]:g}", STRONG, "--"),
        STRONG: (f"Gaussian noise, std {STD[STRONG]:g}", STRONG, "-"),
    }
    for name, (label, colour, style) in lines.items():
        right = result.mean(f"{BITS}: {BERNOULLI if name == SIGNS else name}, accuracy")
        grid[2].plot(LOOKS, path(f"{BITS}: {name}"), style, color=COLOURS[colour], linewidth=2,
                     label=label if name == SIGNS else f"{label} (accuracy {right:.2f})")  # fmt: skip
    grid[2].set_xscale("log", base=2)
    grid[2].set_xticks(LOOKS, [str(k) for k in LOOKS])
    grid[2].set(xlabel="units of the layer looked at", ylabel="bits about which input it was", ylim=(0, 18.5))
    grid[2].set_yticks(range(0, 13, 2))
    grid[2].set_title("What passes a layer", fontsize=10)
    grid[2].legend(fontsize=9, frameon=False, loc="upper left")
    for axes in grid:
        axes.spines[["top", "right"]].set_visible(False)
    return figure


EXPERIMENT = Dropout()
