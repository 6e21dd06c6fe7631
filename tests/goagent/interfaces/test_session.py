"""The game behind both modes: its laws, and that nothing of it is ever lost."""

import json
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs import BLACK, WHITE, IllegalMove, Rules
from goagent.errors import UserError
from goagent.interfaces import kept
from goagent.interfaces.kept import Shelf
from goagent.interfaces.play import PlayConfig, start
from goagent.interfaces.session import Session, agent_move, captures, continue_session, new_game
from goagent.records.files import write_text
from goagent.records.sgf import Game, parse_sgf, read_games, write_sgf
from tests.goagent.interfaces.fakes import Cheat, First, Quitter

NAMES = ["A1", "B1", "C2", "B2", "A3", "C3", "pass"]


@pytest.fixture
def shelf(tmp_path):
    return Shelf(tmp_path / "games")


def begun(place=None, person=BLACK, **rules):
    return Session(new_game(Rules.square(3, **rules)), person, "random", place)


def played(session, names):
    """The session after those of the moves that are legal."""
    for name in names:
        with suppress(IllegalMove):
            session.play(session.rules.action(name))
    return session


@given(st.lists(st.sampled_from(NAMES), max_size=12), st.sampled_from([BLACK, WHITE]))
def test_undo_restores_every_earlier_decision(names, person):
    session = begun(person=person)
    decided = []  # the positions in which the person moved
    for name in names:
        position, number = session.position, len(session.moves)
        played(session, [name])
        if position.to_play == person and len(session.moves) > number:
            decided.append(position)
    for position in reversed(decided):
        assert session.undo() and session.position == position and not session.is_over
    assert not session.undo()


@given(st.lists(st.sampled_from(NAMES), max_size=12))
def test_a_record_read_back_is_the_same_game(names):
    session = played(begun(), names)
    again = parse_sgf(write_sgf(session.record))
    assert again.moves == session.moves and again.final().board.tolist() == session.position.board.tolist()
    assert again.result == (session.record.result if session.is_over else None)


def test_a_game_survives_its_terminal_between_any_two_moves(shelf):
    session = begun(shelf.place(), komi=1.5, ko="simple", suicide=True, person=WHITE)
    assert not session.can_go_on
    for number, name in enumerate(["B2", "A1", "pass"], 1):
        session.play(session.rules.action(name))
        (file,) = shelf.folder.iterdir()  # what another process would find if this one were killed now
        found = json.loads(file.read_text())
        assert parse_sgf(found["sgf"]).moves == session.moves[:number]
        assert (found["agent"], found["colour"], found["ko"]) == ("random", "white", "simple")
    again = continue_session(shelf)
    assert again.moves == session.moves and again.position == session.position
    assert (again.person, again.spec, again.rules) == (WHITE, "random", session.rules)


def test_a_kept_game_finds_its_agent_from_any_folder(shelf, tmp_path, monkeypatch):
    (tmp_path / "runs" / "first").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    session = Session(new_game(Rules.square(3)), BLACK, "runs/first?visits=3", shelf.place())
    assert session.name(WHITE) == "runs/first?visits=3"
    played(session, ["A1"])
    monkeypatch.chdir(tmp_path / "runs")
    assert continue_session(shelf).spec == f"{tmp_path / 'runs' / 'first'}?visits=3"


