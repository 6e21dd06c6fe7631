"""What the commands answer, as readable transcripts."""

from envs import BLACK, WHITE
from goagent.interfaces.gtp.engine import COMMANDS
from goagent.players.random import RandomPlayer
from goagent.records.sgf import read_games
from tests.goagent.interfaces.gtp.fakes import ask, engine


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
        "kata-analyze avoid b A1 1": "avoid and allow are not supported by this player",
        "kata-analyze avoid b": "syntax error",
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


def test_handicap_stones_are_no_moves_and_white_may_be_paid_for_them():
    mine = engine(size=9)
    assert ask(mine, "komi 0.5", "fixed_handicap 4", "undo", "final_score", "get_komi") == [
        "= ", "= C3 G7 C7 G3", "? cannot undo", "= B+80.5", "= 0.5"]  # fmt: skip
    assert mine.game.position.to_play == WHITE
    assert ask(mine, "kata-set-rules chinese", "final_score", "get_komi") == ["= ", "= B+76.5", "= 0.5"]
    assert ask(mine, "kata-set-rules aga", "final_score", "printsgf") == [
        "= ", "= B+77.5",
        "= (;FF[4]GM[1]CA[UTF-8]SZ[9]KM[0.5]HA[4]RU[area, situational ko, no suicide]AB[cc][gc][cg][gg])"]  # fmt: skip
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
