"""The game in plain text: what is drawn, what each command does, and that no game is lost."""

import io
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs import BLACK, WHITE, Position, Rules
from goagent.errors import UserError
from goagent.interfaces.kept import Shelf
from goagent.interfaces.plain import LineMode, draw_board, draw_distribution
from goagent.interfaces.play import PlayConfig, play
from goagent.interfaces.session import Session, continue_session, explain_score
from goagent.players.random import RandomPlayer
from goagent.records.sgf import Game, read_games
from tests.goagent.interfaces.fakes import HERE, First, Quitter


@pytest.fixture(autouse=True)
def shelf(tmp_path_factory, monkeypatch):
    """Where games are kept while a test runs."""
    folder = tmp_path_factory.mktemp("state")
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    return Shelf(folder / "goagent" / "games")


def typed(agent=None, size=3, person=BLACK, **settings):
    session = Session(Game(Rules.square(size, **settings)), person, "first")
    return LineMode(session, agent or First(), np.random.default_rng(0))


def run(lines, **config):
    """What `play` prints for these lines of input."""
    out = io.StringIO()
    assert play(PlayConfig(**config), io.StringIO(lines), out) == 0
    return out.getvalue()


def test_the_last_move_is_in_brackets():
    board = Position.from_diagram("X . O\n. . X").board
    assert draw_board(board, 2).splitlines() == ["   A B C", " 2 X .(O)", " 1 . . X"]
    assert draw_board(board, 0).splitlines() == ["   A B C", " 2(X). O", " 1 . . X"]
    assert draw_board(board, 6) == draw_board(board)  # the pass


def test_a_distribution_is_percentages_on_the_board_and_the_best_moves():
    position = Position.from_diagram(". X\n. .")
    assert draw_distribution(position, np.array([0.334, 0, 0.004, 0.5, 0.162])).splitlines() == [
        "     A   B",
        " 2  33   X",
        " 1   .  50",
        "B1 50.0 %, A2 33.4 %, pass 16.2 %, A1 0.4 %",
    ]


def test_the_score_is_explained():
    rules = Rules(rows=3, cols=4, komi=2.5)
    position = Position.from_diagram(". X O .\nX X O O\n. X O .", rules)
    assert explain_score(position).splitlines()[:3] == [
        "Black: stones 4 + surrounded 2 = 6",
        "White: stones 4 + surrounded 2 + komi 2.5 = 8.5",
        "White wins by 2.5.",
    ]
    assert "A draw." in explain_score(Position(Rules.square(3, komi=0)))


def test_a_whole_game(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    transcript = run("b1\npass\nsave game.sgf\n", size="2", agent=f"{HERE}:First", komi=1.0)
    assert transcript.startswith(
        """\
2x2 board, komi 1, positional ko. For the commands type help.

   A B
 2 . .
 1 . .
Move 1: Black (you) to play.
> b1
   A B
 2(O).
 1 . X
White (py:tests.goagent.interfaces.fakes:First) played A2.
Move 3: Black (you) to play.
> pass
   A B
 2 O .
 1 . X
White (py:tests.goagent.interfaces.fakes:First) passed.
Black: stones 1 + surrounded 0 = 1
White: stones 1 + surrounded 0 + komi 1 = 2
White wins by 1.
Every stone left on the board counts as alive.
> save game.sgf
Saved in game.sgf. To review it: goagent play --agent py:tests.goagent.interfaces.fakes:First --load game.sgf
> 
Your game is kept in """
    )
    (game,) = read_games(tmp_path / "game.sgf")
    assert (game.result, game.black_name, game.white_name) == ("W+1", "you", f"{HERE}:First")
    assert game.moves == [(BLACK, 3), (WHITE, 0), (BLACK, 4), (WHITE, 4)]


def test_an_agent_that_has_black_begins():
    mine = typed(person=WHITE)
    assert "Black (first) played A3.\nMove 2: White (you) to play." in mine.answer()


def test_an_illegal_move_and_a_typing_error_are_one_line_and_change_nothing():
    mine = typed()
    mine.do("B2")
    before = mine.session.position
    assert mine.do("b2") == "Black may not play B2: the point is occupied."
    assert mine.do("D4").startswith("'D4' is not a point of a 3x3 board: expected A1 to C3, or pass.")
    assert mine.do("hlep").endswith("For the commands type help.")
    assert mine.session.position is before


def test_undo_goes_back_to_the_persons_last_decision():
    mine = typed()
    assert mine.do("undo") == "There is no move of yours to take back."
    before = mine.session.position
    mine.do("B2")
    mine.do("undo")
    assert mine.session.position == before
    mine.do("pass")
    assert mine.session.is_over
    mine.do("undo")
    assert mine.session.position == before and not mine.session.is_over
    mine.do("resign")
    mine.do("undo")
    assert mine.session.position == before and not mine.session.is_over


def test_an_agents_first_move_cannot_be_taken_back():
    mine = typed(person=WHITE)
    mine.answer()
    assert mine.do("undo") == "There is no move of yours to take back."


def test_a_hint_is_the_agents_distribution():
    assert typed(RandomPlayer()).do("hint").splitlines()[2] == " 3  11  11  11"


def test_resignation_of_either_side():
    mine = typed()
    assert mine.do("resign").endswith("Black (you) resigned: W+R.")
    assert mine.do("A1") == "the game is over."
    assert mine.do("hint").startswith("The game is over")
    theirs = typed(Quitter())
    assert theirs.do("A1").endswith("White (first) resigned: B+R.")
    assert theirs.session.record.result == "B+R"
    assert theirs.do("undo").endswith("Move 1: Black (you) to play.")


def test_saving_never_overwrites_another_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "game-1.sgf").write_text("another")
    mine = typed()
    mine.do("B2")
    assert mine.do("save").startswith("Saved in game-2.sgf.")
    mine.do("B1")
    mine.do("save")  # goes on in its own file
    assert mine.do("save game-1.sgf") == "game-1.sgf exists already: expected a new name. For the commands type help."
    assert mine.do("save nowhere/game.sgf").startswith("cannot write nowhere/game.sgf: No such file")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["game-1.sgf", "game-2.sgf"]
    (game,) = read_games(tmp_path / "game-2.sgf")
    assert game.final().moves == mine.session.position.moves and game.result is None


