"""Langevin dynamics: where it settles, and that without heat it is gradient descent."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from goagent.noise.langevin import Langevin
from tests.goagent.noise.measure import assert_mean, assert_variance


def trained(make, steps=20):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
    optimizer = make(net.parameters())
    for _ in range(steps):
        optimizer.zero_grad()
        functional.mse_loss(net(torch.randn(16, 4)), torch.ones(16, 2)).backward()
        optimizer.step()
    return torch.cat([parameter.detach().flatten() for parameter in net.parameters()])


def test_at_temperature_zero_it_is_sgd_exactly():
    ours = trained(lambda parameters: Langevin(parameters, lr=0.1, temperature=0.0))
    assert torch.equal(ours, trained(lambda parameters: torch.optim.SGD(parameters, lr=0.1)))


@pytest.mark.parametrize("curvature, temperature, lr", [(1.0, 1.0, 0.1), (4.0, 0.5, 0.05), (2.0, 3.0, 0.4)])
def test_in_a_quadratic_well_it_settles_at_the_variance_of_the_heat(curvature, temperature, lr):
    """Many walkers at once, from far away; T / k is the limit of a small step, which the last case is not."""
    walkers = nn.Parameter(torch.full((40_000,), 10.0))
    optimizer = Langevin([walkers], lr, temperature, torch.Generator().manual_seed(0))
    for _ in range(round(12 / (lr * curvature))):
        optimizer.zero_grad()
        (0.5 * curvature * walkers.square()).sum().backward()
        optimizer.step()
    expected = temperature / curvature / (1 - lr * curvature / 2)
    assert_mean(walkers.detach(), 0)
    assert_variance(walkers.detach(), expected)
    if lr * curvature > 0.5:
        with pytest.raises(AssertionError):
            assert_variance(walkers.detach(), temperature / curvature)


def test_a_step_has_the_variance_of_twice_the_rate_times_the_temperature():
    parameter = nn.Parameter(torch.full((50_000,), 1.0))
    parameter.grad = torch.full_like(parameter, 3.0)
    Langevin([parameter], lr=0.02, temperature=0.5, generator=torch.Generator().manual_seed(0)).step()
    assert_mean(parameter.detach(), 1.0 - 0.06)
    assert_variance(parameter.detach(), 0.02)


def test_what_has_no_gradient_stays_and_a_closure_is_called():
    moved, still = nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(2))
    optimizer = Langevin([moved, still], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = (moved - 1).square().sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 2
    assert (moved != 0).all() and (still == 0).all()


def test_it_can_be_cooled_and_saved():
    parameter = nn.Parameter(torch.zeros(2))
    optimizer = Langevin([parameter], lr=0.1, temperature=2.0)
    optimizer.param_groups[0]["temperature"] = 0.25
    other = Langevin([parameter], lr=1.0)
    other.load_state_dict(optimizer.state_dict())
    assert (other.param_groups[0]["lr"], other.param_groups[0]["temperature"]) == (0.1, 0.25)
