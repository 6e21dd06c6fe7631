"""Noise takes descent out of a shallow minimum; that of small batches leads to flat ones. Start with `LocalMinima`.

First where all is known: walkers in a potential with two wells, begun in the shallower one, whose shares in the end
have a law (Boltzmann's). Then networks that learn with batches of several sizes: how sharp are the places they reach,
if they are compared after as many steps, as many epochs, or at the same loss?
"""

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter, LogLocator, NullFormatter
from torch import Tensor, nn
from torch.nn import functional

from goagent.lab.capture_go import observe, random_boards
from goagent.lab.core import Claim, Criterion, Experiment, Figures, Result, Role, Scale
from goagent.lab.energy.double_well import boltzmann_share, potential, turning_points, walk
from goagent.lab.energy.sharpness import along_line, rescale, sharpness
from goagent.noise.initialisation import initialise_randomly

TEMPERATURES = (0.0, 0.1, 0.2, 0.35, 0.6, 1.0, 2.0, 4.0)
HOT = 1.0  # from here on walkers forget, within their time, where they began
SHOWN = 60  # walkers of each kind in the picture
POINTS, CLASSES, TEACHING, HIDDEN = 49, 8, 6, 64  # of the boards and the teacher; hidden units of teacher and learner
STRETCH = 30.0  # of the first layer against the second
WALKERS, WARM_START = "walkers", "after full batch"
BATCH_8, BATCH_32, BATCH_128, FULL, FASTER = "batch 8", "batch 32", "batch 128", "full batch", "full batch, rate 0.2"
LOG_8, LOG_FULL, GO_8, GO_FULL = "log loss: batch 8", "log loss: full batch", "Go: batch 8", "Go: full batch"
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#999999"


@dataclass(frozen=True)
class Arm:
    """What a network learns, and how; a batch of None is all examples."""

    batch: int | None
    rate: float = 0.1
    go: bool = False
    squared: bool = True  # the loss; else cross-entropy


ARMS = {
    BATCH_8: Arm(8),
    BATCH_32: Arm(32),
    BATCH_128: Arm(128),
    FULL: Arm(None),
    FASTER: Arm(None, rate=0.2),
    LOG_8: Arm(8, squared=False),
    LOG_FULL: Arm(None, squared=False),
    GO_8: Arm(8, rate=0.2, go=True, squared=False),
    GO_FULL: Arm(None, rate=0.2, go=True, squared=False),
}
PAIRS = {"teacher": (BATCH_8, FULL), "log loss": (LOG_8, LOG_FULL), "Go": (GO_8, GO_FULL)}


@dataclass(frozen=True)
class Settings:
    walkers: int = 1000
    walk_steps: int = 7000
    walk_rate: float = 0.005
    examples: int = 512
    tests: int = 4000
    epochs: int = 40  # of each batch size, where epochs are equal; steps, where they are, are those of batch 8


