"""The sequential test: its likelihoods are the likeliest, it errs as seldom as it says, and it never splits a pair."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs import Rules
from goagent.arena.match import play_match
from goagent.arena.sprt import Sprt, expected_score, likeliest, log_likelihood_ratio
from goagent.errors import UserError
from goagent.players.random import RandomPlayer
from goagent.players.rollout import RolloutPlayer

SCORES = np.arange(5) / 4
counts = st.lists(st.integers(0, 50), min_size=5, max_size=5).map(np.array).filter(lambda n: n.sum() > 0)
means = st.floats(0.02, 0.98)


@given(st.lists(st.floats(1e-3, 1), min_size=5, max_size=5), means, st.integers(0, 2**32 - 1))
def test_no_distribution_with_that_mean_is_likelier(weights, score, seed):
    frequencies = np.array(weights) / sum(weights)
    best = likeliest(frequencies, score)
    assert (best > 0).all()
    assert (best.sum(), best @ SCORES) == pytest.approx((1, score), abs=1e-6)
    # Every other one differs by a direction that changes neither the sum nor the mean.
    direction = np.random.default_rng(seed).normal(size=5)
    for fixed in np.linalg.qr(np.stack([np.ones(5), SCORES], axis=1))[0].T:
        direction -= fixed * (fixed @ direction)
    step = 0.5 * (best / np.abs(direction)).min()
    for sign in (-1, 1):
        assert frequencies @ np.log(best + sign * step * direction) <= frequencies @ np.log(best) + 1e-9


@given(counts, means, means)
def test_swapping_players_or_hypotheses_turns_the_sign(seen, score0, score1):
    ratio = log_likelihood_ratio(seen, score0, score1)
    assert log_likelihood_ratio(seen, score1, score0) == pytest.approx(-ratio, abs=1e-9)
    assert log_likelihood_ratio(seen[::-1], 1 - score1, 1 - score0) == pytest.approx(-ratio, abs=1e-4)


@given(st.integers(1, 300), st.integers(1, 300), means, means)
def test_with_two_outcomes_it_is_walds_test(lost, won, score0, score1):
    expected = won * np.log(score1 / score0) + lost * np.log((1 - score1) / (1 - score0))
    assert log_likelihood_ratio(np.array([lost, 0, 0, 0, won]), score0, score1) == pytest.approx(expected, abs=0.05)


def test_pairs_that_black_always_wins_say_that_players_are_equal():
    games = np.array([1.0, 0.0] * 50)
    assert Sprt(0, 50).judge(games).accepted == "H0"
    assert Sprt(-50, 50).judge(games).llr == pytest.approx(0, abs=1e-6)


def test_an_elo_is_a_score():
    assert expected_score(0) == 0.5
    assert expected_score(400) == pytest.approx(10 / 11)
    assert expected_score(-75) + expected_score(75) == pytest.approx(1)


@pytest.mark.parametrize("truth", ["H0", "H1"])
def test_it_errs_about_as_often_as_it_says(truth, tally):
    test, rng, rounds = Sprt(0, 120), np.random.default_rng(0), 150
    score = expected_score({"H0": 0, "H1": 120}[truth])
    wrong = 0
    for _ in range(rounds):
        games = np.zeros(0)
        while (verdict := test.judge(games)).accepted is None:
            games = np.append(games, rng.random(2) < score)
        wrong += verdict.accepted != truth
    assert wrong <= 0.1 * rounds
    tally("sequential tests of simulated matches", rounds)


def test_half_a_pair_waits():
    test = Sprt(0, 50)
    assert test.judge(np.array([])).llr == test.judge(np.array([1.0])).llr == 0
    assert test.judge(np.array([1, 0.5, 0])) == test.judge(np.array([1, 0.5]))
    assert test.judge(np.array([1, 0.5])).pairs == 1


@pytest.mark.parametrize(("swapped", "accepted"), [(False, "H1"), (True, "H0")])
def test_a_match_ends_after_the_pair_that_decides(swapped, accepted):
    players = [RolloutPlayer(30), RandomPlayer()][:: -1 if swapped else 1]
    test = Sprt(0, 200)
    result = play_match(*players, Rules.square(5), 101, np.random.default_rng(0), sprt=test)
    assert len(result.games) % 2 == 0
    assert len(result.games) < 101
    assert test.judge(result.points).accepted == accepted
    assert test.judge(result.points[:-2]).accepted is None


def test_an_undecided_match_plays_all_its_games():
    result = play_match(RandomPlayer(), RandomPlayer(), Rules.square(3), 7, np.random.default_rng(0), sprt=Sprt(0, 5))
    assert len(result.games) == 7


@pytest.mark.parametrize("settings", [(50, 0), (10, 10), (0, float("nan")), (0, 2000), (0, 50, 0), (0, 50, 0.05, 0.7)])
def test_bad_settings_are_refused_in_one_line(settings):
    with pytest.raises(UserError, match="expected") as error:
        Sprt(*settings)
    assert "\n" not in str(error.value)
