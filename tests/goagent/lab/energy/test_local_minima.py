"""Walkers keep to Boltzmann's law, sharpness is the Hessian's largest eigenvalue, and rescaling changes only that."""

import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from torch import Tensor, nn

from goagent.lab.core import Result
from goagent.lab.energy.double_well import boltzmann_share, potential, slope, turning_points, walk
from goagent.lab.energy.local_minima import (
    ARMS,
    BATCH_8,
    EXPERIMENT,
    FULL,
    GO_8,
    LOG_8,
    TEMPERATURES,
    WALKERS,
    WARM_START,
    Arm,
    Task,
    at_one_loss,
    begin,
    checkpoints,
    descend,
    epoch_steps,
)
from goagent.lab.energy.sharpness import along_line, rescale, sharpness
from goagent.lab.runner import run_experiment
from tests.goagent.lab.laws import assert_a_function_of_its_arguments

TEST = EXPERIMENT.settings["test"]


@pytest.fixture(scope="module")
def result() -> Result:
    return run_experiment(EXPERIMENT, "test", [0])


def test_the_potential_has_two_wells_and_the_left_is_deeper() -> None:
    deep, top, shallow = turning_points()
    assert deep < -1 < 0 < top < shallow < 1
    assert potential(np.array(deep)) < potential(np.array(shallow)) < potential(np.array(top))
    x = torch.linspace(-2, 2, 9, dtype=torch.float64)
    difference = (potential(x.numpy() + 1e-6) - potential(x.numpy() - 1e-6)) / 2e-6
    torch.testing.assert_close(slope(x), torch.from_numpy(difference), atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("temperature", [0.3, 1.0, 8.0])
def test_boltzmann_share_by_another_quadrature(temperature: float) -> None:
    def density(x: float) -> float:
        return math.exp(-float(potential(np.array(x))) / temperature)

    top = turning_points()[1]
    deep, shallow = quad(density, -6, top, points=[-1])[0], quad(density, top, 6, points=[1])[0]
    assert boltzmann_share(temperature) == pytest.approx(deep / (deep + shallow), abs=1e-4)


def test_walkers_stay_without_noise_and_keep_the_law_with_it() -> None:
    """At 2 a walker forgets its beginning in about one unit of time; here are five."""
    ends = walk((0.0, 2.0), falling=False, walkers=3000, steps=500, rate=0.01, seed=0)
    torch.testing.assert_close(ends[0], torch.full((3000,), turning_points()[2]))
    assert float((ends[1] < turning_points()[1]).double().mean()) == pytest.approx(boltzmann_share(2.0), abs=0.04)


def test_a_falling_temperature_ends_at_the_bottom_of_a_well() -> None:
    ends = walk((2.0,), falling=True, walkers=50, steps=2000, rate=0.01, seed=0)[0]
    deep, _, shallow = turning_points()
    assert (torch.minimum((ends - deep).abs(), (ends - shallow).abs()) < 0.2).all()
    assert len({x < 0 for x in ends.tolist()}) == 2


def hessian(network: nn.Sequential, task: Task) -> Tensor:
    """(weights, weights), column by column."""
    parameters = list(network.parameters())
    gradient = nn.utils.parameters_to_vector(torch.autograd.grad(task.loss(network), parameters, create_graph=True))
    rows = [torch.autograd.grad(one, parameters, retain_graph=True) for one in gradient]
    return torch.stack([nn.utils.parameters_to_vector(row) for row in rows])


@pytest.fixture
def small() -> tuple[nn.Sequential, Task]:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(49, 3), nn.ReLU(), nn.Linear(3, 8)), Task(ARMS[FULL], 0, TEST)


def test_sharpness_is_the_largest_eigenvalue(small: tuple[nn.Sequential, Task]) -> None:
    network, task = small
    h = hessian(network, task)
    size = nn.utils.parameters_to_vector(network.parameters()).detach().abs()
    assert sharpness(network, task.loss) == pytest.approx(float(torch.linalg.eigvalsh(h)[-1]), rel=0.01)
    scaled = torch.linalg.eigvalsh(size[:, None] * h * size)[-1]
    assert sharpness(network, task.loss, invariant=True) == pytest.approx(float(scaled), rel=0.01)


def test_rescaling_changes_the_sharpness_and_nothing_else(small: tuple[nn.Sequential, Task]) -> None:
    """First layer times 30, second by 30: the Hessian changes by the square of that, in each the other way."""
    network, task = small
    other = rescale(network, 30.0)
    torch.testing.assert_close(other(task.x), network(task.x))
    factors = torch.tensor([1 / 30] * (49 * 3 + 3) + [30.0] * (3 * 8) + [1.0] * 8)
    expected = factors[:, None] * hessian(network, task) * factors
    torch.testing.assert_close(hessian(other, task), expected, rtol=1e-3, atol=1e-3)
    invariant = [sharpness(one, task.loss, invariant=True) for one in (network, other)]
    assert invariant[0] == pytest.approx(invariant[1], rel=0.01)