class LocalMinima(Experiment):
    name = "local-minima"
    title = "Out of shallow minima and into flat ones: temperature and small batches"
    claim = Claim(
        sentence="Noise gives descent the energy to leave a shallow minimum, in which it stays for ever without; the "
        "noise of small batches is such a noise, and takes networks to flatter places than full batches do.",
        essay="Jang 2016, Exploration energy: the noise of stochastic gradients is like a temperature, by which the "
        "parameters now and then get out of a local minimum; without it they go to the nearest one, however shallow.",
        source="Welling and Teh 2011, ICML: descent with Gaussian noise samples from exp(-V / T). Keskar et al. 2016, "
        "arXiv:1609.04836: large batches tend to sharp minimisers. Against: Dinh et al. 2017, arXiv:1703.04933: the "
        "same function has equivalent weights as sharp as one likes. Cohen et al. 2021, arXiv:2103.00065: full batches "
        "at rate r go to a sharpness about 2 / r. Kwon et al. 2021, arXiv:2102.11600: a scale-invariant sharpness.",
        data="The potential 2 (x^2 - 1)^2 + 0.6 x. Boards of 49 random points (-1, 0, 1), labelled by a random tanh "
        "teacher with 8 classes, 512 to learn from. Go: random Capture-Go positions on 7x7 and all winning moves, 512.",
        models="Walkers in the potential by Langevin dynamics, all begun at the bottom of the shallow well; the "
        "temperature constant, or falling to 0 evenly. Networks of 64 hidden ReLUs, plain descent at one rate for all "
        "batches, as the rate makes for sharpness by itself: 0.1 (Go 0.2), about the highest at which batches of 8 "
        "still learn (chosen on development seeds). Squared error for the teacher, once more cross-entropy, and "
        "cross-entropy in Go.",
        baselines="Walkers without noise; Boltzmann's law. All examples in a batch: for as many steps, for as many "
        "epochs, at the same training loss, at twice the rate. From where the full batch got to, as many steps again, "
        "with batches of 8 or with all.",
        metric="Share of walkers beyond the barrier. Sharpness: the largest eigenvalue of the training loss's Hessian, "
        "by Lanczos to 1 %. Invariant sharpness: the same of the Hessian scaled by |w| on both sides, which no "
        "rescaling of ReLU layers changes. At the same loss: both curves read, in logarithms, at the higher of the "
        "two final losses. Share of test boards right.",
        shows_not="That networks leave a local minimum as walkers do: the loss along the straight line from the old "
        "place to the new one is measured, and it is no proof either way where the way is curved. That flat places "
        "generalise better because they are flat. Anything about large networks, or rates tuned to each batch.",
    )
    criteria = (
        Criterion(f"{WALKERS}: no noise", "share of walkers that leave the shallow well without noise", Role.CLAIM,
                  at_most=0),
        Criterion(f"{WALKERS}: annealed", "with noise that falls to 0, from 1 or more: the least share", Role.CLAIM,
                  at_least=0.75),
        Criterion(f"{WALKERS}: over cold", "constant noise: the best share beyond that at 0.1", Role.CLAIM,
                  at_least=0.5),
        Criterion("teacher: flatter", "share of seeds with batches of 8 flatter than the full batch, equal steps",
                  Role.CLAIM, at_least=0.8),
        Criterion("Go: flatter", "and in Go", Role.CLAIM, at_least=0.8),
        Criterion("teacher: ratio at one loss", "not because they learned more or less: sharpness with batches of 8 by "
                  "that of the full batch at the same loss", Role.CLAIM, at_most=0.9),
        Criterion("Go: ratio at one loss", "and in Go", Role.CLAIM, at_most=0.9),
        Criterion(f"{WARM_START}: ratio", "from where the full batch got to: sharpness after as many steps with "
                  "batches of 8, by that with the full batch", Role.CLAIM, at_most=0.9),
        Criterion(f"{WALKERS}: off", "where it is hot, largest difference of shares from Boltzmann's law",
                  Role.CONTROL, at_most=0.04),
        Criterion(f"{FULL}: outputs changed", "the rescaled network is the same function: largest change of an output",
                  Role.CONTROL, at_most=1e-3),
        Criterion(f"{FULL}: invariant changed", "and the same by the invariant measure: relative change",
                  Role.CONTROL, at_most=0.03),
        Criterion(f"{FULL}: times chance", "the teacher can be learned: full batch, times chance", Role.CONTROL,
                  at_least=2),
        Criterion(f"{GO_FULL}: times chance", "and Go", Role.CONTROL, at_least=2),
        Criterion(f"{WALKERS}: over hot", "there can be too much: the best constant noise beyond that at 4",
                  Role.CONDITION, at_least=0.2),
        Criterion(f"{FULL}: rescaled", "the measure is not of the function: sharpness after rescaling its layers, by "
                  "that before", Role.CONDITION, at_least=100),
        Criterion("faster", "noise is not needed for it: full batch at twice the rate, by batches of 8", Role.CONDITION,
                  at_most=1),
        Criterion("teacher: flatter, epochs", "share of seeds with batches of 8 flatter at equal epochs",
                  Role.CONDITION, at_most=0.5),
        Criterion("Go: flatter, epochs", "and in Go", Role.CONDITION, at_most=0.5),
        Criterion("log loss: ratio at one loss", "it depends on the loss: sharpness at the same loss, teacher with "
                  "cross-entropy", Role.CONDITION, at_least=0.8),
        Criterion("Go: gain", "flatter is not better: share of boards won beyond that of the full batch, Go",
                  Role.CONDITION, at_most=0),
        Criterion(f"{WARM_START}: barrier", "no hill was crossed: loss on the straight line above that of either end",
                  Role.CONDITION, at_most=0.005),
        Criterion("teacher: gain", "accuracy beyond that of the full batch, teacher", Role.DETAIL, at_least=0.01),
        Criterion("teacher: invariant ratio", "by the invariant measure: that of batches of 8 by the full batch's",
                  Role.DETAIL, at_most=0.9),
        Criterion("Go: invariant ratio", "and in Go", Role.DETAIL, at_most=0.9),
        Criterion("order", "the smaller the flatter: rank correlation of batch size and sharpness, equal steps",
                  Role.DETAIL, at_least=0.9),
    )  # fmt: skip
    settings: Mapping[Scale, Settings] = {
        "test": Settings(walkers=100, walk_steps=60, examples=128, tests=200, epochs=2),
        "quick": Settings(walkers=500, walk_steps=2000, tests=1000, epochs=15),
        "full": Settings(),
    }

    def cells(self, settings: Settings) -> tuple[str, ...]:
        return (WALKERS, *ARMS, WARM_START)

    def measure(self, cell: str, seed: int, settings: Settings) -> Figures:
        if cell == WALKERS:
            return walks(seed, settings)
        if cell == WARM_START:
            return warm_start(seed, settings)
        arm = ARMS[cell]
        task, network = Task(arm, seed, settings), begin(arm, seed)
        losses, sharpnesses, done = [], [], 0
        generator = torch.Generator().manual_seed(seed)
        for until in checkpoints(settings):
            descend(network, task, arm.batch, until - done, arm.rate, generator)
            done = until
            losses.append(task.loss_of(network))
            sharpnesses.append(sharpness(network, task.loss))
        invariant = sharpness(network, task.loss, invariant=True)
        figures = {
            "sharpness": sharpnesses[-1],
            "sharpness, epochs": sharpnesses[checkpoints(settings).index(epoch_steps(arm, settings))],
            "invariant": invariant,
            "loss": losses[-1],
            "accuracy": task.right(network),
            "times chance": task.right(network) / task.chance,
            "losses": losses,
            "sharpnesses": sharpnesses,
        }
        if cell != FULL:
            return figures
        stretched = rescale(network, STRETCH)
        with torch.no_grad():
            changed = float((stretched(task.x) - network(task.x)).abs().max())
        return figures | {
            "outputs changed": changed,
            "invariant changed": abs(sharpness(stretched, task.loss, invariant=True) / invariant - 1),
            "rescaled": sharpness(stretched, task.loss) / sharpnesses[-1],
        }

    def derive(self, figures: Figures) -> Figures:
        derived: Figures = {}
        for name, (small, full) in PAIRS.items():
            derived |= {
                f"{name}: flatter": float(figures[f"{small}: sharpness"] < figures[f"{full}: sharpness"]),
                f"{name}: flatter, epochs": float(
                    figures[f"{small}: sharpness, epochs"] < figures[f"{full}: sharpness, epochs"]
                ),
                f"{name}: ratio": figures[f"{small}: sharpness"] / figures[f"{full}: sharpness"],
                f"{name}: ratio at one loss": at_one_loss(
                    *(np.array([figures[f"{cell}: losses"], figures[f"{cell}: sharpnesses"]]) for cell in (small, full))
                ),
                f"{name}: invariant ratio": figures[f"{small}: invariant"] / figures[f"{full}: invariant"],
                f"{name}: gain": figures[f"{small}: accuracy"] - figures[f"{full}: accuracy"],
            }
        by_batch = [figures[f"{cell}: sharpness"] for cell in (BATCH_8, BATCH_32, BATCH_128, FULL)]
        ranks = np.argsort(np.argsort(by_batch))
        return derived | {
            "faster": figures[f"{FASTER}: sharpness"] / figures[f"{BATCH_8}: sharpness"],
            "order": float(np.corrcoef(ranks, np.arange(len(ranks)))[0, 1]),
        }

    def draw(self, result: Result) -> Figure:
        return picture(result)

    def conclude(self, result: Result) -> str:
        mean = result.mean
        return (
            f"Of walkers in a shallow well {mean(f'{WALKERS}: no noise'):.0%} leave it without noise, "
            f"{mean(f'{WALKERS}: best'):.0%} end in the deeper one at the best constant noise, "
            f"{mean(f'{WALKERS}: hottest'):.0%} at the highest, and at least {mean(f'{WALKERS}: annealed'):.0%} if it "
            f"falls to 0. After as many steps, batches of 8 are at a sharpness of {mean(f'{BATCH_8}: sharpness'):.2g}, "
            f"the full batch at {mean(f'{FULL}: sharpness'):.2g} (Go {mean(f'{GO_8}: sharpness'):.2g} and "
            f"{mean(f'{GO_FULL}: sharpness'):.2g}); at the same loss the ratio is "
            f"{mean('teacher: ratio at one loss'):.2f} (Go {mean('Go: ratio at one loss'):.2f}). But the full batch at "
            f"twice the rate comes to {mean(f'{FASTER}: sharpness'):.2g}, rescaled layers to "
            f"{mean(f'{FULL}: rescaled'):.0f} times as much for the same function, and the boards right differ by "
            f"{mean('teacher: gain'):+.1%} (Go {mean('Go: gain'):+.1%})."
        )


