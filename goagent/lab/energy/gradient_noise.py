"""Gradient noise takes a deep network from a beginning that plain descent does not leave. Start with `GradientNoise`.

A network whose weights begin at half of He's size halves what passes at each of its layers: after twenty of them a
millionth is left, of the signal and of the gradient. Noise does not pass through the layers. It is added to each
gradient, and makes the weights grow by a random walk until signals pass; the question is whether that is all it does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn import functional

from goagent.lab.boards_drawn import draw_board
from goagent.lab.capture_go import PLANES, observe, random_boards
from goagent.lab.core import Claim, Criterion, Experiment, Figures, Result, Role, Scale
from goagent.lab.energy.symmetry import CLASSES, INPUTS, clusters
from goagent.noise.gradient import add_gradient_noise, gradient_noise_variance
from goagent.noise.initialisation import initialise_randomly

SIZE = 7  # of the board
CLIP = 1.0  # norm of the gradient
POINTS = 20  # of a curve
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#999999"


@dataclass(frozen=True)
class Arm:
    """How a cell begins and learns; as it stands, plain gradient descent on the clusters from a poor beginning."""

    go: bool = False
    deep: bool = True
    beginning: str = "poor"  # or "He", or "drawn", which is as wide as the noise would make the poor one
    noise: bool = False
    descends: bool = True  # on the gradient; else it counts as 0
    clipped: str = "before"  # the noise is added; or "after"
    adam: bool = False


PLAIN, NOISE, DRAWN, HE = "no noise", "noise", "drawn", "He"
WALK, AFTER, ADAM, HE_NOISE = "noise alone", "clipped after", "Adam", "He, noise"
SHALLOW, SHALLOW_NOISE = "shallow", "shallow, noise"
GO_PLAIN, GO_NOISE, GO_DRAWN, GO_HE = (f"Go: {cell}" for cell in (PLAIN, NOISE, DRAWN, HE))
ARMS = {
    PLAIN: Arm(),
    NOISE: Arm(noise=True),
    DRAWN: Arm(beginning="drawn"),
    HE: Arm(beginning="He"),
    WALK: Arm(noise=True, descends=False),
    AFTER: Arm(noise=True, clipped="after"),
    ADAM: Arm(adam=True),
    HE_NOISE: Arm(beginning="He", noise=True),
    SHALLOW: Arm(deep=False),
    SHALLOW_NOISE: Arm(deep=False, noise=True),
    GO_PLAIN: Arm(go=True),
    GO_NOISE: Arm(go=True, noise=True),
    GO_DRAWN: Arm(go=True, beginning="drawn"),
    GO_HE: Arm(go=True, beginning="He"),
}


@dataclass(frozen=True)
class Task:
    """What a network has, and how it is trained."""

    layers: int
    width: int  # units, or channels of 3x3 convolutions
    poor: float  # its beginning: He's weights times this
    steps: int
    batch: int
    examples: int  # to learn from
    tests: int  # to be measured on


@dataclass(frozen=True)
class Settings:
    clusters: Task = Task(20, 50, 0.5, steps=600, batch=64, examples=512, tests=4000)
    go: Task = Task(12, 8, 1 / 3, steps=500, batch=32, examples=5000, tests=1000)
    rate: float = 0.3
    adam: float = 1e-3  # its rate
    eta: float = 0.01  # variance of the noise at first
    gamma: float = 0.55


class GradientNoise(Experiment):
    name = "gradient-noise"
    title = "Gradient noise in very deep networks from a poor beginning"
    claim = Claim(
        sentence="Gaussian noise added to the gradients, less of it with every step, trains a very deep network from a "
        "poor beginning, where gradient descent without it stays at chance.",
        essay="Jang 2016, Exploration energy: adding noise to the gradients is an effective way to search, and to get "
        "out of weak local minima; it refers to the article that is tested here.",
        source="Neelakantan et al. 2015, arXiv:1511.06807: noise of variance eta / (1 + t)^0.55 lets a fully connected "
        "network of 20 layers be trained from a poor beginning; shallow ones are expected to benefit less. He et al. "
        "2015, arXiv:1502.01852: the size of weights at which a signal keeps its own.",
        data=f"Synthetic: {CLASSES} Gaussian clusters in {INPUTS} dimensions, 512 points to learn from. Go: random "
        "Capture-Go positions on 7x7, in which the moves that win at once are known exactly, 5,000 to learn from.",
        models="On the clusters, 20 linear layers with 50 ReLUs each between them; in Go, 12 convolutions of 8 "
        "channels, no residuals and no normalisation. The poor beginning is He's with all weights halved (a third in "
        "Go). Mini-batches, gradients clipped to norm 1, plain descent at rate 0.3, at which He's beginning does about "
        "as well as at 0.1 and 1 fails; eta 0.01, of three values the one that did best on the clusters; both "
        "chosen on development seeds.",
        baselines="No noise. Noise alone, the gradient being left out. Drawn: one draw as wide as the walk of the "
        "noise makes the poor beginning in all its steps, then no noise. He's beginning without and with noise. Adam "
        "without noise. Two layers instead of twenty. Clipping the noise together with the gradient.",
        metric="Share of points or boards not learned from that the likeliest answer gets right, by that of a guess "
        "(1 in 8; in Go a random empty point). Stuck: at most 1.5 times chance. Learned: at least twice chance. The "
        "mean of these over seeds is a share of seeds. Signal: the spread of a layer's sums over the test "
        "inputs.",
        shows_not="An escape from a local minimum: the poor beginning is a plateau, where gradients are tiny. That "
        "descent without noise is stuck for good: fewer layers, a less poor beginning or more steps let it through. "
        "That the noise helps where networks begin as they do today, with residuals, normalisation or He's weights.",
    )
    criteria = (
        Criterion(f"{PLAIN}: stuck", "20 layers without noise: share of seeds at 1.5 times chance at most", Role.CLAIM,
                  at_least=0.9),
        Criterion(f"{NOISE}: learned", "and with noise: share of seeds at twice chance at least", Role.CLAIM,
                  at_least=0.6),
        Criterion(f"{GO_PLAIN}: stuck", "Go, 12 layers without noise: share of seeds that are stuck", Role.CLAIM,
                  at_least=0.9),
        Criterion(f"{GO_NOISE}: learned", "and with noise: share of seeds that learned", Role.CLAIM, at_least=0.6),
        Criterion(f"{HE}: times chance", "20 layers can learn this: He's beginning, no noise, times chance",
                  Role.CONTROL, at_least=5),
        Criterion(f"{GO_HE}: times chance", "and 12 in Go", Role.CONTROL, at_least=5),
        Criterion(f"{WALK}: times chance", "it takes the gradient, too: noise alone, times chance", Role.CONTROL,
                  at_most=1.5),
        Criterion(f"{DRAWN}: relative", "one draw as wide as the noise makes it does as well: accuracy by that with "
                  "noise", Role.CONDITION, at_least=0.9),
        Criterion(f"{GO_DRAWN}: relative", "and in Go", Role.CONDITION, at_least=0.9),
        Criterion(f"{ADAM}: relative", "Adam, which scales small gradients up, gets away without noise: the same",
                  Role.CONDITION, at_least=0.8),
        Criterion("gain from He", "from He's beginning, accuracy with the same noise beyond that without",
                  Role.CONDITION, at_most=0),
        Criterion("gain shallow", "with two layers from a poor beginning, the same", Role.CONDITION, at_most=0.02),
        Criterion(f"{AFTER}: stuck", "noise that is clipped with the gradient is too small: share of seeds stuck",
                  Role.DETAIL, at_least=0.9),
        Criterion(f"{PLAIN}: gradient", "the poor beginning is a plateau: the gradient's norm there, in the weights "
                  "of all layers but the last", Role.DETAIL, at_most=1e-4),
        Criterion(f"{NOISE}: spread", "with noise, the weights' spread by that of a random walk", Role.DETAIL,
                  at_least=0.95, at_most=1.05),
    )  # fmt: skip
    settings: Mapping[Scale, Settings] = {
        "test": Settings(clusters=Task(8, 20, 0.5, 20, 16, 64, 200), go=Task(4, 4, 1 / 3, 20, 8, 64, 100)),
        "quick": Settings(
            clusters=Task(20, 30, 0.5, 300, 32, 512, 1000), go=Task(8, 8, 1 / 3, 120, 32, 2000, 500), eta=0.02
        ),
        "full": Settings(),
    }

    def cells(self, settings: Settings) -> tuple[str, ...]:
        return tuple(ARMS)

    def measure(self, cell: str, seed: int, settings: Settings) -> Figures:
        arm = ARMS[cell]
        task = settings.go if arm.go else settings.clusters
        x, answers, fields = boards(task, seed) if arm.go else points(task, seed)
        train, test = slice(task.examples), slice(task.examples, None)
        network = begin(arm, seed, settings)
        gradient = hidden_gradient(network, x[train], answers[train])
        curve = descend(arm, network, x, answers, seed, settings)
        accuracy, chance = right(network, x[test], answers[test]), float((answers[test] / fields[test]).sum(1).mean())
        logits, signal = passed(network, x[test])
        walk = walk_variance(task, settings)
        spread = [
            float(layer.weight.detach().std()) / (std**2 + walk) ** 0.5
            for layer, std in zip(linear_layers(network), poor_stds(network, task), strict=True)
        ]
        return {
            "accuracy": accuracy,
            "times chance": accuracy / chance,
            "stuck": float(accuracy <= 1.5 * chance),
            "learned": float(accuracy >= 2 * chance),
            "gradient": gradient,
            "spread": float(np.mean(spread[:-1])),
            "chance": chance,
            "curve": curve,
            "signal": signal,
            "board": x[task.examples, :2].tolist() if arm.go else [],
            "probabilities": logits[0].softmax(dim=0).tolist(),
        }

    def derive(self, figures: Figures) -> Figures:
        def of(cell: str) -> float:
            return float(figures[f"{cell}: accuracy"])

        return {
            f"{DRAWN}: relative": of(DRAWN) / max(of(NOISE), figures[f"{NOISE}: chance"]),
            f"{ADAM}: relative": of(ADAM) / max(of(NOISE), figures[f"{NOISE}: chance"]),
            f"{GO_DRAWN}: relative": of(GO_DRAWN) / max(of(GO_NOISE), figures[f"{GO_NOISE}: chance"]),
            "gain from He": of(HE_NOISE) - of(HE),
            "gain shallow": of(SHALLOW_NOISE) - of(SHALLOW),
        }

    def draw(self, result: Result) -> Figure:
        return picture(result)

    def conclude(self, result: Result) -> str:
        def of(cell: str, name: str = "accuracy") -> float:
            return result.mean(f"{cell}: {name}")

        return (
            f"From the poor beginning, 20 layers get {of(PLAIN):.0%} right without noise and {of(NOISE):.0%} with it "
            f"(chance {of(NOISE, 'chance'):.1%}; twice that in {of(NOISE, 'learned'):.0%} of the seeds); in Go "
            f"{of(GO_PLAIN):.0%} and {of(GO_NOISE):.0%} (chance {of(GO_NOISE, 'chance'):.0%}). Noise alone stays at "
            f"{of(WALK):.0%}, but one draw as wide as the noise makes the weights, and no noise, gets "
            f"{of(DRAWN):.0%} (Go {of(GO_DRAWN):.0%}), Adam without noise {of(ADAM):.0%}, He's beginning {of(HE):.0%} "
            f"and with noise {of(HE_NOISE):.0%}; two layers get {of(SHALLOW):.0%} without and {of(SHALLOW_NOISE):.0%} "
            f"with it. Clipped together with the gradient the noise comes to {of(AFTER):.0%}."
        )


Data = tuple[Tensor, Tensor, Tensor]


@cache
def points(task: Task, seed: int) -> Data:
    """Clusters: x (n, INPUTS), answers (n, CLASSES) float32 of 0 and 1, and how many there are to guess from (n, 1)."""
    x, labels, x_test, labels_test = clusters(task.examples, task.tests, seed)
    answers = functional.one_hot(torch.cat([labels, labels_test]), CLASSES).float()
    return torch.cat([x, x_test]), answers, torch.full((len(answers), 1), float(CLASSES))


@cache
def boards(task: Task, seed: int) -> Data:
    """Capture-Go: x (n, PLANES, SIZE, SIZE), the moves that win (n, SIZE * SIZE), and the number of empty points."""
    drawn = random_boards(SIZE, task.examples + task.tests, np.random.default_rng(seed))
    empty = (drawn.boards == 0).sum(axis=(1, 2))[:, None]
    return torch.tensor(observe(drawn.boards)), torch.tensor(drawn.answers).float(), torch.tensor(empty).float()


def linear_layers(network: nn.Module) -> list[nn.Linear | nn.Conv2d]:
    return [layer for layer in network.modules() if isinstance(layer, nn.Linear | nn.Conv2d)]


def poor_stds(network: nn.Module, task: Task) -> list[float]:
    """Of the weights of each layer at the poor beginning."""
    return [task.poor * (2 / layer.weight[0].numel()) ** 0.5 for layer in linear_layers(network)]


def walk_variance(task: Task, settings: Settings) -> float:
    """Of each weight, after all steps of the noise alone: rate^2 times the sum of the steps' variances."""
    return settings.rate**2 * sum(gradient_noise_variance(t, settings.eta, settings.gamma) for t in range(task.steps))


