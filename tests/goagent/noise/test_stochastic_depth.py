"""Blocks that are there for some mini-batches only: how many, at what cost, and at what scale."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from goagent.noise.stochastic_depth import StochasticDepth, survival_schedule
from tests.goagent.noise.measure import assert_mean


@given(st.integers(1, 200))
def test_three_quarters_of_the_blocks_survive(blocks):
    schedule = survival_schedule(blocks)
    assert sum(schedule) == pytest.approx((3 * blocks - 1) / 4)
    assert schedule[-1] == 0.5
    steps = [a - b for a, b in zip((1.0, *schedule), schedule, strict=False)]
    assert steps == pytest.approx([0.5 / blocks] * blocks)


@given(st.integers(1, 50), st.floats(0, 1))
def test_survival_ends_where_it_is_told(blocks, last):
    schedule = survival_schedule(blocks, last)
    assert schedule[-1] == pytest.approx(last)
    assert all(last - 1e-9 <= p <= 1 for p in schedule)


def test_a_dropped_branch_is_not_computed():
    generator = torch.Generator().manual_seed(0)
    tower = [StochasticDepth(p, generator) for p in survival_schedule(12)]
    calls, depths = [], []

    def branch(x):
        calls.append(x)
        return torch.ones_like(x)

    for _ in range(1000):
        calls.clear()
        x = torch.zeros(2, 3)
        for join in tower:
            x = join(x, branch)
        depths.append(len(calls))
        assert torch.equal(x, torch.full((2, 3), float(len(calls))))  # not rescaled
    assert_mean(torch.tensor(depths), 8.75)


def test_evaluation_is_the_expectation_of_training():
    join, branch, x = StochasticDepth(0.7, torch.Generator().manual_seed(0)), nn.Linear(3, 3), torch.randn(3)
    with torch.no_grad():
        drawn = torch.stack([join(x, branch) for _ in range(5000)])
        assert torch.equal(join.eval()(x, branch), x + 0.7 * branch(x))
        assert_mean(drawn, join(x, branch))
        assert {tuple(row) for row in drawn.tolist()} == {tuple(x.tolist()), tuple((x + branch(x)).tolist())}


def test_ends_of_the_scale():
    x = torch.randn(3)
    assert torch.equal(StochasticDepth(1.0)(x, torch.tanh), x + x.tanh())
    assert StochasticDepth(0.0)(x, torch.tanh) is x


def test_a_dropped_branch_learns_nothing():
    branch = nn.Linear(3, 3)
    StochasticDepth(0.0)(torch.randn(2, 3, requires_grad=True), branch).sum().backward()
    assert branch.weight.grad is None
