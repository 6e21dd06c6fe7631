"""Positions have as many answers as stated; a difference is one of drawn moves; the figures are there."""

import math

import numpy as np
import pytest

from goagent.lab.capture_go import judge_moves, random_boards
from goagent.lab.core import Result
from goagent.lab.one_to_many.models import fresh
from goagent.lab.one_to_many.one_answer import ANY, EXPERIMENT, NUMBERS, ONE, SQUARED, measured, positions
from goagent.lab.runner import run_experiment
from tests.goagent.lab.laws import assert_a_function_of_its_arguments


@pytest.fixture(scope="module")
def result() -> Result:
    return run_experiment(EXPERIMENT, "test", [0])


def test_positions_have_the_number_of_answers_stated() -> None:
    settings = EXPERIMENT.settings["test"]
    suites, learned = positions(ONE, settings, 0)
    assert (learned.answers.sum(axis=1) == 1).all()
    for number, suite in suites.items():
        assert (suite.answers.sum(axis=1) == number).all() and len(suite.boards) == settings.suite
    others = positions(ANY, settings, 0)
    assert (others[0][1].boards == suites[1].boards).all(), "all cells are measured on the same positions"
    assert len(set(others[1].answers.sum(axis=1))) > 1


def test_the_mean_of_one_answer_is_the_answer() -> None:
    """Why squared error has nothing to average: the exact mean wins all positions with one answer."""
    suite = random_boards(7, 50, np.random.default_rng(0), answers=(1, 1))
    points = np.arange(49)
    mean = suite.answers @ np.stack([points // 7, points % 7], axis=1)
    assert judge_moves(suite.boards, mean[:, 0] * 7 + mean[:, 1]).wins.all()


def test_a_regressor_has_nothing_to_draw() -> None:
    suite = random_boards(7, 30, np.random.default_rng(0), answers=(2, 9))
    figures = measured(fresh(SQUARED, 0), suite, seed=0)
    assert figures["drawn"] == figures["likeliest"] and figures["entropy"] == 0


def test_an_untrained_distribution_has_much_to_draw() -> None:
    suite = random_boards(7, 30, np.random.default_rng(0))
    figures = measured(fresh("categorical", 0), suite, seed=0)
    assert figures["entropy"] > 2
    assert all(0 <= figures[choice] <= 1 for choice in ("drawn", "likeliest", "raw"))


def test_it_runs_and_its_figures_are_finite(result: Result) -> None:
    assert {criterion.figure for criterion in EXPERIMENT.criteria} <= set(result.estimates)
    assert all(math.isfinite(estimate.mean) for estimate in result.estimates.values())
    for number in NUMBERS:
        parts = (
            result.mean(f"{ANY}, categorical: {number} answers, drawn"),
            result.mean(f"{ANY}, {SQUARED}: {number} answers, likeliest"),
        )
        assert result.mean(f"over squared error, {number} answers") == pytest.approx(parts[0] - parts[1])
    assert f"{result.mean('over the likeliest'):+.1%}" in EXPERIMENT.conclude(result)
    assert EXPERIMENT.draw(result).axes


def test_a_cell_is_a_function_of_its_arguments(result: Result) -> None:
    assert_a_function_of_its_arguments(result, f"{ANY}, categorical")
