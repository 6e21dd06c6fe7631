"""The arena: fair pairs, honest counts, and a match that survives its players."""

import json
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from envs import BLACK, EMPTY, WHITE, Position, Rules
from envs.symmetry import action_table, canonical
from goagent.arena import match as arena_match
from goagent.arena.match import MatchConfig, match, play_game, play_match
from goagent.arena.openings import random_openings
from goagent.arena.result import GameRecord, MatchResult, wilson_interval
from goagent.errors import UserError
from goagent.players.external import ExternalPlayer
from goagent.players.random import RandomPlayer
from goagent.players.rollout import RolloutPlayer
from goagent.records.sgf import read_games

FIVE = Rules.square(5)
FAKE = Path(__file__).parent.parent / "fake_gtp.py"


class Scripted:
    """Plays given vertices, then passes; counts its resets and remembers which colours it had."""

    def __init__(self, name, *vertices):
        self.name = name
        self.vertices = vertices
        self.games = []

    def reset(self):
        self.games.append([])

    def choose(self, position, rng):
        self.games[-1].append(position)
        turn = len(self.games[-1]) - 1
        return position.rules.action(self.vertices[turn] if turn < len(self.vertices) else "pass")


def fake(fault):
    return f"gtp:{shlex.join([sys.executable, str(FAKE), fault])}"


def test_a_game_is_counted_by_area():
    record = play_game(Scripted("a", "B2"), Scripted("b"), Rules.square(3), np.random.default_rng(0))
    assert record == GameRecord(Rules.square(3), (4, 9, 9), BLACK, 8.5, "passes")
    record = play_game(Scripted("a"), Scripted("b"), Rules.square(3, komi=0), np.random.default_rng(0))
    assert (record.winner, record.score_black, record.to_game("a", "b").result) == (EMPTY, 0, "0")


def test_every_way_a_game_can_end():
    rng = np.random.default_rng(0)
    cut = play_game(Scripted("a", "A1", "A2"), Scripted("b", "C1"), Rules.square(3, max_moves=3), rng)
    assert (cut.ending, cut.winner, len(cut.moves)) == ("length", BLACK, 3)
    rules = Rules.square(3, objective="capture")
    caught = play_game(Scripted("a", "A2", "B1"), Scripted("b", "A1"), rules, rng)
    assert (caught.ending, caught.winner) == ("capture", BLACK)
    wrong = play_game(Scripted("a", "A1"), Scripted("b", "A1"), Rules.square(3), rng)
    assert (wrong.ending, wrong.winner, wrong.score_black) == ("failure", BLACK, None)
    assert wrong.problem == "b: White may not play A1: the point is occupied"
    assert wrong.to_game("a", "b").result == "B+F"
    gone = play_game(ExternalPlayer(fake("resign")[4:]), Scripted("b"), Rules.square(3), rng)
    assert (gone.ending, gone.winner, gone.to_game("a", "b").result) == ("resignation", WHITE, "W+R")


def test_pairs_swap_colours_from_the_same_opening():
    a, b = Scripted("a"), Scripted("b")
    openings = [(0, 6), (1, 7)]
    result = play_match(a, b, FIVE, 5, np.random.default_rng(0), openings)
    assert [game.moves[:2] for game in result.games] == [(0, 6), (0, 6), (1, 7), (1, 7), (0, 6)]
    assert [positions[0].to_play for positions in a.games] == [BLACK, WHITE, BLACK, WHITE, BLACK]
    assert [positions[0].to_play for positions in b.games] == [WHITE, BLACK, WHITE, BLACK, WHITE]
    assert {game.score_black for game in result.games} == {-0.5}  # nobody owns anything, so White wins by komi
    assert result.points.tolist() == [0, 1, 0, 1, 0]


def test_without_swapping_the_first_agent_always_has_black():
    a, b = Scripted("a"), Scripted("b")
    result = play_match(a, b, FIVE, 3, np.random.default_rng(0), [(0, 6), (1, 7), (2, 8)], swap=False)
    assert [game.moves[:2] for game in result.games] == [(0, 6), (1, 7), (2, 8)]
    assert {positions[0].to_play for positions in a.games} == {BLACK}
    assert result.points.tolist() == [0, 0, 0]
    assert (result.summary()["score_as_black"], result.summary()["score_as_white"]) == (0, None)


