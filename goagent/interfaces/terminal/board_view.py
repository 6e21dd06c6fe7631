"""The board on the screen. `Picture` is what is shown, `paint` draws it as text, `BoardView` adds cursor and mouse.

The board is painted in half cells, which are nearly square: a stone is a disc of them, lines and numbers are written
over it. Without colour, and where a point has only one row, a stone is a character.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import ClassVar, NamedTuple

import numpy as np
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget

from envs import BLACK, EMPTY, WHITE
from envs.coordinates import COLUMNS

LABEL = 3  # columns for the numbers at either side

_WOOD = {True: "#b98d52", False: "#dfb878"}  # dark screen, light screen
_LINE = {True: "#5e4321", False: "#8a6a3c"}
_STONES = {BLACK: "#14140f", WHITE: "#f6f4ec"}
_HOT = (8, 84, 66)
_LABEL = "#1c4fa1"
_CURSOR = "#d0021b"
_DISCS = {BLACK: "●", WHITE: "○"}
_LAST = {BLACK: "◉", WHITE: "◎"}
_OWNED = {1: "■", -1: "□"}
_CROSSINGS = {  # by the lines that leave it: up, down, left, right
    tuple(bit == "1" for bit in f"{lines:04b}"): shape for lines, shape in enumerate("·╶╴─╷┌┐┬╵└┘┴│├┤┼")
}


class Scale(NamedTuple):
    """How many columns and rows a point has."""

    width: int
    height: int


SCALES = (Scale(11, 5), Scale(9, 4), Scale(7, 3), Scale(5, 2), Scale(3, 1), Scale(2, 1))  # the largest first


@dataclass(frozen=True)
class Picture:
    """What a board shows. Actions that are no points of it, such as the pass, are not shown."""

    board: np.ndarray  # (rows, cols) int8
    last: int | None = None  # the last move
    heat: np.ndarray | None = None  # (num_actions,) probability of each move
    owners: np.ndarray | None = None  # (rows, cols) int8, +1 Black's, -1 White's
    marks: Mapping[int, str] = field(default_factory=dict)  # short labels of points
    cursor: int | None = None
    plain: bool = False  # no colours, only characters
    dark: bool = True


def board_size(rows: int, cols: int, scale: Scale) -> tuple[int, int]:
    """(columns, rows) that a board takes on the screen, coordinates included."""
    width, height = scale
    return cols * width + (width % 2 == 0) + 2 * LABEL, rows * height + (height % 2 == 0) + 2


def best_scale(rows: int, cols: int, columns: int, lines: int) -> Scale:
    """The largest scale at which a board fits into so many columns and lines; the smallest where none does."""
    sizes = ((scale, board_size(rows, cols, scale)) for scale in SCALES)
    return next((scale for scale, (w, h) in sizes if w <= columns and h <= lines), SCALES[-1])


@dataclass
class _Canvas:
    """Colours of half cells, and characters over them. `ink` is (y, x) -> (character, style)."""

    pixels: np.ndarray  # (2 * lines, columns) of colour names
    ink: dict[tuple[int, int], tuple[str, Style]] = field(default_factory=dict)

    def write(self, y: int, x: int, text: str, style: Style) -> None:
        for offset, character in enumerate(text):
            if 0 <= x + offset < self.pixels.shape[1]:
                self.ink[y, x + offset] = character, style

    def line(self, y: int) -> Text:
        cells = (self._cell(y, x) for x in range(self.pixels.shape[1]))
        runs = groupby(cells, key=lambda cell: cell[1])  # few long pieces: less to send to a terminal far away
        return Text.assemble(*(("".join(text for text, _ in run), style) for style, run in runs), no_wrap=True, end="")

    def _cell(self, y: int, x: int) -> tuple[str, Style]:
        top, bottom = self.pixels[2 * y : 2 * y + 2, x]
        ground = Style(bgcolor=bottom or None)
        if (y, x) in self.ink:
            character, style = self.ink[y, x]
            return character, ground + style
        return (" ", ground) if top == bottom else ("▀", ground + Style(color=top))


def paint(picture: Picture, scale: Scale) -> list[Text]:
    """The board with its coordinates, a text a line."""
    rows, cols = picture.board.shape
    columns, lines = board_size(rows, cols, scale)
    wood = "" if picture.plain else _WOOD[picture.dark]
    canvas = _Canvas(np.full((2 * (lines - 2), columns - 2 * LABEL), wood, object))
    _draw_points(canvas, picture, scale)
    centres = {row: row * scale.height + scale.height // 2 for row in range(rows)}
    numbers = {y: str(rows - row) for row, y in centres.items()}
    letters = "".join(letter.center(scale.width) if scale.width % 2 else f" {letter}" for letter in COLUMNS[:cols])
    header = Text((" " * LABEL + letters).ljust(columns), no_wrap=True, end="")
    body = []
    for y in range(lines - 2):
        number = numbers.get(y, "")
        body.append(Text(f"{number:>{LABEL - 1}} ", end="") + canvas.line(y) + Text(f" {number:<{LABEL - 1}}", end=""))
    return [header, *body, header]


def _draw_points(canvas: _Canvas, picture: Picture, scale: Scale) -> None:
    rows, cols = picture.board.shape
    stars = star_points(rows, cols)
    places = [(*divmod(point, cols), int(stone)) for point, stone in enumerate(picture.board.flat)]
    middles = [_middle(scale, row, col) for row, col, _ in places]
    for point, ((row, col, stone), (y, x)) in enumerate(zip(places, middles, strict=True)):
        if stone == EMPTY:
            _draw_crossing(canvas, picture, scale, row, col, y, x, point in stars)
    hottest = max(float(picture.heat[:-1].max()), 1e-9) if picture.heat is not None else 1.0
    for point, ((row, col, stone), (y, x)) in enumerate(zip(places, middles, strict=True)):
        if stone != EMPTY:
            _draw_stone(canvas, picture, scale, y, x, stone, point == picture.last)
        elif picture.heat is not None and picture.heat[point] >= 0.005:
            percent = "" if point in picture.marks else f"{min(99, round(100 * picture.heat[point]))}"
            _draw_heat(canvas, picture, scale, y, x, percent, float(picture.heat[point]) / hottest)
        elif picture.owners is not None and picture.owners[row, col]:
            _draw_owner(canvas, picture, scale, y, x, int(picture.owners[row, col]))
    reach = max(1, scale.width // 2)
    for point, label in picture.marks.items():
        if point < rows * cols:
            y, x = middles[point]
            canvas.write(y, x - reach + 1, label.center(2 * reach - 1), _mark(picture))
    if picture.cursor is not None and picture.cursor < rows * cols:
        y, x = middles[picture.cursor]
        ends = Style(bold=True) if picture.plain else Style(color=_CURSOR, bold=True)
        canvas.write(y, x - reach, "[", ends)
        canvas.write(y, x + reach, "]", ends)


def _middle(scale: Scale, row: int, col: int) -> tuple[int, int]:
    """(line, column) of a point's middle on the canvas."""
    return row * scale.height + scale.height // 2, col * scale.width + scale.width // 2


