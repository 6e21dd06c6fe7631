"""The chi-squared test, the limits of temperature and the calibration error say what they should of known answers."""

import math

import numpy as np
import pytest
import torch

from goagent.lab.capture_go import Boards, random_boards
from goagent.lab.core import Result
from goagent.lab.one_to_many.models import Model, fresh
from goagent.lab.one_to_many.parameters_of_a_distribution import (
    CATEGORICAL,
    EXPERIMENT,
    TEMPERATURES,
    answers_to,
    excess_bits,
)
from goagent.lab.one_to_many.stated_probabilities import SIGNIFICANT, calibration, fit_of, limits, share_passed
from goagent.lab.runner import run_experiment
from goagent.policies.distributions import CategoricalMoves
from tests.goagent.lab.laws import assert_a_function_of_its_arguments


@pytest.fixture(scope="module")
def result() -> Result:
    return run_experiment(EXPERIMENT, "test", [0])


@pytest.fixture(scope="module")
def suite() -> Boards:
    return random_boards(7, 40, np.random.default_rng(0), "C2", (2, 9))


def oracle(suite: Boards) -> CategoricalMoves:
    """Says what the expert does."""
    logits = np.pad(np.where(suite.answers, 0.0, -40.0), ((0, 0), (0, 1)), constant_values=-40.0)
    return CategoricalMoves(torch.from_numpy(logits), torch.ones(logits.shape, dtype=torch.bool))


def test_true_counts_pass_and_false_ones_fail() -> None:
    rng = np.random.default_rng(0)
    probs = np.array([0.5, 0.3, 0.1, 0.05, 0.04, 0.008, 0.001, 0.001, 0.0])
    values = [fit_of(rng.multinomial(300, probs), probs) for _ in range(600)]
    assert np.mean(np.array(values) > SIGNIFICANT) == pytest.approx(0.99, abs=0.012)
    false = np.array([0.4, 0.4, *probs[2:]])
    assert np.mean([fit_of(rng.multinomial(300, false), probs) > SIGNIFICANT for _ in range(100)]) < 0.5
    assert fit_of(np.array([0, 5, 0]), np.array([0.5, 0.5, 0.0])) > SIGNIFICANT
    assert fit_of(np.array([9, 0, 1]), np.array([0.5, 0.5, 0.0])) == 0, "what cannot be was drawn"
    assert fit_of(np.array([10, 0]), np.array([1.0, 0.0])) == 1


def test_draws_of_an_answer_pass_and_those_of_another_do_not(suite: Boards) -> None:
    torch.manual_seed(0)
    answer = CategoricalMoves(torch.randn(40, 50), torch.rand(40, 50) < 0.5)
    assert share_passed(answer, draws=300, seed=0) >= 0.9

    class Loaded(CategoricalMoves):
        def sample(self, temperature: float = 1.0, generator: torch.Generator | None = None) -> torch.Tensor:
            return super().sample(0.7, generator)

    assert share_passed(Loaded(answer.raw, answer.legal), draws=1000, seed=0) < 0.3


def test_temperature_leads_from_the_likeliest_to_any_legal_move(suite: Boards) -> None:
    with torch.no_grad():
        answer = answers_to(fresh(CATEGORICAL, 0), suite)
    found = limits(answer)
    assert found["cold"] == 1
    assert found["cool"] > 0.99
    assert found["hot"] < 1e-4
    entropies = torch.stack([answer.categorical(temperature).entropy() for temperature in TEMPERATURES])
    assert (entropies.diff(dim=0) >= -1e-4).all(), "the hotter, the more even"
    assert torch.allclose(entropies[0], torch.zeros(40), atol=1e-5)


def test_the_oracle_is_calibrated_and_a_braggart_is_not(suite: Boards) -> None:
    said = oracle(suite)
    assert calibration(said, suite)["calibration error"] == pytest.approx(0, abs=1e-6)
    braggart = CategoricalMoves(said.raw + torch.eye(50, dtype=torch.double)[said.mode()] * 40, said.legal)
    even = (1 - 1 / suite.answers.sum(axis=1)).mean()  # it is sure of one of several
    figures = calibration(braggart, suite)
    assert figures["calibration error"] == pytest.approx(even, abs=1e-6)
    assert sum(count for _, _, count in figures["bins"]) == suite.answers.size


def test_no_log_loss_is_below_the_experts_entropy(suite: Boards) -> None:
    class Oracle(Model):
        def forward(self, planes: torch.Tensor, legal: torch.Tensor | None = None) -> CategoricalMoves:
            return oracle(suite)

    assert excess_bits(Oracle(torch.nn.Identity(), torch.nn.Identity()), suite) == pytest.approx(0, abs=1e-6)
    assert excess_bits(fresh(CATEGORICAL, 0), suite) > 1


def test_it_runs_and_its_figures_are_finite(result: Result) -> None:
    assert {criterion.figure for criterion in EXPERIMENT.criteria} <= set(result.estimates)
    assert all(math.isfinite(estimate.mean) for estimate in result.estimates.values())
    assert result.mean(f"{CATEGORICAL}: cold") == 1  # these two are the code's to keep, whatever was learned
    assert result.mean(f"{CATEGORICAL}: hot") <= 1e-4
    assert f"{result.mean(f'{CATEGORICAL}: S3 excess'):.3f}" in EXPERIMENT.conclude(result)
    assert EXPERIMENT.draw(result).axes


def test_a_cell_is_a_function_of_its_arguments(result: Result) -> None:
    assert_a_function_of_its_arguments(result, CATEGORICAL)
