"""Does a network that can give one answer land on the centre of the board? The chapter's first experiment.

Start with `CRITERIA`. The positions are those of `suites.py`, the networks those of `models.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase, SubFigure

from goagent.lab.boards_drawn import DOT, HEAT, draw_board
from goagent.lab.capture_go import observe, random_boards
from goagent.lab.core import Claim, Criterion, Experiment, Figures, Result, Role, Scale
from goagent.lab.one_to_many.models import MODELS, HypothesesMoves, fit, fresh
from goagent.lab.one_to_many.real_play import measure_real_play
from goagent.lab.one_to_many.suites import (
    SHEETS,
    board_suites,
    learn_sheet,
    measure_boards,
    measure_ideal,
    measure_sheet,
    steps_on,
    training_boards,
)
from goagent.lab.one_to_many.sweeps import sweep_points, sweep_price
from goagent.policies.distributions import DrawnMoves, MoveDistribution, PointMoves

SQUARED, NOISY, CATEGORICAL = "squared error", "noise, squared error", "categorical"
IDEAL, PRICE, POINTS, REAL = "exact mean", "price of noise", "number of points", "real play"  # cells that are no model
RANDOM = f"{IDEAL}: 7 C2 random legal wins"
SHOWN = next(sheet for sheet in SHEETS if sheet.name == "S2 7x7")  # in the picture
_PLAIN = ("S0", "S1")  # sheets whose centre is empty


@dataclass(frozen=True)
class Settings:
    models: tuple[str, ...]
    sheets: tuple[str, ...]  # names, of which the first letters count
    sheet_steps: int
    boards: int  # that a model learns from
    steps: int
    batch: int
    suite: int  # positions of each suite that it is measured on
    prices: tuple[float, ...]  # none: the sweeps are left out
    ideal_sizes: tuple[int, ...]


CRITERIA = (
    Criterion(f"{SQUARED}: plain collapse", "S0, S1: squared error lands on the centre: collapse index of every board",
              Role.CLAIM, at_least=0.97),
    Criterion(f"{SQUARED}: plain distance", "S0, S1: its distance from the centre, as a share of max(0.05, 3r/√N)",
              Role.CLAIM, at_most=1),
    Criterion(f"{SQUARED}: S2 illegal", "S2: with a stone on the centre, its move is illegal", Role.CLAIM,
              at_least=0.99),
    Criterion(f"{SQUARED}: S3 C2 argmax wins", "S3, half-turn symmetry: it wins", Role.CLAIM, at_most=0.10),
    Criterion("repaired above random", "S3, half-turn symmetry: its nearest legal point wins, above a random legal one",
              Role.CLAIM, at_most=0.03),
    Criterion(f"{SQUARED}: S4 argmax wins", "S4, several answers without symmetry: it wins", Role.CLAIM, at_most=0.20),
    Criterion(f"{CATEGORICAL}: plain on targets", "S0, S1: a categorical policy keeps to the expert's points",
              Role.CLAIM, at_least=0.97),
    Criterion(f"{CATEGORICAL}: plain gap", "S0, S1: its entropy differs from the expert's, bits", Role.CLAIM,
              at_most=0.05),
    Criterion(f"{CATEGORICAL}: plain coverage", "S0, S1: 100 samples show every point", Role.CLAIM, at_least=1),
    Criterion(f"{CATEGORICAL}: S2 illegal", "S2: its sampled move is illegal", Role.CLAIM, at_most=0.01),
    Criterion(f"{CATEGORICAL}: S3 C2 sampled wins", "S3, half-turn symmetry: its sampled move wins", Role.CLAIM,
              at_least=0.90),
    Criterion(f"{CATEGORICAL}: S4 sampled wins", "S4: its sampled move wins", Role.CLAIM, at_least=0.85),
    Criterion(f"{SQUARED}: S5 argmax wins", "S5, one answer: squared error wins", Role.CONTROL, at_least=0.70),
    Criterion("S5 difference", "S5: the categorical policy wins more often by", Role.CONTROL, at_most=0.20),
    Criterion(f"{CATEGORICAL}: S3 C2 argmax wins",
              "Not determinism: the most probable move of the categorical policy, always the same, wins on S3",
              Role.CONDITION, at_least=0.95),
    Criterion(f"{NOISY}: plain collapse", "Not for want of noise: with noise as input, squared error still collapses",
              Role.CONDITION, at_least=0.95),
    Criterion(f"{POINTS}: worst", "Lemma 5: K points, winner takes all, miss their least error by this share of r²",
              Role.DETAIL, at_most=0.10),
    Criterion(f"{PRICE}: half", "Lemma 6: a latent policy is half collapsed where noise costs this share of r²/2",
              Role.DETAIL, at_least=0.75, at_most=1.25),
    Criterion(f"{PRICE}: complete", "Lemma 6: its collapse is complete, index 0.95, where noise costs this share",
              Role.DETAIL, at_least=0.75, at_most=1.25),
    *(Criterion(f"{REAL}: games {size}x{size} reply mean's distance",
                f"Strong {size}x{size} games: distance of the mean reply to a stone on the centre from that stone",
                Role.DETAIL, at_most=0.5) for size in (7, 9)),
    Criterion(f"{PRICE}: bits above the least", "Lemma 6: bits of noise beyond log2 of the answers, all in play",
              Role.DETAIL, at_least=0, at_most=0.5),
)  # fmt: skip

_PRICES = (0.02, 0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.7, 0.85, 1.0, 1.15, 1.3)
SETTINGS: Mapping[Scale, Settings] = {
    "test": Settings((SQUARED, NOISY, CATEGORICAL), ("S1 5x5", "S2 7x7"), 5, 300, 5, 128, 50, (0.5, 1.5), (7,)),
    "quick": Settings((SQUARED, CATEGORICAL), ("S1 5x5", "S2 7x7"), 100, 10_000, 430, 64, 200, (), (7,)),
    "full": Settings(tuple(MODELS), ("S0", "S1", "S2"), 500, 24_000, 500, 128, 500, _PRICES, (5, 7, 9)),
}


class CentreCollapse(Experiment):
    name = "centre-collapse"
    title = "The mean of good moves"
    claim = Claim(
        sentence="A network that answers a position with one point, trained by squared error, answers with the mean of "
        "the good moves: the centre of the board where they are symmetric, an occupied point or a losing move where "
        "the position is sharp. A network that answers with a distribution keeps them all.",
        essay="Jang 2016 (Why randomness is important for deep learning), Single input, multiple output: with one "
        "output per input, optimisation forces the move that averages all the best answers, in the middle of "
        "the board.",
        source="Bishop 1994, Mixture density networks: least squares learns the conditional mean, which need not be an "
        "answer. Lawrence et al. 2025 (ICLR): an equivariant network cannot break a symmetry of its input.",
        data="S0 the empty 19x19 board and its usual first points; S1 empty boards of 5x5 to 9x9; S2 a stone on the "
        "centre. The experts of these are declared, not strong. S3 random Capture-Go positions with a symmetry, S4 "
        "without, S5 with a single winning move: whoever moves captures at once or is captured, so answers are exact.",
        models="One convolutional trunk and eleven ways to answer, matched in parameters within 5 %.",
        baselines="The exact mean of the answers, rounded; the nearest legal point to it; a random legal move.",
        metric="Distance from the centre, collapse index 1 - distance / radius, share of positions won, of illegal "
        "moves; entropy. Without a legal mask unless 'repaired'.",
        shows_not="That a regressor plays badly everywhere: with one good answer it is as good as any (S5), and on the "
        "empty 5x5 board the centre that it collapses to is the best first move. That randomness is needed: the most "
        "probable move of the categorical policy is deterministic and wins. S0 to S2 have experts made up for the "
        "purpose.",
    )  # fmt: skip
    criteria = CRITERIA
    settings = SETTINGS

    def cells(self, settings: Settings) -> tuple[str, ...]:
        return (*settings.models, IDEAL, *((PRICE, POINTS, REAL) if settings.prices else ()))

    def measure(self, cell: str, seed: int, settings: Settings) -> Figures:
        if cell == PRICE:
            return sweep_price(settings.prices, seed, settings.sheet_steps)
        if cell == POINTS:
            return sweep_points(seed, settings.sheet_steps)
        if cell == REAL:
            return measure_real_play()
        rng = np.random.default_rng(seed)
        if cell == IDEAL:
            return _ideal(settings, rng)
        return _sheets(cell, seed, settings) | _boards(cell, seed, settings, rng)

    def derive(self, figures: Figures) -> Figures:
        return {
            "repaired above random": figures[f"{SQUARED}: S3 C2 repaired wins"] - figures[RANDOM],
            "S5 difference": figures[f"{CATEGORICAL}: S5 argmax wins"] - figures[f"{SQUARED}: S5 argmax wins"],
        }

    def draw(self, result: Result) -> Figure:
        return _draw(result)

    def conclude(self, result: Result) -> str:
        mean = result.mean
        noisy = NOISY in result.experiment.settings[result.scale].models
        noise = f"; {mean(f'{NOISY}: plain collapse'):.3f} with noise among its inputs" if noisy else ""
        return (
            f"Squared error on coordinates collapses to the centre (index {mean(f'{SQUARED}: plain collapse'):.3f}"
            f"{noise}). With a stone there it is "
            f"illegal {mean(f'{SQUARED}: S2 illegal'):.0%} of the time. In positions with half-turn symmetry it wins "
            f"{mean(f'{SQUARED}: S3 C2 argmax wins'):.0%}, by its nearest legal point "
            f"{mean(f'{SQUARED}: S3 C2 repaired wins'):.0%}, where a random legal move wins {mean(RANDOM):.0%} and the "
            f"categorical policy {mean(f'{CATEGORICAL}: S3 C2 sampled wins'):.0%} sampled and "
            f"{mean(f'{CATEGORICAL}: S3 C2 argmax wins'):.0%} by its most probable move, which is deterministic: the "
            f"loss averages, not determinism. With one right answer it wins {mean(f'{SQUARED}: S5 argmax wins'):.0%}."
        )


def _sheets(name: str, seed: int, settings: Settings) -> Figures:
    """By sheet; and over those with an empty centre (plain) the worst, over S2 the mean. One is kept to be drawn."""
    figures: Figures = {}
    plain, allowed, illegal = [], [], []
    for sheet in SHEETS:
        if not sheet.name.startswith(settings.sheets):
            continue
        model = learn_sheet(name, sheet, seed, settings.sheet_steps)
        measured = measure_sheet(model, sheet, seed)
        figures |= {f"{sheet.name} {figure}": value for figure, value in measured.items()}
        if sheet.name.startswith(_PLAIN):
            plain.append(measured)
            shown = 128 * steps_on(sheet, settings.sheet_steps)
            allowed.append(measured["distance"] / max(0.05, 3 * sheet.radius / shown**0.5))
        else:
            illegal.append(measured["illegal"])
        if sheet is SHOWN:
            with torch.no_grad():
                answer = model(torch.from_numpy(observe(sheet.board[None])))
            figures |= {"shown probabilities": answer.probs[0].tolist(), "shown places": _places(answer)}
    return figures | {
        "plain collapse": min(m["collapse"] for m in plain),
        "plain distance": max(allowed),
        "plain on targets": min(m["on targets"] for m in plain),
        "plain gap": max(abs(m["gap"]) for m in plain),
        "plain coverage": min(m["coverage"] for m in plain),
        "S2 illegal": float(np.mean(illegal)),
    }


def _places(answer: MoveDistribution) -> list[list[float]]:
    """The points that an answer consists of, if it consists of points."""
    if isinstance(answer, PointMoves):
        return answer.raw[:, :2].tolist()
    if isinstance(answer, HypothesesMoves):
        return answer.places()[0][0].tolist()
    return torch.stack(answer.raw[0, :-1].chunk(2), dim=1).tolist() if isinstance(answer, DrawnMoves) else []


def _boards(name: str, seed: int, settings: Settings, rng: np.random.Generator) -> Figures:
    """S3 to S5, on positions that it has not seen."""
    learned = training_boards(settings.boards, rng)
    model = fresh(name, seed)
    fit(model, observe(learned.boards), learned.answers, settings.steps, settings.batch, seed, learning_rate=1e-2)
    return {
        f"{suite} {figure}": value
        for suite, boards in board_suites(settings.suite, rng).items()
        for figure, value in measure_boards(model, boards, seed).items()
    }


def _ideal(settings: Settings, rng: np.random.Generator) -> Figures:
    """The regressor that has learned its lesson perfectly, on boards of several sizes."""
    figures: Figures = {}
    for size in settings.ideal_sizes:
        for group in ("C2", "D4", "D1", "none"):
            boards = random_boards(size, settings.suite, rng, group, (2, 10**6))
            figures |= {f"{size} {group} {figure}": value for figure, value in measure_ideal(boards).items()}
    return figures


def _draw(result: Result) -> Figure:
    """The position with the stone on the centre as each model answers it, and what becomes of their moves in S3."""
    models = list(result.experiment.settings[result.scale].models)
    columns = -(-(len(models) + 1) // 2) if len(models) > 6 else len(models) + 1
    rows = -(-(len(models) + 1) // columns)
    curves_too = bool(result.experiment.settings[result.scale].prices)
    heights = [2.5 * rows, 0.28 * (len(models) + 4), 2.7 if curves_too else 0]
    figure = Figure(figsize=(2.1 * columns + 0.6, sum(heights)), layout="constrained")
    boards, below = _stacked(figure, heights[0], sum(heights[1:]))
    axes = boards.subplots(rows, columns, squeeze=False).ravel()
    targets = SHOWN.targets / SHOWN.targets.sum()
    draw_board(axes[0], SHOWN.board, targets, title="the expert")
    for at, name in zip(axes[1:], models, strict=False):
        places = np.array(result.first(f"{name}: shown places")).reshape(-1, 2)
        probabilities = None if len(places) else np.array(result.first(f"{name}: shown probabilities"))[:-1]
        draw_board(at, SHOWN.board, probabilities, places if len(places) else None, name)
    for at in axes[len(models) + 1 :]:
        at.set_axis_off()
    boards.suptitle("White has the centre, Black may play on any side of it: one input, four equally good moves")
    if curves_too:
        below, curves = _stacked(below, *heights[1:])
        left, right = curves.subplots(1, 2)
        _draw_price(left, result)
        _draw_suites(right, result)
    _draw_table(below.subplots(), result, models)
    return figure


def _stacked(figure: FigureBase, *heights: float) -> list[SubFigure]:
    parts = figure.subfigures(len(heights), 1, height_ratios=heights)
    assert isinstance(parts, np.ndarray)
    return list(parts)


def _draw_table(axes: Axes, result: Result, models: list[str]) -> None:
    axes.set_axis_off()
    rows = [(name, f"{name}: S3 C2 sampled illegal", f"{name}: S3 C2 sampled wins", f"{name}: S3 C2 repaired wins")
            for name in models]  # fmt: skip
    text = [[f"{result.mean(figure):.0%}" for figure in figures] for _, *figures in rows]
    text.append(["–", f"{result.mean(RANDOM):.0%}", "–"])
    table = axes.table(
        cellText=text,
        rowLabels=[*(name for name, *_ in rows), "a random legal move"],
        colLabels=["illegal", "wins", "wins after repair"],
        loc="center",
        cellLoc="center",
        colWidths=[0.16, 0.16, 0.2],
    )
    table.auto_set_font_size(False)
    table.set_fontsize(9)
    table.scale(1, 1.25)
    axes.set_title("Capture-Go on 7x7, positions with half-turn symmetry (S3)", fontsize=10)


def _draw_price(axes: Axes, result: Result) -> None:
    shares = result.first(f"{PRICE}: shares")
    for figures in result.by_seed:
        axes.plot(shares, figures[f"{PRICE}: collapse"], color=HEAT, linewidth=0.8, alpha=0.6)
    axes.axvline(1, color=DOT, linestyle="--", linewidth=1)
    axes.set_ylim(-0.05, 1.05)
    axes.set_xlabel("price of noise, share of r²/2 (lemma 6: collapse at 1)", fontsize=8)
    axes.set_ylabel("collapse index", fontsize=8)
    axes.set_title("A latent policy collapses when noise is dear", fontsize=10)


def _draw_suites(axes: Axes, result: Result) -> None:
    suites = ("S3 C2", "S3 D4", "S3 D1", "S4", "S5")
    at = np.arange(len(suites))
    for shift, (name, colour) in zip((-0.2, 0.2), ((SQUARED, DOT), (CATEGORICAL, HEAT)), strict=True):
        estimates = [result.estimates[f"{name}: {suite} argmax wins"] for suite in suites]
        axes.bar(at + shift, [e.mean for e in estimates], 0.36, color=colour, label=name)
    axes.set_xticks(at, ["half turn", "all eight", "a mirror", "none", "one answer"], fontsize=8)
    axes.set_ylabel("wins", fontsize=8)
    axes.set_ylim(0, 1.2)
    axes.legend(fontsize=8, loc="upper center", ncols=2, frameon=False)
    axes.set_title("Deterministic both: most probable move, or mean", fontsize=10)


EXPERIMENT = CentreCollapse()