def test_leaving_says_where_the_game_is(shelf, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    session = begun(shelf.place())
    assert session.leave() == ""
    assert played(session, ["A1"]).leave() == "Your game is kept. To go on with it: goagent play --continue"
    session.resign(BLACK)
    (file,) = shelf.folder.iterdir()
    assert session.leave().startswith(f"Your game is kept in {file}. To review it: goagent play --agent random --load")
    assert played(begun(), ["A1"]).leave().startswith("Saved in game-1.sgf.")  # kept nowhere
    assert not list(tmp_path.glob("games/*.json"))


def test_two_terminals_never_write_over_each_other(shelf):
    first = played(begun(shelf.place()), ["A1"])
    second = continue_session(shelf)  # while the first is still open
    played(first, ["B2"])
    played(second, ["C3"])
    games = [parse_sgf(json.loads(file.read_text())["sgf"]).moves for file in shelf.folder.iterdir()]
    assert sorted(games) == sorted([first.moves, second.moves])


def test_the_game_played_last_goes_on(shelf):
    older, newer = played(begun(shelf.place()), ["A1"]), played(begun(shelf.place()), ["B1"])
    played(older, ["C3"])
    assert continue_session(shelf).moves == older.moves
    played(newer, ["pass", "pass"])  # finished
    assert continue_session(shelf).moves == older.moves


def test_a_finished_game_stays_as_sgf_until_its_end_is_taken_back(shelf):
    session = played(begun(shelf.place()), ["A1"])
    session.resign(BLACK)
    (file,) = shelf.folder.iterdir()
    assert next(read_games(file)).result == "W+R"
    with pytest.raises(UserError, match="there is no unfinished game"):
        continue_session(shelf)
    session.undo()
    (file,) = shelf.folder.iterdir()
    assert file.suffix == kept.UNFINISHED and shelf.has_unfinished()


def test_a_file_that_is_no_game_is_passed_over(shelf):
    shelf.folder.mkdir()
    (shelf.folder / "x.json").write_text("[1]")
    assert not shelf.has_unfinished() and shelf.take_newest() is None


def test_a_game_that_cannot_be_kept_goes_on_and_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    session = played(begun(tmp_path / "file" / "game.json"), ["A1"])
    assert session.trouble.startswith("The game cannot be kept in ")
    assert len(session.moves) == 1 and not session.can_go_on


def test_a_game_that_was_resigned_is_over_when_it_is_loaded():
    game = Game(Rules.square(3), [(BLACK, 4)], black_name="a", white_name="b", result="W+Resign")
    session = Session(game, BLACK)
    assert session.is_over and session.standing() == "Black (a) resigned: W+Resign."
    assert session.undo() and not session.is_over


@pytest.mark.parametrize("result", ["B+3.5", "W+Time", "w+f", "0", "Draw"])
@pytest.mark.parametrize("moves", [[], [(BLACK, 4)], [(BLACK, 4), (WHITE, 9), (BLACK, 9)]], ids=len)
def test_the_result_of_a_record_stands_until_its_end_is_taken_back(result, moves):
    session = Session(Game(Rules.square(3), moves, result=result), BLACK)
    assert session.is_over and not session.is_counted and session.record.result == result
    assert session.standing() == f"The record says {result}."
    with pytest.raises(IllegalMove, match="the game is over"):
        session.play(0)
    if session.undo():
        assert not session.is_over and session.position.to_play == BLACK and session.record.result is None


@pytest.mark.parametrize("result", ["?", "Void", "", None, "Black won"])
def test_a_record_without_a_result_is_an_unfinished_game(result):
    assert not Session(Game(Rules.square(3), [(BLACK, 4)], result=result), BLACK).is_over


def test_a_counted_game_says_how_it_was_counted_when_it_is_loaded():
    session = played(begun(), ["B2", "pass", "pass"])
    again = Session(parse_sgf(write_sgf(session.record)), BLACK)
    assert again.is_counted and again.standing() == session.standing() and again.record.moves == session.moves
    assert again.record.result == session.record.result == "B+8.5"


def test_handicap_stones_stand_before_white_begins():
    session = Session(new_game(Rules.square(9), 3), BLACK)
    assert (session.position.board == BLACK).sum() == 3 and session.awaits_agent
    assert Session(new_game(Rules.square(9), 0), BLACK).position.board.sum() == 0
    for size, wrong in ((5, 2), (9, 1), (9, -2), (9, 10), (10, 5)):
        with pytest.raises(UserError, match="handicap"):
            new_game(Rules.square(size), wrong)


def test_captures_are_counted():
    session = played(begun(), ["B1", "A1", "A2"])
    taken = captures(session.record, 3, session.position)
    assert taken == {BLACK: 1, WHITE: 0}


def test_what_an_agent_may_answer():
    rng, position = np.random.default_rng(0), played(begun(), ["B2"]).position
    assert agent_move(First(), position, rng) == position.rules.action("A3")
    assert agent_move(Quitter(), position, rng) is None
    with pytest.raises(UserError, match="first broke the rules: White may not play B2: the point is occupied"):
        agent_move(Cheat(), position, rng)


def test_no_game_is_cut_short(shelf):
    """`Rules` would truncate 5x5 at 100 plies."""
    session = start(PlayConfig(size="5", ko="simple"), shelf)
    rng = np.random.default_rng(0)
    while not session.is_over and len(session.moves) < 110:
        points = np.flatnonzero(session.position.legal_mask()[:-1])
        session.play(int(rng.choice(points)) if len(points) else session.rules.pass_action)
    assert len(session.moves) == 110


def test_continue_takes_no_other_options():
    with pytest.raises(UserError, match="--continue goes on with a game as it was"):
        PlayConfig(continued=True, size="9")
    assert PlayConfig(continued=True, plain=True, seed=1)


@pytest.mark.parametrize("wrong", [{"colour": "red"}, {"ko": "foo"}, {"sgf": 5}, {"sgf": "(;SZ["}], ids=str)
def test_a_damaged_game_does_not_stand_in_the_way_of_an_older_one(shelf, wrong):
    session = begun(shelf.place())
    session.play(0)
    good = json.loads(next(shelf.folder.glob("*.json")).read_text())
    (shelf.folder / "later.json").write_text(json.dumps(good | wrong))
    assert shelf.has_unfinished()
    assert continue_session(shelf).moves == session.moves


def test_a_name_that_no_path_has_is_said(tmp_path):
    with pytest.raises(UserError, match="there is no such user"):
        begun().save("~nobody-of-that-name/x.sgf")


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError):
        write_text(tmp_path / "folder", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
