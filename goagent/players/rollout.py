"""Plays by tree search with random games, no network: a real opponent without training, and the arena's yardstick."""

import numpy as np

from envs import Position
from goagent.players.player import Analysis, Line
from goagent.search.rollout import VERSION, RolloutResult, rollout_search

_DEFAULT = 200  # playouts
_MOST = 1_000_000  # where only seconds are given


class RolloutPlayer:
    """Searches each move anew with `playouts` random games, or for `seconds`, or until the first of both is spent.

    See `goagent/search/rollout.py` for when it passes. Its name carries the version of the search.
    """

    def __init__(self, playouts: int | None = None, seconds: float | None = None) -> None:
        self.playouts = playouts or (_DEFAULT if seconds is None else _MOST)
        self.seconds = seconds
        limits = [f"playouts={self.playouts}"] if playouts or seconds is None else []
        limits += [] if seconds is None else [f"seconds={seconds:g}"]
        self.name = f"rollout{VERSION}?{'&'.join(limits)}"

    def reset(self) -> None:
        """Nothing to forget."""

    def choose(self, position: Position, rng: np.random.Generator) -> int:
        """The most visited move, by the larger mean utility if several are."""
        return int(self._search(position, rng, until_settled=True).actions[0])

    def distribution(self, position: Position) -> np.ndarray:
        """(num_actions,) float: each move's share of the visits of one search, always the same."""
        return _shares(position, self._search(position, np.random.default_rng(0)))

    def analyze(self, position: Position) -> Analysis:
        """What that search found: win probability and score after its best move, ownership over all its playouts."""
        result = self._search(position, np.random.default_rng(0))
        shares = _shares(position, result)
        found = zip(result.actions, result.win_rates, result.visits, result.variations, strict=True)
        lines = [
            Line(int(action), float(shares[action]), float(rate), int(visits), variation)
            for action, rate, visits, variation in found
        ]
        return Analysis(float(result.win_rates[0]), float(result.scores[0]), result.ownership, lines)

    def _search(self, position: Position, rng: np.random.Generator, until_settled: bool = False) -> RolloutResult:
        return rollout_search(position, self.playouts, rng, self.seconds, until_settled)


def _shares(position: Position, result: RolloutResult) -> np.ndarray:
    shares = np.zeros(position.rules.num_actions)
    shares[result.actions] = result.visits / result.visits.sum()
    return shares
