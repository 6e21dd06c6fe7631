"""Buridan's ass: what treats two bales of hay alike goes to neither. Start with `Buridan`.

A network that turns with the board, and answers with one point, has to answer a symmetric position with a point that
its symmetries leave where it is: with the centre, before any training and after. What breaks the tie is noise, if the
loss makes the network use it, or a die outside of the network.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from matplotlib.figure import Figure

from envs.symmetry import action_table, transform, transform_board
from goagent.lab.boards_drawn import DOT, HEAT, draw_board
from goagent.lab.capture_go import Boards, observe
from goagent.lab.core import Claim, Criterion, Experiment, Figures, Result, Role, Scale
from goagent.lab.one_to_many.models import WIDE, EquivariantTrunk, Model, fit
from goagent.lab.one_to_many.noise_channel import NoiseChannel, energy_score, nearest_draw, squared_error
from goagent.lab.one_to_many.suites import SHEETS, board_suites, measure_boards, training_boards
from goagent.policies.distributions import DrawnMoves, PointMoves, coordinates
from goagent.policies.heads import CategoricalHead, RegressionHead

EXACT = 1e-5  # grid steps: nearer to the centre is on it, as far as single precision can tell
ROTATED, SYMMETRIC = ("S3 C2", "S3 D4"), ("S3 C2", "S3 D4", "S3 D1")  # suites: a rotation leaves only the centre
POINT, CATEGORICAL = "no noise", "categorical"
SQUARED, NEAREST, ENERGY = "noise, squared error", "noise, nearest draw", "noise, energy score"
LOSSES = {SQUARED: squared_error, NEAREST: nearest_draw, ENERGY: energy_score}


def fresh_model(cell: str, seed: int) -> Model:
    """An untrained model that turns with the board; torch's own generator is left alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        heads = {POINT: RegressionHead, CATEGORICAL: CategoricalHead}
        head = NoiseChannel(WIDE, LOSSES[cell]) if cell in LOSSES else heads[cell](WIDE)
        return Model(EquivariantTrunk(WIDE), head)


@dataclass(frozen=True)
class Settings:
    boards: int = 16_000  # that a model learns from
    steps: int = 1400
    batch: int = 64
    rate: float = 0.01
    suite: int = 500  # positions of each suite that it is measured on