def test_along_a_line_ends_are_the_two_networks(small: tuple[nn.Sequential, Task]) -> None:
    network, task = small
    other = rescale(network, -1.0)  # not the same function: what was below 0 is above
    before = [parameter.clone() for parameter in network.parameters()]
    losses = along_line(network, other, task.loss, points=5)
    assert len(losses) == 5
    assert [losses[0], losses[-1]] == pytest.approx([task.loss_of(network), task.loss_of(other)])
    middle = begin(ARMS[FULL], 0)
    for parameter in middle.parameters():
        nn.init.zeros_(parameter)
    middle[2].bias.data.copy_(network[2].bias.data)  # all weights but these are opposite
    assert losses[2] == pytest.approx(task.loss_of(middle), rel=1e-4)
    assert all(torch.equal(*pair) for pair in zip(before, network.parameters(), strict=True))


def test_squared_error_and_cross_entropy() -> None:
    squared, log = (Task(ARMS[cell], 0, TEST) for cell in (FULL, LOG_8))
    assert squared.loss_of(lambda x: squared.answers) == 0  # type: ignore[arg-type]
    assert squared.loss_of(lambda x: 1 - squared.answers) == pytest.approx(4)  # type: ignore[arg-type]
    assert log.loss_of(lambda x: torch.zeros(len(x), 8)) == pytest.approx(math.log(8))  # type: ignore[arg-type]


def test_an_epoch_meets_each_example_once() -> None:
    """With a linear loss the gradient is the mean of the batch's examples: an epoch adds up to all of them."""

    class Linear(Task):
        def loss(self, network: nn.Module, chosen: Tensor | slice = slice(None)) -> Tensor:
            return network(self.x[chosen]).sum(dim=1).mean()

    moved = []
    for batch in (8, None):
        torch.manual_seed(0)
        network, task = nn.Sequential(nn.Linear(49, 2)), Linear(ARMS[FULL], 0, TEST)
        steps = 2 * epoch_steps(Arm(batch), TEST) // TEST.epochs
        before = network[0].weight.detach().clone()
        descend(network, task, batch, steps, 0.1, torch.Generator().manual_seed(0))
        moved.append((network[0].weight.detach() - before) / steps)
    torch.testing.assert_close(*moved, rtol=1e-3, atol=1e-5)


def test_checkpoints_hold_every_batch_size_at_equal_epochs() -> None:
    for settings in EXPERIMENT.settings.values():
        steps = [epoch_steps(ARMS[cell], settings) for cell in (FULL, BATCH_8)]
        assert [checkpoints(settings)[0], checkpoints(settings)[-1]] == steps
        assert {epoch_steps(arm, settings) for arm in ARMS.values()} <= set(checkpoints(settings))


def test_sharpness_at_one_loss_is_read_between_the_marks() -> None:
    """Both are sharpness = c / loss, so the ratio is that of the two c, whatever the loss."""
    losses = np.array([1.0, 0.5, 0.2]), np.array([0.9, 0.3])
    small, full = (np.array([loss, c / loss]) for loss, c in zip(losses, (2.0, 5.0), strict=True))
    assert at_one_loss(small, full) == pytest.approx(0.4)
    assert at_one_loss(full, small) == pytest.approx(2.5)


def test_it_runs_and_its_figures_are_finite(result: Result) -> None:
    assert {criterion.figure for criterion in EXPERIMENT.criteria} <= set(result.estimates)
    assert all(math.isfinite(estimate.mean) for estimate in result.estimates.values())
    assert result.mean(f"{WALKERS}: no noise") == 0
    assert len(result.first(f"{WALKERS}: annealed shares")) == len(TEMPERATURES)
    assert result.mean(f"{FULL}: outputs changed") < 1e-3 < 100 < result.mean(f"{FULL}: rescaled")
    assert result.mean(f"{FULL}: sharpness, epochs") == result.first(f"{FULL}: sharpnesses")[0]
    assert result.mean(f"{BATCH_8}: sharpness, epochs") == result.mean(f"{BATCH_8}: sharpness")
    flat = result.mean(f"{BATCH_8}: sharpness") < result.mean(f"{FULL}: sharpness")
    assert result.mean("teacher: flatter") == flat == (result.mean("teacher: ratio") < 1)
    assert f"{result.mean(f'{GO_8}: sharpness'):.2g}" in EXPERIMENT.conclude(result)
    assert EXPERIMENT.draw(result).axes


@pytest.mark.parametrize("cell", [WALKERS, GO_8, WARM_START])
def test_a_cell_is_a_function_of_its_arguments(cell: str, result: Result) -> None:
    assert_a_function_of_its_arguments(result, cell)
