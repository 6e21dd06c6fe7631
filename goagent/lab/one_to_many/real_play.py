"""Real openings: what strong games and the shipped agents answer to two symmetric positions, and what the mean would.

The positions are the empty board and the board with one stone on the centre. Start with `measure_real_play`.
"""

from collections.abc import Iterable

import numpy as np

from envs import GoBatch, Position, Rules
from envs.symmetry import action_table
from goagent.lab.core import Figures
from goagent.learning.dataset import PACKAGED
from goagent.players.policy import load_network
from goagent.players.shipped import shipped_for
from goagent.records.sgf import read_games

SIZES = (7, 9)  # of the packaged games; agents ship for these and 5x5


def measure_real_play() -> Figures:
    """By source, `games` or `agent`, board and position, what `describe` says; answers in all symmetries."""
    figures: Figures = {}
    games = [game for game in read_games(PACKAGED) if game.rules.rows == game.rules.cols]
    for size in (5, *SIZES):
        rules = Rules.square(size)
        lines = [game.moves for game in games if game.rules.rows == size]
        first = _shares((line[0][1] for line in lines if line), rules)
        replies = _shares(
            (line[1][1] for line in lines if len(line) > 1 and line[0][1] == rules.num_points // 2), rules
        )
        found = shipped_for(rules)
        network = load_network(found[0]) if found else None
        for name, position, seen in (
            ("empty", Position(rules), first),
            ("reply", Position(rules).play(rules.num_points // 2), replies),
        ):
            if seen is not None:
                figures |= {f"games {size}x{size} {name} {k}": v for k, v in describe(seen, rules).items()}
            if network is not None:
                batch = GoBatch.from_positions([position])
                said = network.answer(batch.observe(), batch.legal_mask().copy()).moves.probs[0].numpy()
                figures |= {f"agent {size}x{size} {name} {k}": v for k, v in describe(said, rules).items()}
    return figures


def describe(shares: np.ndarray, rules: Rules) -> dict[str, float]:
    """Of moves' shares (num_actions,): where they are on average, how many are on the centre, and how they spread.

    The mean's distance from the centre is in grid steps, once as they are and once with every move in all its images;
    so is the entropy, in bits.
    """
    points = np.arange(rules.num_points)
    offsets = np.stack([points // rules.cols, points % rules.cols], axis=1) - (rules.rows - 1) / 2
    weights = shares[:-1].astype(np.float64) / shares[:-1].sum()
    images = weights[action_table(rules.rows, rules.cols)[:, :-1]].mean(axis=0)
    entropy = -(images[images > 0] * np.log2(images[images > 0])).sum()
    return {
        "mean's distance": float(np.linalg.norm(weights @ offsets)),
        "mean's distance, all symmetries": float(np.linalg.norm(images @ offsets)),
        "on the centre": float(weights[rules.num_points // 2]),
        "entropy": float(entropy),
    }


def _shares(actions: Iterable[int], rules: Rules) -> np.ndarray | None:
    counts = np.bincount(np.fromiter(actions, np.int64), minlength=rules.num_actions)
    return counts / counts.sum() if counts[:-1].sum() else None
