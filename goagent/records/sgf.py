"""Games as SGF FF[4]: `parse_sgf` reads one, `read_games` a file or a folder of them, `write_sgf` writes one.

What the properties mean is decided and checked here. A `Game` is the main line; who needs variations or comments on
moves works on the tree of nodes (`sgf_tree.py`), and gets the game from it by `game_of`.
"""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from envs import BLACK, EMPTY, WHITE, Position, Rules
from envs.coordinates import action_to_sgf, sgf_to_action
from goagent.records.sgf_tree import (
    Node,
    SgfError,
    escape,
    find_files,
    parse_tree,
    quote,
    read_records,
    write_tree,
)

_LETTERS = {BLACK: "B", WHITE: "W"}
_COLOURS = {"B": BLACK, "W": WHITE}
_SETUP = {"AB": BLACK, "AW": WHITE, "AE": EMPTY}
_MAX_KOMI = 361


@dataclass
class Game:
    """One game: how the board started, and the main line. Moves need be neither legal nor in turn."""

    rules: Rules
    moves: list[tuple[int, int]] = field(default_factory=list)  # (colour, action)
    black_name: str = ""
    white_name: str = ""
    result: str | None = None  # as in RE: "B+3.5", "W+R", "0", ...
    comment: str = ""
    black_stones: tuple[int, ...] = ()  # on the board before the first move, as points
    white_stones: tuple[int, ...] = ()
    to_play: int = BLACK  # at the start

    @property
    def has_handicap(self) -> bool:
        """Black has stones on the board, White none, and White begins."""
        return len(self.black_stones) > 1 and not self.white_stones and self.to_play == WHITE

    @classmethod
    def from_moves(
        cls,
        rules: Rules,
        moves: Iterable[int],
        score_black: float | None = None,
        black_name: str = "",
        white_name: str = "",
    ) -> "Game":
        """A game played in turn from the empty board; `score_black` is Black's margin, komi included."""
        coloured = [(WHITE if i % 2 else BLACK, int(action)) for i, action in enumerate(moves)]
        result = None if score_black is None else result_of(score_black)
        return cls(rules, coloured, black_name, white_name, result)

    def start(self) -> Position:
        """The position before the first move. Raises ValueError where the stones leave a chain without a liberty."""
        return Position(self.rules).with_to_play(self.to_play).with_stones(self.black_stones, self.white_stones)

    def positions(self) -> Iterator[tuple[Position, int, int]]:
        """(position with `colour` to move, colour, action) of each move; illegal ones are executed all the same."""
        position = self.start()
        for colour, action in self.moves:
            position = position.with_to_play(colour)
            yield position, colour, action
            position = position.play(action, check=False)

    def final(self) -> Position:
        """The position after the last move."""
        position = self.start()
        for before, _, action in self.positions():
            position = before.play(action, check=False)
        return position


def result_of(score_black: float) -> str:
    """The RE of a counted game."""
    return "0" if score_black == 0 else f"{'B' if score_black > 0 else 'W'}+{abs(score_black):g}"


def write_sgf(game: Game) -> str:
    """The game as one line of SGF, apart from line breaks in its comment; to be stored as UTF-8."""
    return write_tree(tree_of(game))


def parse_sgf(data: bytes | str) -> Game:
    """The first game in `data`, as `game_of` takes it from its tree. Raises SgfError."""
    return game_of(parse_tree(data))


def read_games(path: Path) -> Iterator[Game]:
    """The games of a file (.sgf, .sgfs, gzipped or not; any number of games in it) or of all such files in a folder.

    Raises SgfError that names the file and the game, at the first one that cannot be read.
    """
    for file in find_files(path):
        for number, record in enumerate(read_records(file), 1):
            try:
                game = parse_sgf(record)
            except SgfError as error:
                raise SgfError(f"{file}, game {number}: {error}") from error
            yield game


def tree_of(game: Game) -> Node:
    """The root of a game without variations."""
    rules = game.rules
    rows, cols = rules.rows, rules.cols
    properties = {
        "FF": "4",
        "GM": "1",
        "CA": "UTF-8",
        "SZ": str(rows) if rows == cols else f"{cols}:{rows}",
        "KM": f"{rules.komi:g}",
        "HA": str(len(game.black_stones)) if game.has_handicap else "",
        "RU": f"{rules.objective}, {rules.ko} ko, {'suicide' if rules.suicide else 'no suicide'}",
        "PB": game.black_name,
        "PW": game.white_name,
        "RE": game.result or "",
        "C": game.comment,
    }
    root = Node({name: [escape(value)] for name, value in properties.items() if value})
    for name, points in (("AB", game.black_stones), ("AW", game.white_stones)):
        if points:
            root.properties[name] = [action_to_sgf(point, rows, cols) for point in points]
    if game.to_play != _usual_to_play(game.moves, game.black_stones, game.white_stones):
        root.properties["PL"] = [_LETTERS[game.to_play]]
    root.children = line_of(game.moves, rules)
    return root


