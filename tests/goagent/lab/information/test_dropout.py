"""What passes noisy units, and what two kinds of dropout expect, as theory has them; then that the experiment runs."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from envs.planes import OFFSETS
from goagent.lab.core import Result
from goagent.lab.information.dropout import (
    ALPHA,
    ARMS,
    BERNOULLI,
    BITS,
    EXPERIMENT,
    GAUSSIAN,
    PLAIN,
    PLENTY,
    STD,
    STRONG,
    TEACHER,
    VARIATIONAL,
    WIDTH,
    P,
    accuracy,
    bits_by_units,
    build,
    from_games,
    from_teacher,
    likelihoods,
    sampling_saves,
    told_apart,
)
from goagent.lab.runner import run_experiment
from goagent.noise.dropout import GaussianDropout, VariationalLinear, matching_alpha
from tests.goagent.lab.laws import assert_a_function_of_its_arguments
from tests.goagent.noise.measure import assert_mean, assert_variance

TEST = EXPERIMENT.settings["test"]
KOMI = 49 * OFFSETS["komi"]  # where its plane begins
DRAWS = 20_000


@pytest.fixture(scope="module")
def result() -> Result:
    return run_experiment(EXPERIMENT, "test", [0])


def bits(arm: str, units: Tensor, draws: int = 2000, seed: int = 0) -> float:
    torch.manual_seed(seed)
    chosen = torch.randint(len(units), (draws,))
    return told_apart(likelihoods(arm, units, chosen), chosen)


def test_bits_are_none_if_all_inputs_are_as_likely_and_all_if_one_is_sure() -> None:
    chosen = torch.tensor([3, 0])
    assert told_apart(torch.full((2, 16), -7.0), chosen) == pytest.approx(0)
    sure = torch.full((2, 16), -math.inf).scatter(1, chosen[:, None], 0)
    assert told_apart(sure, chosen) == pytest.approx(4)
    assert told_apart(sure + math.log(0.01), chosen) == pytest.approx(4), "a density has no scale"


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 4), st.integers(0, 99))
def test_a_unit_under_dropout_is_an_erasure_channel(units: int, seed: int) -> None:
    """It arrives whole or not at all: of units that tell all inputs apart, one is enough."""
    sent = torch.rand(64, units, generator=torch.Generator().manual_seed(seed))
    arrives = 1 - P[BITS] ** units
    error = 6 * math.sqrt(arrives * (1 - arrives) / 2000)
    assert bits(BERNOULLI, sent, seed=seed) == pytest.approx(6 * arrives, abs=6 * error)
    assert bits(PLAIN, sent) == pytest.approx(6)


def test_signs_pass_a_bit_each_at_most() -> None:
    codes = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    assert bits(PLAIN, codes) == pytest.approx(2)
    assert bits(BERNOULLI, codes, 20_000) == pytest.approx(2 * (1 - P[BITS]), abs=0.03)
    assert bits(BERNOULLI, codes[:, :1], 20_000) == pytest.approx(1 - P[BITS], abs=0.03)


def test_a_unit_under_gaussian_noise_passes_the_capacity_of_its_channel() -> None:
    units = torch.randn(1000, 4, generator=torch.Generator().manual_seed(0))
    capacity = 0.5 * math.log2(1 + 1 / STD[STRONG] ** 2)
    assert bits(STRONG, units[:, :1], 4000) == pytest.approx(capacity, abs=0.03)
    assert bits(STRONG, units, 4000) == pytest.approx(4 * capacity, abs=0.06)


def test_louder_units_drown_gaussian_noise_and_never_gaussian_dropout() -> None:
    units = torch.rand(200, 2, generator=torch.Generator().manual_seed(0))
    assert bits(STRONG, 100 * units) > bits(STRONG, units) + 3
    assert bits(GAUSSIAN, 100 * units) == pytest.approx(bits(GAUSSIAN, units), abs=1e-3)


@pytest.mark.parametrize("arm", [GAUSSIAN, STRONG])
def test_likelihoods_differ_by_the_divergence_of_what_two_inputs_send(arm: str) -> None:
    units = torch.tensor([[1.0, 0.5], [2.0, -0.4]])
    variances = (
        matching_alpha(P[BITS]) * units.square() if arm == GAUSSIAN else torch.full_like(units, STD[STRONG] ** 2)
    )
    torch.manual_seed(0)
    logs = likelihoods(arm, units, torch.zeros(DRAWS, dtype=torch.int64))
    ratio, square = variances[0] / variances[1], (units[0] - units[1]).square()
    divergence = 0.5 * (ratio - 1 - ratio.log() + square / variances[1]).sum()
    assert_mean(logs[:, 0] - logs[:, 1], divergence)


def test_more_units_say_more_and_all_of_them_the_most() -> None:
    units = torch.rand(64, WIDTH, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    path = bits_by_units(BERNOULLI, units, torch.randint(64, (500,)))
    assert path == sorted(path) and path[-1] == pytest.approx(6)
    units[:, 1:] = 0
    path = bits_by_units(BERNOULLI, units, torch.randint(64, (500,)))
    assert path == [path[0]] * len(path) and path[0] > 1, "and those that say nothing take nothing away"
    units = torch.rand(64, WIDTH)
    assert 0 < bits_by_units(STRONG, units, torch.randint(64, (500,)))[-1] < 5


def layer_and_inputs() -> tuple[VariationalLinear, Tensor, Tensor]:
    torch.manual_seed(0)
    return VariationalLinear(5, 3, 0.3).requires_grad_(False), torch.randn(5), torch.randn(3)


def outputs(layer: VariationalLinear, x: Tensor) -> tuple[Tensor, Tensor]:
    """(DRAWS, 3) each, of Gaussian dropout of the inputs, and of variational dropout of the same variance."""
    many = x.expand(DRAWS, 5)
    return functional.linear(GaussianDropout(0.3)(many), layer.weight, layer.bias), layer(many)


def test_gaussian_and_variational_dropout_expect_the_same_squared_error() -> None:
    """That without noise, and the variance of the outputs, which is a ridge weighted by the inputs' squares."""
    layer, x, y = layer_and_inputs()
    error = (functional.linear(x, layer.weight, layer.bias) - y).square().sum()
    ridge = 0.3 * (layer.weight.square() @ x.square()).sum()
    for drawn in outputs(layer, x):
        assert_mean((drawn - y).square().sum(dim=1), error + ridge)


