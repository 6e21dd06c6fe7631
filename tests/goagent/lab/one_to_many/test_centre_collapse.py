"""The lemmas behind centre-collapse, exactly; and the experiment runs and measures all that its criteria ask for."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from goagent.lab.capture_go import group_elements
from goagent.lab.core import Result
from goagent.lab.one_to_many import suites, sweeps
from goagent.lab.one_to_many.centre_collapse import EXPERIMENT
from goagent.lab.one_to_many.whole_games import EXPERIMENT as WHOLE_GAMES
from goagent.lab.runner import run_experiment
from goagent.policies.distributions import CategoricalMoves, PointMoves

CORNERS = np.array(list(itertools.product((-2.0, 2.0), (-2.0, 2.0))))
CONTACT = np.array([(0, 1), (1, 0), (0, -1), (-1, 0)])
KNIGHTS = np.array([(a, b) for a in (-2.0, -1, 1, 2) for b in (-2.0, -1, 1, 2) if abs(a) != abs(b)])


@settings(deadline=None, derandomize=True, max_examples=40)
@given(st.integers(2, 9), st.sampled_from(["C2", "D4", "D1"]), st.integers(0, 10_000))
def test_lemma_1_the_mean_of_symmetric_moves_is_as_symmetric(size, group, seed):
    rng = np.random.default_rng(seed)
    elements = group_elements(size, group, rng)
    chosen = rng.random(size * size) < 0.3
    chosen[rng.integers(size * size)] = True
    closed = chosen[elements].any(axis=0)  # with every move, its images
    points = np.arange(size * size)
    offsets = np.stack([points // size, points % size], axis=1) - (size - 1) / 2
    mean = offsets[closed].mean(axis=0)
    for element in elements:
        moved = np.linalg.lstsq(offsets, offsets[element], rcond=None)[0]  # the symmetry, as a matrix
        assert np.allclose(mean @ moved, mean)
    if group != "D1":  # with a half turn, or more, that is the centre
        assert np.allclose(mean, 0)


@pytest.mark.parametrize(
    "moves, error", [(CORNERS, 8), (KNIGHTS, 5), (np.array([(0, 1), (1, 0), (0, -1), (-1, 0)]), 1)]
)
def test_lemma_2_the_least_squared_error_is_the_square_of_the_radius(moves, error):
    assert np.mean(((moves - moves.mean(axis=0)) ** 2).sum(axis=1)) == pytest.approx(error)


def test_lemma_3_the_mean_of_n_moves_is_off_by_about_r_over_the_root_of_n():
    rng = np.random.default_rng(0)
    means = KNIGHTS[rng.integers(8, size=(400, 10_000))].mean(axis=1)
    quantile = np.quantile(np.linalg.norm(means, axis=1), 0.95)
    assert quantile == pytest.approx(math.sqrt(5 * math.log(20) / 10_000), rel=0.1)


def test_lemma_5_by_absolute_error_every_point_between_the_corners_is_as_good():
    for point in ((0, 0), (1, 1), (2, 2), (-2, 0.5)):
        assert np.abs(CORNERS - point).sum(axis=1).mean() == pytest.approx(4)


@pytest.mark.parametrize("name, moves", [("corners", CORNERS), ("knights", KNIGHTS)])
def test_lemma_5_the_least_errors_of_k_points_are_those_of_the_best_clusters(name, moves):
    for points, least in sweeps.LEAST_ERRORS[name].items():
        best = math.inf
        for labels in itertools.product(range(points), repeat=len(moves) - 1) if points < 8 else [range(1, 8)]:
            clusters = [moves[np.array([0, *labels]) == k] for k in range(points)]
            error = sum(((c - c.mean(axis=0)) ** 2).sum() for c in clusters if len(c)) / len(moves)
            best = min(best, error)
        assert best == pytest.approx(least, abs=1e-9)


@pytest.mark.parametrize("moves, critical", [(CORNERS, 1 / 8), (KNIGHTS, 1 / 5)])
def test_lemma_6_information_begins_where_the_price_of_error_passes_one_over_r_squared(moves, critical):
    assert rate(moves, 0.9 * critical) < 0.05 < 0.1 < rate(moves, 1.2 * critical)
    assert rate(moves, 40 * critical) == pytest.approx(math.log2(len(moves)), abs=0.1)


def rate(moves: np.ndarray, beta: float) -> float:
    """Bits of the cheapest answer about the move, minimising bits + beta * squared error (Blahut and Arimoto)."""
    grid = np.array(list(itertools.product(np.linspace(-2, 2, 17), repeat=2)))
    kernel = np.exp(-beta * ((moves[:, None] - grid) ** 2).sum(axis=2))
    shares = np.full(len(grid), 1 / len(grid))
    for _ in range(3000):
        channel = shares * kernel
        channel /= channel.sum(axis=1, keepdims=True)
        shares = channel.mean(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(channel > 0, channel * np.log2(channel / shares), 0)
    return float(terms.sum(axis=1).mean())


@pytest.mark.parametrize("sheet", suites.SHEETS, ids=lambda sheet: sheet.name)
def test_every_sheet_is_symmetric_and_its_targets_are_free(sheet):
    size = len(sheet.board)
    for element in group_elements(size, "D4", np.random.default_rng(0)):
        assert (sheet.board.ravel()[element] == sheet.board.ravel()).all()
        assert (sheet.targets[element] == sheet.targets).all()
    assert sheet.targets.sum() >= 4 and not sheet.board.ravel()[sheet.targets].any()


def test_what_is_measured_of_a_perfect_point_and_a_perfect_distribution():
    sheet = sweeps.KNIGHTS
    points = torch.zeros(1, 82)
    points[0, np.flatnonzero(sheet.targets)] = 30.0
    legal = torch.ones(1, 82, dtype=torch.bool)
    perfect = suites.measure_sheet(lambda _: CategoricalMoves(points, legal), sheet, 0)
    assert perfect["on targets"] == pytest.approx(1) and abs(perfect["gap"]) < 1e-6
    assert perfect["coverage"] == 1 and perfect["illegal"] < 1e-9 and abs(perfect["collapse"]) < 1e-6
    centre = suites.measure_sheet(lambda _: PointMoves(torch.tensor([[4.0, 4.0, -9.0]]), legal, 9, 9), sheet, 0)
    assert centre["collapse"] == 1 and centre["illegal"] == 1 and centre["on targets"] == 0


def test_where_the_collapse_begins_is_read_between_the_prices():
    shares = np.array([0.5, 1.0, 1.5])
    assert sweeps.crossing(shares, np.array([0.0, 0.25, 0.75]), 0.5) == pytest.approx(1.25)
    assert sweeps.crossing(shares, np.array([0.0, 0.25, 0.75]), 0.95) == 1.5
    assert sweeps.crossing(shares, np.array([0.6, 0.9, 1.0]), 0.5) == 0.5


def finite(result: Result) -> bool:
    return all(math.isfinite(estimate.mean) for estimate in result.estimates.values())


def test_the_experiment_measures_all_that_its_criteria_ask_for():
    result = run_experiment(EXPERIMENT, "test", [0])
    assert {criterion.figure for criterion in EXPERIMENT.criteria} <= set(result.estimates)
    assert finite(result) and "%" in EXPERIMENT.conclude(result)
    assert EXPERIMENT.draw(result).get_size_inches()[0] > 5


def test_whole_games_measure_all_that_their_criteria_ask_for():
    result = run_experiment(WHOLE_GAMES, "test", [0])
    assert {criterion.figure for criterion in WHOLE_GAMES.criteria} <= set(result.estimates)
    assert finite(result) and "%" in WHOLE_GAMES.conclude(result)
    WHOLE_GAMES.draw(result)