def walks(seed: int, settings: Settings) -> Figures:
    """All figures of the walkers."""
    size = (settings.walkers, settings.walk_steps, settings.walk_rate)
    ends = {falling: walk(TEMPERATURES, falling, *size, seed) for falling in (False, True)}
    constant, annealed = ((x < turning_points()[1]).double().mean(dim=1).tolist() for x in ends.values())
    hot = [i for i, temperature in enumerate(TEMPERATURES) if temperature >= HOT]
    return {
        "no noise": constant[0],
        "best": max(constant),
        "hottest": constant[-1],
        "over cold": max(constant) - constant[1],
        "over hot": max(constant) - constant[-1],
        "annealed": min(annealed[i] for i in hot),
        "off": max(abs(constant[i] - boltzmann_share(TEMPERATURES[i])) for i in hot),
        "constant shares": constant,
        "annealed shares": annealed,
        "constant ends": ends[False][:, :SHOWN].tolist(),
        "annealed ends": ends[True][:, :SHOWN].tolist(),
    }


class Task:
    """An arm's examples and loss. x (n, inputs) and answers (n, outputs), as many equally right as there are ones."""

    def __init__(self, arm: Arm, seed: int, settings: Settings) -> None:
        self.squared = arm.squared
        x, answers, self.chance = (boards if arm.go else taught)(settings.examples + settings.tests, seed)
        self.x, self.x_test = x.split([settings.examples, settings.tests])
        self.answers, self.answers_test = answers.split([settings.examples, settings.tests])

    def loss(self, network: nn.Module, chosen: Tensor | slice = slice(None)) -> Tensor:
        outputs, answers = network(self.x[chosen]), self.answers[chosen]
        if self.squared:
            return (outputs - answers).square().sum(dim=1).mean() / 2
        return functional.cross_entropy(outputs, answers / answers.sum(dim=1, keepdim=True))

    @torch.no_grad()
    def loss_of(self, network: nn.Module) -> float:
        return float(self.loss(network))

    @torch.no_grad()
    def right(self, network: nn.Module) -> float:
        """Share of test boards whose likeliest answer is right."""
        best = network(self.x_test).argmax(dim=1, keepdim=True)
        return float(self.answers_test.gather(1, best).double().mean())


