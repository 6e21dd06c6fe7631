"""Units that begin alike stay alike to the last bit, are one unit, and are parted by noise of their own."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from goagent.lab.core import Result
from goagent.lab.energy.symmetry import (
    BATCHES,
    CLASSES,
    DROPOUT,
    EXPERIMENT,
    FULL,
    INPUTS,
    NOISE,
    PRODUCTS,
    RANDOM,
    UNITS,
    UnitByUnit,
    begin,
    clusters,
    weights,
)
from goagent.lab.runner import run_experiment
from goagent.noise.initialisation import initialise_alike, unit_deviation, unit_rank
from tests.goagent.lab.laws import assert_a_function_of_its_arguments

TEST = EXPERIMENT.settings["test"]


@pytest.fixture(scope="module")
def result() -> Result:
    return run_experiment(EXPERIMENT, "test", [0])


def layered(units: int = UNITS) -> nn.Sequential:
    return nn.Sequential(nn.Linear(INPUTS, units), nn.Tanh(), nn.Linear(units, CLASSES))


def test_unit_by_unit_is_the_same_function() -> None:
    torch.manual_seed(0)
    network, x = layered(), torch.randn(9, INPUTS)
    apart = UnitByUnit(network)
    torch.testing.assert_close(apart(x), network(x))
    assert torch.equal(apart.weights()[:, :INPUTS], network[0].weight)
    assert torch.equal(apart.weights()[:, INPUTS + 1 :], network[2].weight.T)
    assert torch.equal(weights(network), apart.weights())


def test_and_has_the_same_gradients() -> None:
    torch.manual_seed(0)
    network, x, labels = layered(), torch.randn(9, INPUTS), torch.arange(9) % CLASSES
    apart = UnitByUnit(network)
    for one in (network, apart):
        functional.cross_entropy(one(x), labels).backward()
    assert network[0].weight.grad is not None and network[2].weight.grad is not None
    torch.testing.assert_close(torch.stack([unit.grad for unit in apart.incoming]), network[0].weight.grad)
    torch.testing.assert_close(torch.stack([unit.grad for unit in apart.outgoing]).T, network[2].weight.grad)


def test_units_alike_are_one_unit_with_other_step_sizes() -> None:
    """n units alike descend as one with n times the outgoing weights, whose steps are n times as long, the others
    1 / n. In double precision, which leaves rounding no room.
    """
    many = layered().double()
    initialise_alike(many, 0.1)
    one = layered(units=1).double()
    initialise_alike(one, 0.1)
    with torch.no_grad():
        one[2].weight.mul_(UNITS)
    x, labels = (part[:64] for part in clusters(64, 0, 0)[:2])
    for _ in range(30):
        for network, stretch in ((many, 1), (one, UNITS)):
            network.zero_grad()
            functional.cross_entropy(network(x.double()), labels).backward()
            rates = (0.1 / stretch, 0.1 / stretch, 0.1 * stretch, 0.1)  # of both layers' weights and biases
            with torch.no_grad():
                for parameter, rate in zip(network.parameters(), rates, strict=True):
                    parameter -= rate * parameter.grad
    torch.testing.assert_close(many(x.double()), one(x.double()))
    torch.testing.assert_close(many[0].weight, one[0].weight.expand(UNITS, INPUTS))


def test_clusters_are_apart_and_fresh_for_the_test() -> None:
    x, labels, x_test, labels_test = clusters(800, 800, seed=3)
    assert labels.bincount().tolist() == labels_test.bincount().tolist() == [100] * CLASSES
    centres = torch.stack([x[labels == label].mean(dim=0) for label in range(CLASSES)])
    assert (torch.cdist(x_test, centres).argmin(dim=1) == labels_test).double().mean() > 0.9
    assert (torch.cdist(x_test, x) > 0.1).all()


def test_only_a_random_beginning_has_units_apart() -> None:
    for cell in (FULL, BATCHES, NOISE, DROPOUT, PRODUCTS):
        assert unit_deviation(weights(begin(cell, TEST))) == 0
    torch.manual_seed(0)
    assert unit_rank(weights(begin(RANDOM, TEST))[:, :INPUTS]) == UNITS


def test_only_noise_of_their_own_parts_units(result: Result) -> None:
    for cell in (FULL, BATCHES):
        assert result.mean(f"{cell}: deviation") == 0 and result.mean(f"{cell}: rank") == 1
        assert result.mean(f"{cell}: moved") > 0
    for cell in (NOISE, DROPOUT, RANDOM):
        assert result.mean(f"{cell}: deviation") > 1e-4 and result.mean(f"{cell}: rank") > 1


def test_it_runs_and_its_figures_are_finite(result: Result) -> None:
    assert {criterion.figure for criterion in EXPERIMENT.criteria} <= set(result.estimates)
    assert all(math.isfinite(estimate.mean) for estimate in result.estimates.values())
    ratio = result.mean(f"{NOISE}: accuracy") / result.mean(f"{RANDOM}: accuracy")
    assert result.mean(f"{NOISE}: relative") == pytest.approx(ratio)
    assert f"{result.mean(f'{NOISE}: accuracy'):.0%}" in EXPERIMENT.conclude(result)
    assert EXPERIMENT.draw(result).axes


@pytest.mark.parametrize("cell", [BATCHES, DROPOUT])
def test_a_cell_is_a_function_of_its_arguments(cell: str, result: Result) -> None:
    assert_a_function_of_its_arguments(result, cell)
