"""The GTP engine: one well-formed answer to every command, and games and results as readable transcripts."""

import io
import re
import threading

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from envs import BLACK, WHITE
from goagent.interfaces.gtp.engine import COMMANDS, Engine
from goagent.interfaces.gtp.game import GtpGame, Terms
from goagent.interfaces.gtp.mover import Mover
from goagent.interfaces.gtp.protocol import GtpConfig, Lines, gtp, serve
from goagent.players.player import Analysis, Line, Resigned
from goagent.players.random import RandomPlayer
from goagent.records.sgf import read_games

HERE = "py:tests.goagent.interfaces.gtp.test_gtp"


class First(RandomPlayer):
    """Plays the first legal point, and passes after a pass; it thinks that Black is ahead."""

    name = "first"

    def __init__(self, rules=None):
        self.resets = 0

    def reset(self):
        self.resets += 1

    def choose(self, position, rng):
        return int(self.distribution(position).argmax())

    def analyze(self, position):
        chance = 0.75 if position.to_play == BLACK else 0.25
        owners = np.full((position.rules.rows, position.rules.cols), 0.9 if position.to_play == BLACK else -0.9)
        action = self.choose(position, None)
        return Analysis(
            chance, 4 * chance - 2, owners, [Line(action, 0.5, None, 3, (action, position.rules.pass_action))]
        )


class Broken(First):
    """Fails in every way that there is."""

    def choose(self, position, rng):
        if len(position.moves) % 3 == 0:
            raise RuntimeError("no\n\nweights")
        return 0 if len(position.moves) % 3 == 1 else 10**6

    def analyze(self, position):
        raise ValueError("no opinion")


class Hopeless(First):
    def analyze(self, position):
        return Analysis(0.001, None, None, [])


class Quitter(First):
    def choose(self, position, rng):
        raise Resigned


def engine(player=None, size=3, **settings):
    player = player or First()
    return Engine(
        Mover(lambda rules: player, lambda rules: None, Terms(size, size), 0, **settings), lambda seconds: True
    )


def ask(player, *commands):
    """The answers to some commands, without the empty lines."""
    out = io.StringIO()
    serve(player if isinstance(player, Engine) else engine(player), [f"{line}\n" for line in commands], out)
    assert out.getvalue() == "" or out.getvalue().endswith("\n\n")
    return out.getvalue().removesuffix("\n\n").split("\n\n")


def run(text):
    """A transcript on 3x3: every line of input, followed by what was answered."""
    out, mine = io.StringIO(), engine()
    for line in text.strip().splitlines():
        out.write(f"{line}\n")
        serve(mine, [line], out)
    return out.getvalue()


def test_a_transcript():
    assert (
        run("""
1 boardsize 3
komi 0.5
play b b2
genmove white
showboard
play black B2
play w c1
undo
undo
undo
final_score
quit
""")
        == """\
1 boardsize 3
=1 

komi 0.5
= 

play b b2
= 

genmove white
= A3

showboard
=
   A B C
 3 O . .
 2 . X .
 1 . . .
komi 0.5, Black to play, 2 moves

play black B2
? illegal move

play w c1
= 

undo
= 

undo
= 

undo
= 

final_score
= W+0.5

quit
= 

"""
    )


def test_ids_comments_and_control_characters():
    assert ask(None, "  42\tprotocol_version \x07# what?\r") == ["=42 2"]
    assert ask(None, "007 name#") == ["=007 goagent"]
    assert ask(None, "9 nonsense", "nonsense", "9") == ["?9 unknown command", "? unknown command", "?9 unknown command"]
    assert ask(None, "", "   ", "# a comment", "\x00\r") == [""]
    assert ask(None, "pro\x1btocol_version\x7f") == ["= 2"]
    assert ask(None, "PROTOCOL_VERSION") == ["? unknown command"]


def test_what_it_is():
    assert ask(None, "protocol_version", "name") == ["= 2", "= goagent"]
    assert ask(None, "version")[0].endswith("first")
    listed = ask(None, "list_commands")[0].removeprefix("= ").split("\n")
    assert listed == list(COMMANDS) and "analyze" not in listed
    assert ask(None, *(f"known_command {name}" for name in (*listed, "analyze", ""))) == [
        *["= true"] * len(listed),
        *["= false"] * 2,
    ]


