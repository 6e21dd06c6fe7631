"""Whether four tricks of training are one regularisation, a ridge: in a linear model, and in a ReLU network.

A trick's effect is what it changes in the answers to inputs not learned from. Its distance from a ridge is the share of
that effect in which the two differ: 0 if they are the same, 1 if the ridge is no nearer than doing nothing. Start with
`OneTheorem`.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from goagent.lab.core import Claim, Criterion, Experiment, Figures, Result, Role, Scale
from goagent.noise.dropout import matching_alpha
from goagent.noise.inputs import InputNoise

LINEAR, RELU = "linear model", "ReLU network"
NOISE, DROPOUT, STOPPING, STEPS = "input noise", "dropout", "early stopping", "small steps"
EXAMPLES, INPUTS, HIDDEN, BATCH = 30, 50, 32, 8
TRICKS = (NOISE, DROPOUT, STOPPING, STEPS)
STD, P = 0.5, 0.2  # of the noise on inputs; of dropout
RATE, SGD_RATE = 0.06, 0.01
STRENGTHS = 2.0 ** torch.arange(-5, 5)  # of a ridge, by the one that theory names
NEAR = 2.0 ** torch.arange(-6, 7)  # of a ridge around the start
LEFT = tuple(np.round(np.arange(0.9, 0.05, -0.1), 1).tolist())  # of the first error, where descent is stopped
RIDGES = ("the nearest ridge", "the nearest adaptive ridge", "the nearest ridge", "the nearest interpolant")
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#999999"

Parameters = list[Tensor]  # weights (copies, in, out) and offsets (copies, 1, out) of each layer in turn


@dataclass(frozen=True)
class Settings:
    steps: int = 2000  # of gradient descent; twice as many with mini-batches
    copies: int = 16  # of every example in a step, each with noise of its own
    flow_rate: float = 0.005  # where descent is stopped early: small, so that the path is that of gradient flow
    rounds: int = 150  # towards the interpolant that is nearest to the start
    tests: int = 1000


class OneTheorem(Experiment):
    name = "one-theorem"
    title = "Are all tricks one regularisation?"
    claim = Claim(
        sentence="Noise on the inputs, dropout, stopping early and small steps are variations of one regularisation, a "
        "penalty on the squared weights.",
        essay="Jang 2016, Closing thoughts: asks whether all these tricks of training are variations of some general "
        "regularisation theorem.",
        source="Bishop 1995, Neural Computation 7: input noise is Tikhonov regularisation. Wager, Wang and Liang 2013, "
        "arXiv:1307.1493: dropout is an adaptive L2. Ali, Kolter and Tibshirani 2019, arXiv:1810.10082: gradient flow "
        "stopped at t has at most 1.69 times the risk of the ridge 1/t. Zhang et al. 2016, arXiv:1611.03530: in linear "
        "models SGD from zero finds the interpolant of least norm.",
        data=f"Synthetic: {EXAMPLES} examples with {INPUTS} inputs of standard deviation 0.5 to 1.5; the target is "
        "linear plus eight ReLU units plus noise, so neither model is the truth. 1,000 fresh inputs to compare on.",
        models=f"A linear model from zero, and a network of {HIDDEN} ReLU units from He's random weights; squared "
        f"error. Every trick, its ridges and the plain model have the same first weights, steps and rate ({RATE}, on "
        "all examples; weights averaged over the later half). Noise: std 0.5. Dropout of inputs: 0.2; its ridge weighs "
        "each input by its mean square. Stopping: where 0.9, 0.8, ... 0.1 of the first error is left. Small steps: "
        f"batches of {BATCH} until nothing is left, against the interpolant nearest to the start (in the linear model "
        "the one of least norm), which is sought around the one that they find.",
        baselines="The same model without the trick; for small steps, which leave no error either way, another random "
        "start. The trick again with other draws: the floor. For stopping, descent at half the rate.",
        metric="Distance: |trick - ridge| by |trick - plain|, answers to fresh inputs, as root mean square, for "
        "stopping over all nine stops. Tricks with noise: mean answers of two runs. The strength of the ridge is the "
        "one that comes nearest (between strengths, straight lines), to the claim's favour: matched strengths need no "
        "theory of time and penalty. What theory names (std², p / (1 - p), 1 / time) is given as well. The penalty of "
        "stopping pulls towards the start, with offsets, those of noise and dropout towards zero, without.",
        shows_not="That no theorem unites them: any way of shrinking a linear model is a quadratic penalty of some "
        "matrix, and which one it is for stopping is among the details. With inputs all alike and many examples "
        "stopping comes nearer to a ridge. A much wider network is nearly linear in its weights; other losses make no "
        "quadratic penalties even in linear models. Dropout of hidden units under squared error is a penalty of its "
        "own and no ridge of weights.",
    )
    criteria = (
        Criterion(f"{LINEAR}: {NOISE}", "linear model: distance of input noise from a ridge", Role.CLAIM, at_most=0.02),
        Criterion(f"{LINEAR}: {DROPOUT}", "of dropout from an adaptive ridge", Role.CLAIM, at_most=0.02),
        Criterion(f"{LINEAR}: {STOPPING}", "of early stopping from the path of ridges", Role.CLAIM, at_most=0.05),
        Criterion(f"{LINEAR}: {STEPS}", "of small steps from the least norm", Role.CLAIM, at_most=0.05),
        Criterion(f"{RELU}: {NOISE}", "not so in a ReLU network: distance of input noise", Role.CONDITION,
                  at_least=0.1),
        Criterion(f"{RELU}: {DROPOUT}", "of dropout", Role.CONDITION, at_least=0.1),
        Criterion(f"{RELU}: {STOPPING}", "of early stopping", Role.CONDITION, at_least=0.1),
        Criterion(f"{RELU}: {STEPS}", "of small steps", Role.CONDITION, at_least=0.1),
        Criterion(f"{LINEAR}: floor", "the same twice: largest distance, linear model", Role.CONTROL, at_most=0.05),
        Criterion(f"{RELU}: floor", "the same, ReLU network", Role.CONTROL, at_most=0.05),
        Criterion(f"{LINEAR}: effect", "every trick does something: least effect by the plain model's answers",
                  Role.CONTROL, at_least=0.1),
        Criterion(f"{RELU}: effect", "the same, ReLU network", Role.CONTROL, at_least=0.1),
        Criterion(f"{LINEAR}: unlearned", "small steps and the interpolant leave no error: the larger, by the first",
                  Role.CONTROL, at_most=0.02),
        Criterion(f"{RELU}: unlearned", "the same, ReLU network", Role.CONTROL, at_most=0.02),
        Criterion(f"{LINEAR}: {STOPPING}, by theory", "linear model: distance of early stopping from the ridge "
                  "1 / time", Role.DETAIL, at_most=0.05),
        Criterion(f"{LINEAR}: {STOPPING}, own matrix", "from the quadratic penalty that is its own", Role.DETAIL,
                  at_most=0.02),
        Criterion(f"{LINEAR}: {DROPOUT}, plain ridge", "of dropout from a ridge that is not adaptive", Role.DETAIL,
                  at_least=0.1),
        Criterion(f"{RELU}: hidden units", "ReLU network: distance of dropout of hidden units from their own adaptive "
                  "ridge, which moves with them", Role.DETAIL, at_most=0.05),
        Criterion(f"{RELU}: {NOISE}, slope", "of input noise from a penalty on the squared slope, as Bishop has it",
                  Role.DETAIL, at_most=0.1),
    )  # fmt: skip
    settings: Mapping[Scale, Settings] = {
        "test": Settings(steps=30, copies=2, flow_rate=0.06, rounds=3, tests=50),
        "quick": Settings(steps=800, flow_rate=0.01, rounds=50, tests=300),
        "full": Settings(),
    }

    def cells(self, settings: Settings) -> tuple[str, ...]:
        return (LINEAR, RELU)

    def measure(self, cell: str, seed: int, settings: Settings) -> Figures:
        with torch.random.fork_rng(devices=[]):  # noise draws from torch's own generator
            torch.manual_seed(seed)
            task, start = draw_task(settings.tests), begin(cell)
            plain = answer(descend(start, lambda p: squared(p, task.x, task.y), settings.steps), task.x_test)
            figures = tricks_with_noise(task, start, plain, settings)
            figures |= early_stopping(task, start, plain, settings)
            figures |= small_steps(task, start, begin(cell, random=True), settings)
        return figures | {
            "floor": max(figures[f"{trick}, floor"] for trick in TRICKS),
            "effect": min(figures[f"{trick}, effect"] for trick in TRICKS),
        }

    def draw(self, result: Result) -> Figure:
        return picture(result)

    def conclude(self, result: Result) -> str:
        def of(name: str, model: str = LINEAR) -> str:
            return f"{result.mean(f'{model}: {name}'):.1%}"

        return (
            f"Of what a trick changes in a linear model, a ridge misses {of(NOISE)} with input noise, {of(DROPOUT)} "
            f"with dropout (if it weighs each input; else {of(f'{DROPOUT}, plain ridge')}), {of(STOPPING)} with early "
            f"stopping ({of(f'{STOPPING}, by theory')} if its strength is 1 / time) and {of(STEPS)} with small steps. "
            f"In a ReLU network it misses {of(NOISE, RELU)}, {of(DROPOUT, RELU)}, {of(STOPPING, RELU)} and "
            f"{of(STEPS, RELU)}, where two runs of the same are at most {of('floor', RELU)} apart. Bishop's penalty on "
            f"the slope misses {of(f'{NOISE}, slope', RELU)} of input noise there, and dropout of the hidden units is "
            f"an adaptive ridge of their own ({of('hidden units', RELU)})."
        )


class Task(NamedTuple):
    x: Tensor  # (EXAMPLES, INPUTS)
    y: Tensor  # (EXAMPLES,)
    x_test: Tensor  # (tests, INPUTS)


def draw_task(tests: int) -> Task:
    """By torch's own generator. The target is standardised before the noise of 0.3 on its examples."""
    spread = torch.linspace(0.5, 1.5, INPUTS)
    line, bends = torch.randn(INPUTS) * spread, torch.randn(INPUTS, 8) * spread[:, None]
    heights = torch.randn(8) / math.sqrt(8)
    x = torch.randn(EXAMPLES + tests, INPUTS) * spread
    y = x @ line + torch.relu(x @ bends) @ heights
    y = (y - y.mean()) / y.std()
    return Task(x[:EXAMPLES], y[:EXAMPLES] + 0.3 * torch.randn(EXAMPLES), x[EXAMPLES:])


