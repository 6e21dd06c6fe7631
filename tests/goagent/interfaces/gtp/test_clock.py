"""The clock: what a move may take never adds up to more than there is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs import BLACK, WHITE
from goagent.interfaces.gtp.clock import AT_ONCE, SLACK, Clock, canadian, kgs
from goagent.interfaces.gtp.engine import Engine
from goagent.interfaces.gtp.game import Terms
from goagent.interfaces.gtp.mover import Mover
from goagent.players.random import RandomPlayer


class Timed(RandomPlayer):
    """Uses all the seconds it may, and a little more, on a clock of its own; remembers what it was allowed."""

    name = "timed"

    def __init__(self, seconds=None):
        self.seconds = seconds
        self.time = 0.0
        self.allowed = []

    def choose(self, position, rng):
        self.allowed.append(self.seconds)
        self.time += 0.02 + 1.1 * (self.seconds or 0.0)
        return super().choose(position, rng)

    def think(self, position):
        self.time += 0.02
        yield self.analyze(position)

    def interrupt(self):
        pass


def engine(player):
    made = Engine(
        Mover(lambda rules: player, lambda rules: None, Terms(9, 9), 0, now=lambda: player.time), lambda _: True
    )
    player.allowed.clear()
    return made


def test_without_a_clock_there_is_no_limit():
    player = Timed()
    mine = engine(player)
    mine.genmove(["b"])
    assert player.allowed == [None] and player.seconds is None
    for clock in (Clock(), kgs(["none"]), canadian(100, 10, 0)):
        assert clock.allowed(BLACK, 10) is None


def test_a_players_own_seconds_stay_the_most():
    player = Timed(0.25)
    mine = engine(player)
    mine.time_settings(["1000", "0", "0"])
    mine.genmove(["b"])
    assert player.allowed == [0.25] and player.seconds == 0.25


@pytest.mark.parametrize("told", [False, True])
@pytest.mark.parametrize("main", [0.3, 1, 10, 300])
def test_absolute_time_is_never_used_up(main, told):
    player = Timed()
    mine = engine(player)
    mine.time_settings([str(main), "0", "0"])
    left = float(main)
    for _ in range(200):
        if told:
            mine.time_left(["b", str(int(left)), "0"])
        begun = player.time
        mine.genmove(["b"])
        left -= player.time - begun
        if left <= SLACK + 1:
            assert player.allowed[-1] <= 0.1
    if main >= 10:
        assert left + 200 * 0.04 >= SLACK  # what a move costs beside thought is not the clock's to plan
        assert max(player.allowed) > main / 100


def test_when_nothing_is_left_it_answers_at_once():
    player = Timed()
    mine = engine(player)
    mine.time_settings(["100", "0", "0"])
    for left in ("0", "-3", "0.4"):
        mine.time_left(["w", left, "0"])
        mine.genmove(["w"])
    assert player.allowed == [AT_ONCE] * 3


@pytest.mark.parametrize(("settings", "periods"), [("byoyomi 0 5 3", "3"), ("canadian 0 5 1", "1")])
def test_a_move_in_overtime_fits_its_period(settings, periods):
    player = Timed()
    mine = engine(player)
    mine.kgs_time_settings(settings.split())
    for told in (False, True):
        if told:
            mine.time_left(["b", "5", periods])
        begun = player.time
        mine.genmove(["b"])
        assert 1 < player.time - begun < 5 - SLACK


def test_canadian_overtime_is_shared_by_its_stones():
    clock = canadian(0, 30, 10)
    first = clock.allowed(BLACK, 30)
    assert 1 < first < 3
    clock.tell(BLACK, 4.0, 7)
    assert clock.allowed(BLACK, 30) < 0.5
    clock.tell(BLACK, 0.2, 1)
    assert clock.allowed(BLACK, 30) == AT_ONCE
    clock.spend(BLACK, 0.1, AT_ONCE)
    assert clock.allowed(BLACK, 30) == first  # the next period


def test_main_time_ends_in_overtime():
    clock = canadian(10, 20, 5)
    assert clock.allowed(BLACK, 30) < 10 + 4
    clock.spend(BLACK, 11, 11)
    assert clock.allowed(BLACK, 30) == pytest.approx(0.8 * 19.5 / 5)
    assert clock.allowed(WHITE, 30) > 0.8 * 19.5 / 5
    clock.restart()
    assert clock.allowed(BLACK, 30) == clock.allowed(WHITE, 30)


def test_byoyomi_counts_periods_where_canadian_counts_stones():
    japanese, stones = kgs(["byoyomi", "60", "10", "5"]), kgs(["canadian", "60", "10", "5"])
    for clock in (japanese, stones):
        clock.tell(BLACK, 10, 5)
    assert japanese.allowed(BLACK, 30) == pytest.approx(5 * stones.allowed(BLACK, 30))


TIMES = st.floats(0, 1e4)


@given(TIMES, st.floats(0, 100), st.integers(0, 30), st.integers(-50, 200), TIMES, st.integers(0, 30))
def test_what_is_allowed_is_there(main, period, stones, to_come, left, left_stones):
    clock = canadian(main, period, stones)
    clock.tell(BLACK, left, left_stones)
    allowed = clock.allowed(BLACK, to_come)
    overtime = 0 if left_stones else period / max(stones, 1)
    assert allowed == AT_ONCE or AT_ONCE < allowed <= left + overtime - SLACK


def test_kgs_settings_are_checked():
    for bad in ("absolute", "absolute x", "byoyomi 1 2", "canadian 1 2 3 4", "none 1", "absolute -1", "absolute nan"):
        with pytest.raises(ValueError):
            kgs(bad.split())