def test_a_saved_game_goes_on_where_it_was(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    agent = f"{HERE}:First"
    run("B2\nsave a.sgf\n", size="3x4", komi=1.5, agent=agent)
    transcript = run("C1\nundo\nundo\nsave b.sgf\n", load=tmp_path / "a.sgf", agent=agent)
    assert "3x4 board, komi 1.5" in transcript and "Move 3: Black (you) to play." in transcript
    (game,) = read_games(tmp_path / "b.sgf")
    assert game.moves == [] and game.rules.size == "3x4"


def test_a_stray_byte_does_not_end_the_game(tmp_path):
    code = "from goagent.cli import main; main(['play', '--size', '2', '--agent', 'random'])"
    done = subprocess.run([sys.executable, "-c", code], input=b"\xff\nquit\n", cwd=tmp_path, capture_output=True)
    assert done.stdout.decode().endswith("> quit\nGoodbye.\n"), done.stderr


class Interrupted(io.StringIO):
    def readline(self):
        line = super().readline()
        if not line:
            raise KeyboardInterrupt
        return line


@pytest.mark.parametrize(
    "source, agent, error",
    [
        (Interrupted("B2\n"), "First", KeyboardInterrupt),
        (io.StringIO("B2\n"), "Cheat", UserError),
    ],
)
def test_an_interrupted_game_is_kept(source, agent, error, shelf):
    out = io.StringIO()
    with pytest.raises(error):
        play(PlayConfig(size="3", agent=f"{HERE}:{agent}"), source, out)
    assert out.getvalue().endswith("Your game is kept. To go on with it: goagent play --continue\n")
    assert continue_session(shelf).moves[0] == (BLACK, 4)


def test_a_game_that_cannot_be_kept_is_saved_at_the_end(shelf, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shelf.folder.parent.mkdir(parents=True)
    shelf.folder.write_text("")  # no folder can be made here
    transcript = run("B2\n", size="3", agent=f"{HERE}:First")
    assert "The game cannot be kept in" in transcript and "Saved in game-1.sgf." in transcript
    (game,) = read_games(tmp_path / "game-1.sgf")
    assert game.moves[0] == (BLACK, 4)


def test_the_working_folder_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("help\nshow\n\nquit\n", size="5", agent="random").endswith("> quit\nGoodbye.\n")
    assert run("hint\n", size="5", agent="random").endswith("Goodbye.\n")
    assert run("A1\nquit\n", size="5", agent="random").endswith("goagent play --continue\n")  # it is kept
    assert not list(tmp_path.iterdir())


@given(
    st.lists(st.sampled_from(["A1", "B1", "C2", "B2", "pass", "undo", "hint", "resign", "show", "x", ""])),
    st.sampled_from([RandomPlayer(), First(), Quitter()]),
)
def test_no_input_breaks_a_session(lines, agent):
    mine = typed(agent)
    for line in lines:
        assert mine.do(line)
        if not mine.session.is_over:
            assert mine.session.position.to_play == BLACK
        assert mine.session.record.final() == mine.session.position
