"""Noise on inputs is a penalty on slopes."""

import torch
from torch import nn

from goagent.noise.inputs import InputNoise
from tests.goagent.noise.measure import assert_mean, assert_variance


def test_its_mean_is_nothing_and_its_variance_is_std_squared():
    x = torch.tensor([-3.0, 0.0, 0.5])
    drawn = InputNoise(0.3, torch.Generator().manual_seed(0))(x.expand(50_000, 3))
    assert_mean(drawn, x)
    assert_variance(drawn, 0.09)


def test_a_linear_output_pays_for_its_weights_as_in_ridge_regression():
    torch.manual_seed(0)
    layer, x = nn.Linear(4, 1), torch.randn(4)
    noise = InputNoise(0.5, torch.Generator().manual_seed(1))
    with torch.no_grad():
        errors = (layer(noise(x.expand(100_000, 4))) - 2.0).square()
        assert_mean(errors, (layer(x) - 2.0).square() + 0.25 * layer.weight.square().sum())


def test_evaluation_sees_what_is_there():
    x = torch.randn(3, 2)
    assert InputNoise(0.3).eval()(x) is x