def begin(arm: Arm, seed: int, settings: Settings) -> nn.Sequential:
    """The arm's network before its first step; arms of one task and depth that differ in noise alone begin alike."""
    task = settings.go if arm.go else settings.clusters
    layers, generator = task.layers if arm.deep else 2, torch.Generator().manual_seed(seed)
    network = nn.Sequential()
    for i in range(layers):
        into, out = PLANES if arm.go else INPUTS, 1 if arm.go else CLASSES
        into, out = into if i == 0 else task.width, out if i == layers - 1 else task.width
        network.append(nn.utils.skip_init(nn.Conv2d, into, out, 3, padding=1) if arm.go
                       else nn.utils.skip_init(nn.Linear, into, out))  # fmt: skip
        network.append(nn.Flatten() if i == layers - 1 else nn.ReLU())
    initialise_randomly(network, generator)
    if arm.beginning != "He":
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.mul_(task.poor)
                if arm.beginning == "drawn":
                    wide = walk_variance(task, settings) ** 0.5
                    parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=wide)
    return network


def loss_of(network: nn.Module, x: Tensor, answers: Tensor) -> Tensor:
    """Cross-entropy, the right answers being equally likely."""
    return functional.cross_entropy(network(x), answers / answers.sum(dim=1, keepdim=True))


