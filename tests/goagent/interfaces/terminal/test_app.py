"""The terminal app, driven by keys and mouse as a person would."""

import numpy as np
import pytest
from textual import events
from textual.widgets import Input, Select

from envs import WHITE
from goagent.interfaces.kept import Shelf
from goagent.interfaces.session import continue_session
from goagent.interfaces.terminal.app import GoApp
from goagent.interfaces.terminal.board_view import LABEL, BoardView
from goagent.interfaces.terminal.dialogs import HelpScreen
from goagent.interfaces.terminal.game_screen import GameScreen
from goagent.interfaces.terminal.new_game import NewGameScreen
from goagent.interfaces.terminal.review_screen import ReviewScreen
from goagent.records.sgf import read_games
from tests.goagent.interfaces.fakes import HERE
from tests.goagent.interfaces.terminal.driving import app_for, begin_thinking, drive, press, settled, shown, until


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Shelf(tmp_path / "state")


def vertices(app):
    rules = app.session.rules
    return [rules.vertex(action) for _, action in app.session.moves]


def test_a_whole_game_by_keyboard(shelf):
    app = app_for(shelf)

    async def script(pilot):
        await press(pilot, "enter")  # the cursor begins in the middle
        assert vertices(app) == ["C3", "A5"]
        await press(pilot, "left", "up", "enter")
        assert vertices(app)[2:] == ["B4", "B5"]
        await press(pilot, "e", "1", "enter")
        assert vertices(app)[4:] == ["E1", "C5"]
        await press(pilot, *"pass", "enter")
        assert app.session.is_over and vertices(app)[6:] == ["pass", "pass"]
        assert "Every stone left on the board counts as alive." in shown(app)
        assert "The game is over: " in shown(app, "players")
        assert app.screen.query_one(BoardView).picture.owners is not None

    drive(app, script)
    (file,) = shelf.folder.iterdir()
    assert next(read_games(file)).result == app.session.record.result


