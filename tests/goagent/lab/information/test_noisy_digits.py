"""What is left of a number under noise: the formulas against cases known by hand, and samples against the formulas."""

import math

import numpy as np
import pytest

from goagent.lab.core import Result
from goagent.lab.information.noisy_digits import (
    DIGIT,
    ESSAY,
    EXPERIMENT,
    HALF_WIDTHS,
    PLACES,
    digit_information,
    estimated_information,
    exact_digit_information,
    exact_information,
)
from goagent.lab.runner import run_experiment
from tests.goagent.lab.laws import assert_a_function_of_its_arguments


@pytest.fixture(scope="module")
def result() -> Result:
    return run_experiment(EXPERIMENT, "test", [0])


def test_the_formula_at_the_widths_of_the_essay() -> None:
    assert exact_information(0.002) == pytest.approx(12.288, abs=0.001)
    assert exact_information(0.02) / DIGIT == pytest.approx(2.699, abs=0.001)
    assert exact_information(10) == pytest.approx(0.5 / math.log(2)), "the sum's density is a triangle"
    with pytest.raises(ValueError, match="no wider"):
        exact_information(10.1)
    with pytest.raises(ValueError, match="above 0"):
        exact_information(0)


@pytest.mark.parametrize("width", [0.01, 1.0, 7.0])
def test_the_formula_is_the_entropy_of_a_trapezium_less_that_of_the_noise(width: float) -> None:
    steps = 2_000_000
    at = (np.arange(steps) + 0.5) / steps * (10 + width)
    density = np.minimum(np.minimum(at, 10 + width - at) / width, 1) / 10
    entropy = -float((density * np.log2(density)).mean()) * (10 + width)
    assert exact_information(width) == pytest.approx(entropy - math.log2(width), abs=1e-5)


def test_a_digit_by_hand() -> None:
    assert exact_digit_information(1e-9, 1.0) == pytest.approx(DIGIT, abs=1e-6), "hardly any noise: all of it"
    for turns in (1, 2, 20):
        assert exact_digit_information(10.0 * turns, 1.0) == pytest.approx(0, abs=1e-9), "all digits alike"
    # Two units wide: one digit is sure to have half of it, and two share the other half evenly on average.
    binary = 0.5 / math.log(2)  # mean entropy of a coin whose odds are uniform
    assert exact_digit_information(2.0, 1.0) == pytest.approx(DIGIT - 1 - 0.5 * binary, abs=1e-4)
    assert exact_digit_information(0.25, 0.1) == pytest.approx(exact_digit_information(25, 10))
    assert 0.02 < exact_digit_information(25, 1.0) < 0.03, "two periods and a half"


def test_rounding_keeps_the_places_above_and_none_below() -> None:
    a = np.random.default_rng(0).uniform(0, 10, 50_000)
    cut = np.floor(a * 10) / 10 + 0.05  # tenths are kept as they are
    assert [round(digit_information(a, cut, place), 2) for place in range(4)] == [3.32, 3.32, 0, 0]


@pytest.mark.parametrize("half", [0.5, 0.05, 0.0003])
def test_estimates_meet_the_formulas(half: float) -> None:
    rng = np.random.default_rng(1)
    a = rng.uniform(0, 10, 50_000)
    noisy = a + rng.uniform(-half, half, len(a))
    assert estimated_information(a, noisy) == pytest.approx(exact_information(2 * half), abs=0.05)
    for place in PLACES:
        exact = exact_digit_information(2 * half, 10.0**-place)
        assert digit_information(a, noisy, place) == pytest.approx(exact, abs=0.06)


def test_another_number_says_nothing() -> None:
    rng = np.random.default_rng(2)
    a, other = rng.uniform(0, 10, (2, 50_000))
    assert all(abs(digit_information(a, other, place)) < 0.01 for place in PLACES)


def test_it_runs_and_its_figures_are_finite(result: Result) -> None:
    assert {criterion.figure for criterion in EXPERIMENT.criteria} <= set(result.estimates)
    assert all(math.isfinite(estimate.mean) for estimate in result.estimates.values())
    for cell in HALF_WIDTHS:
        assert result.mean(f"{cell}: formula") == exact_information(2 * float(cell))
        assert result.mean(f"{cell}: digits") == pytest.approx(result.mean(f"{cell}: information") / DIGIT)
    assert f"{result.mean(f'{ESSAY}: digits'):.2f} digits" in EXPERIMENT.conclude(result)
    assert EXPERIMENT.draw(result).axes


def test_a_cell_is_a_function_of_its_arguments(result: Result) -> None:
    assert_a_function_of_its_arguments(result, ESSAY)
