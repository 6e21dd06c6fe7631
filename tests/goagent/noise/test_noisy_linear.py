"""Noisy layers: mean, variance and rank of their weights' noise, and what is left at evaluation."""

import math

import pytest
import torch
from torch.nn import functional

from goagent.noise.noisy_linear import NoisyLinear
from tests.goagent.noise.measure import assert_mean, assert_variance


def made(factorised, inputs=4, outputs=3):
    torch.manual_seed(0)
    layer = NoisyLinear(inputs, outputs, factorised, torch.Generator().manual_seed(1))
    with torch.no_grad():
        layer.weight_sigma.uniform_(-1, 1)
        layer.bias_sigma.uniform_(-1, 1)
    return layer.requires_grad_(False)


def draws(layer, count=6000):
    """(count, outputs, inputs) weights and (count, outputs) biases, one pair a call."""
    probe = torch.cat([torch.zeros(1, layer.in_features), torch.eye(layer.in_features)])
    said = torch.stack([layer(probe) for _ in range(count)])
    biases = said[:, 0]
    return (said[:, 1:] - biases[:, None]).transpose(1, 2), biases


@pytest.mark.parametrize("factorised, of_weight, of_bias", [(False, 1, 1), (True, 2 / math.pi, (2 / math.pi) ** 0.5)])
def test_mean_and_variance_of_every_weight(factorised, of_weight, of_bias):
    layer = made(factorised)
    weights, biases = draws(layer)
    assert_mean(weights, layer.weight)
    assert_mean(biases, layer.bias)
    assert_variance(weights, of_weight * layer.weight_sigma.square())
    assert_variance(biases, of_bias * layer.bias_sigma.square())


@pytest.mark.parametrize("factorised, rank", [(False, 3), (True, 1)])
def test_factorised_noise_is_an_outer_product_with_the_bias_as_one_more_input(factorised, rank):
    layer = made(factorised)
    layer.weight_sigma.fill_(0.5)
    layer.bias_sigma.fill_(0.5)
    weights, biases = draws(layer, 5)
    noise = torch.cat([weights - layer.weight, (biases - layer.bias)[:, :, None]], dim=2)
    assert (torch.linalg.matrix_rank(noise, rtol=1e-4) == rank).all()


def test_a_call_draws_once_for_the_whole_batch():
    said = made(True)(torch.ones(5, 4))
    assert (said == said[0]).all()


@pytest.mark.parametrize("factorised", [True, False])
def test_only_the_mean_is_there_at_evaluation(factorised):
    layer, x = made(factorised).eval(), torch.randn(5, 4)
    assert torch.equal(layer(x), functional.linear(x, layer.weight, layer.bias))


def test_the_start_is_the_papers():
    torch.manual_seed(0)
    for factorised, bound, sigma in ((False, (3 / 256) ** 0.5, 0.017), (True, 1 / 16, 0.5 / 16)):
        layer = NoisyLinear(256, 64, factorised)
        assert torch.allclose(layer.weight_sigma, torch.tensor(sigma)) and torch.allclose(
            layer.bias_sigma, torch.tensor(sigma)
        )
        assert 0.99 * bound < float(layer.weight.detach().abs().max()) <= bound
        assert_variance(layer.weight.detach().flatten(), bound**2 / 3)
        assert float(layer.bias.detach().abs().max()) <= bound


def test_the_noise_is_learned_as_well():
    layer = NoisyLinear(4, 3)
    layer(torch.randn(2, 4)).square().sum().backward()
    assert all((parameter.grad != 0).all() for parameter in layer.parameters())