def descend(arm: Arm, network: nn.Module, x: Tensor, answers: Tensor, seed: int, settings: Settings) -> list[float]:
    """Train on the first `examples`; how many of the others are right, `POINTS` times on the way."""
    task = settings.go if arm.go else settings.clusters
    generator = torch.Generator().manual_seed(seed)
    parameters = list(network.parameters())
    optimiser = (
        torch.optim.Adam(parameters, lr=settings.adam) if arm.adam else torch.optim.SGD(parameters, lr=settings.rate)
    )
    test = slice(task.examples, task.examples + 1000)
    curve = [right(network, x[test], answers[test])]
    for step in range(task.steps):
        if arm.descends:
            chosen = torch.randint(task.examples, (task.batch,), generator=generator)
            optimiser.zero_grad()
            loss_of(network, x[chosen], answers[chosen]).backward()
        else:
            for parameter in parameters:
                parameter.grad = torch.zeros_like(parameter)
        if arm.clipped == "before":
            nn.utils.clip_grad_norm_(parameters, CLIP)
        if arm.noise:
            add_gradient_noise(parameters, step, settings.eta, settings.gamma, generator)
        if arm.clipped == "after":
            nn.utils.clip_grad_norm_(parameters, CLIP)
        optimiser.step()
        if (step + 1) * POINTS // task.steps > step * POINTS // task.steps:
            curve.append(right(network, x[test], answers[test]))
    return curve


