"""What a match says beyond its score: how long moves took, how varied the openings were, and the test's verdict."""

import itertools
import json
import math

import numpy as np
import pytest

from envs import BLACK, Rules
from envs.symmetry import action_table
from goagent.arena import match as module
from goagent.arena.match import MatchConfig, match, play_match, warm_up
from goagent.arena.result import GameRecord, MatchResult
from goagent.errors import UserError
from goagent.players.player import Resigned
from goagent.players.random import RandomPlayer

FIVE = Rules.square(5)


class Clocked(RandomPlayer):
    """Takes the given seconds for its moves, in turn, and resigns after the last."""

    def __init__(self, name, clock, *seconds):
        super().__init__()
        self.name, self.clock, self.seconds = name, clock, seconds
        self.moves = 0

    def reset(self):
        self.moves = 0

    def choose(self, position, rng):
        if self.moves == len(self.seconds):
            raise Resigned
        self.clock[0] += self.seconds[self.moves]
        self.moves += 1
        return super().choose(position, rng)


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(module.time, "perf_counter", lambda: now[0])
    return now


def test_seconds_are_those_of_the_player_whatever_its_colour(clock):
    slow, fast = Clocked("slow", clock, 3, 1, 2), Clocked("fast", clock, *[0.5] * 9)
    result = play_match(slow, fast, Rules.square(9), 2, np.random.default_rng(0), [(0, 40)])
    assert [game.seconds_black for game in result.games] == [(3, 1, 2, 0), (0.5, 0.5, 0.5, 0.5)]
    assert [game.seconds_white for game in result.games] == [(0.5, 0.5, 0.5), (3, 1, 2, 0)]
    assert [game.ending for game in result.games] == ["resignation"] * 2
    taken = result.seconds_per_move()
    assert taken == {"a": {"mean": 1.5, "max": 3.0}, "b": {"mean": 0.5, "max": 0.5}}
    assert result.summary()["seconds_per_move"] == taken


def test_seconds_make_no_game_another_one():
    a = GameRecord(FIVE, (1,), BLACK, 1.0, "passes", seconds_black=(1.0,))
    assert a == GameRecord(FIVE, (1,), BLACK, 1.0, "passes", seconds_black=(2.0,))
    assert MatchResult("a", "b", (a,)).seconds_per_move()["b"] is None


def test_the_first_moves_warm_up_uncounted(clock):
    player = Clocked("slow to start", clock, 5, 1)
    warm_up(player, FIVE)
    assert player.moves == 2  # and what it did then ended nothing


def played(moves):
    return GameRecord(FIVE, tuple(int(move) for move in moves), BLACK, 1.0, "passes")


def test_opening_entropy_counts_symmetric_openings_once():
    opening = np.array([0, 12, 1, 13, 2, 14])
    turned = [action_table(5, 5)[k][np.append(opening, k)] for k in range(8)]  # the seventh plies differ
    assert MatchResult("a", "b", tuple(map(played, turned))).opening_entropy == 0
    other = [*turned[:4], *[np.append(opening[:5], last) for last in (20, 21, 22, 23)]]
    expected = math.log(2) / 2 + math.log(8) / 2  # half of one kind, an eighth of each of four
    assert MatchResult("a", "b", tuple(map(played, other))).opening_entropy == pytest.approx(expected)
    different = [[0, *rest] for rest in itertools.permutations((3, 7, 9))]
    assert MatchResult("a", "b", tuple(map(played, different))).opening_entropy == pytest.approx(math.log(6))


def test_the_command_prints_and_saves_time_openings_and_verdict(tmp_path, capsys):
    numbers = tmp_path / "result.json"
    config = MatchConfig("random", "rollout?playouts=20", size="5", games=100, sprt=(0, 200), json=numbers)
    assert match(config) == 0
    printed, summary = capsys.readouterr().out, json.loads(numbers.read_text())
    for text in ("a move of rollout", "opening entropy", "SPRT: H0 (0 Elo) accepted over H1 (200 Elo)"):
        assert text in printed
    assert summary["games"] < 100
    assert summary["sprt"]["accepted"] == "H0"
    assert summary["sprt"]["llr"] <= summary["sprt"]["bounds"][0]
    assert summary["sprt"]["pairs"] == summary["games"] / 2
    assert 0 < summary["seconds_per_move"]["b"]["mean"] <= summary["seconds_per_move"]["b"]["max"]
    assert summary["opening_entropy"] > 0


@pytest.mark.parametrize("specs", [{}, {"a": "random"}])
def test_a_match_needs_two(specs):
    with pytest.raises(UserError, match="a match has two agents"):
        MatchConfig(**specs)
