"""Names of points. One table, the same three points of a 9x9 board in each system:

| system | upper left | third from the left, third from the bottom | pass | letters |
|---|---|---|---|---|
| action  | 0        | 56     | 81     | `row * cols + col`, row 0 at the top |
| (row, col) | (0, 0) | (6, 2) | none  | row 0 at the top |
| vertex (GTP) | A9   | C3     | pass   | columns skip I, rows count from the bottom |
| SGF     | aa       | cg     | (empty) | column, then row from the top; i is used |
"""

COLUMNS = "ABCDEFGHJKLMNOPQRST"  # GTP has no I


def action_to_vertex(action: int, rows: int, cols: int) -> str:
    """The GTP name of an action: "C3", or "pass". Raises ValueError when it is none of this board's."""
    if not 0 <= action <= rows * cols:
        raise ValueError(
            f"action {action} is not on a {rows}x{cols} board: expected 0 to {rows * cols}, the last is the pass"
        )
    if action == rows * cols:
        return "pass"
    row, col = divmod(int(action), cols)
    return f"{COLUMNS[col]}{rows - row}"


def vertex_to_action(vertex: str, rows: int, cols: int) -> int:
    """The action of a GTP vertex, upper or lower case. Raises ValueError when it is no point of this board."""
    text = vertex.strip().upper()
    if text == "PASS":
        return rows * cols
    col = COLUMNS.find(text[:1]) if text else -1
    row = rows - int(text[1:]) if text[1:].isascii() and text[1:].isdigit() else -1
    if not (0 <= col < cols and 0 <= row < rows):
        last = action_to_vertex(cols - 1, rows, cols)
        raise ValueError(f"{vertex!r} is not a point of a {rows}x{cols} board: expected A1 to {last}, or pass")
    return row * cols + col


def sgf_to_action(point: str, rows: int, cols: int) -> int:
    """The action of an SGF point; "" passes, and so does "tt" on boards up to 19x19. Raises ValueError."""
    if point == "" or (point == "tt" and rows <= 19 and cols <= 19):
        return rows * cols
    if len(point) == 2:
        col, row = (ord(letter) - ord("a") for letter in point)
        if 0 <= col < cols and 0 <= row < rows:
            return row * cols + col
    raise ValueError(f"{point!r} is not an SGF point of a {rows}x{cols} board")


def action_to_sgf(action: int, rows: int, cols: int) -> str:
    """The SGF point of an action; the pass is ""."""
    if action == rows * cols:
        return ""
    row, col = divmod(int(action), cols)
    return chr(ord("a") + col) + chr(ord("a") + row)


def parse_size(size: int | str) -> tuple[int, int]:
    """(rows, cols) of a size written `9`, "9" or "5x7" (rows x columns). Raises ValueError."""
    parts = str(size).lower().split("x")
    if len(parts) <= 2 and all(part.isascii() and part.isdigit() for part in parts):
        return int(parts[0]), int(parts[-1])
    raise ValueError(f"size {size!r} is not a board size: expected a number such as 9, or rows x columns such as 5x7")
