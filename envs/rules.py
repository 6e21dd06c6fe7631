"""What is being played: the size of the board and the rules, as one immutable value."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from envs import coordinates
from envs.state import Tables, make_tables

KO_RULES = ("simple", "positional", "situational")
OBJECTIVES = ("area", "capture")

# Fair, area-scored values where one is known. Perfect Black takes all of 3x3 and 5x5, so no komi is fair there.
_KOMI = {
    (1, 1): 0.0,
    (2, 2): 1.0,
    (3, 3): 0.5,
    (4, 4): 2.0,
    (5, 5): 0.5,
    (6, 6): 4.0,
    (7, 7): 9.0,
    (8, 8): 10.0,
    (9, 9): 7.0,
}


def default_komi(rows: int, cols: int) -> float:
    """The komi of a size when none is given."""
    return _KOMI.get((rows, cols), 7.5)


class IllegalMove(ValueError):
    """A move that the rules forbid; nothing has changed."""


@dataclass(frozen=True)
class Rules:
    """The rules of one game. Raises ValueError for a setting that makes no sense.

    rows, cols: 1 to 19. komi: points added to White; None takes the size's default, and stands as a number afterwards.
    ko: "positional" or "situational" superko, or "simple". suicide: several stones may take their own last liberty.
    objective: "area", or "capture" (the first capture wins). max_moves: the ply at which a game is truncated.
    """

    rows: int = 9
    cols: int = 9
    komi: float | None = None
    ko: str = "positional"
    suicide: bool = False
    objective: str = "area"
    max_moves: int | None = None

    def __post_init__(self) -> None:
        def settle(name: str, value: Any) -> None:
            object.__setattr__(self, name, value)

        for name in ("rows", "cols"):
            value = getattr(self, name)
            if not _is_int(value) or not 1 <= value <= 19:
                raise ValueError(f"{name} is {value!r}: expected a whole number from 1 to 19")
            settle(name, int(value))
        if self.ko not in KO_RULES:
            raise ValueError(f"ko is {self.ko!r}: expected one of {', '.join(KO_RULES)}")
        if self.objective not in OBJECTIVES:
            raise ValueError(f"objective is {self.objective!r}: expected one of {', '.join(OBJECTIVES)}")
        if not isinstance(self.suicide, (bool, np.bool_)):
            raise ValueError(f"suicide is {self.suicide!r}: expected True or False")
        settle("suicide", bool(self.suicide))
        capture = self.objective == "capture"
        if self.komi is None:
            settle("komi", 0.0 if capture else default_komi(self.rows, self.cols))
        elif (
            isinstance(self.komi, bool)
            or not isinstance(self.komi, (int, float, np.number))
            or not math.isfinite(self.komi)
        ):
            raise ValueError(f"komi is {self.komi!r}: expected a finite number, or None for the size's default")
        elif abs(self.komi) > 19 * 19:
            raise ValueError(f"komi is {self.komi!r}: expected no more than the points of the largest board, 361")
        elif 2 * self.komi % 1:
            raise ValueError(f"komi is {self.komi!r}: expected a multiple of 0.5")
        settle("komi", float(self.komi))  # type: ignore[arg-type]
        if self.max_moves is None:
            settle("max_moves", max(100, 3 * self.num_points))
        elif not _is_int(self.max_moves) or not 1 <= self.max_moves < 2**31:
            raise ValueError(
                f"max_moves is {self.max_moves!r}: expected a positive whole number, or None for the default"
            )
        settle("max_moves", int(self.max_moves))  # type: ignore[arg-type]
        if capture and (self.suicide or self.komi):
            raise ValueError("objective 'capture' has no suicide and no komi: leave them out")

    @classmethod
    def square(cls, size: int, **settings: Any) -> "Rules":
        """Rules for a `size` x `size` board."""
        return cls(rows=size, cols=size, **settings)

    @classmethod
    def of_size(cls, size: int | str, **settings: Any) -> "Rules":
        """Rules for a size as people write it: 9, "9" or "5x7" (rows x columns)."""
        rows, cols = coordinates.parse_size(size)
        return cls(rows=rows, cols=cols, **settings)

    @property
    def num_points(self) -> int:
        return self.rows * self.cols

    @property
    def num_actions(self) -> int:
        """Every point, and the pass, which comes last."""
        return self.num_points + 1

    @property
    def pass_action(self) -> int:
        return self.num_points

    @property
    def size(self) -> str:
        """The size as people write it: "9", or "5x7" (rows x columns)."""
        return str(self.rows) if self.rows == self.cols else f"{self.rows}x{self.cols}"

    def action(self, vertex: str) -> int:
        """The action of a GTP vertex such as "C3" or "pass". Raises ValueError."""
        return coordinates.vertex_to_action(vertex, self.rows, self.cols)

    def vertex(self, action: int) -> str:
        """The GTP vertex of an action. Raises ValueError."""
        return coordinates.action_to_vertex(action, self.rows, self.cols)

    @cached_property
    def tables(self) -> Tables:
        """These rules as the kernels read them."""
        return make_tables(self)


def _is_int(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)