def test_errors_are_named_as_in_the_specification():
    said = {
        "boardsize": "syntax error",
        "boardsize x": "syntax error",
        "boardsize 9.5": "syntax error",
        "boardsize nan": "syntax error",
        "boardsize 0": "unacceptable size",
        "boardsize 20": "unacceptable size",
        "rectangular_boardsize 5 99": "unacceptable size",
        "komi": "syntax error",
        "komi inf": "syntax error",
        "play": "syntax error",
        "play b": "syntax error",
        "play green a1": "syntax error",
        "play b i3": "syntax error",
        "play b 33": "syntax error",
        "play b z9": "illegal move",
        "play b d4": "illegal move",
        "genmove": "syntax error",
        "genmove q": "syntax error",
        "undo": "cannot undo",
        "fixed_handicap": "syntax error",
        "fixed_handicap 2": "invalid number of stones",
        "place_free_handicap 1": "invalid number of stones",
        "place_free_handicap 9": "invalid number of stones",
        "set_free_handicap": "bad vertex list",
        "set_free_handicap A1 A1": "bad vertex list",
        "set_free_handicap A1": "bad vertex list",
        "set_free_handicap A1 pass": "bad vertex list",
        "set_free_handicap A1 Z1": "bad vertex list",
        "time_settings 1 2": "syntax error",
        "time_settings -1 2 3": "syntax error",
        "time_left b": "syntax error",
        "kgs-time_settings": "syntax error",
        "kgs-time_settings byoyomi 1": "syntax error",
        "final_status_list": "syntax error",
        "final_status_list sleeping": "syntax error",
        "loadsgf": "syntax error",
        "loadsgf /no/such.sgf": "cannot load file",
        "lz-analyze b 10 what": "syntax error",
        "lz-analyze ownership true": "syntax error",
        "kata-analyze avoid b A1 1": "avoid is not supported",
        "kata-analyze avoid b": "avoid is not supported",
        "kata-analyze movesOwnership true": "movesownership is not supported",
        "kata-analyze interval x": "syntax error",
        "kata-set-rules": "syntax error",
    }
    assert dict(zip(said, ask(None, *said), strict=True)) == {line: f"? {error}" for line, error in said.items()}
    for line in ("set_free_handicap A1 B1", "place_free_handicap 2"):
        assert ask(None, "play b a1", line) == ["= ", "? board not empty"]


def test_an_illegal_move_changes_nothing():
    mine = engine()
    ask(mine, "play b a2", "play b b1", "play w b2")
    before = mine.game.position
    assert ask(mine, "play w a1") == ["? illegal move"]
    assert mine.game.position is before
    assert ask(mine, "kata-set-rules tromp-taylor", "play w a1") == ["= ", "? illegal move"]  # a single stone


def test_superko_outlives_passes_and_simple_ko_does_not():
    ko = ["boardsize 4 1", "play w b1", "play b c1", "play b a1", "play w b1"]
    after_passes = [*ko[:-1], "play w pass", "play b pass", "play w b1"]
    assert ask(None, "kata-set-rules tromp-taylor", *ko)[-1] == "? illegal move"
    assert ask(None, "kata-set-rules chinese", *ko)[-1] == "? illegal move"
    assert ask(None, "kata-set-rules tromp-taylor", *after_passes)[-1] == "? illegal move"
    assert ask(None, "kata-set-rules chinese", *after_passes)[-1] == "= "


def test_play_goes_on_after_two_passes_and_either_side_may_move():
    mine = engine()
    assert ask(mine, *["play b pass"] * 5, "genmove b", "genmove b", "play w pass", "play w pass", "genmove w") == [
        *["= "] * 5, "= pass", "= pass", "= ", "= ", "= pass"]  # fmt: skip
    assert ask(mine, "play b b2", "play b a1", "genmove w", "genmove w") == ["= ", "= ", "= A3", "= B3"]
    assert not mine.game.position.is_over
    assert ask(mine, *["undo"] * 14, "undo") == [*["= "] * 14, "? cannot undo"]


def test_no_number_of_moves_ends_a_game():
    mine = engine(RandomPlayer(), size=2)
    ask(mine, "kata-set-rules chinese", *["genmove b", "genmove w"] * 80)
    assert len(mine.game.moves) == 160