def _mark(picture: Picture) -> Style:
    """How a label stands out."""
    return Style(bold=True, reverse=True) if picture.plain else Style(color="#ffffff", bgcolor=_LABEL, bold=True)


def _draw_crossing(
    canvas: _Canvas, picture: Picture, scale: Scale, row: int, col: int, y: int, x: int, star: bool
) -> None:
    """The lines through an empty point, as far as its neighbours' area."""
    rows, cols = picture.board.shape
    style = Style(dim=True) if picture.plain else Style(color=_LINE[picture.dark])
    across, along = scale.width // 2, scale.height // 2
    left, right = across if col else 0, (scale.width - 1 - across if scale.width > 2 else 1) if col < cols - 1 else 0
    up, down = along if row else 0, along if row < rows - 1 else 0
    canvas.write(y, x - left, "─" * (left + 1 + right), style)
    for line in range(y - up, y + down + 1):
        canvas.write(line, x, "│", style)
    crossing = _CROSSINGS[row > 0, row < rows - 1, col > 0, col < cols - 1]
    canvas.write(y, x, "╋" if star else crossing, style + Style(bold=True) if star else style)


def _draw_stone(canvas: _Canvas, picture: Picture, scale: Scale, y: int, x: int, stone: int, last: bool) -> None:
    if scale.height == 1 or picture.plain:
        style = Style(bold=True) if picture.plain else Style(color=_STONES[stone], bold=last)
        canvas.write(y, x, (_LAST if last else _DISCS if picture.plain else {stone: "●"})[stone], style)
        return
    _disc(canvas, scale, y, x, _STONES[stone])
    if last:
        canvas.write(y, x, "●", Style(color=_STONES[BLACK + WHITE - stone]))


