"""Dropout's noise has mean 1 and a variance of its own; variational dropout prices it."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate
from torch import nn
from torch.nn import functional

from goagent.noise.dropout import GaussianDropout, VariationalConv2d, VariationalLinear, dropout_kl, matching_alpha
from tests.goagent.noise.measure import assert_mean, assert_variance

DRAWS = 50_000


def test_torchs_dropout_is_bernoulli_with_the_variance_that_we_say():
    torch.manual_seed(0)
    drawn = nn.Dropout(0.2)(torch.ones(DRAWS, 3))
    assert set(drawn.unique().tolist()) == {0.0, 1.25}
    assert_mean(drawn, 1)
    assert_variance(drawn, matching_alpha(0.2))
    whole = nn.Dropout2d(0.5)(torch.ones(100, 4, 3, 3)).flatten(2)
    assert (whole == whole[:, :, :1]).all()
    assert torch.equal(nn.Dropout(0.2).eval()(drawn), drawn)


@settings(max_examples=20)
@given(st.floats(0.001, 2), st.integers(0, 100))
def test_gaussian_dropout_has_mean_one_and_variance_alpha(alpha, seed):
    drawn = GaussianDropout(alpha, torch.Generator().manual_seed(seed))(torch.full((DRAWS,), 2.0)) / 2
    assert_mean(drawn, 1, errors=6)
    assert_variance(drawn, alpha, errors=6)


def test_gaussian_dropout_without_noise_or_training_is_nothing():
    x = torch.randn(3, 4)
    assert torch.equal(GaussianDropout(0.0)(x), x)
    assert GaussianDropout(1.0).eval()(x) is x


def variational_linear(alpha=0.3):
    torch.manual_seed(0)
    return VariationalLinear(5, 3, alpha, torch.Generator().manual_seed(1)).requires_grad_(False)


def test_variational_noise_is_that_of_independent_weights():
    layer, x = variational_linear(), torch.tensor([1.0, -2.0, 0.0, 0.5, 3.0])
    drawn = layer(x.expand(DRAWS, 5))
    assert_mean(drawn, functional.linear(x, layer.weight, layer.bias))
    assert_variance(drawn, 0.3 * functional.linear(x.square(), layer.weight.square()))
    covariance = torch.cov(drawn.T)
    spread = covariance.diag().sqrt()
    assert ((covariance / spread / spread[:, None]).fill_diagonal_(0).abs() < 5 / DRAWS**0.5).all()


def test_one_output_cannot_tell_it_from_gaussian_dropout_of_the_inputs():
    layer, x = variational_linear(), torch.tensor([1.0, -2.0, 0.0, 0.5, 3.0])
    masked = GaussianDropout(0.3, torch.Generator().manual_seed(2))(x.expand(DRAWS, 5))
    other = functional.linear(masked, layer.weight, layer.bias)
    drawn = layer(x.expand(DRAWS, 5))
    for a, b in ((drawn, other), (drawn.square(), other.square())):
        assert_mean(a - b, 0)


def test_a_variational_convolution_is_a_variational_layer_of_every_patch():
    torch.manual_seed(0)
    conv = VariationalConv2d(2, 3, 3, padding=1, alpha=0.3, generator=torch.Generator().manual_seed(1))
    linear = VariationalLinear(18, 3, 0.3)
    with torch.no_grad():
        linear.weight.copy_(conv.weight.flatten(1))
        linear.bias.copy_(conv.bias)
        board = torch.randn(1, 2, 3, 3)
        patches = functional.unfold(board, 3, padding=1).transpose(1, 2)  # (1, points, 18)
        drawn = conv(board.expand(20_000, -1, -1, -1)).flatten(2).transpose(1, 2)
        assert_mean(drawn, linear.eval()(patches[0]))
        assert_variance(drawn, 0.3 * functional.linear(patches[0].square(), linear.weight.square()))
        assert torch.allclose(conv.eval()(board).flatten(2).transpose(1, 2), linear(patches), atol=1e-6)


def test_at_evaluation_a_variational_layer_is_the_plain_one():
    layer, x = variational_linear().eval(), torch.randn(4, 5)
    assert torch.equal(layer(x), functional.linear(x, layer.weight, layer.bias))


def test_the_price_is_the_divergence_from_a_log_uniform_prior_up_to_a_constant():
    """KL = E log q(w) - E log(1 / |w|) + constant = -log(alpha) / 2 + E log|e| + constant, with e ~ N(1, alpha)."""

    def exact(alpha):
        deviation = alpha**0.5

        def density(e):
            return np.log(abs(e)) * np.exp(-((e - 1) ** 2) / (2 * alpha)) / (deviation * np.sqrt(2 * np.pi))

        ends = sorted({1 - 10 * deviation, 0.0, 1.0, 1 + 10 * deviation})
        pieces = (integrate.quad(density, a, b, limit=200)[0] for a, b in itertools.pairwise(ends))
        return -0.5 * np.log(alpha) + sum(pieces)

    alphas = np.array([0.01, 0.03, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9, 1.0])
    off = np.array([exact(alpha) for alpha in alphas]) - dropout_kl(torch.from_numpy(alphas)).numpy()
    assert np.ptp(off) < 0.04  # nats; the divergence itself spans 2.5
    assert np.ptp(off[2:]) < 0.01


def test_noise_is_cheap_so_alpha_grows_but_not_past_one():
    layer = VariationalLinear(3, 2, 0.1)
    optimizer = torch.optim.Adam([layer.logit_alpha], lr=0.1)
    alphas = []
    for _ in range(100):
        optimizer.zero_grad()
        layer.kl().backward()
        optimizer.step()
        alphas.append(layer.alpha.item())
    assert alphas == sorted(alphas) and 0.9 < alphas[-1] < 1


def test_alpha_falls_where_the_error_needs_exact_weights():
    torch.manual_seed(0)
    layer = VariationalLinear(1, 1, 0.5, torch.Generator().manual_seed(0))
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.02)
    x = torch.linspace(-1, 1, 64)[:, None]
    for _ in range(300):
        optimizer.zero_grad()
        (50 * functional.mse_loss(layer(x), 3 * x) + layer.kl() / len(x)).backward()
        optimizer.step()
    assert layer.alpha.item() < 0.05
    assert layer.weight.item() == pytest.approx(3, abs=0.3)


def test_the_price_counts_every_weight():
    layer = VariationalConv2d(4, 5, 3, alpha=0.5)
    assert layer.kl().item() == pytest.approx(180 * float(dropout_kl(torch.tensor(0.5))), rel=1e-5)