@torch.no_grad()
def right(network: nn.Module, x: Tensor, answers: Tensor) -> float:
    """Share of x whose likeliest answer is one of `answers`."""
    best = network(x).argmax(dim=1, keepdim=True)
    return float(answers.gather(1, best).double().mean())


def hidden_gradient(network: nn.Module, x: Tensor, answers: Tensor) -> float:
    """Norm of the loss's gradient in the weights of all layers but the last."""
    inner = [layer.weight for layer in linear_layers(network)[:-1]]
    gradients = torch.autograd.grad(loss_of(network, x, answers), inner)
    return float(torch.cat([gradient.flatten() for gradient in gradients]).norm())


@torch.no_grad()
def passed(network: nn.Sequential, x: Tensor) -> tuple[Tensor, list[float]]:
    """Logits of x, and for each layer how far its sums differ between inputs: root mean square over units."""
    signal = []
    for layer in network:
        x = layer(x)
        if isinstance(layer, nn.Linear | nn.Conv2d):
            signal.append(float(x.var(dim=0).mean().sqrt()))
    return x, signal


def picture(result: Result) -> Figure:
    """What passes through the layers; how training goes; and a board, as two networks answer it."""
    figure = Figure(figsize=(14, 4.9), facecolor="white", layout="constrained")
    signal, curve, stuck, learned = figure.subplots(1, 4, width_ratios=(1.35, 1.6, 1, 1))
    _draw_signal(signal, result)
    _draw_curves(curve, result)
    for axes, cell, title in ((stuck, GO_PLAIN, "without noise"), (learned, GO_NOISE, "with noise")):
        own, enemy = np.array(result.first(f"{cell}: board"))
        share = result.mean(f"{cell}: accuracy")
        draw_board(axes, own - enemy, np.array(result.first(f"{cell}: probabilities")))
        axes.set_title(f"Go, 12 layers {title}:\n{share:.0%} of the boards won", fontsize=10)
    chance = result.mean(f"{GO_PLAIN}: chance")
    figure.supxlabel(f"Boards: Black to capture and win at once; dots are the network's probabilities. A random point "
                     f"wins {chance:.0%} of the boards.", fontsize=9, x=0.99, ha="right")  # fmt: skip
    return figure