class Buridan(Experiment):
    name = "buridan"
    title = "Buridan's ass"
    claim = Claim(
        sentence="A network without a preferred direction cannot choose between answers that a symmetry exchanges: its "
        "one answer to a symmetric position is the centre, trained or not. Randomness breaks the tie: with a channel "
        "of noise it plays one of the answers.",
        essay="Jang 2016, Single input, multiple output: randomness is crucial where the space of actions has "
        "symmetries; it breaks the tie between two bales of hay.",
        source="Lawrence et al. 2025 (ICLR), on breaking symmetries in equivariant networks: the output of an "
        "equivariant function is at least as symmetric as its input. The ass is told of Buridan, not by him.",
        data="S1 empty boards of 5x5 to 9x9; S2 a stone on the centre; S3 random Capture-Go positions on 7x7 with two "
        "or more winning moves, symmetric under a half turn (C2), all eight symmetries (D4) or a mirror (D1); S5 "
        "without symmetry and with one winning move. S3 and S5 were not learned from.",
        models="One trunk that commutes with the symmetries of the square, and heads that do: one point by squared "
        "error; the same with a plane of N(0, 1) noise, by squared error, by that of the nearest of 8 draws, and by "
        "the energy score of 8 draws, which was chosen on the development seeds to decide; a categorical distribution.",
        baselines="The network without noise; noise with squared error, which does not pay for using it.",
        metric="Share of symmetric positions (S1, S2, S3 C2 and D4) answered within 0.00001 grid steps of the centre, "
        "in single precision. Share of positions won by a draw, without a legal mask: mean of the three kinds of S3. "
        "Collapse index on C2 and D4: 1 - distance from the centre / the answers' distance. Largest difference of "
        "p(gs) from p(s) turned by g, over positions of S4 and all symmetries g.",
        shows_not="That randomness inside the network is needed: the categorical network has none, and its likeliest "
        "move is deterministic and wins too; which of equals that is, rounding or the order of the points decides. "
        "With the loss of the nearest draw the same network learns more slowly, and with noise among the "
        "planes of the trunk, tried on a development seed, far more so. Few networks are equivariant: others are at "
        "the centre for another reason (centre-collapse).",
    )
    criteria = (
        Criterion(f"{POINT}: untrained on centre", "untrained, symmetric positions answered with the centre",
                  Role.CLAIM, at_least=1),
        Criterion(f"{POINT}: on centre", "trained, symmetric positions answered with the centre", Role.CLAIM,
                  at_least=1),
        Criterion(f"{ENERGY}: S3 wins", "with noise and a loss that uses it, S3 is won", Role.CLAIM, at_least=0.9),
        Criterion(f"{CATEGORICAL}: turned", "the distribution turns with the board: largest difference", Role.CLAIM,
                  at_most=1e-5),
        Criterion(f"{POINT}: S5 sampled wins", "the network without noise wins where one answer is right: it has "
                  "learned", Role.CONTROL, at_least=0.9),
        Criterion(f"{SQUARED}: collapse", "noise alone is not enough: by squared error, draws collapse to the centre",
                  Role.CONDITION, at_least=0.95),
        Criterion(f"{CATEGORICAL}: S3 wins", "a die outside of the network does as well", Role.DETAIL, at_least=0.9),
        Criterion(f"{CATEGORICAL}: S3 argmax wins", "and so does its likeliest move, without any chance", Role.DETAIL,
                  at_least=0.9),
        Criterion(f"{NEAREST}: S3 wins", "with noise and the loss of the nearest draw, S3 is won", Role.DETAIL,
                  at_least=0.9),
    )  # fmt: skip
    settings: Mapping[Scale, Settings] = {
        "test": Settings(boards=200, steps=4, batch=16, suite=20),
        "quick": Settings(boards=4000, steps=130, suite=100),
        "full": Settings(),
    }

    def cells(self, settings: Settings) -> tuple[str, ...]:
        return (POINT, *LOSSES, CATEGORICAL)

    def measure(self, cell: str, seed: int, settings: Settings) -> Figures:
        suites, learned = positions(settings, seed)
        rotated = [sheet.board[None] for sheet in SHEETS if sheet.name[:2] in ("S1", "S2")]
        rotated += [suites[name].boards for name in ROTATED]
        model = fresh_model(cell, seed)
        figures = {f"untrained {name}": value for name, value in centred(model, rotated).items()}
        fit(model, observe(learned.boards), learned.answers, settings.steps, settings.batch, seed, settings.rate)
        figures |= centred(model, rotated)
        for name, suite in suites.items():
            figures |= {f"{name} {figure}": value for figure, value in measure_boards(model, suite, seed).items()}
        figures["S3 wins"] = float(np.mean([figures[f"{name} sampled wins"] for name in SYMMETRIC]))
        figures["S3 argmax wins"] = float(np.mean([figures[f"{name} argmax wins"] for name in SYMMETRIC]))
        if cell in LOSSES:
            figures["collapse"] = collapse(model, [suites[name] for name in ROTATED])
        if cell == CATEGORICAL:
            figures["turned"] = turned(model, suites["S4"].boards)
        return figures | {"shown": shown(model, suites["S3 C2"])}

    def draw(self, result: Result) -> Figure:
        return picture(result)

    def conclude(self, result: Result) -> str:
        mean = result.mean
        return (
            f"The equivariant point is the centre on {mean(f'{POINT}: untrained on centre'):.0%} of the symmetric "
            f"positions untrained and {mean(f'{POINT}: on centre'):.0%} trained (farthest off: "
            f"{mean(f'{POINT}: farthest'):.0e} grid steps), though the network wins "
            f"{mean(f'{POINT}: S5 sampled wins'):.0%} where one answer is right. Noise and the energy score win "
            f"{mean(f'{ENERGY}: S3 wins'):.0%} of the symmetric positions, noise and squared error "
            f"{mean(f'{SQUARED}: S3 wins'):.0%}: the loss has to ask for it. The chance may as well come after the "
            f"network: drawn from the categorical distribution {mean(f'{CATEGORICAL}: S3 wins'):.0%} are won, and its "
            f"likeliest move, without any chance, wins {mean(f'{CATEGORICAL}: S3 argmax wins'):.0%}."
        )


@lru_cache(maxsize=1)
def positions(settings: Settings, seed: int) -> tuple[dict[str, Boards], Boards]:
    """To measure on, and to learn from: the same for every cell of a seed, which is why they are kept."""
    rng = np.random.default_rng(seed)
    return board_suites(settings.suite, rng), training_boards(settings.boards, rng)


