"""SGF as a tree of nodes, read and written without loss; what the properties mean is the business of `sgf.py`.

pysgf takes the text apart. Here it is decoded before, and after that each value is as it was in the file, escapes
included: `Node.text` takes them off, `escape` puts them on.
"""

import gzip
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pysgf import GoGame, GoNode, ParseError

from goagent.errors import UserError

SUFFIXES = (".sgf", ".sgfs", ".sgf.gz", ".sgfs.gz")

_MAX_WORK = 10**11  # pysgf copies the rest of the text at every token: about 3 s
_STAND_INS = {"]": "\ufdd0", "\\": "\ufdd1"}  # for what is escaped, and for its backslash, while pysgf reads
_PLAIN = str.maketrans({stand_in: plain for plain, stand_in in _STAND_INS.items()})


class SgfError(UserError):
    """Text that is not the record of a Go game."""


@dataclass
class Node:
    """One node and what follows it: the main line by the first child, variations by the others."""

    properties: dict[str, list[str]] = field(default_factory=dict)  # name -> values, escaped as in the file
    children: list["Node"] = field(default_factory=list)

    def text(self, name: str, default: str = "") -> str:
        """The first value of a property, without its escapes."""
        return unescape(self.properties.get(name, [default])[0])

    def main_line(self) -> Iterator["Node"]:
        """This node, its first child, and so on."""
        node = self
        yield node
        while node.children:
            node = node.children[0]
            yield node


def escape(text: str) -> str:
    """Text as the value of a property."""
    return re.sub(r"([\]\\])", r"\\\1", text)


def unescape(value: str) -> str:
    """The text of a value; a line break after a backslash is none."""
    return re.sub(r"\\(.)", lambda found: found[1].strip("\n"), value, flags=re.DOTALL)


def parse_tree(data: bytes | str) -> Node:
    """The root of the first game in `data`. Raises SgfError.

    Bytes are decoded by their CA property, ISO-8859-1 without one. Line breaks become newlines, other white space
    blanks, as FF[4] has it, and empty nodes between others are left out.
    """
    text = _decode(data) if isinstance(data, bytes) else data
    start = re.search(r"\(\s*;", text)
    if not start:
        raise SgfError("this is not SGF: expected '(;' at its beginning")
    text = text[start.start() :].encode(errors="replace").decode()  # some encodings leave half a character
    text = re.sub("[\ufdd0\ufdd1]", "\ufffd", text)
    text = re.sub(r"[\t\v\f]", " ", re.sub(r"\r\n?|\n\r", "\n", text))
    text = re.sub(r"\\(.)", lambda found: _STAND_INS["\\"] + _STAND_INS.get(found[1], found[1]), text, flags=re.DOTALL)
    if len(text) * sum(map(text.count, ";[(")) > _MAX_WORK:
        raise SgfError(f"the record is too long: {len(text)} characters")
    try:
        return _copy(GoGame(text).root)
    except ParseError as error:
        raise SgfError(f"this is not SGF: {' '.join(str(error).translate(_PLAIN).split())}") from error
    except RecursionError as error:
        raise SgfError("this is not SGF: its variations are nested too deep") from error


def write_tree(root: Node) -> str:
    """A game as SGF, to be stored as UTF-8, which its CA property then says."""
    root = Node(root.properties | {"CA": ["UTF-8"]}, root.children)
    parts = []
    pending: list[Node | str] = [")", root, "("]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            parts.append(item)
            continue
        parts.append(";")
        parts += (name + "".join(f"[{value}]" for value in values) for name, values in item.properties.items())
        if len(item.children) == 1:
            pending.append(item.children[0])
        else:
            for child in reversed(item.children):
                pending += (")", child, "(")
    return "".join(parts)


def find_files(path: Path) -> list[Path]:
    """`path` itself, or all SGF files in that folder, in order. Raises SgfError when there are none."""
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.rglob("*") if file.name.lower().endswith(SUFFIXES) and file.is_file())
    if not files:
        raise SgfError(f"{path} holds no games: expected files that end in {', '.join(SUFFIXES)}")
    return files


def read_records(file: Path) -> Iterator[str]:
    """The text of each game in a file (.sgf, .sgfs, gzipped or not). Raises SgfError that names the file."""
    try:
        text = _decode(_read(file))
    except (OSError, EOFError, zlib.error) as error:
        raise SgfError(f"cannot read {file}: {getattr(error, 'strerror', None) or error}") from error
    except SgfError as error:
        raise SgfError(f"{file}: {error}") from error
    game = None
    for game in _game_trees(text):
        yield game
    if game is None:
        raise SgfError(f"{file} holds no game: expected SGF, which begins with '(;'")


def _copy(root: GoNode) -> Node:
    copy = Node()
    pending = [(root, copy)]
    while pending:
        node, target = pending.pop()
        for name, values in node.properties.items():
            if name.isascii() and name.isalnum():  # what is left when pysgf has taken small letters out
                target.properties[name] = [value.translate(_PLAIN) for value in values]
        target.children = [Node() for _ in node.children]
        pending += zip(node.children, target.children, strict=True)
    return copy


def _read(file: Path) -> bytes:
    data = file.read_bytes()
    return gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data


def _decode(data: bytes) -> str:
    if data.startswith(b"\xef\xbb\xbf"):
        return data.decode("utf-8-sig", errors="replace")
    named = re.search(rb"(?<![A-Za-z])CA\s*\[([^\]]{0,80})\]", data)
    charset = named[1].decode("latin-1").strip() if named else "latin-1"
    try:
        return data.decode(charset, errors="replace")
    except (LookupError, ValueError) as error:
        raise SgfError(f"CA is {quote(charset)}: expected the name of a character set, such as UTF-8") from error


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


def quote(text: str) -> str:
    """Text from a file as an error shows it: short and in quotation marks."""
    return repr(text if len(text) <= 40 else text[:40] + "…")