def taught(count: int, seed: int) -> tuple[Tensor, Tensor, float]:
    """Boards (count, POINTS), the teacher's answers (count, CLASSES), and the chance of a guess."""
    generator = torch.Generator().manual_seed(seed)
    incoming = torch.randn(POINTS, TEACHING, generator=generator) / math.sqrt(POINTS / 6)  # tanh of sums around 2
    outgoing = torch.randn(TEACHING, CLASSES, generator=generator)
    x = torch.randint(-1, 2, (count, POINTS), generator=generator).float()
    labels = (torch.tanh(x @ incoming) @ outgoing).argmax(dim=1)
    return x, functional.one_hot(labels, CLASSES).float(), 1 / CLASSES


def boards(count: int, seed: int) -> tuple[Tensor, Tensor, float]:
    """Capture-Go: own and enemy stones, those of them in atari (count, 4 * POINTS), and the moves that win."""
    drawn = random_boards(7, count, np.random.default_rng(seed))
    chance = (drawn.answers.sum(axis=1) / (drawn.boards == 0).sum(axis=(1, 2))).mean()
    return torch.tensor(observe(drawn.boards)[:, :4]).flatten(1), torch.tensor(drawn.answers).float(), float(chance)


def begin(arm: Arm, seed: int) -> nn.Sequential:
    into, out = (4 * POINTS, POINTS) if arm.go else (POINTS, CLASSES)
    network = nn.Sequential(
        nn.utils.skip_init(nn.Linear, into, HIDDEN), nn.ReLU(), nn.utils.skip_init(nn.Linear, HIDDEN, out)
    )
    initialise_randomly(network, torch.Generator().manual_seed(seed))
    return network