def _disc(canvas: _Canvas, scale: Scale, y: int, x: int, colour: str) -> None:
    """A disc of half cells around the middle of the cell (y, x); the lines below it go."""
    radius_x, radius_y = scale.width / 2 - 0.1, float(scale.height)
    for half in range(-scale.height, scale.height):
        for dx in range(-(scale.width // 2), scale.width // 2 + 1):
            if (dx / radius_x) ** 2 + ((half + 0.5) / radius_y) ** 2 <= 1:
                canvas.pixels[2 * y + 1 + half, x + dx] = colour
                canvas.ink.pop(((2 * y + 1 + half) // 2, x + dx), None)


def _draw_heat(canvas: _Canvas, picture: Picture, scale: Scale, y: int, x: int, percent: str, share: float) -> None:
    """A blue the deeper the likelier, and the percentage; `share` is of the likeliest point's probability."""
    left = x - 1 if scale.width == 2 and len(percent) == 2 else x
    if picture.plain:
        canvas.write(y, left, percent, Style(bold=True))
        return
    colour, strength = _blend(_WOOD[picture.dark], _HOT, share**0.5), share**0.5
    if scale.height > 1:
        _disc(canvas, scale, y, x, colour)
    ink = Style(color="#ffffff" if strength > 0.6 else "#000000", bgcolor=colour, bold=True)
    canvas.write(y, left, percent, ink)


def _draw_owner(canvas: _Canvas, picture: Picture, scale: Scale, y: int, x: int, owner: int) -> None:
    if scale.height == 1 or picture.plain:
        colour = None if picture.plain else _STONES[BLACK if owner > 0 else WHITE]
        canvas.write(y, x, _OWNED[owner] if picture.plain else "■", Style(color=colour))
        return
    for dx in (-1, 0, 1):
        canvas.pixels[2 * y : 2 * y + 2, x + dx] = _STONES[BLACK if owner > 0 else WHITE]
        canvas.ink.pop((y, x + dx), None)


def star_points(rows: int, cols: int) -> set[int]:
    """The points that a board marks: third or fourth lines and middles on larger boards, the middle on small ones."""

    def lines(length: int) -> list[int]:
        edge = 3 if length >= 12 else 2
        outer = [edge, length - 1 - edge] if length >= 8 else []
        middle = [length // 2] if length % 2 and (length >= 13 or length < 8) else []
        return sorted({*outer, *middle})

    stars = {row * cols + col for row in lines(rows) for col in lines(cols)} if min(rows, cols) >= 5 else set()
    return stars | ({rows // 2 * cols + cols // 2} if rows % 2 and cols % 2 and min(rows, cols) >= 5 else set())


def _blend(colour: str, towards: tuple[int, int, int], share: float) -> str:
    parts = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in zip(parts, towards, strict=True))


class BoardView(Widget, can_focus=True):
    """A board with a cursor, moved by the arrows or the mouse; it says which point was chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1, 0)", show=False),
        Binding("down", "move(1, 0)", show=False),
        Binding("left", "move(0, -1)", show=False),
        Binding("right", "move(0, 1)", show=False),
        Binding("enter", "choose", show=False),
    ]

    class Chosen(Message):
        """A point was clicked, or Enter pressed there."""

        def __init__(self, action: int) -> None:
            super().__init__()
            self.action = action

    def __init__(self, picture: Picture, with_cursor: bool = True) -> None:
        super().__init__()
        self.can_focus = with_cursor
        rows, cols = picture.board.shape
        self.cursor: int | None = rows // 2 * cols + cols // 2 if with_cursor else None
        self.picture = picture
        self.scale = SCALES[-1]

    def show(self, picture: Picture) -> None:
        self.picture = picture
        self.refresh()

    def fit(self, columns: int, lines: int) -> None:
        """Take the largest scale for so much room."""
        rows, cols = self.picture.board.shape
        self.scale = best_scale(rows, cols, columns, lines)
        self.styles.width, self.styles.height = board_size(rows, cols, self.scale)
        self.refresh()

    def render(self) -> Text:
        cursor = self.cursor if self.has_focus else None
        return Text("\n", no_wrap=True).join(paint(replace(self.picture, cursor=cursor), self.scale))

    def point_at(self, x: int, y: int) -> int | None:
        """The point under a column and line of this widget."""
        rows, cols = self.picture.board.shape
        width, height = self.scale
        col = (x - LABEL) // width if width % 2 else (x - LABEL) // width if x > LABEL else 0
        row = (y - 1) // height
        return row * cols + col if 0 <= row < rows and 0 <= col < cols else None

    def action_move(self, down: int, right: int) -> None:
        if self.cursor is None:
            return
        rows, cols = self.picture.board.shape
        row, col = divmod(self.cursor, cols)
        self.cursor = min(max(row + down, 0), rows - 1) * cols + min(max(col + right, 0), cols - 1)
        self.refresh()

    def action_choose(self) -> None:
        if self.cursor is not None:
            self.post_message(self.Chosen(self.cursor))

    def on_click(self, event: events.Click) -> None:
        point = self.point_at(event.x, event.y)
        if point is not None and self.cursor is not None:
            self.cursor = point
            self.post_message(self.Chosen(point))
