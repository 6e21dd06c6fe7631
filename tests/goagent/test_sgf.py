"""SGF: what is written is read back, on every board; anything else is one clear line."""

import encodings.aliases
import gzip
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sgfmill import sgf as sgfmill
from sgfmill import sgf_grammar

import goagent
from envs import BLACK, SKIP, WHITE, GoBatch, Position, Rules
from goagent.records.sgf import Game, game_of, parse_sgf, read_games, write_sgf
from goagent.records.sgf_tree import Node, SgfError, escape, parse_tree, write_tree

COLOURS = {"b": BLACK, "w": WHITE}
SHIPPED = Path(goagent.__file__).parent / "data" / "games"
REAL = (
    b"(;FF[4]GM[1]CA[UTF-8]SZ[9]PB[K]PW[L]KM[8.5]RU[area]RE[B+2.5]AB[aa][bb:cc]PL[W]C[a \\] b]"
    b";W[ed];B[fe](;W[fd];B[];W[tt])(;W[aa]))"
)
text = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn")), max_size=20)
tricky_text = st.text(st.sampled_from("\\][:;() \nBaé囲🀄"), max_size=12)  # every character that means something


@st.composite
def games(draw, square=False):
    rows = draw(st.integers(1, 19))
    cols = rows if square else draw(st.integers(1, 19))
    rules = Rules(rows, cols, komi=draw(st.integers(-40, 40)) / 2)
    stones = draw(st.dictionaries(st.integers(0, rows * cols - 1), st.sampled_from([BLACK, WHITE]), max_size=6))
    moves = st.tuples(st.sampled_from([BLACK, WHITE]), st.integers(0, rows * cols))
    game = Game(
        rules,
        draw(st.lists(moves, max_size=12)),
        black_name=draw(text),
        white_name=draw(tricky_text).replace("\n", " "),  # names have no line breaks in SGF
        result=draw(st.sampled_from([None, "B+3.5", "W+R", "0"])),
        comment=draw(text) + draw(tricky_text),
        black_stones=tuple(sorted(p for p in stones if stones[p] == BLACK)),
        white_stones=tuple(sorted(p for p in stones if stones[p] == WHITE)),
        to_play=draw(st.sampled_from([BLACK, WHITE])),
    )
    try:
        game.start()
    except ValueError:
        assume(False)
    return game


@given(games())
def test_what_is_written_is_read_back(game):
    assert parse_sgf(write_sgf(game)) == game
    assert parse_sgf(write_sgf(game).encode()) == game


def moves_of(other):
    """The moves of sgfmill's main line; it counts rows from the bottom."""
    size = other.get_size()
    moves = [node.get_move() for node in other.get_main_sequence()]
    return [(COLOURS[colour], action_of(move, size)) for colour, move in moves if colour]


def action_of(point, size):
    return size * size if point is None else (size - 1 - point[0]) * size + point[1]


@settings(max_examples=50)
@given(games(square=True))
def test_another_reader_reads_the_same(game):
    other = sgfmill.Sgf_game.from_bytes(write_sgf(game).encode())
    assert (other.get_size(), other.get_komi()) == (game.rules.rows, game.rules.komi)
    assert (other.get_player_name("b") or "", other.get_player_name("w") or "") == (game.black_name, game.white_name)
    assert (other.get_root().get("C") if game.comment else "") == game.comment
    assert other.get_handicap() == (len(game.black_stones) if game.has_handicap else None)
    assert moves_of(other) == game.moves
    black, white, _ = other.get_root().get_setup_stones()
    assert tuple(sorted(action_of(point, game.rules.rows) for point in black)) == game.black_stones
    assert tuple(sorted(action_of(point, game.rules.rows) for point in white)) == game.white_stones


