"""Rates in bits, held against capacities and against what really passes."""

import copy
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate
from torch.distributions import Normal

from goagent.noise.bottleneck import NoisyBottleneck, VariationalBottleneck, capacity_bits, rate_bits
from goagent.noise.sampling import noisy
from tests.goagent.noise.measure import assert_mean, assert_variance


def spread(std):
    """What softplus(s - 5) makes this standard deviation of."""
    return 5 + torch.as_tensor(std).expm1().log()


@pytest.mark.parametrize("ratio, bits", [(0, 0), (1, 0.5), (3, 1), (15, 2), (255, 4)])
def test_capacity_by_signal_to_noise_ratio(ratio, bits):
    assert float(capacity_bits(torch.tensor(ratio * 0.3**2), 0.3)) == pytest.approx(bits, abs=1e-5)


@given(st.floats(0.05, 3), st.floats(0.01, 100), st.integers(0, 50))
def test_no_input_gets_more_through_than_the_capacity(std, scale, seed):
    x = scale * torch.randn(64, 3, 2, generator=torch.Generator().manual_seed(seed))
    layer = NoisyBottleneck(std)
    layer(x)
    assert 0 <= float(layer.bits) <= 6 * layer.capacity * (1 + 1e-5)


def test_fixed_noise_is_added_to_the_squashed_units():
    x = torch.tensor([-5.0, 0.2, 1.0])
    drawn = NoisyBottleneck(0.4, torch.Generator().manual_seed(0))(x.expand(50_000, 3))
    assert_mean(drawn, x.tanh())
    assert_variance(drawn, 0.16)
    assert torch.equal(NoisyBottleneck(0.4).eval()(x[None]), x.tanh()[None])


@pytest.mark.parametrize("std", [0.1, 0.5, 1.0, 3.0])
def test_a_unit_that_says_yes_or_no_passes_less_than_its_rate(std):
    """What passes is known here: 1 bit less the entropy of the sign, given the noisy value."""

    def lost(y):
        density = (Normal(1, std).log_prob(torch.tensor(y)).exp() + Normal(-1, std).log_prob(torch.tensor(y)).exp()) / 2
        share = 1 / (1 + np.exp(-2 * y / std**2))
        return float(density) * -sum(p * np.log2(p) for p in (share, 1 - share) if p > 1e-300)

    passed = 1 - integrate.quad(lost, -1 - 8 * std, 1 + 8 * std, limit=200)[0]
    layer = NoisyBottleneck(std)
    layer(torch.tensor([[40.0], [-40.0]]))
    assert passed <= float(layer.bits) + 1e-6
    assert float(layer.bits) == pytest.approx(layer.capacity)


@given(st.floats(0.05, 0.999))
def test_where_the_code_is_standard_normal_its_rate_is_the_information(correlation):
    """z = c x + sqrt(1 - c^2) n for x ~ N(0, 1): I(x; z) = -log2(1 - c^2) / 2, and z ~ N(0, 1)."""
    points, weights = np.polynomial.hermite_e.hermegauss(20)  # exact for the mean over x
    x = torch.from_numpy(points)[:, None]
    rates = rate_bits(correlation * x, torch.full_like(x, (1 - correlation**2) ** 0.5))
    mean = float((rates * torch.from_numpy(weights)).sum() / weights.sum())
    assert mean == pytest.approx(-0.5 * math.log2(1 - correlation**2))


def test_the_rate_bounds_what_passes_and_inputs_bound_it_too():
    """Eight inputs, each with a code of its own: the information by many draws, an unbiased estimate."""
    torch.manual_seed(0)
    mean, std = 2 * torch.randn(8, 2), 0.3 + torch.rand(8, 2)
    layer = VariationalBottleneck(torch.Generator().manual_seed(1))
    said = torch.cat([mean, spread(std)], dim=1)
    z = layer(said.repeat(5000, 1)).view(5000, 8, 2)
    log_density = Normal(mean, std).log_prob(z[:, :, None]).sum(dim=3)  # of every draw under every input's code
    own = log_density.diagonal(dim1=1, dim2=2)
    bits = (own - (log_density.logsumexp(dim=2) - math.log(8))) / math.log(2)
    passed, error = float(bits.mean()), float(bits.std()) / bits.numel() ** 0.5
    rate = float(layer.bits.mean())
    assert 1 < passed < 3 + 5 * error
    assert passed < rate - 5 * error


def test_the_rate_is_none_only_for_a_standard_normal():
    layer = VariationalBottleneck()
    said = torch.zeros(3, 4, 2, 2)
    said[:, 2:] = spread(1.0)
    layer(said)
    assert torch.allclose(layer.bits, torch.zeros(3), atol=1e-6)
    said[1, 0, 1, 1] = 0.5
    layer(said)
    assert torch.allclose(layer.bits, torch.tensor([0, 0.125 / math.log(2), 0]), atol=1e-6)


def test_learned_noise_has_the_mean_and_the_spread_that_were_said():
    said = torch.tensor([1.5, -2.0, spread(0.2), spread(2.0)]).expand(50_000, 4)
    drawn = VariationalBottleneck(torch.Generator().manual_seed(0))(said)
    assert_mean(drawn, torch.tensor([1.5, -2.0]))
    assert_variance(drawn, torch.tensor([0.04, 4.0]))


def test_evaluation_passes_the_mean_and_still_reports_the_rate():
    layer, said = VariationalBottleneck(), torch.randn(4, 6)
    layer(said)
    rate = layer.bits
    assert torch.equal(layer.eval()(said), said[:, :3])
    assert torch.equal(layer.bits, rate)
    with noisy(layer):
        assert not torch.equal(layer(said), said[:, :3])


def test_the_rate_has_a_gradient_and_copies_have_seen_nothing():
    layer, said = VariationalBottleneck(), torch.randn(4, 6, requires_grad=True)
    layer(said)
    assert copy.deepcopy(layer).bits is None
    layer.bits.mean().backward()
    assert (said.grad != 0).all()


def test_a_mean_without_a_spread_is_refused():
    with pytest.raises(ValueError, match=r"5 units.*expected"):
        VariationalBottleneck()(torch.zeros(2, 5))
