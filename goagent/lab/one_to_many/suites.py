"""Positions with several good answers, with one, and what is measured on them. Start with `SHEETS` and `board_suites`.

S0 to S2 are single positions that all eight symmetries leave as they are, with an expert that is as symmetric: what
it plays is declared here, not strong play. S3 to S5 are random Capture-Go positions, whose answers are exact.
"""

from typing import NamedTuple

import numpy as np
import torch

from envs.symmetry import action_table
from goagent.lab.capture_go import ENEMY, Boards, judge_moves, legal_points, observe, random_boards
from goagent.lab.one_to_many.models import HypothesesMoves, Model, fit, fresh
from goagent.lab.one_to_many.stated_probabilities import bits, chi_squared
from goagent.policies.distributions import DrawnMoves, MoveDistribution, PointMoves

SIZE = 7  # of the boards of S3 to S5 that models learn


class Sheet(NamedTuple):
    """One symmetric position, and the points that the expert plays equally often."""

    name: str
    board: np.ndarray  # (size, size) int8, as in `capture_go`
    targets: np.ndarray  # (size * size) bool

    @property
    def offsets(self) -> np.ndarray:
        """(size * size, 2) row and column of every point from the centre."""
        size = len(self.board)
        points = np.arange(size * size)
        return np.stack([points // size, points % size], axis=1) - (size - 1) / 2

    @property
    def radius(self) -> float:
        """Mean distance of the targets from the centre, grid steps."""
        return float(np.linalg.norm(self.offsets[self.targets], axis=1).mean())


def _sheet(name: str, size: int, stone: bool, *corners: tuple[int, int]) -> Sheet:
    """`corners`: (row, column) of one target of each orbit."""
    board = np.zeros((size, size), np.int8)
    if stone:
        board[size // 2, size // 2] = ENEMY
    targets = np.zeros(size * size, bool)
    for row, col in corners:
        targets[action_table(size, size)[:, row * size + col]] = True
    return Sheet(name, board, targets)


SHEETS = (
    _sheet("S0 19x19", 19, False, (3, 3), (2, 3)),  # the 4-4 and 3-4 points, where games on 19x19 begin
    *(_sheet(f"S1 {size}x{size}", size, False, (1, 1) if size < 7 else (2, 2)) for size in (5, 6, 7, 8, 9)),
    _sheet("S2 5x5", 5, True, (1, 2)),  # contact
    _sheet("S2 7x7", 7, True, (2, 3)),  # contact
    _sheet("S2 9x9", 9, True, (2, 3)),  # a knight's move
)


def learn_sheet(name: str, sheet: Sheet, seed: int, steps: int) -> Model:
    """A fresh model of `MODELS` that was shown the position's targets again and again."""
    model = fresh(name, seed)
    shown = observe(sheet.board[None]), sheet.targets[None]
    fit(model, *shown, steps_on(sheet, steps), batch_size=128, seed=seed, learning_rate=1e-2)
    return model


def steps_on(sheet: Sheet, steps: int) -> int:
    """Four times as many on the large board, which has so many more moves to be given up."""
    return steps * (4 if len(sheet.board) > 9 else 1)


@torch.no_grad()
def measure_sheet(model: Model, sheet: Sheet, seed: int) -> dict[str, float]:
    """What the model does on the position by itself, no mask; distances in grid steps, entropy in bits.

    collapse: 1 - distance / radius, 1 where all it says is the centre. gap: entropy above that of the targets.
    fit: how likely so uneven a share of the targets would be in 8,000 samples of a uniform choice (chi-squared).
    """
    answer = model(torch.from_numpy(observe(sheet.board[None])))
    probs = answer.probs[0].double().numpy()
    probs = probs / probs.sum()
    targets = np.flatnonzero(sheet.targets)
    distance = float(spread(answer, sheet))
    samples = np.random.default_rng(seed).choice(len(probs), 8000, p=probs)
    counts = (samples[:, None] == targets).sum(axis=0)
    taken = np.append(sheet.board.ravel() != 0, False)
    return {
        "distance": distance,
        "collapse": 1 - distance / sheet.radius,
        "on targets": float(probs[targets].sum()),
        "gap": float(bits(probs) - np.log2(len(targets))),
        "illegal": float(probs[taken].sum()),
        "coverage": len(set(samples[:100].tolist()) & set(targets.tolist())) / len(targets),
        "fit": chi_squared(counts, np.full(len(counts), counts.mean())) if counts.sum() else 0.0,
    }


def spread(answer: MoveDistribution, sheet: Sheet) -> float:
    """Mean distance from the centre of what is said: of points as they are, of moves by their probability."""
    middle = (len(sheet.board) - 1) / 2
    if isinstance(answer, PointMoves):
        return float((answer.raw[0, :2] - middle).norm())
    if isinstance(answer, DrawnMoves):
        rows, cols = answer.raw[0, :-1].chunk(2)
        return float((torch.stack([rows, cols], dim=1) - middle).norm(dim=1).mean())
    if isinstance(answer, HypothesesMoves):
        places, weights = answer.places()
        return float(((places[0] - middle).norm(dim=1) * weights[0]).sum())
    distances = torch.from_numpy(np.linalg.norm(sheet.offsets, axis=1))
    return float((answer.probs[0, :-1].double() * distances).sum() / answer.probs[0, :-1].double().sum())


def board_suites(count: int, rng: np.random.Generator) -> dict[str, Boards]:
    """`count` positions on 7x7 for each of S3, S4 and S5, by name."""
    several = (2, 10**6)
    return {
        "S3 C2": random_boards(SIZE, count, rng, "C2", several),
        "S3 D4": random_boards(SIZE, count, rng, "D4", several),
        "S3 D1": random_boards(SIZE, count, rng, "D1", several),
        "S4": random_boards(SIZE, count, rng, "none", several),
        "S5": random_boards(SIZE, count, rng, "none", (1, 1)),
    }


def training_boards(count: int, rng: np.random.Generator) -> Boards:
    """`count` positions on 7x7 with one answer or more: half without symmetry, a sixth of each kind that S3 has."""
    sixth = count // 6
    parts = [random_boards(SIZE, sixth, rng, group) for group in ("C2", "D4", "D1")]
    parts.append(random_boards(SIZE, count - 3 * sixth, rng))
    return Boards(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


@torch.no_grad()
def measure_boards(model: Model, suite: Boards, seed: int) -> dict[str, float]:
    """What becomes of the model's moves, as shares of the positions.

    sampled: one draw without a mask. argmax: its most probable move. repaired: that of the legal ones; for a point,
    the legal point nearest to it.
    """
    generator = torch.Generator().manual_seed(seed)
    planes, legal = torch.from_numpy(observe(suite.boards)), torch.from_numpy(legal_points(suite.boards))
    free = model(planes)
    masked = model(planes, torch.cat([legal, torch.zeros(len(legal), 1, dtype=torch.bool)], dim=1))
    figures: dict[str, float] = {}
    for name, moves in (("sampled", free.sample(generator=generator)), ("argmax", free.mode())):
        verdicts = judge_moves(suite.boards, moves.numpy())
        figures |= {
            f"{name} {kind}": float(share.mean()) for kind, share in zip(verdicts._fields, verdicts, strict=True)
        }
    figures["repaired wins"] = float(judge_moves(suite.boards, masked.mode().numpy()).wins.mean())
    figures["log loss"] = log_loss(free, suite.answers)
    return figures


def log_loss(answer: MoveDistribution, answers: np.ndarray) -> float:
    """Bits, for an expert who chooses evenly among the answers (n, points)."""
    log_probs = answer.categorical().logits[:, :-1].clamp(min=-30)
    weights = torch.from_numpy(answers / answers.sum(axis=1, keepdims=True))
    return float(-(weights * log_probs).sum(dim=1).mean() / np.log(2))


def measure_ideal(suite: Boards) -> dict[str, float]:
    """The regressor that knows the expert's mean exactly, rounded; and a move at random among the legal ones."""
    size = suite.boards.shape[1]
    points = np.arange(size * size)
    grid = np.stack([points // size, points % size], axis=1)
    mean = suite.answers @ grid / suite.answers.sum(axis=1, keepdims=True)
    rounded = np.rint(mean).astype(int)
    verdicts = judge_moves(suite.boards, rounded[:, 0] * size + rounded[:, 1])
    legal = legal_points(suite.boards)
    distance = np.where(legal, ((mean[:, None] - grid) ** 2).sum(axis=2), np.inf)
    repaired = judge_moves(suite.boards, distance.argmin(axis=1))
    return {
        "illegal": float(verdicts.illegal.mean()),
        "wins": float(verdicts.wins.mean()),
        "loses": float(verdicts.loses.mean()),
        "repaired wins": float(repaired.wins.mean()),
        "random legal wins": float((suite.answers.sum(axis=1) / legal.sum(axis=1)).mean()),
        "answers, bits": float(np.log2(suite.answers.sum(axis=1)).mean()),
    }
