"""Games as SGF FF[4]: `parse_sgf` reads one, `read_games` a file or a folder of them, `write_sgf` writes one.

pysgf takes the text apart; what the properties mean is decided and checked here. Only the main line is read.
"""

import gzip
import math
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pysgf import GoGame, ParseError

from envs import BLACK, EMPTY, WHITE, Position, Rules
from envs.coordinates import action_to_sgf, sgf_to_action
from goagent.errors import UserError

SUFFIXES = (".sgf", ".sgfs", ".sgf.gz", ".sgfs.gz")

_LETTERS = {BLACK: "B", WHITE: "W"}
_COLOURS = {"B": BLACK, "W": WHITE}
_SETUP = {"AB": BLACK, "AW": WHITE, "AE": EMPTY}
_MAX_KOMI = 361
_MAX_WORK = 10**11  # pysgf copies the rest of the text at every token: about 3 s
_STAND_INS = {"]": "\ufdd0", "\\": "\ufdd1"}  # for escaped characters, while pysgf looks for the end of a value
_PLAIN = str.maketrans({stand_in: plain for plain, stand_in in _STAND_INS.items()})


class SgfError(UserError):
    """Text that is not the record of a Go game."""


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
    rules = game.rules
    rows, cols = rules.rows, rules.cols
    properties = [
        ("FF", "4"),
        ("GM", "1"),
        ("CA", "UTF-8"),
        ("SZ", str(rows) if rows == cols else f"{cols}:{rows}"),
        ("KM", f"{rules.komi:g}"),
        ("RU", f"{rules.objective}, {rules.ko} ko, {'suicide' if rules.suicide else 'no suicide'}"),
        ("PB", game.black_name),
        ("PW", game.white_name),
        ("RE", game.result or ""),
        ("C", game.comment),
    ]
    root = "".join(f"{name}[{_escape(value)}]" for name, value in properties if value)
    for name, points in (("AB", game.black_stones), ("AW", game.white_stones)):
        if points:
            root += name + "".join(f"[{action_to_sgf(point, rows, cols)}]" for point in points)
    if game.to_play != _usual_to_play(game.moves, game.black_stones, game.white_stones):
        root += f"PL[{_LETTERS[game.to_play]}]"
    moves = "".join(f";{_LETTERS[colour]}[{action_to_sgf(action, rows, cols)}]" for colour, action in game.moves)
    return f"(;{root}{moves})"


def parse_sgf(data: bytes | str) -> Game:
    """The main line of the first game in `data`. Raises SgfError.

    Bytes are decoded by their CA property, ISO-8859-1 without one. Without SZ the board is 19x19, as SGF says. A komi
    between halves is rounded to the nearest; without KM it is the size's default. Other rules are the defaults of
    `Rules`, as RU has no fixed vocabulary. Stones are set up before the first move or not at all.
    """
    nodes = _main_line(_decode(data) if isinstance(data, bytes) else data)
    root = nodes[0]
    if _first(root, "GM", "1").strip() != "1":
        raise SgfError(f"GM is {_quote(_first(root, 'GM'))}: expected 1, the game of Go")
    rules = _rules(root)
    stones: dict[int, int] = {}
    moves: list[tuple[int, int]] = []
    to_play = None
    for number, node in enumerate(nodes):
        played = [(_COLOURS[name], value) for name in _COLOURS for value in node.get(name, [])]
        if len(played) > 1:
            raise SgfError(f"node {number} has {len(played)} moves: expected one")
        if any(name in node for name in _SETUP) and (moves or played):
            raise SgfError(f"node {number} sets up stones: expected them before the first move, in a node of their own")
        for name, colour in _SETUP.items():
            for value in node.get(name, []):
                stones.update(dict.fromkeys(_points(value, rules, number), colour))
        if "PL" in node and not moves:
            to_play = _COLOURS.get(_first(node, "PL").strip()[:1].upper())
            if to_play is None:
                raise SgfError(f"PL is {_quote(_first(node, 'PL'))}: expected B or W")
        moves += [(colour, _action(value, rules, number)) for colour, value in played]
    black, white = (tuple(sorted(p for p, owner in stones.items() if owner == colour)) for colour in (BLACK, WHITE))
    game = Game(
        rules,
        moves,
        black_name=_first(root, "PB"),
        white_name=_first(root, "PW"),
        result=_first(root, "RE") or None,
        comment=_first(root, "C"),
        black_stones=black,
        white_stones=white,
        to_play=to_play or _usual_to_play(moves, black, white),
    )
    try:
        game.start()
    except ValueError as error:
        raise SgfError("the stones set up at the start leave a chain without a liberty") from error
    return game


