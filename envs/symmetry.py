"""The symmetries of a board: eight of a square, four of a rectangle.

A symmetry is a permutation of actions: `table[k, a]` is where symmetry `k` takes action `a`; the pass stays. Symmetry
0 does nothing. Planes and distributions are moved with `transform`, which puts at `table[k, a]` what was at `a`.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np


@cache
def action_table(rows: int, cols: int) -> np.ndarray:
    """(symmetries, num_actions) int64, read-only: 8 symmetries when rows == cols, else the 4 that keep the shape."""
    points = np.arange(rows * cols).reshape(rows, cols)
    views = [points, points[::-1], points[:, ::-1], points[::-1, ::-1]]
    if rows == cols:
        views += [view.T for view in views]
    table = np.empty((len(views), rows * cols + 1), np.int64)
    for k, view in enumerate(views):
        table[k, view.ravel()] = points.ravel()  # the point that was at view's place is now at points' place
    table[:, -1] = rows * cols
    table.flags.writeable = False
    return table


def transform(values: np.ndarray, k: int, rows: int, cols: int) -> np.ndarray:
    """Values over actions (..., num_actions) or points (..., rows * cols), moved by symmetry `k`."""
    table = action_table(rows, cols)[k, : values.shape[-1]]
    moved = np.empty_like(values)
    moved[..., table] = values
    return moved


def transform_board(board: np.ndarray, k: int) -> np.ndarray:
    """A board or a stack of planes (..., rows, cols), moved by symmetry `k`."""
    rows, cols = board.shape[-2:]
    return transform(board.reshape(*board.shape[:-2], rows * cols), k, rows, cols).reshape(board.shape)


def canonical(board: np.ndarray) -> bytes:
    """A key that is the same for all symmetric copies of a board (rows, cols) of any integer values."""
    symmetries = len(action_table(*board.shape))
    return min(transform_board(board, k).tobytes() for k in range(symmetries))


def canonical_moves(moves: Sequence[int], rows: int, cols: int) -> tuple[int, ...]:
    """Actions that are the same for all symmetric copies of a game."""
    return min(map(tuple, action_table(rows, cols)[:, np.array(moves, np.int64)].tolist()))
