"""The clock: what a move may take never adds up to more than there is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs import BLACK, WHITE
from goagent.interfaces.gtp.clock import AT_ONCE, SLACK, canadian, kgs


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