def read_games(path: Path) -> Iterator[Game]:
    """The games of a file (.sgf, .sgfs, gzipped or not; any number of games in it) or of all such files in a folder.

    Raises SgfError that names the file and the game, at the first one that cannot be read.
    """
    files = [path]
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.name.lower().endswith(SUFFIXES) and file.is_file())
        if not files:
            raise SgfError(f"{path} holds no games: expected files that end in {', '.join(SUFFIXES)}")
    for file in files:
        number = 0
        for number, tree in enumerate(_game_trees(_decode(_read(file))), 1):
            try:
                game = parse_sgf(tree)
            except SgfError as error:
                raise SgfError(f"{file}, game {number}: {error}") from error
            yield game
        if not number:
            raise SgfError(f"{file} holds no game: expected SGF, which begins with '(;'")


def _read(file: Path) -> bytes:
    try:
        data = file.read_bytes()
        return gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
    except (OSError, EOFError, zlib.error) as error:
        raise SgfError(f"cannot read {file}: {getattr(error, 'strerror', None) or error}") from error


def _decode(data: bytes) -> str:
    if data.startswith(b"\xef\xbb\xbf"):
        return data.decode("utf-8-sig", errors="replace")
    named = re.search(rb"(?<![A-Za-z])CA\s*\[\s*([^\]]*?)\s*\]", data)
    charset = named[1].decode("latin-1") if named else "latin-1"
    try:
        return data.decode(charset, errors="replace")
    except (LookupError, ValueError) as error:
        raise SgfError(f"CA is {_quote(charset)}: expected the name of a character set, such as UTF-8") from error


def _game_trees(text: str) -> Iterator[str]:
    """The top-level game trees of a collection."""
    depth = start = 0
    for token in re.finditer(r"\[(?:[^\]\\]|\\.?)*(?:\]|\Z)|[()]", text, re.DOTALL):
        if token[0] == "(":
            start = start if depth else token.start()
            depth += 1
        elif token[0] == ")" and depth:
            depth -= 1
            if not depth:
                yield text[start : token.end()]
    if depth:
        yield text[start:]  # has no end: for the parser to complain about


def _main_line(text: str) -> list[dict[str, list[str]]]:
    """The properties of each node from the root along first children."""
    start = re.search(r"\(\s*;", text)
    if not start:
        raise SgfError("this is not SGF: expected '(;' at its beginning")
    text = text[start.start() :].replace("\r\n", "\n")
    text = re.sub(r"\\(.)", lambda m: _STAND_INS.get(m[1], m[1].strip("\n")), text, flags=re.DOTALL)
    if len(text) * sum(map(text.count, ";[(")) > _MAX_WORK:
        raise SgfError(f"the record is too long: {len(text)} characters")
    try:
        node = GoGame(text).root
    except ParseError as error:
        raise SgfError(f"this is not SGF: {' '.join(str(error).translate(_PLAIN).split())}") from error
    except RecursionError as error:
        raise SgfError("this is not SGF: its variations are nested too deep") from error
    nodes = [node, *_first_children(node)]
    return [
        {name: [value.translate(_PLAIN) for value in values] for name, values in node.properties.items()}
        for node in nodes
    ]


def _first_children(node) -> Iterator:
    while node.children:
        node = node.children[0]
        yield node


def _rules(root: dict[str, list[str]]) -> Rules:
    size = re.fullmatch(r"\s*([0-9]{1,3})(?:\s*:\s*([0-9]{1,3}))?\s*", _first(root, "SZ", "19"))
    if not size:
        raise SgfError(f"SZ is {_quote(_first(root, 'SZ'))}: expected a size such as 9, or columns:rows such as 7:5")
    komi = _komi(root)
    try:
        return Rules(rows=int(size[2] or size[1]), cols=int(size[1]), komi=komi)
    except ValueError as error:
        raise SgfError(f"SZ is {_quote(size[0])}: expected boards from 1 to 19 on a side") from error


def _komi(root: dict[str, list[str]]) -> float | None:
    text = _first(root, "KM").strip()
    if not text:
        return None
    try:
        komi = float(text)
    except ValueError:
        komi = math.nan
    if not abs(komi) <= _MAX_KOMI:
        raise SgfError(f"KM is {_quote(text)}: expected points from -{_MAX_KOMI} to {_MAX_KOMI}")
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
        raise SgfError(f"node {number} sets up a stone at {_quote(value)}: expected a point of the board")
    (top, left), (bottom, right) = divmod(ends[0], rules.cols), divmod(ends[-1], rules.cols)
    return [row * rules.cols + col for row in range(top, bottom + 1) for col in range(left, right + 1)]


def _action(value: str, rules: Rules, number: int) -> int:
    try:
        return sgf_to_action(value.strip(), rules.rows, rules.cols)
    except ValueError as error:
        raise SgfError(
            f"node {number}: {_quote(value)} is not a point of the {rules.rows}x{rules.cols} board"
        ) from error


def _first(node: dict[str, list[str]], name: str, default: str = "") -> str:
    return node.get(name, [default])[0]


def _escape(text: str) -> str:
    return re.sub(r"([\]\\])", r"\\\1", text)


def _quote(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "…")