def _draw_signal(axes: Axes, result: Result) -> None:
    for cell, colour, label in (
        (HE, GREEN, "He's beginning, trained"),
        (NOISE, BLUE, "poor beginning, noise"),
        (PLAIN, ORANGE, "poor beginning, no noise"),
    ):
        levels = np.array([level or np.nan for level in result.first(f"{cell}: signal")])  # 0 is below precision
        layers = np.arange(1, len(levels) + 1)
        axes.plot(layers, levels, "o-", color=colour, markersize=4, label=label)
    axes.set(yscale="log", xlabel="layer", ylabel="spread of its sums over inputs")
    axes.set_title("What passes through the layers after training", fontsize=10)
    axes.legend(fontsize=9, frameon=False, loc="lower left")
    axes.spines[["top", "right"]].set_visible(False)


def _draw_curves(axes: Axes, result: Result) -> None:
    steps = np.linspace(0, result.experiment.settings[result.scale].clusters.steps, POINTS + 1)
    for cell, colour, style, label in (
        (HE, GREEN, "-", "He's beginning"),
        (DRAWN, BLUE, "--", "one draw as wide as the noise makes it"),
        (NOISE, BLUE, "-", "poor beginning, noise"),
        (WALK, GREY, "--", "noise alone, no gradient"),
        (PLAIN, ORANGE, "-", "poor beginning, no noise"),
    ):
        mean = np.mean([figures[f"{cell}: curve"] for figures in result.by_seed], axis=0)
        axes.plot(steps, mean, style, color=colour, label=f"{label} ({mean[-1]:.0%})")
    axes.axhline(1 / CLASSES, color=GREY, linestyle=":")
    axes.set(ylim=(0, 1.62), yticks=np.linspace(0, 1, 6), xlabel="steps", ylabel="test points right")
    axes.set_title("Clusters, 20 layers: share right (dotted: chance)", fontsize=10)
    axes.legend(fontsize=9, frameon=False, loc="upper left")
    axes.spines[["top", "right"]].set_visible(False)


EXPERIMENT = GradientNoise()
