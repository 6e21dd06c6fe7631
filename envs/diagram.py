"""Boards as text, both ways.

  A B C
3 . . .        X black, O white, . empty; a star point may be +
2 . X .        coordinates and blanks are decoration, and may be left out when reading
1 . . O
"""

import numpy as np

from envs.coordinates import COLUMNS
from envs.state import BLACK, EMPTY, WHITE

SYMBOLS = {EMPTY: ".", BLACK: "X", WHITE: "O"}
STATUS = ("Black to play", "White to play", "game over")  # how the line below a printed position begins
_COLOURS = {".": EMPTY, "+": EMPTY, "X": BLACK, "#": BLACK, "O": WHITE}


def draw(board: np.ndarray, marks: dict[int, str] | None = None) -> str:
    """A (rows, cols) board with coordinates; `marks` replaces the symbol of an action by another character."""
    rows, cols = board.shape
    letters = "   " + " ".join(COLUMNS[:cols])
    lines = [letters]
    for row in range(rows):
        symbols = [(marks or {}).get(row * cols + col, SYMBOLS[int(board[row, col])]) for col in range(cols)]
        lines.append(f"{rows - row:2d} " + " ".join(symbols))
    return "\n".join(lines)


def read(text: str) -> np.ndarray:
    """The (rows, cols) int8 board of a diagram. Raises ValueError that names the line it cannot read."""
    board = []
    for line in text.splitlines():
        tokens = line.split()
        if tokens and tokens[0].isdigit():
            tokens = tokens[1:]
        if tokens and tokens[-1].isdigit():
            tokens = tokens[:-1]
        symbols = "".join(tokens).upper() if tokens else ""
        if not symbols or _is_header(tokens) or line.strip().startswith(STATUS):
            continue
        unknown = [symbol for symbol in symbols if symbol not in _COLOURS]
        if unknown:
            raise ValueError(f"cannot read {unknown[0]!r} in the diagram line {line.strip()!r}: expected X, O, . and +")
        board.append([_COLOURS[symbol] for symbol in symbols])
    if not board:
        raise ValueError("the diagram is empty: expected lines of X, O and .")
    if len({len(row) for row in board}) > 1:
        raise ValueError("the diagram's rows differ in length: " + ", ".join(str(len(row)) for row in board))
    return np.array(board, np.int8)


def _is_header(tokens: list[str]) -> bool:
    """True for the line of column letters, which is A B C ... from the start (a lone X or O is never one)."""
    letters = "".join(tokens).upper()
    return letters == COLUMNS[: len(letters)]