def test_undo_restores_every_position_and_superko_with_it():
    game = GtpGame(Terms(3, 3))
    seen = [game.position]
    rng = np.random.default_rng(0)
    for _ in range(30):
        colour = int(rng.integers(1, 3))
        legal = np.flatnonzero(game.turn_of(colour).legal_mask())
        game.play(colour, int(rng.choice(legal)))
        assert not game.position.is_over
        seen.append(game.position)
    while game.moves:
        assert game.position == seen.pop()
        game.undo()
    assert game.position == seen.pop()


def test_komi_belongs_to_the_size_until_it_is_set():
    assert ask(None, "get_komi", "boardsize 9", "get_komi", "komi 6.5", "boardsize 5", "get_komi") == [
        "= 0.5", "= ", "= 7", "= ", "= ", "= 6.5"]  # fmt: skip
    assert ask(None, "komi 0.3", "get_komi", "komi -1000", "get_komi", "komi 1e3", "get_komi") == [
        "= ", "= 0.5", "= ", "= -361", "= ", "= 361"]  # fmt: skip
    assert ask(None, "play b b2", "komi 3", "showboard", "final_score")[2:] == [
        "=\n   A B C\n 3 . . .\n 2 . X .\n 1 . . .\nkomi 3, White to play, 1 moves", "= B+6"]  # fmt: skip


def test_rules():
    said = '"friendlyPassOk":false,"hasButton":false,"ko":"%s","scoring":"AREA","suicide":%s,"tax":"NONE"'
    assert ask(None, "kata-get-rules", "kata-set-rules tromp-taylor", "kata-get-rules") == [
        "= {" + said % ("POSITIONAL", "false") + ',"whiteHandicapBonus":"0"}',
        "= ",
        "= {" + said % ("POSITIONAL", "true") + ',"whiteHandicapBonus":"0"}',
    ]
    for name in ("cgos", "chinese", "chinese-kgs", "aga", "new_zealand"):
        mine = engine()
        assert ask(mine, f"kata-set-rules {name}") == ["= "]
        rules = ask(mine, "kata-get-rules")[0].removeprefix("= ")
        assert ask(mine, f"kata-set-rules {rules}", "kata-get-rules") == ["= ", f"= {rules}"]  # what it says it takes
    assert "chinese-kgs" in ask(None, "kgs-rules japanese")[0]
    assert ask(None, "kgs-rules chinese", "kata-get-rules")[1].startswith("= {" + said % ("POSITIONAL", "false"))
    for bad, why in (
        ("japanese", "unsupported rules japanese"),
        ('{"scoring": "TERRITORY"}', "unsupported scoring TERRITORY: expected AREA"),
        ('{"ko": "long"}', "ko is 'long'"),
        ('{"colour": 1}', "unknown rule colour"),
        ('{"suicide": 3}', "suicide is 3"),
        ('{"whiteHandicapBonus": "M"}', "unsupported whiteHandicapBonus M"),
        ("{", "Expecting property name"),
        ("{}", None),
    ):
        (answer,) = ask(None, f"kata-set-rules {bad}")
        assert answer == "= " if why is None else answer.startswith(f"? {why}")


def test_handicap_stones_are_no_moves_and_white_may_be_paid_for_them():
    mine = engine(size=9)
    assert ask(mine, "komi 0.5", "fixed_handicap 4", "undo", "final_score", "get_komi") == [
        "= ", "= C3 G7 C7 G3", "? cannot undo", "= B+80.5", "= 0.5"]  # fmt: skip
    assert mine.game.position.to_play == WHITE
    assert ask(mine, "kata-set-rules chinese", "final_score", "get_komi") == ["= ", "= B+76.5", "= 0.5"]
    assert ask(mine, "kata-set-rules aga", "final_score", "printsgf") == [
        "= ", "= B+77.5",
        "= (;FF[4]GM[1]CA[UTF-8]SZ[9]KM[0.5]RU[area, situational ko, no suicide]AB[cc][gc][cg][gg])"]  # fmt: skip
    assert ask(mine, "clear_board", "set_free_handicap A1 B2 J9", "showboard")[2].count("X") == 3
    assert ask(mine, "clear_board", "place_free_handicap 10")[1].count(" ") == 10


