"""What is measured about variational autoencoders is what it says: bits, gaps, rates, and which noise is on."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from goagent.lab.core import Result
from goagent.lab.information.known_networks import train
from goagent.lab.information.variational_autoencoder import (
    ARMS,
    DIMENSION,
    EXPERIMENT,
    GO,
    INPUTS,
    NOISY,
    PLAIN,
    PLY,
    SIZE,
    UNITS,
    VAE,
    Autoencoders,
    boards_of_games,
    by_frequencies,
    cross_entropy,
    error_at_fit,
    linear_units,
    measure_arms,
    moments,
    noisy_parts,
    squared_error,
    unit_rates,
    vectors,
    wrong_way,
)
from goagent.lab.runner import run_experiment
from goagent.noise.bottleneck import rate_bits
from tests.goagent.lab.laws import assert_a_function_of_its_arguments

TEST = EXPERIMENT.settings["test"]
curves = st.lists(st.floats(0, 100), min_size=2, max_size=9)


@pytest.fixture(scope="module")
def result() -> Result:
    return run_experiment(EXPERIMENT, "test", [0])


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def test_noise_is_on_where_it_is_asked_for_and_in_training_only() -> None:
    networks, x = Autoencoders([False, True], 5, 5), torch.randn(1, 9, 5).expand(2, -1, -1)
    (once, rates), (again, rates_again) = networks.train()(x), networks(x)
    assert torch.equal(once[0], again[0]) and not torch.equal(once[1], again[1])
    assert torch.equal(rates, rates_again) and rates.shape == (2, 9)
    assert torch.equal(networks.eval()(x)[0], networks(x)[0])
    assert torch.equal(networks(x)[0][0], once[0])


def test_networks_side_by_side_do_not_meet() -> None:
    """What one learns from has no gradient in another."""
    networks, x = Autoencoders([False, True, True], 5, 5), torch.randn(3, 9, 5)
    answers, rates = networks(x)
    (squared_error(1)(answers, x)[1] + rates[1]).sum().backward()
    for parameter in networks.parameters():
        assert parameter.grad is not None
        assert not parameter.grad[[0, 2]].any() and parameter.grad[1].any()


def test_what_is_learned_from_is_distortion_and_price_times_rate() -> None:
    networks, x = Autoencoders([False], 5, 5), torch.randn(1, 1, 5)
    answers, rates = networks(x)
    loss = networks.bound(x, torch.tensor([2.0]), squared_error(1))
    torch.testing.assert_close(loss, (squared_error(1)(answers, x) + 2 * rates).sum())


def test_a_priced_code_loses_its_rate() -> None:
    networks, x = Autoencoders([True, True], 5, 5), torch.randn(2, 60, 5)
    prices = torch.tensor([0.0, 10.0])
    train(networks, lambda: networks.bound(x, prices, squared_error(1)), 60, 0.03)
    distortions, (free, dear) = noisy_parts(networks, x, squared_error(1))
    assert dear < 1 < free and distortions[1] > distortions[0]


def test_distortion_is_measured_with_the_noise_on() -> None:
    networks, x = Autoencoders([False, True], 5, 5), torch.randn(1, 200, 5).expand(2, -1, -1)
    for layer in (networks.encoder[2], networks.decoder[0]):
        layer.weight.data.zero_()  # the code is noise, and does not come from x
        layer.bias.data.fill_(1)
    networks.encoder[2].weight.data[:, :, UNITS:] = 3
    networks.decoder[0].weight.data.fill_(1)
    distortions, _ = noisy_parts(networks, x, squared_error(1))
    with torch.no_grad():
        silent = squared_error(1)(networks.eval()(x)[0], x).mean(dim=1)
    assert distortions[0] == pytest.approx(float(silent[0]), rel=1e-5)
    assert distortions[1] > 1.01 * float(silent[1])


def test_the_first_examples_are_learned_from_and_the_rest_held_out() -> None:
    x = torch.cat([torch.zeros(TEST.examples, 5), torch.ones(30, 5)])
    figures = measure_arms(x, TEST, squared_error(1), 5)
    assert all(figures[f"{arm} gap"] > 0.1 for arm in ARMS)
    assert figures["example"] == [1] * 5


def test_cross_entropy_is_the_bits_to_tell_a_board() -> None:
    boards = torch.tensor([[-1.0, 0, 1, 1]])
    assert float(cross_entropy(torch.zeros(1, 12), boards)) == pytest.approx(4 * math.log2(3))
    right = torch.eye(3)[[0, 1, 2, 2]].flatten() * 99
    assert float(cross_entropy(right[None], boards)) == pytest.approx(0, abs=1e-5)
    assert float(cross_entropy(right[None], -boards)) > 3 * 99


def test_squared_error_is_the_bits_of_a_gaussian() -> None:
    x, answer, std = torch.tensor([0.3, -1.2]), torch.tensor([0.1, 0.4]), 0.7
    lost = torch.distributions.Normal(x, std).log_prob(x) - torch.distributions.Normal(answer, std).log_prob(x)
    assert float(squared_error(std)(answer, x)) == pytest.approx(float(lost.sum()) / math.log(2), rel=1e-5)


def test_frequencies_of_a_fair_die_cost_its_entropy() -> None:
    boards = torch.tensor([[-1.0], [0.0], [1.0]])
    assert by_frequencies(boards.repeat(20, 1), boards) == pytest.approx(math.log2(3))
    assert by_frequencies(boards[:1].repeat(10_000, 1), boards[:1]) < 0.001


def test_vectors_differ_by_their_noise_alone() -> None:
    noisy = vectors(3, 500, 0.7)
    torch.manual_seed(0)
    clean = vectors(3, 500, 0)
    assert float((noisy - clean).std()) == pytest.approx(0.7, rel=0.03)
    assert noisy.shape == (500, INPUTS) and clean.abs().max() < 1


def test_boards_are_those_of_games_in_progress() -> None:
    boards = boards_of_games(TEST.games)
    assert boards.shape[1] == SIZE**2 and set(np.unique(boards)) == {-1, 0, 1}
    stones = np.abs(boards).sum(axis=1)
    assert stones.max() == PLY and (stones % 2 == PLY % 2).mean() > 0.3  # one a move, less what is captured
    assert len(np.unique(boards, axis=0)) == len(boards), "a board would be learned from and held out, too"
    assert abs((boards == 1).sum() - (boards == -1).sum()) < 0.1 * stones.sum()


@given(curves)
def test_nothing_goes_the_wrong_way_where_rates_fall_and_distortions_rise(numbers: list[float]) -> None:
    rising = np.sort(np.array(numbers))
    assert wrong_way(-rising, rising) <= 0
    assert wrong_way(rising, rising) == pytest.approx(np.diff(rising).max())
    assert wrong_way(-rising, -rising) == pytest.approx(np.diff(rising).max())


@given(curves, st.data())
def test_the_error_at_a_fit_is_on_the_curve(numbers: list[float], data: st.DataObject) -> None:
    fits, errors = np.sort(np.array(numbers))[::-1], np.arange(len(numbers)) * 1.0
    assert errors[np.isclose(fits, fits[0])].min() <= error_at_fit(fits, errors, fits[0]) <= errors.max()
    fit = data.draw(st.floats(fits[-1], fits[0]))
    assert 0 <= error_at_fit(fits, errors, fit) <= errors.max()


def test_the_error_at_a_fit_lies_between_its_moments() -> None:
    assert error_at_fit(np.array([40.0, 30, 20]), np.array([45.0, 41, 50]), 25) == 45.5


def test_moments_are_denser_early_and_end_at_the_end() -> None:
    steps = moments(1500)
    assert steps[-1] == 1500 and steps == sorted(set(steps))
    assert (np.diff(steps, 2) >= -2).all()


def test_unit_rates_add_up_to_the_rate() -> None:
    networks, x = Autoencoders([True, True], 5, 5), torch.randn(2, 9, 5)
    each = unit_rates(networks.encoder(x))
    assert each.shape == (2, UNITS)
    torch.testing.assert_close(each.sum(dim=1), networks(x)[1].mean(dim=1))


def test_linear_units_are_those_of_a_linear_variational_autoencoder() -> None:
    """Its posterior for a component with eigenvalue v: variance s^2 / v, of means 1 - s^2 / v."""
    eigenvalue, noise = 3.0, 0.7
    means = torch.randn(400_000, 1) * math.sqrt(1 - noise**2 / eigenvalue)
    rate = rate_bits(means, torch.full_like(means, noise / math.sqrt(eigenvalue))).mean()
    assert float(rate) == pytest.approx(0.5 * math.log2(eigenvalue / noise**2), rel=0.02)
    x = torch.randn(20_000, 3) @ torch.linalg.qr(torch.randn(INPUTS, 3)).Q.T * 3 + noise * torch.randn(20_000, INPUTS)
    assert linear_units(x, noise) == 3


def test_the_plain_one_is_measured_against_itself(result: Result) -> None:
    for cell in (GO, NOISY):
        assert result.mean(f"{cell}: {PLAIN} ratio") == 1
        for arm in ARMS:
            fits, errors = result.first(f"{cell}: {arm} fits"), result.first(f"{cell}: {arm} errors")
            assert result.mean(f"{cell}: {arm} gap") == pytest.approx(errors[-1] - fits[-1], abs=1e-4)
    without = result.first(f"{GO}: {PLAIN} fits")[-1]
    assert result.mean(f"{GO}: {PLAIN} distortion learned") == pytest.approx(without, rel=1e-5)


def test_it_runs_and_its_figures_are_finite(result: Result) -> None:
    assert {criterion.figure for criterion in EXPERIMENT.criteria} <= set(result.estimates)
    assert all(math.isfinite(estimate.mean) for estimate in result.estimates.values())
    assert f"{result.mean(f'{GO}: {VAE} ratio'):.0%}" in EXPERIMENT.conclude(result)
    assert len(EXPERIMENT.draw(result).axes) == 7


@pytest.mark.parametrize("cell", [NOISY, DIMENSION])
def test_a_cell_is_a_function_of_its_arguments(cell: str, result: Result) -> None:
    assert_a_function_of_its_arguments(result, cell)