def test_a_click_plays(shelf):
    app = app_for(shelf)

    async def script(pilot):
        view = app.screen.query_one(BoardView)
        width, height = view.scale
        for row, col in [(4, 0), (2, 4)]:
            await pilot.click(BoardView, offset=(LABEL + col * width + width // 2, 1 + row * height + height // 2))
            await settled(pilot)
        assert vertices(app)[::2] == ["A1", "E3"]
        await pilot.click(BoardView, offset=(0, 0))  # beside the board
        assert len(app.session.moves) == 4

    drive(app, script)


def test_bad_input_is_one_clear_line_and_changes_nothing(shelf):
    app = app_for(shelf, names=["C3", "A1"])

    async def script(pilot):
        await press(pilot, "enter")
        assert shown(app).splitlines()[0] == "Black may not play C3: the point is occupied."
        for text, says in [
            ("z9", "'z9' is not a point"),
            ("h", "'h' could be hint or heat or help."),
            ("xyz", "'xyz'"),
        ]:
            await press(pilot, *text, "enter")
            assert shown(app).startswith(says)
        assert vertices(app) == ["C3", "A1"]

    drive(app, script)


def test_a_word_at_the_wrong_time_says_so(shelf):
    app = app_for(shelf, names=["C3", "A1"])

    async def script(pilot):
        await press(pilot, *"review", "enter")
        assert shown(app).startswith("A review is for a game that is over.")
        await press(pilot, "ctrl+r", *"hint", "enter")
        assert shown(app).startswith("The game is over.")

    drive(app, script)


def test_a_game_that_its_record_ends_is_over(shelf, tmp_path):
    (tmp_path / "time.sgf").write_text("(;SZ[5]RE[W+Time];B[cc];W[bb])")
    app = app_for(shelf)

    async def script(pilot):
        await press(pilot, *"load", "enter")
        app.screen.query_one(Input).value = "time.sgf"
        await press(pilot, "enter")
        assert shown(app).startswith("The record says W+Time.") and "The game is over: W+Time" in shown(app, "players")
        assert app.screen.query_one(BoardView).picture.owners is None  # nobody has counted
        await press(pilot, "ctrl+w")
        assert isinstance(app.screen, ReviewScreen)
        await press(pilot, "escape", "ctrl+u", "enter")
        assert vertices(app)[:2] == ["C3", "B4"] and not app.session.is_over

    drive(app, script)


def test_undo_and_resign(shelf):
    app = app_for(shelf)

    async def script(pilot):
        await press(pilot, "ctrl+u")
        assert "There is no move of yours to take back." in shown(app)
        await press(pilot, "enter")
        await press(pilot, "ctrl+u")
        assert app.session.moves == []
        await press(pilot, "ctrl+r")
        assert app.session.record.result == "W+R"
        await press(pilot, "backspace")
        assert not app.session.is_over

    drive(app, script)


def test_hint_and_heat_map(shelf):
    app = app_for(shelf, names=["C3", "A1"])

    async def script(pilot):
        await press(pilot, "ctrl+t")
        picture = app.screen.query_one(BoardView).picture
        assert shown(app).startswith("Hint: A5, ") and picture.marks == {0: "◆"}
        assert picture.heat.argmax() == 0  # for this move
        await press(pilot, "ctrl+e")
        picture = app.screen.query_one(BoardView).picture
        assert np.isclose(picture.heat.sum(), 1) and picture.heat.argmax() == 0
        assert "A5 50.0 %" in shown(app, "estimates") and "Black's chances" in shown(app, "estimates")
        await press(pilot, "enter")  # occupied
        await press(pilot, "d", "4", "enter")
        assert app.screen.query_one(BoardView).picture.heat is not None  # of the new position
        await press(pilot, "ctrl+e")
        assert app.screen.query_one(BoardView).picture.heat is None

    drive(app, script)


def test_the_agent_begins_when_it_has_black(shelf):
    app = app_for(shelf, person=WHITE)

    async def script(pilot):
        assert vertices(app) == ["A5"] and shown(app).startswith("Black played A5.")

    drive(app, script)


def test_an_agent_that_thinks_can_be_interrupted(shelf):
    app = app_for(shelf, agent="Ponderer")

    async def script(pilot):
        await begin_thinking(pilot)
        await pilot.press("a", "1", "enter")  # the screen is alive
        assert "It is White's turn. Esc stops it." in shown(app)
        await press(pilot, "escape")
        assert app.session.moves == [] and shown(app).startswith("Stopped; your last move is taken back.")

    drive(app, script)


def test_quitting_does_not_wait_for_the_agent(shelf):
    app = app_for(shelf, agent="Ponderer")

    async def script(pilot):
        await begin_thinking(pilot)
        await pilot.press("ctrl+q")

    drive(app, script)
    assert app.session.can_go_on


@pytest.mark.parametrize(
    "agent, says",
    [("Cheat", "first broke the rules: White may not play C3"), ("Broken", "ZeroDivisionError: a bug")],
)
def test_an_agent_that_fails_does_not_end_the_game(shelf, agent, says):
    app = app_for(shelf, agent=agent)

    async def script(pilot):
        await press(pilot, "enter")
        assert vertices(app) == ["C3"] and says in shown(app)
        await press(pilot, "enter")  # tries again
        assert shown(app).count(says) == 2
        await press(pilot, "ctrl+u")
        assert vertices(app) == []

    drive(app, script)


def test_an_agent_that_does_not_exist_is_said(shelf):
    app = app_for(shelf)
    app.session.spec = "nobody"

    async def script(pilot):
        assert "'nobody' is no agent" in shown(app)

    drive(app, script)


def test_review_with_the_agents_opinion(shelf):
    app = app_for(shelf, names=["C3", "A1", "pass", "pass"])

    async def script(pilot):
        await press(pilot, "ctrl+w")
        assert isinstance(app.screen, ReviewScreen)
        await until(lambda: len(app.screen._remarks) == 4)
        await pilot.press("home")
        assert "Move 0 of 4" in shown(app, "players")
        await pilot.press("right")
        opinion = shown(app, "opinion")
        assert opinion.startswith("Move 1: Black C3") and "Its favourites: A5 50.0 %" in opinion
        await pilot.press("m")
        assert "It gave away" in shown(app, "opinion") and "Given away most:" in shown(app, "mistakes")
        await press(pilot, "escape")
        assert isinstance(app.screen, GameScreen)

    drive(app, script)


def test_save_open_and_go_on(shelf, tmp_path):
    app = app_for(shelf, names=["C3", "A1"])

    async def script(pilot):
        await press(pilot, "ctrl+s")
        app.screen.query_one(Input).value = "a.sgf"
        await press(pilot, "enter")
        assert shown(app).startswith("Saved in a.sgf.")
        await press(pilot, "enter", "ctrl+o")
        app.screen.query_one(Input).value = "a.sgf"
        await press(pilot, "enter")
        assert vertices(app) == ["C3", "A1"]
        await press(pilot, "ctrl+o")
        app.screen.query_one(Input).value = "none"
        await press(pilot, "enter")
        assert vertices(app) == ["C3", "A1"]

    drive(app, script)
    assert next(read_games(tmp_path / "a.sgf")).moves == app.session.moves


def test_the_new_game_screen_starts_with_enter_and_says_what_is_wrong(shelf):
    app = GoApp(None, shelf, np.random.default_rng(0))

    async def script(pilot):
        screen = app.screen
        assert isinstance(screen, NewGameScreen)
        screen.query_one("#level", Select).value = "own"
        for name, value in {"size": "5x7", "komi": "0.3", "agent": f"{HERE}:Sure"}.items():
            screen.query_one(f"#{name}", Input).value = value
        await press(pilot, "enter")
        assert "komi is 0.3: expected a multiple of 0.5" in str(screen.query_one("#problem").render())
        screen.query_one("#komi", Input).value = "2.5"
        screen.query_one("#handicap", Input).value = "1"
        await press(pilot, "enter")
        assert "handicap" in str(screen.query_one("#problem").render())
        screen.query_one("#handicap", Input).value = "0"
        screen.query_one("#suicide", Select).value = "yes"
        await press(pilot, "enter")
        assert isinstance(app.screen, GameScreen)
        rules = app.session.rules
        assert (rules.size, rules.komi, rules.suicide) == ("5x7", 2.5, True)
        await press(pilot, "enter", "ctrl+n")
        assert isinstance(app.screen, NewGameScreen) and app.screen.query("#continue")
        await press(pilot, "escape")
        assert isinstance(app.screen, GameScreen) and len(app.session.moves) == 2

    drive(app, script)
    assert continue_session(shelf).moves == app.session.moves


def test_the_strength_of_the_form_becomes_a_spec(shelf):
    app = GoApp(None, shelf, np.random.default_rng(0))

    async def script(pilot):
        form = app.screen
        assert form.chosen().spec() == "shipped?level=9"
        form.query_one("#temperature", Input).value = "0.5"
        form.query_one("#seconds", Input).value = "2"
        assert form.chosen().spec() == "shipped?level=9&temperature=0.5&seconds=2"
        form.query_one("#level", Select).value = "own"
        form.query_one("#agent", Input).value = "runs/mine"
        assert form.chosen().spec() == "runs/mine?temperature=0.5&seconds=2"

    drive(app, script)


def test_help_and_light(shelf):
    app = app_for(shelf)

    async def script(pilot):
        await pilot.press("question_mark")
        assert isinstance(app.screen, HelpScreen)
        await press(pilot, "escape", "ctrl+l")
        assert not app.current_theme.dark and not app.screen.query_one(BoardView).picture.dark

    drive(app, script)


def test_without_colour_the_board_is_characters(shelf, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    app = app_for(shelf, names=["C3", "A1"])

    async def script(pilot):
        assert app.screen.query_one(BoardView).picture.plain

    drive(app, script)


def test_another_game_may_begin_while_the_agent_thinks(shelf):
    app = app_for(shelf, agent="Ponderer")

    async def script(pilot):
        await begin_thinking(pilot)
        await pilot.press("ctrl+n")
        assert isinstance(app.screen, NewGameScreen)
        app.screen.query_one("#level", Select).value = "own"
        app.screen.query_one("#agent", Input).value = f"{HERE}:Sure"
        await press(pilot, "enter")
        assert isinstance(app.screen, GameScreen) and app.session.moves == []

    drive(app, script)


def test_keys_that_come_faster_than_they_are_read_stay_in_order(shelf):
    app = app_for(shelf)

    async def script(pilot):
        for key in ("b", "2", "enter", "d", "4", "enter"):  # all at once, none waits for the one before
            app.post_message(events.Key(key, key if len(key) == 1 else "\r"))
        await pilot.pause()
        await settled(pilot)
        assert vertices(app)[0] == "B2" and "C3" not in vertices(app)  # where the cursor is
        assert "B2D4" not in shown(app)

    drive(app, script)
