"""SGF: what is written is read back, on every board; anything else is one clear line."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sgfmill import sgf as sgfmill

import goagent
from envs import BLACK, SKIP, WHITE, GoBatch, Position, Rules
from goagent.records.sgf import Game, SgfError, parse_sgf, read_games, write_sgf

SHIPPED = Path(goagent.__file__).parent / "data" / "games"
REAL = (
    b"(;FF[4]GM[1]CA[UTF-8]SZ[9]PB[K]PW[L]KM[8.5]RU[area]RE[B+2.5]AB[aa][bb:cc]PL[W]C[a \\] b]"
    b";W[ed];B[fe](;W[fd];B[];W[tt])(;W[aa]))"
)
text = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn")), max_size=20)


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
        white_name=draw(text),
        result=draw(st.sampled_from([None, "B+3.5", "W+R", "0"])),
        comment=draw(text) + draw(st.sampled_from(["", "\n", "x][y", "\\]", "\\\\", "(;B[aa])"])),
        black_stones=tuple(sorted(p for p in stones if stones[p] == BLACK)),
        white_stones=tuple(sorted(p for p in stones if stones[p] == WHITE)),
        to_play=draw(st.sampled_from([BLACK, WHITE])),
    )
    try:
        game.start()
    except ValueError:
        assume(False)
    return game


@settings(derandomize=True, deadline=None)
@given(games())
def test_what_is_written_is_read_back(game):
    assert parse_sgf(write_sgf(game)) == game
    assert parse_sgf(write_sgf(game).encode()) == game


@settings(derandomize=True, deadline=None, max_examples=50)
@given(games(square=True))
def test_another_reader_reads_the_same(game):
    other = sgfmill.Sgf_game.from_bytes(write_sgf(game).encode())
    size = game.rules.rows

    def action(move):  # sgfmill counts rows from the bottom
        return size * size if move is None else (size - 1 - move[0]) * size + move[1]

    assert other.get_size() == size
    assert other.get_komi() == game.rules.komi
    assert other.get_player_name("b") == (" ".join(game.black_name.split("\n")) or None)
    nodes = other.get_main_sequence()
    moves = [node.get_move() for node in nodes[1:]]
    assert [({"b": BLACK, "w": WHITE}[colour], action(move)) for colour, move in moves] == game.moves
    black, white, _ = nodes[0].get_setup_stones()
    assert (sorted(map(action, black)), sorted(map(action, white))) == (
        list(game.black_stones),
        list(game.white_stones),
    )


def test_a_damaged_record_is_a_game_or_an_sgf_error():
    rng = np.random.default_rng(0)
    good = 0
    for _ in range(600):
        data = bytearray(REAL)
        for _ in range(rng.integers(1, 4)):
            at = int(rng.integers(len(data)))
            kind = rng.integers(3)
            if kind == 0:
                data[at] = rng.integers(256)
            elif kind == 1:
                del data[at : at + int(rng.integers(1, 20))]
            else:
                data[at:at] = data[: int(rng.integers(1, 40))]
        try:
            for _ in parse_sgf(bytes(data)).positions():
                pass
            good += 1
        except SgfError as error:
            assert "\n" not in str(error)
    assert 50 < good < 550


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
