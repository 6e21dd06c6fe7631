"""Noise switched on at evaluation, and off again."""

import pytest
import torch
from torch import nn

from goagent.noise.dropout import GaussianDropout
from goagent.noise.sampling import noisy, sample_mean
from tests.goagent.noise.measure import assert_mean


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), GaussianDropout(1.0), nn.Linear(8, 2))


def test_noise_is_on_inside_and_every_layer_as_it_was_afterwards():
    net, x = network().eval(), torch.randn(4, 3)
    net[3].train()
    modes = [module.training for module in net.modules()]
    with noisy(net):
        assert not torch.equal(net(x), net(x))
    assert [module.training for module in net.modules()] == modes
    with pytest.raises(RuntimeError, match="stop"), noisy(net):
        raise RuntimeError("stop")
    assert [module.training for module in net.modules()] == modes


def test_batch_normalisation_stays_as_it_is():
    net, x = network().eval(), torch.randn(4, 3)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    sample_mean(net, x, samples=3)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_a_linear_network_means_what_it_answers_without_noise():
    net, x = nn.Sequential(nn.Dropout(0.5), nn.Linear(3, 1)).eval(), torch.randn(1, 3)
    with torch.no_grad():
        torch.manual_seed(0)
        assert_mean(torch.stack([sample_mean(net, x, samples=5)[0] for _ in range(1000)]), net(x)[0])
