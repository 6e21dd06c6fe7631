"""Ratings: laws that hold for any results, truths that come back, and players that nothing compares."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goagent.arena.ratings import Pairing, rate
from goagent.arena.sprt import expected_score
from goagent.errors import UserError

NAMES = "abcde"


@st.composite
def connected_results(draw):
    """Pairings of five players: a chain that joins all, and some more."""
    pairs = list(itertools.pairwise(NAMES))
    pairs += draw(st.lists(st.sampled_from([(a, b) for a in NAMES for b in NAMES if a != b]), max_size=6))
    results = []
    for a, b in pairs:
        games = draw(st.integers(1, 40))
        results.append(Pairing(a, b, draw(st.integers(0, 2 * games)) / 2, games))
    return results


def elos(ratings):
    return {player: ratings[player] for player in ratings.players}


@given(st.integers(1, 1000).flatmap(lambda n: st.tuples(st.integers(0, 2 * n), st.just(n))))
def test_two_players_have_a_closed_form(counts):
    half_points, games = counts
    points = half_points / 2
    ratings = rate([Pairing("a", "b", points, games)], {"b": 100})
    assert ratings["b"] == 100
    assert ratings["a"] - 100 == pytest.approx(400 * math.log10((points + 0.5) / (games - points + 0.5)), abs=1e-3)
    p = (points + 0.5) / (games + 1)
    reach = 1.959964 * 400 / math.log(10) / math.sqrt((games + 1) * p * (1 - p))
    assert ratings.interval("a") == pytest.approx((ratings["a"] - reach, ratings["a"] + reach), abs=0.1)


@settings(max_examples=40)
@given(connected_results(), st.floats(-3000, 3000))
def test_an_anchor_shifts_everyone_alike(results, elo):
    at_zero, shifted, free = rate(results, {"b": 0}), rate(results, {"b": elo}), rate(results)
    assert elos(shifted) == pytest.approx({name: value + elo for name, value in elos(at_zero).items()}, abs=1e-2)
    assert elos(free) == pytest.approx({name: at_zero[name] - at_zero.elo.mean() for name in NAMES}, abs=1e-2)
    for one in (shifted, free):
        assert np.ravel(one.difference("a", "d")[1]) == pytest.approx(
            np.ravel(at_zero.difference("a", "d")[1]), abs=1e-2
        )
    assert shifted.interval("b") == (shifted["b"], shifted["b"])


@settings(max_examples=40)
@given(connected_results(), st.randoms(use_true_random=False))
def test_neither_order_nor_side_nor_split_matters(results, random):
    told_otherwise = []
    for a, b, points, games in results:
        half = games // 2
        early = Pairing(a, b, min(points, half), half)
        late = Pairing(b, a, games - half - (points - early.points), games - half)
        told_otherwise += [pairing for pairing in (early, late) if pairing.games]
    random.shuffle(told_otherwise)
    first, second = rate(results), rate(told_otherwise)
    assert elos(second) == pytest.approx(elos(first), abs=1e-2)
    for name in NAMES:
        assert second.interval(name) == pytest.approx(first.interval(name), abs=0.1)


@settings(max_examples=40)
@given(connected_results())
def test_turning_every_result_turns_every_rating(results):
    turned = rate([pairing._replace(points=pairing.games - pairing.points) for pairing in results])
    assert elos(turned) == pytest.approx({name: -value for name, value in elos(rate(results)).items()}, abs=1e-2)


@settings(max_examples=40)
@given(connected_results())
def test_everyone_expects_the_points_that_they_took(results):
    """The equation of the maximum, the drawn game of the prior included."""
    ratings, surplus = rate(results), dict.fromkeys(NAMES, 0.0)
    met = {frozenset((a, b)) for a, b, *_ in results}
    for a, b, points, games in [*results, *(Pairing(*sorted(pair), 0.5, 1) for pair in met)]:
        missing = points - games * expected_score(ratings[a] - ratings[b])
        surplus[a] += missing
        surplus[b] -= missing
    assert surplus == pytest.approx(dict.fromkeys(NAMES, 0.0), abs=1e-4)


def test_true_ratings_lie_within_the_intervals(tally):
    rng, truth = np.random.default_rng(0), {"a": 0, "b": 80, "c": 150, "d": 300, "e": 420}
    covered = compared = 0
    for _ in range(60):
        results = [
            Pairing(a, b, int(rng.binomial(60, expected_score(truth[a] - truth[b]))), 60)
            for a in NAMES
            for b in NAMES
            if a < b
        ]
        ratings = rate(results, {"a": 0})
        for name in NAMES[1:]:
            low, high = ratings.interval(name)
            covered += low <= truth[name] <= high
            compared += 1
        low, high = ratings.difference("e", "d")[1]
        covered += low <= 120 <= high
        compared += 1
    assert 0.9 <= covered / compared <= 0.99
    tally("ratings compared with true ones", compared)


def test_a_hundred_to_nothing_is_finite_and_uncertain():
    ratings = rate([Pairing("strong", "weak", 100, 100)], {"weak": 0})
    assert ratings["strong"] == pytest.approx(400 * math.log10(100.5 / 0.5), abs=1e-2)
    low, high = ratings.interval("strong")
    assert 300 < low < high < 1500
    assert math.isfinite(rate([Pairing("strong", "weak", 10**6, 10**6)])["strong"])


def test_strength_passes_through_others():
    """a and c never met; both met b."""
    ratings = rate([Pairing("a", "b", 75, 100), Pairing("b", "c", 75, 100)])
    assert ratings.difference("a", "c")[0] == pytest.approx(2 * ratings.difference("a", "b")[0], abs=1e-3)
    width = {pair: np.diff(ratings.difference(*pair)[1])[0] for pair in ("ab", "bc", "ac")}
    assert width["ac"] ** 2 == pytest.approx(width["ab"] ** 2 + width["bc"] ** 2, rel=1e-6)


def test_several_anchors_stay_where_they_are():
    ratings = rate([Pairing("a", "x", 5, 10), Pairing("b", "y", 5, 10)], {"x": 1000, "y": 2000})
    assert elos(ratings) == pytest.approx({"a": 1000, "x": 1000, "b": 2000, "y": 2000}, abs=1e-2)
    assert elos(rate([Pairing("x", "y", 5, 10)], {"x": 100, "y": 7})) == {"x": 100, "y": 7}


@pytest.mark.parametrize(
    ("results", "anchors", "says"),
    [
        ([], {}, "no results"),
        ([Pairing("a", "b", 1, 2), Pairing("c", "d", 1, 2)], {"a": 0}, "nothing compares 'a' with 'c'"),
        ([Pairing("a", "b", 1, 2)], {"z": 0}, "'z' is anchored but played no game"),
        ([Pairing("a", "b", 1, 2)], {"a": float("nan")}, "expected a finite rating"),
        ([Pairing("a", "a", 1, 2)], {}, "played itself"),
        ([Pairing("a", "b", 3, 2)], {}, "'a' took 3 points in 2 games"),
        ([Pairing("a", "b", 0, 0)], {}, "expected at least one game"),
    ],
)
def test_bad_results_are_refused_in_one_line(results, anchors, says):
    with pytest.raises(UserError, match=says) as error:
        rate(results, anchors)
    assert "\n" not in str(error.value)