def test_records(tmp_path):
    file = tmp_path / "a game.sgf"
    mine = engine(size=5)
    ask(mine, "komi 1.5", "play b c3", "play b d4", "play w pass", "play w b2", f"printsgf {file}")
    (game,) = read_games(file)
    assert game.rules.komi == 1.5 and len(game.moves) == 4
    other = engine()
    assert ask(other, f"loadsgf {file}", "get_komi", "undo", "undo", "undo", "undo", "undo") == [
        "= ", "= 1.5", *["= "] * 4, "? cannot undo"]  # fmt: skip
    ask(other, f"loadsgf {file} 3")  # before the third move
    assert len(other.game.moves) == 2 and other.game.rules.size == "5"
    assert ask(other, f"loadsgf {file} 1", "printsgf")[1] == (
        "= (;FF[4]GM[1]CA[UTF-8]SZ[5]KM[1.5]RU[area, positional ko, no suicide])"
    )
    (tmp_path / "bad.sgf").write_text("(;SZ[99])")
    before = other.game.position
    assert ask(other, f"loadsgf {tmp_path / 'bad.sgf'}") == ["? cannot load file"]
    assert other.game.position is before
    assert ask(other, f"printsgf {tmp_path / 'no' / 'where.sgf'}")[0].startswith("? cannot write file")
    setup = tmp_path / "setup.sgf"
    setup.write_text("(;SZ[3]KM[0]AB[aa]AW[bb]PL[W];W[ab];B[ab])")  # the last is illegal, and executed
    assert ask(other, f"loadsgf {setup}", "showboard")[1].startswith("=\n   A B C\n 3 X . .\n 2 X O .")


def test_final_score_and_status_agree():
    mine = engine(size=5)
    for row, line in enumerate([". X . O O", "X X X . O", ". X X X X", "X X . X .", ". X X X X"]):
        for col, stone in enumerate(line.split()):
            if stone != ".":
                ask(mine, f"play {'b' if stone == 'X' else 'w'} {'ABCDE'[col]}{5 - row}")
    assert mine.game.position.score_black() == 16.5
    assert ask(mine, "final_score", "final_status_list dead", "final_status_list seki") == [
        "= B+24.5", "= D5 E5 E4", "= "]  # fmt: skip
    alive = ask(mine, "final_status_list alive")[0].removeprefix("= ").split()
    assert len(alive) == int((mine.game.position.board == BLACK).sum())


def test_an_opinion_decides_which_unsettled_stones_are_dead():
    assert ask(engine(size=5), "play b c3", "play w d4", "final_score", "final_status_list dead") == [
        "= ", "= ", "= B+24.5", "= D4"]  # fmt: skip
    assert ask(engine(RandomPlayer(), size=5), "play b c3", "play w d4", "final_score", "final_status_list alive") == [
        "= ", "= ", "= W+0.5", "= D4\nC3"]  # fmt: skip


def test_cleanup_captures_what_is_dead():
    mine = engine(size=5)
    for vertex in ("B5", "A4", "B4", "C4", "B3", "C3", "D3", "E3", "A2", "B2", "D2", "B1", "C1", "D1", "E1"):
        ask(mine, f"play b {vertex}")
    ask(mine, "play w d5", "play w e5", "play w e4", "play w pass", "play b pass", "play w pass")
    for _ in range(5):
        (answer,) = ask(mine, "kgs-genmove_cleanup b")
        if answer == "= pass":
            break
    assert answer == "= pass" and not (mine.game.position.board == WHITE).any()
    assert ask(mine, "kgs-game_over") == ["= "]


def test_it_resigns_only_when_it_has_been_hopeless_for_long():
    wall = [f"play w {column}{row}" for column in "ABC" for row in (1, 2, 3, 4, 5) if (column, row) != ("A", 1)]

    def answers(**settings):
        mine = engine(Hopeless(), size=5, **settings)
        ask(mine, *wall)
        return ask(mine, *["genmove b"] * 4), len(mine.game.moves) - len(wall)

    assert answers() == (["= D5", "= E5", "= resign", "= resign"], 2)
    assert answers(resigns=False) == (["= D5", "= E5", "= D4", "= E4"], 4)
    assert ask(engine(Hopeless(), size=5), *["genmove b"] * 3) == ["= A5", "= B5", "= C5"]  # early
    mine = engine(Hopeless(), size=5)
    ask(mine, *wall)
    assert "= resign" not in ask(mine, *["kgs-genmove_cleanup b"] * 4)


