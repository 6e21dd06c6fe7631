"""Flat Monte-Carlo: every candidate is tried in as many random games as the others, and the best result is played."""

from typing import NamedTuple

import numpy as np

from envs import BLACK, GoBatch, Position
from goagent.players.player import Analysis, Line

_DRAWS = 1000  # of `RolloutPlayer.distribution`


class _Trial(NamedTuple):
    """What the playouts of a position said, best candidate first; all for the side to move."""

    actions: np.ndarray  # (candidates,) int
    visits: np.ndarray  # (candidates,) int: playouts
    wins: np.ndarray  # (candidates,) float: a draw is half
    scores: np.ndarray  # (candidates,) float: mean points, komi included
    ownership: np.ndarray  # (rows, cols) float in [-1, 1]: the mean after the best candidate


class RolloutPlayer:
    """Plays `playouts` random games a move, spread evenly over the candidates, at least one each.

    No playout and no candidate fills an eye of one point (`GoBatch.own_eyes`). It passes when there is no other
    candidate or the board as it stands wins: at once if its opponent has just passed, else if that looks best.
    """

    def __init__(self, playouts: int = 200) -> None:
        self.name = f"rollout?playouts={playouts}"
        self.playouts = playouts

    def reset(self) -> None:
        """Nothing to forget."""

    def choose(self, position: Position, rng: np.random.Generator) -> int:
        """The candidate that won most, by the larger mean score if several did."""
        return int(self._try(position, rng).actions[0])

    def distribution(self, position: Position) -> np.ndarray:
        """(num_actions,) float: how likely each candidate is the best, given one set of playouts.

        An estimate of what `choose` would do with other playouts: win rates are drawn from their Beta posteriors.
        """
        rng = np.random.default_rng(0)
        return self._likelihood(position, self._try(position, rng), rng)

    def analyze(self, position: Position) -> Analysis:
        """The results of one set of playouts, always the same."""
        rng = np.random.default_rng(0)
        trial = self._try(position, rng)
        likelihood = self._likelihood(position, trial, rng)
        rates = trial.wins / trial.visits
        lines = [
            Line(int(action), float(likelihood[action]), float(rate), int(visits), (int(action),))
            for action, rate, visits in zip(trial.actions, rates, trial.visits, strict=True)
        ]
        return Analysis(float(rates[0]), float(trial.scores[0]), trial.ownership, lines)

    def _try(self, position: Position, rng: np.random.Generator) -> _Trial:
        side = 1 if position.to_play == BLACK else -1
        root = GoBatch.from_positions([position])
        candidates = _candidates(position, root, side)
        which = np.arange(max(self.playouts, len(candidates))) % len(candidates)
        games = GoBatch(position.rules, len(which))
        games.copy_games(root, np.zeros(len(which), np.int64), np.arange(len(which)))
        games.step(candidates[which])
        scores = side * games.play_out(rng)
        visits = np.bincount(which)
        wins = np.bincount(which, (np.sign(scores) + 1) / 2)
        means = np.bincount(which, scores) / visits
        best_first = np.lexsort((means, wins / visits))[::-1]
        ownership = side * games.ownership()[which == best_first[0]].mean(axis=0)
        return _Trial(candidates[best_first], visits[best_first], wins[best_first], means[best_first], ownership)

    def _likelihood(self, position: Position, trial: _Trial, rng: np.random.Generator) -> np.ndarray:
        rates = rng.beta(1 + trial.wins, 1 + trial.visits - trial.wins, (_DRAWS, len(trial.actions)))
        best = trial.actions[rates.argmax(axis=1)]
        return np.bincount(best, minlength=position.rules.num_actions) / _DRAWS


def _candidates(position: Position, root: GoBatch, side: int) -> np.ndarray:
    """(candidates,) int: the moves worth a playout, the pass last if it is one."""
    wins_now = side * position.score_black() > 0  # by area, which is what counts if the opponent passes too
    if wins_now and position.consecutive_passes:
        return np.array([position.rules.pass_action])
    moves = (root.legal_mask() & ~root.own_eyes())[0]
    moves[-1] = wins_now or not moves[:-1].any()
    return np.flatnonzero(moves)