def test_a_match_repeats_itself_with_a_seed():
    first, second, other = (
        play_match(RandomPlayer(), RolloutPlayer(5), FIVE, 4, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert first == second
    assert first.games != other.games
    assert first.unique_games == 4


def test_rollout_beats_random():
    result = play_match(RolloutPlayer(50), RandomPlayer(), FIVE, 40, np.random.default_rng(0))
    assert result.score >= 0.9
    assert result.interval[0] > 0.75


def record(moves, winner):
    return GameRecord(FIVE, tuple(moves), winner, {BLACK: 1.0, WHITE: -1.0, EMPTY: 0.0}[winner], "passes")


def test_draws_count_half_and_symmetric_games_once():
    moves = np.array([1, 12, 25, 3])
    games = [record(action_table(5, 5)[k][moves], winner) for k, winner in ((0, BLACK), (5, BLACK), (3, EMPTY))]
    result = MatchResult("a", "b", (*games, record([1, 12, 25, 4], WHITE)))
    assert result.points.tolist() == [1, 0, 0.5, 1]
    summary = result.summary()
    assert (summary["wins"], summary["draws"], summary["losses"], summary["score"]) == (2, 1, 1, 0.625)
    assert (summary["score_as_black"], summary["score_as_white"]) == (0.75, 0.5)
    assert result.unique_games == 2


@settings(derandomize=True, deadline=None)
@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_interval(counts):
    wins, games = counts
    expected = binomtest(wins, games).proportion_ci(method="wilson")
    assert wilson_interval(wins / games, games) == pytest.approx((expected.low, expected.high), abs=1e-6)


def final(opening, rules):
    position = Position(rules)
    for action in opening:
        position = position.play(action)
    return position


@pytest.mark.parametrize("size", ["5", "3x4", "9"])
def test_openings_are_legal_and_differ(size):
    rules = Rules.of_size(size)
    openings = random_openings(rules, 15, 3, np.random.default_rng(0))
    assert [len(opening) for opening in openings] == [3] * 15
    assert not any(rules.pass_action in opening for opening in openings)
    assert len({canonical(final(opening, rules).board) for opening in openings}) == 15


def test_openings_repeat_evenly_when_there_are_no_others():
    rules = Rules.square(3)  # three first moves up to symmetry
    boards = [
        canonical(final(opening, rules).board) for opening in random_openings(rules, 9, 1, np.random.default_rng(0))
    ]
    assert sorted(boards.count(board) for board in set(boards)) == [3, 3, 3]
    assert random_openings(rules, 2, 0, np.random.default_rng(0)) == [(), ()]
    assert random_openings(Rules.square(1), 1, 4, np.random.default_rng(0)) == [()]


def test_the_command_saves_what_it_prints(tmp_path, capsys):
    games, numbers = tmp_path / "games.sgf", tmp_path / "result.json"
    assert match(MatchConfig("random", "rollout?playouts=5", size="3x4", games=6, save=games, json=numbers)) == 0
    printed = capsys.readouterr().out
    assert "random against rollout?playouts=5" in printed
    summary = json.loads(numbers.read_text())
    assert summary["wins"] + summary["draws"] + summary["losses"] == 6
    saved = list(read_games(games))
    assert [game.black_name for game in saved] == ["random", "rollout?playouts=5"] * 3
    assert [game.moves[:2] for game in saved[::2]] == [game.moves[:2] for game in saved[1::2]]
    for game in saved:
        score = game.final().score_black()
        assert game.result == ("0" if score == 0 else f"{'B' if score > 0 else 'W'}+{abs(score):g}")
    assert sorted(tmp_path.iterdir()) == [games, numbers]


def test_games_played_at_once_are_the_games_played_in_turn(tmp_path):
    saved = []
    for jobs in (1, 2):
        saved.append(tmp_path / f"{jobs}.sgf")
        match(MatchConfig("random", "rollout?playouts=5", size="3x4", games=5, jobs=jobs, save=saved[-1]))
    assert saved[0].read_text() == saved[1].read_text()


def test_a_stopped_match_says_what_was_played(monkeypatch, capsys):
    played = []

    def play_two(*args):
        if len(played) == 2:
            raise KeyboardInterrupt
        played.append(play_game(*args))
        return played[-1]

    monkeypatch.setattr(arena_match, "play_game", play_two)
    assert match(MatchConfig("random", "random", size="3", games=6)) == 130
    assert "stopped after 2 of 6 games" in capsys.readouterr().out
    monkeypatch.setattr(arena_match, "play_game", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        match(MatchConfig("random", "random", size="3", games=6))


@pytest.mark.parametrize(("fault", "says"), [("crash", "the weights are gone"), ("illegal", "illegal move")])
def test_a_faulty_engine_loses_its_games_and_the_match_goes_on(fault, says, tmp_path, capsys):
    games = tmp_path / "games.sgf"
    assert match(MatchConfig("random", fake(fault), size="5", games=4, save=games)) == 0
    printed = capsys.readouterr().out
    assert "ended by" in printed
    assert "failure 4" in printed
    assert [f"game {i}: " in printed for i in range(1, 6)] == [True] * 4 + [False]
    assert printed.count(says) == 4
    saved = list(read_games(games))
    assert [game.result for game in saved] == ["B+F", "W+F"] * 2
    assert all(says in game.comment for game in saved)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"size": "0"}, "rows is 0"),
        ({"size": "big"}, "'big' is not a board size"),
        ({"komi": 0.3}, "komi is 0.3"),
        ({"games": 0}, "games is 0"),
        ({"opening_plies": -1}, "opening_plies is -1"),
        ({"seed": -1}, "seed is -1"),
        ({"jobs": 0}, "jobs is 0"),
        ({"save": Path("no/such/folder/games.sgf")}, "cannot write no/such/folder"),
        ({"a": "rolout"}, "did you mean rollout?"),
    ],
)
def test_bad_settings_are_refused_in_one_line(settings, says):
    with pytest.raises(UserError, match=says.replace("?", r"\?")) as error:
        match(MatchConfig(**({"a": "random", "b": "random"} | settings)))
    assert "\n" not in str(error.value)