def test_but_only_gaussian_dropout_moves_all_outputs_at_once() -> None:
    layer, x, _ = layer_and_inputs()
    together = 0.3 * (layer.weight.sum(dim=0) * x).square().sum()
    apart = 0.3 * (layer.weight.square() @ x.square()).sum()
    for drawn, variance in zip(outputs(layer, x), (together, apart), strict=True):
        assert_variance(drawn.sum(dim=1), variance)
    assert abs(together / apart - 1) > 0.1


def test_local_noise_is_apart_for_each_example_so_that_it_averages_out_in_a_batch() -> None:
    """Kingma et al. 2015, section 2.2: the variance of a batch's mean is that of one example, by the batch's size."""
    layer, x, _ = layer_and_inputs()
    batch = 10
    local = layer(x.expand(DRAWS // batch, batch, 5))[..., 0]
    variance = 0.3 * layer.weight[0].square() @ x.square()
    assert_variance(local.mean(dim=1), variance / batch)
    weights = layer.weight[0] * (1 + math.sqrt(0.3) * torch.randn(DRAWS, 5))  # one draw for a whole batch
    assert_variance((weights @ x)[:, None].expand(-1, batch).mean(dim=1), variance)


def test_arms_begin_with_the_same_weights_and_answer_alike_without_noise() -> None:
    answers = []
    for arm in ARMS:
        torch.manual_seed(3)
        answers.append(build(arm, 4, 2, 0.5).eval()(torch.ones(1, 4)))
    assert all(torch.equal(answer, answers[0]) for answer in answers)
    torch.manual_seed(3)
    noisy = build(VARIATIONAL, 4, 2, 0.5)
    assert not torch.equal(noisy(torch.ones(1, 4)), noisy(torch.ones(1, 4)))
    assert noisy[0].alpha.item() == pytest.approx(ALPHA)


def test_a_teachers_labels_are_a_function_of_the_board_and_some_are_disturbed() -> None:
    torch.manual_seed(0)
    clean = from_teacher(4000, 50, wrong=0)
    torch.manual_seed(0)
    disturbed = from_teacher(4000, 50, wrong=0.3)
    assert torch.equal(clean.x, disturbed.x) and torch.equal(clean.y_test, disturbed.y_test)
    assert (clean.y != disturbed.y).double().mean().item() == pytest.approx(0.3 * 7 / 8, abs=0.03)
    assert set(clean.x.unique().tolist()) == {-1, 0, 1}


def test_games_to_learn_from_are_apart_from_the_tests() -> None:
    data = from_games(0, TEST)
    assert len(data.x) > 50 and len(data.x_test) == TEST.tests
    for allowed, y in ((data.allowed, data.y), (data.allowed_test, data.y_test)):
        assert allowed.gather(1, y[:, None]).all(), "an expert's move is legal"
    shown = [torch.cat([x[:, :KOMI], x[:, KOMI + 49 :]], dim=1) for x in (data.x_test, data.x)]
    assert not (shown[0][:, None] == shown[1]).all(dim=2).any(), "nor do they share the empty board, whatever the komi"
    assert not torch.equal(from_games(1, TEST).x, data.x)


def test_accuracy_is_of_allowed_answers_without_noise() -> None:
    network = nn.Sequential(nn.Identity(), nn.Dropout(0.9))
    x, allowed = torch.tensor([[3.0, 1.0, 0.0], [0.0, 2.0, 1.0]]), torch.tensor([[False, True, True], [True] * 3])
    assert accuracy(network, x, allowed, torch.tensor([1, 1])) == 1
    assert accuracy(network, x, allowed, torch.tensor([0, 1])) == 0.5
    assert network.training


def test_samples_save_nothing_without_noise() -> None:
    torch.manual_seed(0)
    data = from_teacher(10, 50, wrong=0)
    assert sampling_saves(build(PLAIN, 49, 8, 0.5).eval(), data) == pytest.approx(0, abs=1e-5)
    assert abs(sampling_saves(build(BERNOULLI, 49, 8, 0.5).eval(), data)) > 1e-4


def test_it_runs_and_its_figures_are_finite(result: Result) -> None:
    assert {criterion.figure for criterion in EXPERIMENT.criteria} <= set(result.estimates)
    assert all(math.isfinite(estimate.mean) for estimate in result.estimates.values())
    gain = result.mean(f"{TEACHER}: {GAUSSIAN}, accuracy") - result.mean(f"{TEACHER}: {PLAIN}, accuracy")
    assert result.mean(f"{TEACHER}: {GAUSSIAN}, gain") == pytest.approx(gain)
    assert result.mean(f"{BITS}: {PLAIN}, unit") == pytest.approx(math.log2(TEST.inputs))
    assert result.mean(f"{BITS}: {BERNOULLI}, unit") < result.mean(f"{BITS}: {PLAIN}, unit")
    assert f"{100 * result.mean(f'{PLENTY}: {BERNOULLI}, gain'):+.1f}" in EXPERIMENT.conclude(result)
    assert EXPERIMENT.draw(result).axes


def test_a_cell_is_a_function_of_its_arguments(result: Result) -> None:
    assert_a_function_of_its_arguments(result, BITS)