def checkpoints(settings: Settings) -> list[int]:
    """Steps at which sharpness is measured: twice as many each time, from the full batch's epochs to batch 8's."""
    return [settings.epochs * 2**k for k in range(int(math.log2(settings.examples // 8)) + 1)]


def epoch_steps(arm: Arm, settings: Settings) -> int:
    return settings.epochs * settings.examples // (arm.batch or settings.examples)


def descend(
    network: nn.Module, task: Task, batch: int | None, steps: int, rate: float, generator: torch.Generator
) -> None:
    """Plain gradient descent, the examples shuffled anew for every epoch."""
    parameters, order = list(network.parameters()), torch.empty(0, dtype=torch.int64)
    for _ in range(steps):
        if batch is not None and len(order) < batch:
            order = torch.randperm(len(task.x), generator=generator)
        chosen, order = (slice(None), order) if batch is None else (order[:batch], order[batch:])
        gradients = torch.autograd.grad(task.loss(network, chosen), parameters)
        with torch.no_grad():
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter.sub_(gradient, alpha=rate)


def warm_start(seed: int, settings: Settings) -> Figures:
    """From where the full batch got to, as many steps again: with batches of 8, and with all."""
    arm, steps = ARMS[FULL], checkpoints(settings)[-1]
    task, network = Task(arm, seed, settings), begin(arm, seed)
    generator = torch.Generator().manual_seed(seed)
    descend(network, task, None, steps, arm.rate, generator)
    small, full = copy.deepcopy(network), copy.deepcopy(network)
    descend(small, task, 8, steps, arm.rate, generator)
    descend(full, task, None, steps, arm.rate, generator)
    between = along_line(network, small, task.loss)
    return {
        "before": sharpness(network, task.loss),
        "small": sharpness(small, task.loss),
        "full": sharpness(full, task.loss),
        "ratio": sharpness(small, task.loss) / sharpness(full, task.loss),
        "barrier": max(between) - max(between[0], between[-1]),
        "loss": between[-1],
        "gain": task.right(small) - task.right(full),
    }


def at_one_loss(small: np.ndarray, full: np.ndarray) -> float:
    """Ratio of sharpness at the higher of the two final losses; each (2, checkpoints) of loss and sharpness."""
    at = np.log(max(small[0, -1], full[0, -1]))
    logs = (np.log(np.maximum(curve, 1e-12))[:, np.argsort(curve[0])] for curve in (small, full))
    one, other = (np.interp(at, loss, sharp) for loss, sharp in logs)
    return float(np.exp(one - other))


def picture(result: Result) -> Figure:
    """Where walkers end; how many are in the deep well, by temperature; sharpness as the loss falls."""
    figure = Figure(figsize=(15, 4.8), facecolor="white", layout="constrained")
    wells, shares, teacher, go = figure.subplots(1, 4)
    _draw_wells(wells, result)
    _draw_shares(shares, result)
    _draw_descent(teacher, result, "Teacher, squared error", {
        FULL: ("all 512", ORANGE, "o-"), BATCH_128: ("128", GREY, "s-"), BATCH_32: ("32", GREEN, "^-"),
        BATCH_8: ("8", BLUE, "v-"), FASTER: ("all, twice the rate", ORANGE, "o:"),
    })  # fmt: skip
    _draw_descent(go, result, "Go, cross-entropy", {GO_FULL: ("all 512", ORANGE, "o-"), GO_8: ("8", BLUE, "v-")})
    return figure


def _draw_wells(axes: Axes, result: Result) -> None:
    x = np.linspace(-1.9, 1.75, 300)
    axes.plot(x, potential(x), color="black")
    middle, last = TEMPERATURES.index(0.6), len(TEMPERATURES) - 1
    rows = (("constant", 0, ORANGE, "no noise"), ("constant", middle, BLUE, "constant, 0.6"),
            ("constant", last, GREY, "constant, 4"), ("annealed", last, GREEN, "falling from 4"))  # fmt: skip
    scatter = np.random.default_rng(0).uniform(-0.28, 0.28, SHOWN)
    for row, (kind, level, colour, label) in enumerate(rows):
        ends = np.array(result.first(f"{WALKERS}: {kind} ends")[level])
        height = -2 - 1.25 * row
        axes.plot(ends, height + scatter[: len(ends)], ".", color=colour, markersize=4)
        axes.text(2.15, height, label, color=colour, fontsize=9, va="center")
    axes.set(xlim=(-2.3, 4.4), ylim=(-6.5, 8), xticks=[-1, 0, 1], yticks=[], xlabel="x")
    axes.set_title(f"Begun in the right, shallow well:\n{SHOWN} walkers of each kind in the end", fontsize=10)
    axes.spines[["top", "right", "left"]].set_visible(False)


def _draw_shares(axes: Axes, result: Result) -> None:
    places = np.arange(len(TEMPERATURES))
    for kind, colour, marker, label in (
        ("annealed", GREEN, "s-", "falling to 0 from there"),
        ("constant", BLUE, "o-", "constant"),
    ):
        mean = np.mean([figures[f"{WALKERS}: {kind} shares"] for figures in result.by_seed], axis=0)
        axes.plot(places, mean, marker, color=colour, markersize=5, label=label)
    law = [boltzmann_share(temperature) for temperature in TEMPERATURES[1:]]
    axes.plot(places[1:], law, ":", color="black", label="Boltzmann's law")
    axes.set_xticks(places, [f"{temperature:g}" for temperature in TEMPERATURES], fontsize=9)
    axes.set(ylim=(-0.03, 1.35), yticks=np.linspace(0, 1, 6), xlabel="temperature", ylabel="share in the deep well")
    axes.set_title("Too cold to leave, or too hot to stay", fontsize=10)
    axes.legend(fontsize=9, frameon=False, loc="upper left")
    axes.spines[["top", "right"]].set_visible(False)


def _draw_descent(axes: Axes, result: Result, title: str, cells: Mapping[str, tuple[str, str, str]]) -> None:
    lowest = math.inf
    for cell, (label, colour, marker) in cells.items():
        loss, sharp = (
            np.exp(np.mean([np.log(figures[f"{cell}: {name}"]) for figures in result.by_seed], axis=0))
            for name in ("losses", "sharpnesses")
        )
        lowest = min(lowest, sharp.min())
        share = result.mean(f"{cell}: accuracy")
        axes.plot(loss, sharp, marker, color=colour, markersize=5, label=f"{label} ({share:.0%} right)")
    axes.set(xscale="log", yscale="log", xlabel="training loss, falling", ylabel="sharpness")
    axes.set_ylim(bottom=lowest / 3)  # room for the legend
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(FormatStrFormatter("%g"))
        axis.set_minor_formatter(NullFormatter())
    axes.invert_xaxis()
    axes.set_title(f"{title}:\nsharpness as the loss falls, by batch", fontsize=10)
    axes.legend(fontsize=9, frameon=False, loc="lower left")
    axes.spines[["top", "right"]].set_visible(False)


EXPERIMENT = LocalMinima()
