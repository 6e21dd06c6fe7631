"""Noise on weights is there for one loss, and gone afterwards bit for bit."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from goagent.noise.weights import weight_noise
from tests.goagent.noise.measure import assert_mean, assert_variance


class Tied(nn.Module):
    """Two layers with one weight, and a parameter that belongs to no layer."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(3, 3), nn.Linear(3, 3)
        self.second.weight = self.first.weight
        self.scale = nn.Parameter(torch.ones(3))

    def forward(self, x):
        return self.scale * self.second(self.first(x).tanh())


def bits(net):
    return [parameter.detach().clone().view(torch.int32) for parameter in net.parameters()]


def test_weights_are_what_they_were_bit_for_bit():
    net, x = Tied(), torch.randn(4, 3)
    parameters, before, clean = list(net.parameters()), bits(net), net(x)
    versions = [parameter._version for parameter in parameters]
    with weight_noise(net, 0.5):
        assert not torch.allclose(net(x), clean)
        assert all(torch.equal(a, b) for a, b in zip(bits(net), before, strict=True))
        loss = net(x).sum()
    loss.backward()
    assert all(a is b for a, b in zip(net.parameters(), parameters, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(bits(net), before, strict=True))
    assert [parameter._version for parameter in parameters] == versions
    assert torch.equal(net(x), clean)


def test_they_are_so_after_an_error_too():
    net, x = Tied(), torch.randn(4, 3)
    clean = net(x)
    with pytest.raises(RuntimeError, match="stop"), weight_noise(net, 0.5):
        raise RuntimeError("stop")
    assert torch.equal(net(x), clean)


def test_every_weight_gets_noise_of_this_variance_and_shared_ones_the_same():
    net, drawn = Tied(), []
    generator = torch.Generator().manual_seed(0)
    for _ in range(5000):
        with weight_noise(net, 0.2, generator):
            assert net.first.weight is net.second.weight
            noisy = (net.first.weight, net.first.bias, net.second.bias, net.scale)
            drawn.append(torch.cat([tensor.detach().flatten() for tensor in noisy]))
    clean = torch.cat([p.detach().flatten() for p in (net.first.weight, net.first.bias, net.second.bias, net.scale)])
    assert_mean(torch.stack(drawn), clean)
    assert_variance(torch.stack(drawn), 0.04)


@pytest.mark.parametrize("inside", [True, False])
def test_the_gradient_is_the_one_at_the_noisy_weights(inside):
    net, x = nn.Linear(3, 1), torch.randn(8, 3)
    with weight_noise(net, 0.5, torch.Generator().manual_seed(0)):
        weight, bias = net.weight.detach().clone().requires_grad_(), net.bias.detach().clone().requires_grad_()
        loss = net(x).square().mean()
        if inside:
            loss.backward()
    if not inside:
        loss.backward()
    functional.linear(x, weight, bias).square().mean().backward()
    assert torch.allclose(net.weight.grad, weight.grad) and torch.allclose(net.bias.grad, bias.grad)


def test_on_a_quadratic_it_costs_half_the_variance_times_the_curvature():
    net, curvature = nn.Linear(2, 1, bias=False), torch.tensor([1.0, 9.0])
    generator = torch.Generator().manual_seed(0)

    def loss():
        return (curvature * net.weight.square()).sum() / 2

    losses = []
    with torch.no_grad():
        for _ in range(5000):
            with weight_noise(net, 0.3, generator):
                losses.append(loss())
        assert_mean(torch.stack(losses), loss() + 0.09 / 2 * curvature.sum())


def test_no_noise_is_no_change():
    net, x = Tied(), torch.randn(4, 3)
    clean = net(x)
    with weight_noise(net, 0.0):
        assert torch.equal(net(x), clean)
