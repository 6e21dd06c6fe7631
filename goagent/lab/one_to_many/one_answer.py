"""Where randomness buys nothing: positions with exactly one answer. The control of the chapter.

A deterministic and a stochastic policy learn positions with one winning move (S5), and win as often. That this is no
matter of insensitive figures is shown by two more cells, which learn positions with any number of winning moves: there
the same two part as soon as a position has a second answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from goagent.lab.boards_drawn import DOT, HEAT, draw_board
from goagent.lab.capture_go import Boards, judge_moves, legal_points, observe, random_boards
from goagent.lab.core import Claim, Criterion, Experiment, Figures, Result, Role, Scale
from goagent.lab.one_to_many.models import Model, fit, fresh
from goagent.lab.one_to_many.stated_probabilities import bits
from goagent.lab.one_to_many.suites import SIZE
from goagent.policies.distributions import PointMoves

ONE, ANY = "one answer", "any number"  # of winning moves in the positions that a model learns
SQUARED, CATEGORICAL = "squared error", "categorical"
NUMBERS = (1, 2, 3, 4)  # of winning moves in the positions that a model is measured on
WAYS = (  # model, choice of the move, its name in the picture, colour, marker
    (CATEGORICAL, "drawn", "distribution, a move drawn", HEAT, "o"),
    (CATEGORICAL, "likeliest", "the same, its likeliest move", "#009E73", "^"),
    (SQUARED, "likeliest", "one point, squared error, repaired", DOT, "s"),
)


@dataclass(frozen=True)
class Settings:
    boards: int = 16_000  # that a model learns from
    steps: int = 500
    suite: int = 1000  # positions with each number of answers, on which it is measured
    batch: int = 128
    rate: float = 0.005


class OneAnswer(Experiment):
    name = "one-answer"
    title = "One answer: nothing for chance to do"
    claim = Claim(
        sentence="Where every input has one right answer, as a picture of a dog has one label, nothing is gained by "
        "randomness at inference: a deterministic and a stochastic policy do equally well.",
        essay="Jang 2016, Single input, multiple output: to classify images needs no randomness, as any image of a dog "
        "should be mapped to the same label.",
        source="Bishop 1994, Mixture density networks: with one target value for an input, its conditional mean is "
        "that value, so least squares has nothing to average.",
        data="Random Capture-Go positions on 7x7 with exactly one winning move (S5), for learning as for measuring; "
        "for contrast, positions with any number of them.",
        models="One trunk; one point, by squared error (deterministic), or a logit for every move, of which one is "
        "drawn (stochastic) or the likeliest taken (deterministic).",
        baselines="The likeliest move of the categorical policy: the same network without chance.",
        metric="Share of positions won, all moves among the legal ones: a point plays the nearest, a distribution is "
        "masked. Two differences decide, both drawn less deterministic: from the regressor, and within one network.",
        shows_not="That randomness is of no use in learning such positions: it is left out at inference only. That "
        "photographs of dogs have one label each is taken from the essay, not tested.",
    )
    criteria = (
        Criterion("over squared error", "a drawn move wins more often than the regressor's, by", Role.CLAIM,
                  at_least=-0.03, at_most=0.03),
        Criterion("over the likeliest", "a drawn move wins more often than the likeliest of the same network, by",
                  Role.CLAIM, at_least=-0.03, at_most=0.03),
        Criterion(f"{ONE}, {SQUARED}: raw", "the regressor wins without repair: it has learned", Role.CONTROL,
                  at_least=0.70),
        Criterion(f"{ONE}, {CATEGORICAL}: raw", "and so does the drawn move", Role.CONTROL, at_least=0.70),
        Criterion(f"{ONE}, {CATEGORICAL}: entropy", "bits of chance that the distribution keeps", Role.DETAIL,
                  at_most=0.1),
        Criterion("over squared error, 2 answers", "with two answers the drawn move wins more often than the "
                  "regressor's, by", Role.DETAIL, at_least=0.5),
    )  # fmt: skip
    settings: Mapping[Scale, Settings] = {
        "test": Settings(boards=300, steps=5, suite=40, batch=32),
        "quick": Settings(boards=3000, steps=120, suite=200),
        "full": Settings(),
    }

    def cells(self, settings: Settings) -> tuple[str, ...]:
        return tuple(f"{taught}, {model}" for taught in (ONE, ANY) for model in (SQUARED, CATEGORICAL))

    def measure(self, cell: str, seed: int, settings: Settings) -> Figures:
        taught, name = cell.split(", ")
        suites, learned = positions(taught, settings, seed)
        numbers = NUMBERS if taught == ANY else (1,)
        model = fresh(name, seed)
        fit(model, observe(learned.boards), learned.answers, settings.steps, settings.batch, seed, settings.rate)
        figures = measured(model, suites[1], seed) | {"shown": _shown(model, suites[max(numbers[:2])])}
        return figures | {
            f"{number} answers, {choice}": value
            for number in numbers
            for choice, value in measured(model, suites[number], seed).items()
            if choice in ("drawn", "likeliest")
        }

    def derive(self, figures: Figures) -> Figures:
        drawn = figures[f"{ONE}, {CATEGORICAL}: drawn"]
        return {
            "over squared error": drawn - figures[f"{ONE}, {SQUARED}: likeliest"],
            "over the likeliest": drawn - figures[f"{ONE}, {CATEGORICAL}: likeliest"],
        } | {
            f"over squared error, {number} answers": figures[f"{ANY}, {CATEGORICAL}: {number} answers, drawn"]
            - figures[f"{ANY}, {SQUARED}: {number} answers, likeliest"]
            for number in NUMBERS
        }

    def draw(self, result: Result) -> Figure:
        return picture(result)

    def conclude(self, result: Result) -> str:
        mean = result.mean
        return (
            f"With one answer a position, a drawn move wins {mean(f'{ONE}, {CATEGORICAL}: drawn'):.1%}, the likeliest "
            f"of the same network {mean(f'{ONE}, {CATEGORICAL}: likeliest'):.1%}, and the regressor's "
            f"{mean(f'{ONE}, {SQUARED}: likeliest'):.1%}: chance changes {mean('over the likeliest'):+.1%}, and a "
            f"distribution in place of a point {mean('over squared error'):+.1%}. Models that learned positions with "
            f"any number of answers part at the second one: drawn over regressor {mean(_over(1)):+.0%} with one "
            f"answer, {mean(_over(2)):+.0%} with two."
        )


def _over(number: int) -> str:
    return f"over squared error, {number} answers"


@lru_cache(maxsize=2)
def positions(taught: str, settings: Settings, seed: int) -> tuple[dict[int, Boards], Boards]:
    """By number of answers, to measure on, and those to learn from: the same for both models, so they are kept."""
    rng = np.random.default_rng(seed)
    suites = {number: random_boards(SIZE, settings.suite, rng, answers=(number, number)) for number in NUMBERS}
    return suites, random_boards(SIZE, settings.boards, rng, answers=(1, 10**6) if taught == ANY else (1, 1))


@torch.no_grad()
def measured(model: Model, suite: Boards, seed: int) -> dict[str, float]:
    """Shares of the positions that are won. raw: a draw without the legal mask. entropy: in bits, mean."""
    planes = torch.from_numpy(observe(suite.boards))
    allowed = np.pad(legal_points(suite.boards), ((0, 0), (0, 1)))  # no pass, which never wins
    answer = model(planes, torch.from_numpy(allowed))
    generator = torch.Generator().manual_seed(seed)
    chosen = {
        "drawn": answer.sample(generator=generator),
        "likeliest": answer.mode(),
        "raw": answer.unmasked.sample(generator=generator),
    }
    wins = {choice: float(judge_moves(suite.boards, moves.numpy()).wins.mean()) for choice, moves in chosen.items()}
    return wins | {"entropy": float(bits(answer.probs.double().numpy()).mean())}


@torch.no_grad()
def _shown(model: Model, suite: Boards) -> dict[str, list]:
    """The first position as the model answers it: a point, or probabilities."""
    board = suite.boards[:1]
    answer = model(torch.from_numpy(observe(board)))
    points = answer.raw[:, :2].tolist() if isinstance(answer, PointMoves) else []
    return {"board": board[0].tolist(), "points": points, "probabilities": answer.probs[0, :-1].tolist()}


def picture(result: Result) -> Figure:
    """A position with one answer and one with two, as both models answer them; and what they win, by that number."""
    figure = Figure(figsize=(12.5, 4.6), facecolor="white", layout="constrained")
    one, two, curve = figure.subplots(1, 3, width_ratios=(1, 1, 1.45))
    for axes, taught, title in (
        (
            one,
            ONE,
            "One answer: the point of squared error\n(vermilion) and the distribution (blue)",
        ),
        (two, ANY, "Two answers: the point of squared error\nand the distribution"),
    ):
        point = result.first(f"{taught}, {SQUARED}: shown")
        probabilities = np.array(result.first(f"{taught}, {CATEGORICAL}: shown")["probabilities"])
        draw_board(axes, np.array(point["board"]), probabilities, np.array(point["points"]), title)
    _draw_wins(curve, result)
    return figure


def _draw_wins(axes: Axes, result: Result) -> None:
    for (model, choice, label, colour, marker), size in zip(WAYS, (11, 6, 7), strict=True):
        estimates = [result.estimates[f"{ANY}, {model}: {number} answers, {choice}"] for number in NUMBERS]
        alone = result.mean(f"{ONE}, {model}: {choice}")
        means = [estimate.mean for estimate in estimates]
        axes.plot(NUMBERS, means, color=colour, marker=marker, markersize=size, label=f"{label} ({alone:.1%})")
    axes.set(ylim=(-0.02, 1.06), xticks=NUMBERS, xlabel="winning moves of the position", ylabel="positions won")
    axes.set_title("Learned with any number of answers\n(in brackets: learned and measured with one)", fontsize=10)
    axes.legend(fontsize=9, frameon=False, loc="center right")
    axes.spines[["top", "right"]].set_visible(False)


EXPERIMENT = OneAnswer()
