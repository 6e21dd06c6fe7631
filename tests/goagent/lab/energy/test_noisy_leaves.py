"""Leaves are read as described, noise is anew each time, and equal searches share the points of each pair."""

import math

import numpy as np
import pytest
from scipy import special

from goagent.lab.batched_play import random_mover
from goagent.lab.core import Result
from goagent.lab.energy.noisy_leaves import (
    CROWD,
    EXPERIMENT,
    LEAVES,
    THRESHOLD,
    UNIT,
    VALUE,
    Settings,
    begun,
    choices,
    even_openings,
    paired,
    policy,
    read,
)
from goagent.lab.one_to_many.exploration import puct_mover
from goagent.lab.runner import run_experiment
from goagent.search.evaluation import Evaluation
from tests.goagent.lab.laws import assert_a_function_of_its_arguments

TEST = EXPERIMENT.settings["test"]
DRAWS = 20_000
RULES = Settings().rules


@pytest.fixture(scope="module")
def result() -> Result:
    return run_experiment(EXPERIMENT, "test", [0])


def network(planes: np.ndarray) -> Evaluation:
    """Any function of the planes, by whose values the side with more stones further down is ahead."""
    ahead = ((planes[:, 0] - planes[:, 1]) * np.arange(25).reshape(5, 5)).sum(axis=(1, 2)) / 10
    logits = np.pad(planes[:, 0].reshape(len(planes), -1) * 0.1, ((0, 0), (0, 1)))
    score = ahead.astype(np.float32)
    return Evaluation(logits, np.tanh(score / 5), score, np.zeros((len(planes), 5, 5), np.float32))


def same(value: float) -> Evaluation:
    zeros = np.zeros(DRAWS, np.float32)
    return Evaluation(np.zeros((DRAWS, 26), np.float32), zeros + np.float32(value), zeros + 7, zeros[:, None, None])


@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_a_value_is_read_with_noise_on_it(noise: float) -> None:
    evaluate = read(lambda planes: same(0.25), LEAVES[VALUE], noise, np.random.default_rng(0))
    once, again = evaluate(np.zeros(DRAWS)), evaluate(np.zeros(DRAWS))
    assert once.value.mean() == pytest.approx(0.25, abs=4 * noise / math.sqrt(DRAWS))
    assert once.value.std() == pytest.approx(noise, rel=0.03)
    assert np.array_equal(once.value, again.value) == (noise == 0)
    assert not once.score.any() and once.value.dtype == np.float32


@pytest.mark.parametrize("cell", [UNIT, CROWD])
@pytest.mark.parametrize("value", [-1.0, 0.4, 1.0])
def test_units_are_off_without_noise_and_with_it_as_often_as_the_normal_law_says(cell: str, value: float) -> None:
    leaf = LEAVES[cell]
    silent = read(lambda planes: same(value), leaf, 0, np.random.default_rng(0))(np.zeros(DRAWS)).value
    assert (silent == -1).all()
    noisy = read(lambda planes: same(value), leaf, 1.0, np.random.default_rng(0))(np.zeros(DRAWS)).value
    on = special.ndtr(value - THRESHOLD)
    deviation = 2 * math.sqrt(on * (1 - on) / leaf.units)
    assert noisy.mean() == pytest.approx(2 * on - 1, abs=4 * deviation / math.sqrt(DRAWS))
    assert noisy.std() == pytest.approx(deviation, rel=0.1)


def test_equal_searches_without_noise_share_the_points() -> None:
    settings = Settings(pairs=4, visits=3, max_moves=15)
    openings = even_openings(network, settings, np.random.default_rng(0))
    mover = puct_mover(read(network, LEAVES[VALUE], 0, np.random.default_rng(0)), 3, 0, np.random.default_rng(0))
    assert paired(mover, mover, openings, settings.rules) == 0.5


def test_a_pair_adds_up_to_one() -> None:
    openings = even_openings(network, Settings(pairs=20), np.random.default_rng(1))
    for_a = paired(policy(network), random_mover(np.random.default_rng(3)), openings, RULES)
    assert 0 <= for_a <= 1 and for_a != 0.5
    assert paired(policy(network), policy(network), openings, RULES) == 0.5


def test_the_policy_plays_its_likeliest_legal_move() -> None:
    games = begun(even_openings(network, Settings(pairs=6), np.random.default_rng(2)), RULES)
    moves = policy(network)(games)
    legal, logits = games.legal_mask(), network(games.observe()).logits
    for game, move in enumerate(moves):
        assert legal[game, move] and logits[game, move] == logits[game, legal[game]].max()


def test_openings_are_the_most_even_of_those_drawn() -> None:
    every = even_openings(network, Settings(pairs=40, drawn=1), np.random.default_rng(0))
    few = even_openings(network, Settings(pairs=10, drawn=4), np.random.default_rng(0))
    assert np.array_equal(few, every[:10]) and few.shape == (10, Settings().opening_plies)
    value = np.abs(network(begun(every, RULES).observe()).value)
    assert (np.diff(value) >= 0).all()


def test_a_search_without_noise_always_chooses_the_same() -> None:
    settings = Settings(pairs=3, shown=30, visits=4)
    openings = even_openings(network, settings, np.random.default_rng(0))
    board, shares = choices(network, openings, settings, np.random.default_rng(0))
    by_level = np.array(shares)
    assert by_level.sum(axis=1) == pytest.approx(1)
    assert by_level[0].max() == 1 and by_level[-1].max() < 1
    planes = begun(openings, RULES).observe()
    assert any(np.array_equal(board, own - enemy) for own, enemy in planes[:, :2])


def test_it_runs_and_its_figures_are_finite(result: Result) -> None:
    assert {criterion.figure for criterion in EXPERIMENT.criteria} <= set(result.estimates)
    assert all(math.isfinite(estimate.mean) for estimate in result.estimates.values())
    for cell, leaf in LEAVES.items():
        by_level = result.first(f"{cell}: by level")
        assert len(by_level) == len(leaf.levels)
        assert result.mean(f"{cell}: best") == by_level[leaf.levels.index(leaf.best)]
    assert f"{result.mean(f'{CROWD}: best'):.0%}" in EXPERIMENT.conclude(result)
    assert EXPERIMENT.draw(result).axes


def test_a_cell_is_a_function_of_its_arguments(result: Result) -> None:
    assert_a_function_of_its_arguments(result, VALUE)