def begin(model: str, random: bool = False) -> Parameters:
    """One copy; random weights in a linear model only if asked for, which otherwise begins with zeros."""
    if model == LINEAR:
        return [random * torch.randn(1, INPUTS, 1) / math.sqrt(INPUTS), torch.zeros(1, 1, 1)]
    first = torch.randn(1, INPUTS, HIDDEN) * math.sqrt(2 / INPUTS)
    return [first, torch.zeros(1, 1, HIDDEN), torch.randn(1, HIDDEN, 1) / math.sqrt(HIDDEN), torch.zeros(1, 1, 1)]


def answer(parameters: Parameters, x: Tensor, hidden: nn.Module | None = None) -> Tensor:
    """x (..., n, INPUTS) -> (copies, n). hidden: what is done to the hidden units."""
    said = x @ parameters[0] + parameters[1]
    if len(parameters) > 2:
        units = torch.relu(said)
        said = (hidden(units) if hidden else units) @ parameters[2] + parameters[3]
    return said[..., 0]


def squared(parameters: Parameters, x: Tensor, y: Tensor, hidden: nn.Module | None = None) -> Tensor:
    """(copies,) half the mean squared error."""
    return (answer(parameters, x, hidden) - y).square().mean(dim=-1) / 2


def descend(
    start: Parameters, loss: Callable[[Parameters], Tensor], steps: int, rate: float | Tensor = RATE
) -> Parameters:
    """Gradient descent on loss (copies,), each copy by itself: the mean of the weights over the later half."""
    parameters = [value.clone().requires_grad_() for value in start]
    totals = [torch.zeros_like(value) for value in start]
    for step in range(steps):
        slopes = torch.autograd.grad(loss(parameters).sum(), parameters)
        with torch.no_grad():
            for value, slope, total in zip(parameters, slopes, totals, strict=True):
                value -= rate * slope
                if step >= steps // 2:
                    total += value
    return [total / (steps - steps // 2) for total in totals]


def many(start: Parameters, copies: int) -> Parameters:
    """One network as many."""
    return [value.expand(copies, -1, -1) for value in start]


def ridges(
    task: Task, start: Parameters, strengths: Tensor, weights: Parameters, centre: Parameters, steps: int
) -> Tensor:
    """Answers (strengths, tests) under the penalty strength / 2 * sum of weights * (parameters - centre)²."""
    scale = strengths[:, None, None]

    def loss(parameters: Parameters) -> Tensor:
        parts = zip(parameters, weights, centre, strict=True)
        pull = torch.stack([(w * (p - c) ** 2).sum((1, 2)) for p, w, c in parts]).sum(dim=0)
        return squared(parameters, task.x, task.y) + strengths * pull / 2

    rate = RATE / (1 + RATE * scale)  # a strong pull forbids large steps
    return answer(descend(many(start, len(strengths)), loss, steps, rate), task.x_test)


def nearest(answers: Tensor, path: Tensor) -> Tensor:
    """(tests,) the point nearest to answers (tests,) on the straight lines between the points of path (k, tests)."""
    begins, along = path[:-1], path.diff(dim=0)
    share = ((answers - begins) * along).sum(dim=1) / along.square().sum(dim=1).clamp_min(1e-12)
    points = begins + share.clamp(0, 1)[:, None] * along
    return points[(points - answers).norm(dim=1).argmin()]


def distance(trick: Tensor, ridge: Tensor, plain: Tensor) -> float:
    """|trick - ridge| / |trick - plain|, answers (..., tests)."""
    return float((trick - ridge).norm() / (trick - plain).norm())


def compared(trick: str, answers: Tensor, ridge: Tensor, plain: Tensor) -> Figures:
    """The distance, the effect, and for the picture what either does at 150 inputs; answers (tests,) each."""
    return {
        trick: distance(answers, ridge, plain),
        f"{trick}, effect": float((answers - plain).norm() / plain.norm()),
        f"{trick}, changes": [(each - plain)[:150].tolist() for each in (answers, ridge)],
    }


def tricks_with_noise(task: Task, start: Parameters, plain: Tensor, settings: Settings) -> Figures:
    """Input noise and dropout against ridges towards zero; in a network also against what theory has instead."""
    steps, alpha = settings.steps, matching_alpha(P)
    x, y = task.x.repeat(settings.copies, 1).expand(2, -1, -1), task.y.repeat(settings.copies)

    def noisy(inputs: nn.Module, hidden: nn.Module | None = None) -> Tensor:
        """Answers (2, tests) of two runs."""
        return answer(descend(many(start, 2), lambda p: squared(p, inputs(x), y, hidden), steps), task.x_test)

    zero = [torch.zeros_like(value) for value in start]
    weights = [torch.ones_like(value) * (k % 2 == 0) for k, value in enumerate(start)]  # none for offsets
    adaptive = [weights[0] * task.x.square().mean(dim=0)[:, None], *weights[1:]]
    runs = {NOISE: noisy(InputNoise(STD)), DROPOUT: noisy(nn.Dropout(P))}
    paths = {NOISE: ridges(task, start, STD**2 * STRENGTHS, weights, zero, steps)}
    paths[DROPOUT] = ridges(task, start, alpha * STRENGTHS, adaptive, zero, steps)
    figures: Figures = {}
    for trick, run in runs.items():
        mean, path = run.mean(dim=0), paths[trick]
        figures |= compared(trick, mean, nearest(mean, torch.cat([plain, path])), plain[0])
        figures[f"{trick}, floor"] = distance(run[:1], run[1:], plain)
        figures[f"{trick}, by theory"] = distance(mean, path[STRENGTHS == 1], plain)
    mean = runs[DROPOUT].mean(dim=0)
    figures[f"{DROPOUT}, plain ridge"] = distance(mean, nearest(mean, torch.cat([plain, paths[NOISE]])), plain)
    if len(start) == 2:
        return figures

    def sloping(p: Parameters) -> Tensor:
        return squared(p, task.x, task.y) + STD**2 * input_slopes(p, task.x).square().sum(dim=2).mean(dim=1) / 2

    def moving(p: Parameters) -> Tensor:
        units = torch.relu(task.x @ p[0] + p[1]).square().mean(dim=1)
        return squared(p, task.x, task.y) + alpha * (units * p[2][..., 0].square()).sum(dim=1) / 2

    sloped, moved = (answer(descend(start, loss, steps), task.x_test) for loss in (sloping, moving))
    figures[f"{NOISE}, slope"] = distance(runs[NOISE].mean(dim=0), sloped, plain)
    figures["hidden units"] = distance(noisy(nn.Identity(), nn.Dropout(P)).mean(dim=0), moved, plain)
    return figures


def input_slopes(parameters: Parameters, x: Tensor) -> Tensor:
    """(copies, n, INPUTS) derivatives of a ReLU network's answers by x (n, INPUTS)."""
    on = (x @ parameters[0] + parameters[1] > 0).to(x.dtype)
    return (on * parameters[2].mT) @ parameters[0].mT


def early_stopping(task: Task, start: Parameters, plain: Tensor, settings: Settings) -> Figures:
    """Descent, stopped where so much of the first error is left, against ridges around the start."""
    rate = settings.flow_rate
    first = error_of(start, task)
    path = []
    for error, answers in descent(task, start, rate):
        path.append((error, answers))
        if error <= LEFT[-1] * first:
            break
    stops = [next(k for k, (error, _) in enumerate(path) if error <= left * first) for left in LEFT]
    stopped = torch.stack([path[k][1] for k in stops])
    slower = [answers for _, answers in islice(descent(task, start, rate / 2), 2 * stops[-1] + 1)]
    whole = [torch.ones_like(value) for value in start]
    around = ridges(task, start, NEAR, whole, start, settings.steps)
    around = torch.cat([plain, around, answer(start, task.x_test)])
    reached = torch.stack([nearest(answers, around) for answers in stopped])
    middle = len(LEFT) // 2
    figures = compared(STOPPING, stopped[middle], reached[middle], plain[0])
    figures |= {
        STOPPING: distance(stopped, reached, plain),
        f"{STOPPING}, floor": distance(stopped, torch.stack([slower[2 * k] for k in stops]), plain),
    }
    if len(start) == 2:
        times = [rate * k for k in stops]
        equal = torch.stack([least_squares(task, torch.eye(INPUTS + 1) / time) for time in times])
        own = torch.stack([least_squares(task, flow_penalty(task, time)) for time in times])
        figures[f"{STOPPING}, by theory"] = distance(stopped, equal, plain)
        figures[f"{STOPPING}, own matrix"] = distance(stopped, own, plain)
    return figures


def descent(task: Task, start: Parameters, rate: float) -> Iterator[tuple[float, Tensor]]:
    """Error and answers (tests,) before each step of gradient descent, without end."""
    parameters = [value.clone().requires_grad_() for value in start]
    while True:
        slopes = torch.autograd.grad(squared(parameters, task.x, task.y).sum(), parameters)
        with torch.no_grad():
            yield error_of(parameters, task), answer(parameters, task.x_test)[0]
            for value, slope in zip(parameters, slopes, strict=True):
                value -= rate * slope


def error_of(parameters: Parameters, task: Task) -> float:
    """The largest root mean squared error of the copies, on the examples."""
    with torch.no_grad():
        return math.sqrt(2 * float(squared(parameters, task.x, task.y).max()))


def with_offset(x: Tensor) -> Tensor:
    """(n, INPUTS + 1) float64: the linear model's offset as one more input."""
    return nn.functional.pad(x, (0, 1), value=1.0).double()


def least_squares(task: Task, penalty: Tensor) -> Tensor:
    """Answers (tests,) of the linear model with the penalty w^T penalty w / 2, offset last: exactly."""
    x = with_offset(task.x)
    w = torch.linalg.solve(x.T @ x / EXAMPLES + penalty, x.T @ task.y.double() / EXAMPLES)
    return (with_offset(task.x_test) @ w).float()


def flow_penalty(task: Task, time: float) -> Tensor:
    """The penalty whose least squares are the linear model's gradient flow from zero, stopped at `time`.

    In the directions of the inputs' covariance, with variance s: s / (e^(s time) - 1), which is 1 / time at s = 0. Ali,
    Kolter and Tibshirani 2019, arXiv:1810.10082, lemma 3, for steps without length.
    """
    x = with_offset(task.x)
    variances, directions = torch.linalg.eigh(x.T @ x / EXAMPLES)
    variances = variances.clamp_min(1e-9)
    return directions * (variances / torch.expm1(variances * time)) @ directions.T


def small_steps(task: Task, start: Parameters, other: Parameters, settings: Settings) -> Figures:
    """SGD until nothing is left, twice, and once from elsewhere, against the interpolant nearest to the start."""

    def loss(parameters: Parameters) -> Tensor:
        chosen = torch.randint(EXAMPLES, (3, BATCH))
        return squared(parameters, task.x[chosen], task.y[chosen])

    begins = [torch.cat([a, a, b]) for a, b in zip(start, other, strict=True)]
    found = descend(begins, loss, 2 * settings.steps, SGD_RATE)
    one, again, elsewhere = answer(found, task.x_test)
    reached = [value[:1] for value in found]
    near = interpolant(task, reached, start, settings.rounds)
    return compared(STEPS, one, answer(near, task.x_test)[0], elsewhere) | {
        f"{STEPS}, floor": distance(one, again, elsewhere),
        "unlearned": max(error_of(found, task), error_of(near, task)) / error_of(start, task),
    }


def interpolant(task: Task, begin: Parameters, centre: Parameters, rounds: int) -> Parameters:
    """One that fits all examples and is nearest to `centre`, in squares of all parameters, around `begin`.

    Each round goes a part of the way to the centre, a smaller one each time, and repairs what that does to the answers
    by the least change, as if they were linear in the parameters; if they are, the result is exact.
    """
    sizes = [value.numel() for value in begin]

    def shaped(flat: Tensor) -> Parameters:
        return [part.view_as(value) for part, value in zip(flat.split(sizes), begin, strict=True)]

    flat, goal = (torch.cat([value.flatten() for value in values]) for values in (begin, centre))
    for k in range(rounds):
        slopes = torch.autograd.functional.jacobian(lambda f: answer(shaped(f), task.x)[0], flat, vectorize=True)
        missing = task.y - answer(shaped(flat), task.x)[0]
        move = 0.1 * (1 - k / rounds) ** 2 * (goal - flat)
        repair = torch.linalg.solve((slopes @ slopes.T).double(), (0.5 * missing - slopes @ move).double())
        flat = flat + move + slopes.T @ repair.float()
    return shaped(flat)


def picture(result: Result) -> Figure:
    """At 150 inputs, what the trick changes and what its ridge changes: equal on the diagonal."""
    figure = Figure(figsize=(12.5, 6), facecolor="white", layout="constrained")
    grid = figure.subplots(2, len(TRICKS))
    figure.suptitle(
        "What a trick changes in a model's answers, against what its ridge changes there; equal on the diagonal"
    )
    for row, model, colour in zip(grid, (LINEAR, RELU), (BLUE, ORANGE), strict=True):
        for axes, trick in zip(row, TRICKS, strict=True):
            by_trick, by_ridge = (np.array(each) for each in result.first(f"{model}: {trick}, changes"))
            reach = 1.1 * float(np.abs([by_trick, by_ridge]).max())
            axes.plot([-reach, reach], [-reach, reach], color=GREY, linewidth=1)
            axes.plot(by_ridge, by_trick, ".", color=colour, markersize=4)
            axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
            share, floor = result.mean(f"{model}: {trick}"), result.mean(f"{model}: {trick}, floor")
            axes.set_title(f"{trick.capitalize()}, {model}\nridge misses {share:.1%} (floor {floor:.1%})", fontsize=10)
            axes.spines[["top", "right"]].set_visible(False)
        row[0].set_ylabel(f"{model}\nchange by the trick")
    for axes, ridge in zip(grid[1], RIDGES, strict=True):
        axes.set_xlabel(f"change by {ridge}")
    return figure


EXPERIMENT = OneTheorem()
