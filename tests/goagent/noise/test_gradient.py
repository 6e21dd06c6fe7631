"""Gradient noise: eta / (1 + t)^gamma is its variance."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from goagent.noise.gradient import add_gradient_noise, gradient_noise_variance
from tests.goagent.noise.measure import assert_mean, assert_variance


def noise(step, count=100_000, **settings):
    parameter = nn.Parameter(torch.zeros(count))
    parameter.grad = torch.full((count,), 2.0)
    add_gradient_noise([parameter], step, generator=torch.Generator().manual_seed(step), **settings)
    return parameter.grad - 2.0


@pytest.mark.parametrize("eta", [0.01, 0.3, 1.0])
@pytest.mark.parametrize("step", [0, 1, 100, 5000])
def test_the_annealed_number_is_the_variance_not_the_standard_deviation(eta, step):
    drawn, number = noise(step, eta=eta), eta / (1 + step) ** 0.55
    assert gradient_noise_variance(step, eta) == pytest.approx(number)
    assert_mean(drawn, 0)
    assert_variance(drawn, number)
    if number < 0.9:
        with pytest.raises(AssertionError):
            assert_variance(drawn, number**2)


@given(st.integers(0, 10**6), st.floats(0.01, 1), st.floats(0, 2))
def test_it_is_annealed(step, eta, gamma):
    now, then = (gradient_noise_variance(t, eta, gamma) for t in (step, 2 * step + 1))
    assert then == pytest.approx(now / 2**gamma)
    assert gradient_noise_variance(0, eta, gamma) == eta


def test_the_defaults_are_the_papers():
    assert gradient_noise_variance(9) == pytest.approx(0.01 / 10**0.55)


def test_only_gradients_change_and_only_those_that_are_there():
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    net[0](torch.ones(1, 2)).sum().backward()
    before = [parameter.detach().clone() for parameter in net.parameters()]
    clean = net[0].weight.grad.clone()
    add_gradient_noise(net.parameters(), 0)
    assert net[1].weight.grad is None
    assert (net[0].weight.grad != clean).all()
    assert all(torch.equal(a, b) for a, b in zip(net.parameters(), before, strict=True))


def test_a_generator_repeats_it():
    assert torch.equal(noise(3, 10), noise(3, 10))
    assert not torch.equal(noise(3, 10), noise(4, 10))
    assert (noise(3, 10, eta=0.0) == 0).all()
