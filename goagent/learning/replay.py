"""What self-play remembers: positions with what the search thought of them and how their game ended."""

from typing import Any

import numpy as np

from envs import Rules
from envs.planes import KOMI_SCALE, NUM_PLANES, OFFSETS
from envs.symmetry import action_table

# All planes but these hold zeros and ones, so that a bit a point is enough; these are the same everywhere.
_KOMI, _BOARD = OFFSETS["komi"], OFFSETS["board"]
_BITS = [plane for plane in range(NUM_PLANES) if plane not in (_KOMI, _BOARD)]


def row_type(rules: Rules) -> np.dtype:
    """One position, everything for the side to move; 434 bytes on 9x9."""
    points, actions = rules.num_points, rules.num_actions
    return np.dtype(
        [
            ("planes", np.uint8, ((len(_BITS) * points + 7) // 8,)),
            ("legal", np.uint8, ((actions + 7) // 8,)),
            ("komi", np.float32),  # in favour of the side to move
            ("policy", np.float16, (actions,)),  # the search's improved policy
            ("value", np.float32),  # +1 won, 0 drawn, -1 lost
            ("score", np.float32),  # points, komi included
            ("ownership", np.int8, (points,)),  # +1 own, -1 the other's
            ("game", np.int32),  # slot in the batch while the game goes on
            ("side", np.int8),  # +1 Black to move, -1 White
        ]
    )


def pack(rules: Rules, planes: np.ndarray, legal: np.ndarray) -> np.ndarray:
    """Rows for planes (n, NUM_PLANES, rows, cols) and masks (n, num_actions); the rest is left at zero."""
    rows = np.zeros(len(planes), row_type(rules))
    rows["planes"] = np.packbits(planes[:, _BITS].reshape(len(planes), len(_BITS) * rules.num_points) > 0, axis=1)
    rows["legal"] = np.packbits(legal, axis=1)
    rows["komi"] = planes[:, _KOMI, 0, 0] * KOMI_SCALE
    return rows


def unpack(rules: Rules, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The inverse of `pack`: planes (n, NUM_PLANES, rows, cols) float32, legal (n, num_actions) bool."""
    planes = np.empty((len(rows), NUM_PLANES, rules.num_points), np.float32)
    bits = np.unpackbits(rows["planes"], axis=1, count=len(_BITS) * rules.num_points)
    planes[:, _BITS] = bits.reshape(len(rows), len(_BITS), rules.num_points)
    planes[:, _KOMI] = (rows["komi"] / KOMI_SCALE)[:, None]
    planes[:, _BOARD] = 1
    legal = np.unpackbits(rows["legal"], axis=1, count=rules.num_actions).astype(np.bool_)
    return planes.reshape(len(rows), NUM_PLANES, rules.rows, rules.cols), legal


class Replay:
    """A ring of the newest positions. Learning draws from a window of them that grows more slowly than the run."""

    def __init__(self, rules: Rules, capacity: int) -> None:
        self.rules = rules
        self.rows = np.zeros(capacity, row_type(rules))
        self.added = 0  # in all, those overwritten since included

    def add(self, rows: np.ndarray) -> None:
        """Put finished rows behind the others, over the oldest."""
        self.added += len(rows)
        rows = rows[-len(self.rows) :]
        self.rows[(self.added - len(rows) + np.arange(len(rows))) % len(self.rows)] = rows

    @property
    def window(self) -> int:
        """How many of the newest positions are drawn from: all of the first 20 000, then fewer and fewer of the new.

        The curve is KataGo's (Wu 2019, arXiv:1902.10565, appendix C) with its exponent of 0.75.
        """
        first, exponent, slope = 20_000, 0.75, 0.4
        grown = first * (1 + slope * ((self.added / first) ** exponent - 1) / exponent)
        return int(min(self.added, len(self.rows), max(first, grown)))

    def sample(self, count: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """`count` positions, drawn uniformly from the window, each turned by a random symmetry.

        planes, legal, policy (count, num_actions), value, score (count,), ownership (count, rows, cols); float32.
        """
        rules = self.rules
        rows = self.rows[(self.added - 1 - rng.integers(self.window, size=count)) % len(self.rows)]
        planes, legal = unpack(rules, rows)
        table = action_table(rules.rows, rules.cols)
        to = table[rng.integers(len(table), size=count)]  # where each action goes
        at, points = np.arange(count)[:, None], to[:, :-1]
        moved = {
            "planes": np.empty((count, rules.num_points, NUM_PLANES), np.float32),
            "legal": np.empty_like(legal),
            "policy": np.empty((count, rules.num_actions), np.float32),
            "ownership": np.empty((count, rules.num_points), np.float32),
        }
        moved["planes"][at, points] = planes.reshape(count, NUM_PLANES, -1).transpose(0, 2, 1)
        moved["legal"][at, to] = legal
        moved["policy"][at, to] = rows["policy"]
        moved["ownership"][at, points] = rows["ownership"]
        board = (count, rules.rows, rules.cols)
        return {
            # Points before planes in memory: what torch calls channels last.
            "planes": moved["planes"].reshape(*board, NUM_PLANES).transpose(0, 3, 1, 2),
            "legal": moved["legal"],
            "policy": moved["policy"],
            "ownership": moved["ownership"].reshape(board),
            "value": rows["value"].copy(),  # apart from the rows, whose size torch cannot stride over
            "score": rows["score"].copy(),
        }

    def state(self) -> tuple[dict[str, Any], np.ndarray]:
        """What `restore` needs: a few numbers, and the rows in the window as bytes."""
        return {"added": self.added}, to_bytes(
            self.rows[(self.added - self.window + np.arange(self.window)) % len(self.rows)]
        )

    def restore(self, state: dict[str, Any], content: np.ndarray) -> None:
        """The inverse of `state`. Raises ValueError."""
        rows = from_bytes(self.rules, content)
        self.added = int(state["added"]) - len(rows)
        self.add(rows)
        if self.window > len(rows):
            raise ValueError("the replay buffer holds too few positions")


def to_bytes(rows: np.ndarray) -> np.ndarray:
    """Rows as (n, bytes) uint8."""
    return rows.view(np.uint8).reshape(len(rows), rows.dtype.itemsize)


def from_bytes(rules: Rules, content: np.ndarray) -> np.ndarray:
    """The inverse of `to_bytes`. Raises ValueError."""
    kind = row_type(rules)
    if content.ndim != 2 or content.shape[1] != kind.itemsize or content.dtype != np.uint8:
        raise ValueError(f"rows of {content.shape[1:]} {content.dtype}: expected {kind.itemsize} bytes each")
    return np.ascontiguousarray(content).view(kind).reshape(len(content))