@torch.no_grad()
def centred(model: Model, boards: list[np.ndarray]) -> Figures:
    """For a model that answers with a point: the share of boards where that is the centre, and how far at most."""
    distances = []
    for some in boards:
        answer = model(torch.from_numpy(observe(some)))
        if not isinstance(answer, PointMoves):
            return {}
        distances.append((answer.raw[:, :2] - (some.shape[1] - 1) / 2).norm(dim=1))
    distance = torch.cat(distances)
    return {"on centre": float((distance <= EXACT).double().mean()), "farthest": float(distance.max())}


@torch.no_grad()
def collapse(model: Model, suites: list[Boards]) -> float:
    """1 - the draws' mean distance from the centre / the answers'."""
    drawn, right = 0.0, 0.0
    for suite in suites:
        size = suite.boards.shape[1]
        answer = model(torch.from_numpy(observe(suite.boards)))
        drawn += float((torch.stack(answer.raw[:, :-1].chunk(2, dim=1)) - (size - 1) / 2).norm(dim=0).mean())
        distances = (coordinates(torch.arange(size * size), size) - (size - 1) / 2).norm(dim=1).numpy()
        right += float((suite.answers @ distances / suite.answers.sum(axis=1)).mean())
    return 1 - drawn / right


@torch.no_grad()
def turned(model: Model, boards: np.ndarray) -> float:
    """How far p(gs) is from p(s) turned by g, at most, over all symmetries g, moves and boards s."""
    rows, cols = boards.shape[1:]
    straight = model(torch.from_numpy(observe(boards))).probs.numpy()
    return max(
        float(
            np.abs(
                model(torch.from_numpy(observe(transform_board(boards, k)))).probs.numpy()
                - transform(straight, k, rows, cols)
            ).max()
        )
        for k in range(len(action_table(rows, cols)))
    )


@torch.no_grad()
def shown(model: Model, suite: Boards) -> Figures:
    """Two bales of hay: the first position with two answers, and what the model says of it."""
    first = int((suite.answers.sum(axis=1) == 2).argmax())
    board = suite.boards[first : first + 1]
    answer = model(torch.from_numpy(observe(board)))
    points = []
    if isinstance(answer, PointMoves):
        points = answer.raw[:, :2].tolist()
    elif isinstance(answer, DrawnMoves):
        points = torch.stack(answer.raw[0, :-1].chunk(2), dim=1).tolist()
    return {"board": board[0].tolist(), "points": points, "probabilities": answer.probs[0, :-1].tolist()}


def picture(result: Result) -> Figure:
    """Above, a position with two answers as each network answers it; below, what they win."""
    cells = {
        POINT: "No noise:\none point",
        SQUARED: "Noise, squared error:\n128 draws",
        NEAREST: "Noise, nearest draw:\n128 draws",
        ENERGY: "Noise, energy score:\n128 draws",
        CATEGORICAL: "No noise, a distribution:\nareas are probabilities",
    }
    figure = Figure(figsize=(14, 6), facecolor="white", layout="constrained")
    grid = figure.add_gridspec(2, len(cells), height_ratios=(1.15, 1))
    figure.suptitle("Two bales of hay: Black captures on either of two points, which a half turn exchanges")
    for column, (cell, title) in enumerate(cells.items()):
        said = result.first(f"{cell}: shown")
        points = np.array(said["points"]).reshape(-1, 2)
        probabilities = None if len(points) else np.array(said["probabilities"])
        draw_board(figure.add_subplot(grid[0, column]), np.array(said["board"]), probabilities, points, title)
    axes = figure.add_subplot(grid[1, :])
    at = np.arange(len(cells))
    for shift, figure_name, label, colour in (
        (-0.19, "S3 wins", "symmetric, two answers or more (S3)", HEAT),
        (0.19, "S5 sampled wins", "no symmetry, one answer (S5)", DOT),
    ):
        estimates = [result.estimates[f"{cell}: {figure_name}"] for cell in cells]
        bars = axes.bar(at + shift, [e.mean for e in estimates], 0.36, color=colour, label=label)
        axes.bar_label(bars, [f"{e.mean:.0%}" for e in estimates], fontsize=9)
    axes.set_xticks(at, list(cells))
    axes.set(ylim=(0, 1.35), yticks=np.linspace(0, 1, 6), ylabel="positions won by one draw")
    axes.legend(fontsize=10, frameon=False, loc="upper center", ncols=2)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


EXPERIMENT = Buridan()
