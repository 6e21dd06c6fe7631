"""Units that begin alike stay alike, until noise parts them."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from goagent.noise.gradient import add_gradient_noise
from goagent.noise.initialisation import initialise_alike, initialise_randomly, unit_deviation, unit_rank
from tests.goagent.noise.measure import assert_mean, assert_variance


def network():
    return nn.Sequential(nn.Linear(5, 16), nn.Tanh(), nn.Linear(16, 3))


class OneByOne(nn.Module):
    """The same network, each unit computed by itself, so that rounding treats all of them alike."""

    def __init__(self):
        super().__init__()
        self.units = nn.ModuleList(nn.Sequential(nn.Linear(5, 1), nn.Tanh(), nn.Linear(1, 3)) for _ in range(16))

    def forward(self, x):
        return sum(unit(x) for unit in self.units)


def train(net, eta=0.0, batch=8, steps=50):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(64, 5, generator=generator)
    labels = (x @ torch.randn(5, 3, generator=generator)).argmax(dim=1)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.2)
    for step in range(steps):
        chosen = torch.randperm(64, generator=generator)[:batch]
        optimizer.zero_grad()
        functional.cross_entropy(net(x[chosen]), labels[chosen]).backward()
        add_gradient_noise(net.parameters(), step, eta, generator=generator)
        optimizer.step()
    return torch.cat([unit[0].weight for unit in net.units]) if isinstance(net, OneByOne) else net[0].weight


@pytest.mark.parametrize("batch", [64, 8, 1])
def test_gradient_descent_never_parts_units_that_began_alike(batch):
    net = OneByOne()
    initialise_alike(net, 0.1)
    weight = train(net, batch=batch)
    assert (weight != 0.1).all()
    assert unit_deviation(weight) == 0
    assert unit_rank(weight) == 1


@pytest.mark.parametrize("batch", [64, 8, 1])
def test_in_matrix_products_they_part_by_rounding_alone(batch):
    net = network()
    initialise_alike(net, 0.1)
    weight = train(net, batch=batch)
    assert float((weight.detach() - 0.1).abs().max()) > 0.1
    assert unit_deviation(weight) < 1e-6
    assert unit_rank(weight) == 1


def test_gradient_noise_parts_them():
    net = network()
    initialise_alike(net, 0.1)
    weight = train(net, eta=0.01)
    assert unit_deviation(weight) > 0.01
    assert unit_rank(weight) == 5


def test_random_units_are_apart_from_the_start():
    net = network()
    initialise_randomly(net, torch.Generator().manual_seed(0))
    assert unit_rank(net[0].weight) == 5 and unit_deviation(net[0].weight) > 0.5


def test_hes_variance_keeps_the_size_of_what_passes_through_relus():
    generator = torch.Generator().manual_seed(0)
    net = nn.Sequential(*(part for _ in range(10) for part in (nn.Linear(256, 256), nn.ReLU())))
    initialise_randomly(net, generator)
    assert_mean(net[0].weight.detach().flatten(), 0)
    assert_variance(net[0].weight.detach().flatten(), 2 / 256)
    with torch.no_grad():
        passed = net[:-1](torch.randn(256, 256, generator=generator)).square().mean()
    # Twice the input's, of which a ReLU would leave half. With half the variance it would be a thousand times less.
    assert 0.1 < float(passed) / 2 < 10


def test_convolutions_and_biases_too():
    net = nn.Sequential(nn.Conv2d(8, 64, 3), nn.Conv2d(64, 2, 1, bias=False))
    initialise_randomly(net, torch.Generator().manual_seed(0))
    assert_variance(net[0].weight.detach().flatten(), 2 / 72)
    assert (net[0].bias == 0).all()
    initialise_alike(net, 0.25)
    assert all(unit_rank(layer.weight) == 1 and (layer.weight == 0.25).all() for layer in net)


def test_the_measures():
    weight = torch.tensor([[1.0, 2.0], [1.0, 2.5], [1.0, 2.0]])
    assert unit_rank(weight) == 2 and unit_deviation(weight) == 0.5
    assert unit_rank(torch.zeros(3, 2)) == 0
