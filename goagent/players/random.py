"""The weakest player that still finishes its games."""

import numpy as np

from envs import Position
from goagent.players.player import Analysis, Line


class RandomPlayer:
    """Uniform over the legal points. It passes when there is none, and always after its opponent has."""

    name = "random"

    def reset(self) -> None:
        """Nothing to forget."""

    def choose(self, position: Position, rng: np.random.Generator) -> int:
        """A draw from `distribution(position)`."""
        return int(rng.choice(position.rules.num_actions, p=self.distribution(position)))

    def distribution(self, position: Position) -> np.ndarray:
        """(num_actions,) float: the probability of each move."""
        moves = position.legal_mask()
        if position.consecutive_passes:
            moves[:-1] = False
        elif moves[:-1].any():
            moves[-1] = False
        return moves / moves.sum()

    def analyze(self, position: Position) -> Analysis:
        """It has no opinion, only moves."""
        probabilities = self.distribution(position)
        lines = [Line(int(a), float(probabilities[a]), None, 0, (int(a),)) for a in np.flatnonzero(probabilities)]
        return Analysis(None, None, None, lines)