@settings(max_examples=50)
@given(games(square=True), st.booleans())
def test_what_another_writer_writes_is_read(game, wrapped):
    size = game.rules.rows
    other = sgfmill.Sgf_game(size=size)
    root = other.get_root()

    def point_of(action):
        return None if action == size * size else (size - 1 - action // size, action % size)

    for name, value in (("KM", game.rules.komi), ("PB", game.black_name), ("PW", game.white_name), ("C", game.comment)):
        root.set(name, value)
    if game.black_stones or game.white_stones:
        root.set_setup_stones(list(map(point_of, game.black_stones)), list(map(point_of, game.white_stones)))
    root.set("PL", {colour: letter for letter, colour in COLOURS.items()}[game.to_play])
    for colour, action in game.moves:
        other.extend_main_sequence().set_move({BLACK: "b", WHITE: "w"}[colour], point_of(action))
    read = parse_sgf(other.serialise(wrap=40 if wrapped else None))
    assert read == replace(game, result=None)


nodes = st.recursive(
    st.builds(
        Node,
        st.dictionaries(st.sampled_from(["C", "N", "XY"]), st.lists(tricky_text.map(escape), min_size=1), min_size=1),
    ),
    lambda children: st.builds(
        lambda node, below: Node(node.properties, below),
        st.builds(Node, st.fixed_dictionaries({"C": st.lists(tricky_text.map(escape), min_size=1, max_size=1)})),
        st.lists(children, max_size=3),
    ),
    max_leaves=12,
)


def flat(node):
    """A tree of ours as nested tuples."""
    return {name: values for name, values in node.properties.items()}, [flat(child) for child in node.children]


def flat_other(tree):
    """The same of sgfmill's: a sequence of nodes, then the branches."""
    below = [flat_other(child) for child in tree.children]
    for node in reversed(tree.sequence):
        below = [({name: [value.decode() for value in values] for name, values in node.items()}, below)]
    return below[0]


@given(nodes)
def test_trees_keep_variations_and_values(root):
    written = write_tree(root)
    root.properties["CA"] = ["UTF-8"]
    assert parse_tree(written) == parse_tree(written.encode()) == root
    assert flat_other(sgf_grammar.parse_sgf_game(written.encode())) == flat(root)


def test_a_tree_is_read_and_written_as_it_is():
    record = r"(;SZ[9]CA[UTF-8]C[a\]b \\](;B[ee]LB[aa:x\:y][bb:z]TR[cc];W[ce])(;B[cc](;W[dd])(;W[];B[tt])))"
    root = parse_tree(record)
    assert write_tree(root) == record
    assert root.text("C") == "a]b \\"
    assert [node.text("B") for node in root.main_line()] == ["", "ee", ""]
    assert [child.text("B") for child in root.children] == ["ee", "cc"]
    assert game_of(root.children[1]).moves[0] == (BLACK, Rules.square(19).action("C17"))  # a subtree has lost its SZ
    assert write_tree(parse_tree("(;SZ[3]b[aa];;Black[bb];)")) == "(;SZ[3]CA[UTF-8];B[bb])"


def test_white_space_in_texts_is_as_the_standard_says():
    root = parse_tree("(;PB[a\r\nb\tc]C[a\r\nb\n\rc\rd\te\\\nf])")
    assert root.text("C") == "a\nb\nc\nd ef"
    assert game_of(root).black_name == "a b c"


GOOD = [
    REAL,
    b"(;SZ[7:5]KM[0];B[ge];W[tt];B[])",
    b"(;GM[1]SZ[19]HA[2]AB[dp][pd];W[qp]C[\\]\\\\];B[dd];W[fq];B[cn]N[x]LB[aa:1][bb:2];W[jp])",
    "(;CA[UTF-8]PB[古力]PW[이세돌]SZ[3];B[bb];W[];B[])(;SZ[2];B[aa])".encode(),
    "(;CA[GBK]PB[古力]C[玕]SZ[5](;B[cc](;W[dd])(;W[bb]))(;B[bb]))".encode("gbk"),
]


def mutate(data, rng):
    """A file with one to three accidents."""
    data = bytearray(data)
    for _ in range(rng.integers(1, 4)):
        at, end = sorted(rng.integers(len(data) + 1, size=2))
        end = min(end, at + 20)
        match rng.integers(7):
            case 0 if at < len(data):
                data[at] = rng.integers(256)
            case 1:
                del data[at:end]
            case 2:
                data[at:at] = data[at:end] * int(rng.integers(1, 4))
            case 3:
                data[at:at] = rng.integers(256, size=3, dtype=np.uint8).tobytes()
            case 4 if rng.random() < 0.3:
                del data[at:]
            case 5:
                data[at:end] = data[at:end][::-1]
            case _:
                brackets = [i for i, byte in enumerate(data) if byte in b"[]();\\"]
                if brackets:
                    data[rng.choice(brackets)] = rng.choice(list(b"[]();\\"))
    return bytes(data)


def test_ten_thousand_damaged_files_are_games_or_sgf_errors(tally):
    rng = np.random.default_rng(0)
    assert all(parse_sgf(data).final() for data in GOOD)
    good, slowest = 0, 0.0  # from here on nothing is compiled
    for i in range(10_000):
        data = mutate(GOOD[i % len(GOOD)], rng)
        started = time.perf_counter()
        try:
            game = parse_sgf(data)
            if good % 10 == 0:
                for _ in game.positions():
                    pass
                assert parse_sgf(write_tree(parse_tree(data)).encode()) == game
            good += 1
        except SgfError as error:
            assert "\n" not in str(error)
        slowest = max(slowest, time.perf_counter() - started)
    assert slowest < 5, slowest
    assert 1_500 < good < 8_500, good
    tally("damaged SGF files", 10_000)


def test_damaged_collections_and_archives(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "game.sgf"
    good = 0
    for i in range(300):
        data = b"\n".join(GOOD)
        path.write_bytes(mutate(gzip.compress(data), rng) if i % 2 else gzip.compress(mutate(data, rng)))
        try:
            good += sum(1 for _ in read_games(path))
        except SgfError as error:
            assert str(path) in str(error)
    assert good > 100


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # unicode_escape complains
def test_every_character_set_of_python_gives_a_game_or_an_sgf_error():
    names = {*encodings.aliases.aliases, *encodings.aliases.aliases.values(), "idna", "punycode", "undefined"}
    names |= {"unicode_escape", "raw_unicode_escape", "utf-8-sig", "rot13"}
    for name in sorted(names):
        data = b"(;SZ[3]CA[%s]C[a \\] \\ud800 \\\\ \xff b];B[aa])" % name.encode()
        try:
            write_sgf(parse_sgf(data)).encode()
        except SgfError as error:
            assert "\n" not in str(error)


@pytest.mark.parametrize(
    "data",
    [
        b"(;CA[" + b" " * 200_000,
        b"(;" + b"CA[" * 100_000,
        b"(;C[" + b"\\" * 200_001,
        b"(" * 200_000,
        b"(;" + b"A" * 200_000,
        b"(;B" + b"[aa]" * 250_000 + b"[",
        b"(;C" + b" " * 200_000 + b"x",
    ],
    ids=lambda data: repr(data[:8]),
)
def test_nothing_hangs(data):
    started = time.perf_counter()
    with pytest.raises(SgfError):
        parse_sgf(data)
    assert time.perf_counter() - started < 10


@pytest.mark.parametrize(
    ("record", "says"),
    [
        ("", "expected '(;'"),
        ("hello", "expected '(;'"),
        ("(;SZ[9];B[aa]", "expected ')'"),
        ("(;SZ[0])", "SZ is '0'"),
        ("(;SZ[20])", "SZ is '20'"),
        ("(;SZ[9:])", "SZ is '9:'"),
        ("(;GM[2])", "GM is '2'"),
        ("(;KM[much])", "KM is 'much'"),
        ("(;KM[nan])", "KM is 'nan'"),
        ("(;KM[1e300])", "KM is '1e300'"),
        ("(;SZ[9];B[zz])", "node 1: 'zz' is not a point of the 9x9 board"),
        ("(;SZ[9];B[aa]W[bb])", "node 1 has 2 moves"),
        ("(;SZ[9];AB[aa]B[bb])", "node 1 sets up stones"),
        ("(;SZ[9];B[bb];AW[cc])", "node 2 sets up stones"),
        ("(;SZ[9]AB[])", "sets up a stone at ''"),
        ("(;SZ[9]PL[x])", "PL is 'x'"),
        ("(;SZ[3]AB[aa]AW[ba][ab])", "without a liberty"),
        ("(;" * 5000, "nested too deep"),
        ("(" + ";B[aa]" * 500_000 + ")", "too long"),
        (b"(;CA[morse];B[aa])", "CA is 'morse'"),
    ],
)
def test_bad_records_are_refused_in_one_line(record, says):
    with pytest.raises(SgfError) as error:
        parse_sgf(record)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_sizes_komi_and_passes():
    game = parse_sgf("(;SZ[7:5]KM[3.75];B[ge];W[tt];B[])")
    assert (game.rules.rows, game.rules.cols, game.rules.komi) == (5, 7, 4)
    assert game.moves == [(BLACK, game.rules.action("G1")), (WHITE, 35), (BLACK, 35)]
    assert parse_sgf("(;)").rules == Rules.square(19)


def test_setup_and_handicap():
    game = parse_sgf("(;SZ[3]AB[aa:ca][bb]AE[ca])")
    assert game.start() == Position.from_diagram("X X .\n. X .\n. . .", Rules.square(3), to_play=WHITE)
    assert parse_sgf("(;SZ[3]AB[aa]PL[B])").to_play == BLACK
    assert parse_sgf("(;SZ[3]AB[aa];B[bb])").to_play == BLACK


def test_moves_are_executed_even_if_illegal_and_out_of_turn():
    game = parse_sgf("(;SZ[3];B[aa];B[bb];W[bb])")
    assert [colour for _, colour, _ in game.positions()] == [BLACK, BLACK, WHITE]
    assert all(position.to_play == colour for position, colour, _ in game.positions())
    assert game.final().board.tolist() == [[1, 0, 0], [0, 2, 0], [0, 0, 0]]


def test_the_main_line_is_read():
    assert parse_sgf("(;SZ[3](;B[aa](;W[bb])(;W[cc]))(;B[ca]))").moves == [(BLACK, 0), (WHITE, 4)]


def test_character_sets():
    assert parse_sgf("(;PB[Jürgen])".encode("latin-1")).black_name == "Jürgen"
    assert parse_sgf("(;CA[UTF-8]PB[古力])".encode()).black_name == "古力"
    assert parse_sgf("(;PB[古力])".encode("utf-8-sig")).black_name == "古力"
    tricky = "(;CA[GBK]PB[玕])".encode("gbk")  # its second byte is a bracket or backslash in ASCII
    assert parse_sgf(tricky).black_name == "玕"


def test_collections_files_and_folders(tmp_path):
    record = b"(;SZ[5]C[not the end: \\] ) (;B[cc];W[dd])\n\n (;SZ[7];B[cc])"
    record = record.replace(b") (;B", b")];B")
    (tmp_path / "a.sgf").write_bytes(record)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b.sgfs.gz").write_bytes(gzip.compress(b"(;SZ[3])"))
    (tmp_path / "notes.txt").write_text("no game")
    assert [game.rules.rows for game in read_games(tmp_path)] == [5, 7, 3]
    (tmp_path / "c.sgf").write_text("(;SZ[3])(;SZ[3];B[zz])")
    with pytest.raises(SgfError, match=r"c\.sgf, game 2: node 1: 'zz'"):
        list(read_games(tmp_path / "c.sgf"))
    (tmp_path / "c.sgf").write_bytes(gzip.compress(b"(;SZ[3])")[:-4])
    for path in (tmp_path / "c.sgf", tmp_path / "notes.txt", tmp_path / "absent.sgf"):
        with pytest.raises(SgfError, match=str(path)):
            list(read_games(path))
    (tmp_path / "empty").mkdir()
    with pytest.raises(SgfError, match="holds no games"):
        list(read_games(tmp_path / "empty"))


@pytest.mark.parametrize(("name", "count"), [("9x9", 2091), ("7x7", 1636)])
def test_the_shipped_games_are_legal(name, count):
    shipped = list(read_games(SHIPPED / f"{name}.sgfs.gz"))
    assert len(shipped) == count
    assert all(game.start() == Position(game.rules) for game in shipped)
    batch = GoBatch(Rules.of_size(name), count)  # komi decides nothing about legality
    for ply in range(max(len(game.moves) for game in shipped)):
        moves = [game.moves[ply] if ply < len(game.moves) else (None, SKIP) for game in shipped]
        assert all(colour in (None, turn) for (colour, _), turn in zip(moves, batch.to_play, strict=True))
        batch.step(np.array([action for _, action in moves]))  # raises what positional superko forbids
