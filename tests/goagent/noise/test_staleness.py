"""Gradients that come late: which weights they are of, and when lateness is fatal."""

import math

import pytest
import torch
from torch import nn

from goagent.noise.staleness import StaleGradients

BATCHES = torch.randn(40, 8, 3, generator=torch.Generator().manual_seed(0))


def loss_of(weight, batch):
    return (batch @ weight.T).tanh().sub(0.3).square().mean()


def trained(make_optimizer, delay, steps):
    """Weights after `steps` backward passes."""
    torch.manual_seed(0)
    net = nn.Linear(3, 1, bias=False)
    optimizer = make_optimizer(net.parameters())
    stale = None if delay is None else StaleGradients(net.parameters(), delay)
    for batch in BATCHES[:steps]:
        optimizer.zero_grad()
        loss_of(net.weight, batch).backward()
        if stale is None or stale.exchange():
            optimizer.step()
    return net.weight.detach()


@pytest.mark.parametrize("make_optimizer", [lambda p: torch.optim.SGD(p, lr=0.5), torch.optim.AdamW])
def test_without_delay_nothing_changes(make_optimizer):
    assert torch.equal(trained(make_optimizer, 0, 40), trained(make_optimizer, None, 40))


@pytest.mark.parametrize("delay", [1, 3, 8])
def test_each_update_uses_the_weights_of_so_many_updates_ago(delay):
    torch.manual_seed(0)
    weights = [nn.Linear(3, 1, bias=False).weight.detach()]
    for update in range(40 - delay):
        old = weights[max(0, update - delay)].clone().requires_grad_()
        (gradient,) = torch.autograd.grad(loss_of(old, BATCHES[update]), old)
        weights.append(weights[-1] - 0.5 * gradient)
    assert torch.allclose(trained(lambda p: torch.optim.SGD(p, lr=0.5), delay, 40), weights[-1], atol=1e-6)
    assert not torch.allclose(weights[-1], trained(lambda p: torch.optim.SGD(p, lr=0.5), 0, 40 - delay), atol=1e-3)


@pytest.mark.parametrize("delay", [0, 1, 2, 4, 8])
def test_descent_is_stable_up_to_the_rate_that_theory_says(delay):
    """Levin and May 1976: with the delay, lr * curvature has to stay below 2 cos(pi delay / (2 delay + 1))."""
    limit = 2 * math.cos(math.pi * delay / (2 * delay + 1))

    def distance(rate):
        parameter = nn.Parameter(torch.ones(1, dtype=torch.float64))
        stale, far = StaleGradients([parameter], delay), []
        for _ in range(2000):
            parameter.grad = parameter.detach().clone()  # of w^2 / 2
            if stale.exchange():
                parameter.data.sub_(rate * parameter.grad)
            far.append(abs(parameter.item()))
        return max(far[-50:])

    assert distance(0.95 * limit) < 1e-2
    assert distance(1.05 * limit) > 1e2


def test_a_gradient_that_was_missing_is_missing_later():
    used, unused = nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(1))
    stale = StaleGradients([used, unused], 1)
    used.grad = torch.tensor([5.0])
    assert not stale.exchange()
    used.grad.zero_()  # as an optimiser may clear it in place
    unused.grad = torch.ones(1)
    assert stale.exchange()
    assert used.grad.item() == 5.0 and unused.grad is None
    assert len(stale.waiting) == 1
