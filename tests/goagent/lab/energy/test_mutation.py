"""NK landscapes and linear policies are what they claim to be, climbs end on optima, and copies stay where they are."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goagent.lab.capture_go import ENEMY, OWN, legal_points, random_boards
from goagent.lab.core import Result
from goagent.lab.energy.mutation import (
    BITS,
    EXPERIMENT,
    GO,
    NEIGHBOURS,
    NK,
    RATES,
    SIGMAS,
    SIZE,
    UNRELATED,
    WEIGHTS,
    WINDOW,
    Bits,
    Policies,
    evolve,
    expected_best,
    litter,
    windows,
)
from goagent.lab.runner import run_experiment
from tests.goagent.lab.laws import assert_a_function_of_its_arguments

TEST = EXPERIMENT.settings["test"]


@pytest.fixture(scope="module")
def result() -> Result:
    return run_experiment(EXPERIMENT, "test", [0])


@pytest.fixture(scope="module")
def landscape() -> Bits:
    return Bits(True, np.random.default_rng(0))


@pytest.fixture(scope="module")
def policies() -> Policies:
    return Policies(TEST, np.random.default_rng(0))


def test_an_nk_landscape_adds_what_each_bit_and_the_four_after_it_say(landscape: Bits) -> None:
    rng = np.random.default_rng(0)
    tables = [rng.random(1 << NEIGHBOURS + 1) for _ in range(BITS)]
    genomes = np.random.default_rng(1).integers(1 << BITS, size=50)

    def value(genome: int) -> float:
        bits = [genome >> i & 1 for i in range(BITS)]
        return sum(
            table[sum(bits[(i + j) % BITS] << j for j in range(NEIGHBOURS + 1))] for i, table in enumerate(tables)
        )

    slowly = np.array([value(int(genome)) for genome in genomes])
    quickly = landscape.fitness(genomes)
    slope, offset = np.polyfit(quickly, slowly, 1)
    np.testing.assert_allclose(slope * quickly + offset, slowly)
    assert landscape.values.mean() == pytest.approx(0, abs=1e-9) and landscape.values.std() == pytest.approx(1)


def test_a_flip_changes_five_of_twenty_parts() -> None:
    """The correlation of neighbours: 3/4 of the parts stay, and two others of a table of 32 correlate by -1/31."""
    entries = 1 << NEIGHBOURS + 1
    expected = 1 - (NEIGHBOURS + 1) / BITS * (1 + 1 / (entries - 1))
    every = np.arange(1 << BITS)
    for related, correlation in ((True, expected), (False, 0)):
        values = Bits(related, np.random.default_rng(2)).values
        found = np.mean([(values * values[every ^ 1 << bit]).mean() for bit in range(BITS)])
        assert found == pytest.approx(correlation, abs=0.03)


def test_climbs_end_on_optima_and_stay_there(landscape: Bits) -> None:
    optima, evaluations = landscape.climb(landscape.random(100, np.random.default_rng(0)))
    assert (landscape.values[optima, None] >= landscape.values[optima[:, None] ^ 1 << np.arange(BITS)]).all()
    assert (evaluations % BITS == 0).all() and evaluations.min() >= BITS
    again, once = landscape.climb(optima)
    assert (again == optima).all() and (once == BITS).all()


@given(st.lists(st.integers(-50, 50), min_size=4, max_size=7), st.integers(1, 4))
def test_the_expected_best_is_the_mean_over_all_subsets(values: list[int], brood: int) -> None:
    exactly = np.mean([max(subset) for subset in combinations(values, brood)])
    assert expected_best(np.array(values, float), brood) == pytest.approx(exactly)


def test_no_mutation_copies_and_the_most_forgets(landscape: Bits, policies: Policies) -> None:
    rng = np.random.default_rng(0)
    for one in (landscape, policies):
        parents = one.random(200, rng)
        assert np.array_equal(one.mutate(parents, one.levels[0], rng), parents)
    flips = landscape.random(5000, rng)
    flips ^= landscape.mutate(flips, RATES[-1], rng)
    assert (flips[:, None] >> np.arange(BITS) & 1).mean(axis=0) == pytest.approx(0.5, abs=0.05)
    parents = policies.random(200, rng)
    children = policies.mutate(parents, SIGMAS[-1], rng)
    assert (children**2).mean(axis=1) == pytest.approx(1, rel=1e-5)
    assert abs((parents * children).mean()) < 0.05
    near = policies.mutate(parents, 1.0, rng)
    assert (parents * near).mean() == pytest.approx(math.sqrt(0.5), abs=0.01)


def test_a_policy_sees_what_is_around_a_point() -> None:
    board = np.zeros((1, SIZE, SIZE), np.int8)
    board[0, 0, 1], board[0, 2, 0] = OWN, ENEMY
    own, enemy, empty, off = windows(board)[0, 0].reshape(4, WINDOW, WINDOW)  # around the upper left corner
    middle = WINDOW // 2
    assert np.argwhere(own).tolist() == [[middle, middle + 1]]
    assert np.argwhere(enemy).tolist() == [[middle + 2, middle]]
    assert off[:middle].all() and off[:, :middle].all() and off.sum() == WINDOW**2 - 16
    assert (own + enemy + empty + off == 1).all()


def test_the_share_of_a_policy_is_how_often_its_move_wins(policies: Policies) -> None:
    boards, answers = random_boards(SIZE, TEST.positions, np.random.default_rng(0))
    legal = legal_points(boards)
    weights = policies.random(3, np.random.default_rng(1))
    scores = np.where(legal[..., None], windows(boards) @ weights.T, -np.inf)
    contested = (legal & ~answers).any(axis=1)
    won = np.take_along_axis(answers, scores.argmax(axis=1), axis=1)[contested]
    assert policies.share(weights) == pytest.approx(won.mean(axis=0), abs=1e-9)
    assert weights.shape == (3, WEIGHTS)


def test_evolution_without_mutation_stays_and_with_it_only_gains(landscape: Bits, policies: Policies) -> None:
    rng = np.random.default_rng(0)
    for one in (landscape, policies):
        start = one.random(4, rng)
        before = one.fitness(start)
        assert np.array_equal(evolve(one, start, 0, 10, 5, rng), before)
        after = evolve(one, start, one.levels[4], 10, 5, rng)
        assert (after >= before).all() and (after > before).any()


def test_a_litter_without_mutation_is_the_parent(landscape: Bits) -> None:
    parent = np.int64(12345)
    spread, better, best = litter(landscape, parent, 200, 50, np.random.default_rng(0))
    assert [spread[0], better[0], best[0]] == pytest.approx([0, 0, landscape.values[parent]], abs=1e-12)
    assert spread[-1] == pytest.approx(1, abs=0.15)


def test_it_runs_and_its_figures_are_finite(result: Result) -> None:
    assert {criterion.figure for criterion in EXPERIMENT.criteria} <= set(result.estimates)
    assert all(math.isfinite(estimate.mean) for estimate in result.estimates.values())
    assert result.mean(f"{NK}: left without") == result.mean(f"{UNRELATED}: left without") == 0
    left = result.first(f"{NK}: left by level")
    assert result.mean(f"{NK}: left at most") == left[-1] and len(left) == len(RATES)
    assert f"{result.mean(f'{GO}: learned'):.0%}" in EXPERIMENT.conclude(result)
    assert EXPERIMENT.draw(result).axes


@pytest.mark.parametrize("cell", [NK, GO])
def test_a_cell_is_a_function_of_its_arguments(cell: str, result: Result) -> None:
    assert_a_function_of_its_arguments(result, cell)
