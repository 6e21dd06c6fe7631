"""What a threshold tells of a signal: the closed form, its limits and its symmetry, and draws that agree with it."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goagent.lab.core import Result
from goagent.lab.energy.resonance import (
    ABOVE,
    BETWEEN,
    EXPERIMENT,
    HIGHEST,
    LOWEST,
    THRESHOLDS,
    chance_on,
    information,
    levels,
    sent,
    share_on,
    stones,
)
from goagent.lab.runner import run_experiment

chances = st.floats(0, 1)


@pytest.fixture(scope="module")
def result() -> Result:
    return run_experiment(EXPERIMENT, "test", [0])


@given(chances, chances)
def test_information_is_that_of_a_channel(low: float, high: float) -> None:
    bits = information(low, high)
    assert 0 <= bits <= 1
    assert bits == pytest.approx(information(high, low)) == pytest.approx(information(1 - low, 1 - high))
    # The same from its definition: the sum over signal and answer of p(s, a) log2 p(s, a) / p(s) p(a).
    on = (low + high) / 2
    total = sum(
        0.5 * p * math.log2(p / marginal)
        for chance in (low, high)
        for p, marginal in ((chance, on), (1 - chance, 1 - on))
        if p > 0 and marginal > 0
    )
    assert bits == pytest.approx(total, abs=1e-9)


def test_what_is_known_exactly() -> None:
    assert information(0, 1) == 1  # the answer is the signal
    assert information(0.3, 0.3) == 0  # the answer has nothing to do with it
    assert information(0, 0.5) == pytest.approx(0.75 * math.log2(4 / 3) + 0.25 * 2 - 0.5)  # the Z-channel
    rng = np.random.default_rng(0)
    assert share_on(THRESHOLDS[ABOVE], 0, 100, rng) == (0, 0)
    assert share_on(THRESHOLDS[BETWEEN], 0, 100, rng) == (0, 1)


def test_the_peak_lies_between_and_much_noise_drowns_all() -> None:
    noises = np.geomspace(0.05, 100, 200)
    bits = np.array([information(*chance_on(THRESHOLDS[ABOVE], noise)) for noise in noises])
    peak = bits.argmax()
    assert 0 < peak < len(noises) - 1 and (np.diff(bits[: peak + 1]) >= -1e-12).all()
    assert (np.diff(bits[peak:]) <= 0).all()
    assert bits[0] < 1e-6 and bits[-1] < 1e-4
    between = [information(*chance_on(THRESHOLDS[BETWEEN], noise)) for noise in noises]
    assert (np.diff(between) <= 0).all()  # where the threshold is right, noise only takes


@pytest.mark.parametrize("threshold", THRESHOLDS.values(), ids=THRESHOLDS)
@pytest.mark.parametrize("noise", [0.3, 0.8, 3.0])
def test_draws_agree_with_the_closed_form(threshold: float, noise: float) -> None:
    draws = 100_000
    measured, exact = share_on(threshold, noise, draws, np.random.default_rng(1)), chance_on(threshold, noise)
    assert np.abs(np.subtract(measured, exact)).max() < 5 * 0.5 / draws**0.5


def test_the_picture_is_sent_pixel_by_pixel() -> None:
    clean = sent(THRESHOLDS[BETWEEN], 0, np.random.default_rng(0))
    assert [[pixel == "1" for pixel in row] for row in clean] == stones().tolist()
    assert "1" not in "".join(sent(THRESHOLDS[ABOVE], 0, np.random.default_rng(0)))


def test_it_runs_and_its_figures_are_finite(result: Result) -> None:
    assert {criterion.figure for criterion in EXPERIMENT.criteria} <= set(result.estimates)
    assert all(math.isfinite(estimate.mean) for estimate in result.estimates.values())
    assert levels(EXPERIMENT.settings["full"])[[0, -1]] == pytest.approx([LOWEST, HIGHEST])
    figure = EXPERIMENT.draw(result)
    assert len(figure.axes) == 4
    assert "bits" in EXPERIMENT.conclude(result)
