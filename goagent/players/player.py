"""What the rest of the package asks of anyone who plays."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
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


class Interrupted(Exception):
    """Raised by a player that was told to stop in the middle of its thoughts."""


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
class Thinker(Protocol):
    """A player whose thoughts can be limited, watched and stopped."""

    seconds: float | None  # what `choose` may take, in seconds; None: as long as it likes

    def think(self, position: Position, allowed: np.ndarray | None = None) -> Iterator[Analysis]:
        """Its opinion again and again, each time after more thought, some tenths of a second apart.

        Goes on until nobody asks any more, or memory is used up; what it has thought serves the next move. There is no
        chance in it. allowed (num_actions,) bool: the moves that it is to choose from, one of them legal at least.
        Raises Interrupted.
        """

    def interrupt(self) -> None:
        """From another thread: whatever it is thinking about raises Interrupted at once. Without effect at rest."""


@runtime_checkable
class ThinksAloud(Protocol):
    """A player that can be listened to while it chooses."""

    def aloud(self, hear: Callable[[Analysis], None], interval: float) -> AbstractContextManager[None]:
        """Within, `hear` is told its opinion so far, at most every `interval` seconds. It chooses the same moves."""


@runtime_checkable
class PlaysItself(Protocol):
    """A player for whom many games against itself are cheaper at once than one after another."""

    def play_itself(self, games: GoBatch, rng: np.random.Generator) -> GoBatch:
        """These games, played to their ends by it on both sides, each as if it were alone."""