def line_of(moves: Iterable[tuple[int, int]], rules: Rules) -> list[Node]:
    """The first node of a line of (colour, action), in a list that can be a node's children; empty without moves."""
    line: list[Node] = []
    for colour, action in reversed(list(moves)):
        line = [Node({_LETTERS[colour]: [action_to_sgf(action, rules.rows, rules.cols)]}, line)]
    return line


def game_of(root: Node) -> Game:
    """The main line of a tree. Raises SgfError.

    Without SZ the board is 19x19, as SGF says. A komi between halves is rounded to the nearest; without KM it is the
    size's default. Other rules are the defaults of `Rules`, as RU has no fixed vocabulary. Stones are set up before the
    first move or not at all.
    """
    if root.text("GM", "1").strip() != "1":
        raise SgfError(f"GM is {quote(root.text('GM'))}: expected 1, the game of Go")
    rules = _rules(root)
    stones: dict[int, int] = {}
    moves: list[tuple[int, int]] = []
    to_play = None
    for number, node in enumerate(root.main_line()):
        played = [(_COLOURS[name], value) for name in _COLOURS for value in node.properties.get(name, [])]
        if len(played) > 1:
            raise SgfError(f"node {number} has {len(played)} moves: expected one")
        if any(name in node.properties for name in _SETUP) and (moves or played):
            raise SgfError(f"node {number} sets up stones: expected them before the first move, in a node of their own")
        for name, colour in _SETUP.items():
            for value in node.properties.get(name, []):
                stones.update(dict.fromkeys(_points(value, rules, number), colour))
        if "PL" in node.properties and not moves:
            to_play = _COLOURS.get(node.text("PL").strip()[:1].upper())
            if to_play is None:
                raise SgfError(f"PL is {quote(node.text('PL'))}: expected B or W")
        moves += [(colour, _action(value, rules, number)) for colour, value in played]
    black, white = (tuple(sorted(p for p, owner in stones.items() if owner == colour)) for colour in (BLACK, WHITE))
    game = Game(
        rules,
        moves,
        black_name=_simple_text(root, "PB"),
        white_name=_simple_text(root, "PW"),
        result=_simple_text(root, "RE") or None,
        comment=root.text("C"),
        black_stones=black,
        white_stones=white,
        to_play=to_play or _usual_to_play(moves, black, white),
    )
    try:
        if stones:  # the empty board needs no look
            game.start()
    except ValueError as error:
        raise SgfError("the stones set up at the start leave a chain without a liberty") from error
    return game


def _rules(root: Node) -> Rules:
    size = re.fullmatch(r"\s*([0-9]{1,3})(?:\s*:\s*([0-9]{1,3}))?\s*", root.text("SZ", "19"))
    if not size:
        raise SgfError(f"SZ is {quote(root.text('SZ'))}: expected a size such as 9, or columns:rows such as 7:5")
    komi = _komi(root)
    try:
        return Rules(rows=int(size[2] or size[1]), cols=int(size[1]), komi=komi)
    except ValueError as error:
        raise SgfError(f"SZ is {quote(size[0])}: expected boards from 1 to 19 on a side") from error


def _komi(root: Node) -> float | None:
    text = root.text("KM").strip()
    if not text:
        return None
    try:
        komi = float(text)
    except ValueError:
        komi = math.nan
    if not abs(komi) <= _MAX_KOMI:
        raise SgfError(f"KM is {quote(text)}: expected points from -{_MAX_KOMI} to {_MAX_KOMI}")
    return round(2 * komi) / 2


def _usual_to_play(moves: list[tuple[int, int]], black: tuple[int, ...], white: tuple[int, ...]) -> int:
    """Who begins where PL does not say: whoever plays the first move, without moves White after a handicap."""
    if moves:
        return moves[0][0]
    return WHITE if black and not white else BLACK


def _points(value: str, rules: Rules, number: int) -> list[int]:
    """The points of one setup value; "aa:cc" is a rectangle."""
    ends = [_action(part, rules, number) for part in value.split(":", 1)]
    if rules.pass_action in ends:
        raise SgfError(f"node {number} sets up a stone at {quote(value)}: expected a point of the board")
    (top, left), (bottom, right) = divmod(ends[0], rules.cols), divmod(ends[-1], rules.cols)
    return [row * rules.cols + col for row in range(top, bottom + 1) for col in range(left, right + 1)]


def _action(value: str, rules: Rules, number: int) -> int:
    try:
        return sgf_to_action(value.strip(), rules.rows, rules.cols)
    except ValueError as error:
        raise SgfError(
            f"node {number}: {quote(value)} is not a point of the {rules.rows}x{rules.cols} board"
        ) from error


def _simple_text(node: Node, name: str) -> str:
    """A text in which FF[4] knows no line breaks."""
    return node.text(name).replace("\n", " ")
