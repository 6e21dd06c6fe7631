"""A position as a picture: what the environments' `render` shows."""

import gymnasium
import numpy as np

from envs.position import Position
from envs.state import BLACK, EMPTY

RENDER_MODES = ("ansi", "rgb_array")
CELL = 24  # pixels from point to point

_WOOD = (222, 184, 120)
_INK = (60, 45, 30)
_BLACK = (25, 25, 25)
_WHITE = (245, 245, 240)


def render(position: Position, mode: str | None) -> str | np.ndarray | None:
    """The position as text ("ansi") or as a picture ("rgb_array"); with None it only warns, as Gymnasium does."""
    if mode is None:
        gymnasium.logger.warn("render() was called on an environment made without a render_mode")
        return None
    if mode == "ansi":
        return str(position)
    return draw(position.board, position.moves[-1] if position.moves else None)


def check_mode(mode: str | None) -> None:
    """Raises ValueError unless `mode` is a render mode or None."""
    if mode is not None and mode not in RENDER_MODES:
        raise ValueError(f"render_mode is {mode!r}: expected one of {', '.join(RENDER_MODES)}, or None")


def draw(board: np.ndarray, last_move: int | None = None) -> np.ndarray:
    """(rows * CELL, cols * CELL, 3) uint8: a (rows, cols) board with its star points, the last move marked."""
    rows, cols = board.shape
    offset = np.arange(CELL) - (CELL - 1) / 2
    dy, dx = np.tile(offset, rows)[:, None], np.tile(offset, cols)[None, :]  # pixels from the nearest point
    y, x = np.arange(rows * CELL)[:, None], np.arange(cols * CELL)[None, :]
    inside_y = (y >= CELL // 2 - 1) & (y <= (rows - 1) * CELL + CELL // 2)
    inside_x = (x >= CELL // 2 - 1) & (x <= (cols - 1) * CELL + CELL // 2)
    picture = np.empty((rows * CELL, cols * CELL, 3))
    picture[:] = _WOOD
    picture[((abs(dy) < 1) | (abs(dx) < 1)) & inside_y & inside_x] = _INK

    def discs(points: np.ndarray, radius: float, colour: tuple[int, int, int]) -> None:
        coverage = np.clip(radius + 0.5 - np.hypot(dy, dx), 0, 1)  # smooth edges
        coverage = (coverage * points.repeat(CELL, axis=0).repeat(CELL, axis=1))[..., None]
        picture[:] = coverage * np.array(colour) + (1 - coverage) * picture

    discs(_star_points(rows, cols), CELL / 8, _INK)
    discs(board == BLACK, 0.46 * CELL, _BLACK)
    discs((board != BLACK) & (board != EMPTY), 0.46 * CELL, _WHITE)
    if last_move is not None and last_move < board.size and board.flat[last_move] != EMPTY:
        mark = (np.arange(board.size) == last_move).reshape(board.shape)
        discs(mark, CELL / 7, _WHITE if board.flat[last_move] == BLACK else _BLACK)
    return np.rint(picture).astype(np.uint8)


def _star_points(rows: int, cols: int) -> np.ndarray:
    """(rows, cols) bool: the corner points and the centre, and from 15 lines on the middle of each side."""

    def lines(length: int) -> tuple[np.ndarray, np.ndarray]:
        index = np.arange(length)
        edge = 3 if length >= 13 else 2
        corner = (index == edge) | (index == length - 1 - edge) if length >= 7 else np.zeros(length, np.bool_)
        return corner, 2 * index == length - 1

    (corner_y, middle_y), (corner_x, middle_x) = lines(rows), lines(cols)
    if min(rows, cols) >= 15:
        return np.outer(corner_y | middle_y, corner_x | middle_x)
    return np.outer(corner_y, corner_x) | np.outer(middle_y, middle_x)