def test_a_player_that_resigns_is_heard_and_nothing_is_played():
    mine = engine(Quitter())
    assert ask(mine, "genmove b", "reg_genmove b", "lz-genmove_analyze b") == [
        "= resign", "= resign", "=\nplay resign"]  # fmt: skip
    assert mine.game.is_empty


def test_reg_genmove_plays_nothing_and_repeats_itself():
    mine = engine(RandomPlayer(), size=9)
    first = ask(mine, "reg_genmove b")
    assert ask(mine, "reg_genmove b") == first and mine.game.is_empty


def test_a_fault_is_an_answer_and_the_session_goes_on(capsys):
    lines = ["1 genmove b", "play b c3", "2 genmove w", "3 genmove b", "play w a1", "4 genmove b"]
    answers = ask(Broken(), *lines, "goagent-value", "name")
    assert answers[0] == "?1 internal error: RuntimeError: no weights"
    assert answers[2] == "=2 A3"
    assert answers[3].startswith("?3 internal error: ")
    assert answers[-2:] == ["? internal error: ValueError: no opinion", "= goagent"]
    assert "Traceback" in capsys.readouterr().err


ARGUMENTS = ["b", "w", "black", "A1", "B2", "C3", "D4", "pass", "9", "3", "2", "0", "-1", "1e9", "nan", "\t", "#", "{}"]
ARGUMENTS += ['{"ko":"SIMPLE"}', "chinese", "interval", "dead", "alive", "maxmoves", "\x00", "é", "absolute"]
WORDS = st.one_of(st.sampled_from([*COMMANDS, *ARGUMENTS]), st.text(max_size=6))
LINES = st.lists(st.lists(WORDS, max_size=5).map(" ".join), max_size=12)
ANSWER = re.compile(r"(=|\?)(\d*)( [^\n]*)?(\n[^\n]+)*\n\n")


@settings(max_examples=60)
@given(LINES, st.sampled_from([First, RandomPlayer, Broken, Quitter]))
def test_every_command_has_one_answer_and_nothing_ends_the_session(lines, player):
    lines = [line.replace("quit", "name").replace("printsgf", "name").replace("\n", " ") for line in lines]
    mine, commands = engine(player(), size=2), 0
    for line in lines:
        out = io.StringIO()
        serve(mine, [line], out)
        words = re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", "", line).partition("#")[0].split()
        assert bool(out.getvalue()) == bool(words), line
        if words:
            answer = ANSWER.fullmatch(out.getvalue())
            assert answer, (line, out.getvalue())
            assert answer[2] == (words[0] if words[0].isascii() and words[0].isdecimal() else "")
            commands += 1
        assert not mine.done and not mine.game.position.is_over
    assert ask(mine, "5 protocol_version") == ["=5 2"]


def test_the_command_with_a_python_player_and_another_size(capsys):
    out = io.StringIO()
    lines = ["genmove b\n", "boardsize 7 5\n", "genmove b\n", "quit\n", "name\n"]
    assert gtp(GtpConfig(agent=f"{HERE}:First", size="2x3", seed=1), lines, out) == 0
    assert out.getvalue() == "= A2\n\n= \n\n= A5\n\n= \n\n"
    assert capsys.readouterr().err == "first plays on 2x3\nfirst plays on 5x7\n"


def test_the_end_of_the_input_ends_the_session():
    out = io.StringIO()
    assert gtp(GtpConfig(agent="random", size="2"), ["name"], out) == 0
    assert out.getvalue() == "= goagent\n\n"


def test_lines_can_be_waited_for():
    gate = threading.Event()

    def source():
        yield "first"
        gate.wait()
        yield "second"

    lines = Lines(source())
    assert lines.waits(10) and lines.waits(10)
    read = iter(lines)
    assert next(read) == "first"
    assert not lines.waits(0.001)
    gate.set()
    assert lines.waits(10)
    assert list(read) == ["second"]


def test_no_number_makes_an_analysis_end_too_soon():
    for line in ("lz-analyze b 10 maxmoves 0", "kata-analyze b 10 maxmoves -24", "kata-analyze b interval 1e300"):
        assert len(ask(engine(), line, "name")) == 2, line
    assert ask(engine(), "kata-analyze b interval nan") == ["? syntax error"]
