"""Swapout's units report 0, x, f(x) or x + f(x); with probabilities at the ends it is what came before it."""

import itertools

import pytest
import torch
from torch import nn
from torch.nn import functional

from goagent.noise.sampling import sample_mean
from goagent.noise.stochastic_depth import StochasticDepth
from goagent.noise.swapout import Swapout
from tests.goagent.noise.measure import assert_mean

X = torch.randn(4, 3, 5, 5, generator=torch.Generator().manual_seed(0))


def branch(x):
    return 2 * x.tanh() + 0.5


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    "keep_input, keep_branch, expected",
    [(1, 1, X + branch(X)), (0, 1, branch(X)), (1, 0, X), (0, 0, torch.zeros_like(X))],
    ids=["residual", "plain layer", "skipped", "nothing"],
)
def test_at_the_ends_there_is_no_chance(keep_input, keep_branch, expected, training):
    assert torch.equal(Swapout(keep_input, keep_branch).train(training)(X, branch), expected)


def test_without_its_input_it_is_dropout():
    torch.manual_seed(5)
    drawn = Swapout(0, 0.5)(X, branch)
    torch.manual_seed(5)
    assert torch.equal(drawn, 0.5 * nn.Dropout(0.5)(branch(X)))


def test_keeping_its_input_and_drawn_as_a_whole_it_is_stochastic_depth():
    ours, theirs = (torch.Generator().manual_seed(3) for _ in range(2))
    swapout, depth = Swapout(1, 0.6, whole=True, generator=ours), StochasticDepth(0.6, theirs)
    drawn = [swapout(X, branch) for _ in range(30)]
    assert all(torch.equal(one, depth(X, branch)) for one in drawn)
    assert len({float(one.sum()) for one in drawn}) == 2
    assert torch.equal(swapout.eval()(X, branch), depth.eval()(X, branch))


def test_each_unit_reports_one_of_four_as_often_as_it_should():
    x = torch.full((40_000,), 2.0)
    drawn = Swapout(0.8, 0.3, generator=torch.Generator().manual_seed(0))(x, lambda x: 5 * x)
    shares = torch.stack([drawn == value for value in (0, 2, 10, 12)], dim=1).float()
    assert_mean(shares, torch.tensor([0.2 * 0.7, 0.8 * 0.7, 0.2 * 0.3, 0.8 * 0.3]))


def test_units_are_drawn_apart_and_whole_ones_together():
    x = torch.full((2000, 2), 1.0)
    drawn = Swapout(0, 0.5, generator=torch.Generator().manual_seed(0))(x, lambda x: x)
    assert_mean(((drawn[:, 0] - 0.5) * (drawn[:, 1] - 0.5)), 0)
    whole = Swapout(0.5, 0.5, whole=True, generator=torch.Generator().manual_seed(0))
    assert all(len(whole(x, lambda x: 3 * x).unique()) == 1 for _ in range(10))


def test_evaluation_is_the_layers_expectation_but_only_sampling_finds_the_networks():
    """Behind a ReLU the mean of the answers is another number than the answer of the mean."""

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.join = Swapout(0.5, 0.5, generator=torch.Generator().manual_seed(0))

        def forward(self, x):
            return torch.relu(self.join(x, lambda x: -2 * x))

    network, x = Network().eval(), torch.ones(20_000)
    exact = sum(max(0, a - 2 * b) for a, b in itertools.product((0, 1), repeat=2)) / 4
    assert torch.equal(network(x), functional.relu(torch.full_like(x, 0.5 - 1.0)))
    assert_mean(sample_mean(network, x, samples=4), exact)
    assert exact == 0.25
