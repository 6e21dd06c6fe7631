"""What the rest of the package asks of anyone who plays."""

from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np

from envs import GoBatch, Position


class Line(NamedTuple):
    """One line of play that a player considers."""

    action: int
    probability: float  # the player's probability of this move
    win_probability: float | None  # for the side to move, after it
    visits: int  # how much thought went into it; 0 when the player does not search
    variation: tuple[int, ...]  # the move and the expected continuation


class Analysis(NamedTuple):
    """A player's opinion of a position, for the side to move. None: this player has no such opinion."""

    win_probability: float | None
    score: float | None  # points, komi included
    ownership: np.ndarray | None  # (rows, cols) float in [-1, 1], +1 the side to move's
    lines: list[Line]  # best first


class Resigned(Exception):
    """Raised by `Player.choose` instead of a move: the side to move gives up."""


class Player(Protocol):
    """Chooses moves. A player keeps nothing of a game that `reset` does not clear, and owns no generator."""

    name: str

    def reset(self) -> None:
        """Forget the game so far; called before each game."""

    def choose(self, position: Position, rng: np.random.Generator) -> int:
        """The move it plays in an unfinished position; legal. Raises Resigned to give up."""

    def distribution(self, position: Position) -> np.ndarray:
        """(num_actions,) float: the probability of each move, zero where illegal."""

    def analyze(self, position: Position) -> Analysis:
        """Its opinion of the position."""


@runtime_checkable
class PlaysItself(Protocol):
    """A player for whom many games against itself are cheaper at once than one after another."""

    def play_itself(self, games: GoBatch, rng: np.random.Generator) -> GoBatch:
        """These games, played to their ends by it on both sides, each as if it were alone."""
