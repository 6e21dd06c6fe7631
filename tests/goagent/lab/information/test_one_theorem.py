"""Tricks and penalties that are the same, exactly or in expectation; then that the experiment measures them."""

import math
from itertools import islice, pairwise, product

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from goagent.lab.core import Result
from goagent.lab.information.one_theorem import (
    EXAMPLES,
    EXPERIMENT,
    INPUTS,
    LINEAR,
    RELU,
    STOPPING,
    Task,
    answer,
    begin,
    descend,
    descent,
    distance,
    draw_task,
    error_of,
    flow_penalty,
    input_slopes,
    interpolant,
    least_squares,
    many,
    nearest,
    ridges,
    squared,
)
from goagent.lab.runner import run_experiment
from tests.goagent.lab.laws import assert_a_function_of_its_arguments

TEST = EXPERIMENT.settings["test"]


@pytest.fixture(scope="module")
def result() -> Result:
    return run_experiment(EXPERIMENT, "test", [0])


@pytest.fixture
def task() -> Task:
    torch.manual_seed(0)
    return draw_task(40)


class Masked(nn.Module):
    """Dropout's layer for one mask, of those that it may draw."""

    def __init__(self, mask: tuple[int, ...], p: float) -> None:
        super().__init__()
        self.factors = torch.tensor(mask) / (1 - p)
        self.chance = math.prod(1 - p if kept else p for kept in mask)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factors


def test_dropout_is_an_adaptive_ridge_in_expectation_of_inputs_if_the_model_is_linear_of_hidden_units_always() -> None:
    """Over all masks of three inputs, or of three hidden units."""
    torch.manual_seed(0)
    x, y, p = torch.randn(5, 3), torch.randn(5), 0.2
    masks = [Masked(mask, p) for mask in product((0, 1), repeat=3)]
    linear = [torch.randn(1, 3, 1), torch.randn(1, 1, 1)]
    network = [torch.randn(1, 3, 3), torch.randn(1, 1, 3), *linear]
    units = torch.relu(x @ network[0] + network[1])[0]
    for inputs, expected in (
        (x, sum(m.chance * squared(linear, m(x), y) for m in masks) - squared(linear, x, y)),
        (units, sum(m.chance * squared(network, x, y, m) for m in masks) - squared(network, x, y)),
    ):
        penalty = p / (1 - p) * (inputs.square().mean(dim=0) * linear[0][0, :, 0].square()).sum() / 2
        torch.testing.assert_close(expected, penalty[None])
    inner = sum(m.chance * squared(network, m(x), y) for m in masks) - squared(network, x, y)
    slopes = input_slopes(network, x)[0]
    penalty = p / (1 - p) * (slopes * x).square().sum(dim=1).mean() / 2
    assert not torch.allclose(inner, penalty, rtol=0.01), "of a network's inputs it is not even the slope's"


def test_ridges_reach_the_exact_solution(task: Task) -> None:
    start = begin(LINEAR)
    weights = [torch.ones_like(start[0]), torch.zeros_like(start[1])]
    strengths = torch.tensor([0.5, 2.0])
    found = ridges(task, start, strengths, weights, start, steps=500)
    for answers, strength in zip(found, strengths, strict=True):
        penalty = torch.diag(torch.cat([torch.ones(INPUTS), torch.zeros(1)])) * strength
        torch.testing.assert_close(answers, least_squares(task, penalty), rtol=0.01, atol=0.01)


def test_a_hard_pull_keeps_a_network_at_its_start_and_none_leaves_it_plain(task: Task) -> None:
    start = begin(RELU)
    whole = [torch.ones_like(value) for value in start]
    loose, held = ridges(task, start, torch.tensor([0.0, 1e5]), whole, start, steps=40)
    plain = descend(start, lambda p: squared(p, task.x, task.y), 40)
    torch.testing.assert_close(loose, answer(plain, task.x_test)[0])
    torch.testing.assert_close(held, answer(start, task.x_test)[0], rtol=0, atol=0.01)


def test_gradient_flow_has_a_penalty_of_its_own(task: Task) -> None:
    rate = 0.001
    path = [answers for _, answers in islice(descent(task, begin(LINEAR), rate), 501)]
    for steps in (50, 500):
        own = least_squares(task, flow_penalty(task, rate * steps))
        torch.testing.assert_close(path[steps], own, rtol=0.01, atol=0.005)
    ridge = least_squares(task, torch.eye(INPUTS + 1) / (500 * rate))
    assert (path[500] - ridge).norm() > 10 * (path[500] - own).norm()


def test_descent_reports_the_error_before_each_step(task: Task) -> None:
    start = begin(LINEAR)
    first, second = islice(descent(task, start, 0.01), 2)
    assert first[0] == pytest.approx(float(task.y.square().mean().sqrt())) == error_of(start, task)
    assert second[0] < first[0]
    assert (first[1] == 0).all() and not (second[1] == 0).any()


def test_in_a_linear_model_the_interpolant_nearest_to_zero_is_that_of_least_norm(task: Task) -> None:
    zero = begin(LINEAR)
    begun = [torch.randn_like(value) for value in zero]
    found = interpolant(task, begun, zero, rounds=200)
    inputs = torch.cat([task.x, torch.ones(EXAMPLES, 1)], dim=1)
    least = torch.linalg.pinv(inputs) @ task.y
    torch.testing.assert_close(torch.cat([value.flatten() for value in found]), least, rtol=0, atol=0.01)
    assert error_of(found, task) < 1e-4


def test_in_a_network_the_interpolant_fits_and_is_nearer_to_the_start(task: Task) -> None:
    start = begin(RELU)
    begun = descend(begin(RELU), lambda p: squared(p, task.x, task.y), 300)
    found = interpolant(task, begun, start, rounds=40)

    def far(parameters: list[Tensor]) -> float:
        return sum(float((a - b).square().sum()) for a, b in zip(parameters, start, strict=True))

    assert far(found) < 0.5 * far(begun)
    assert error_of(found, task) < 0.1 * error_of(start, task)


@given(st.integers(0, 10**6))
def test_the_nearest_point_of_a_path_is_on_it_and_none_is_nearer(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    path, answers = torch.randn(4, 3, generator=generator), torch.randn(3, generator=generator)
    found = nearest(answers, path)
    shares = torch.linspace(0, 1, 101)[:, None]
    points = torch.cat([a + shares * (b - a) for a, b in pairwise(path)])
    assert (found - points).norm(dim=1).min() < 0.03
    assert (found - answers).norm() <= (points - answers).norm(dim=1).min() + 1e-5


def test_distance_is_none_of_itself_and_all_of_the_plain_model() -> None:
    trick, plain = torch.randn(9), torch.randn(9)
    assert distance(trick, trick, plain) == 0 and distance(trick, plain, plain) == 1
    assert distance(trick, (trick + plain) / 2, plain) == pytest.approx(0.5)


def test_slopes_are_the_derivatives_of_the_answers() -> None:
    torch.manual_seed(0)
    network, x = begin(RELU), torch.randn(4, INPUTS, requires_grad=True)
    network[1] += torch.randn_like(network[1])
    (slopes,) = torch.autograd.grad(answer(network, x).sum(), x)
    torch.testing.assert_close(input_slopes(network, x)[0], slopes)


def test_copies_descend_apart(task: Task) -> None:
    start = many(begin(RELU), 2)
    targets = torch.stack([task.y, -task.y])
    both = descend(start, lambda p: squared(p, task.x, targets), 20)
    for k in range(2):
        alone = descend([value[k : k + 1] for value in start], lambda p, k=k: squared(p, task.x, targets[k]), 20)
        for value, one in zip(both, alone, strict=True):
            torch.testing.assert_close(value[k : k + 1], one)


def test_it_runs_and_its_figures_are_finite(result: Result) -> None:
    assert {criterion.figure for criterion in EXPERIMENT.criteria} <= set(result.estimates)
    assert all(math.isfinite(estimate.mean) and estimate.mean >= 0 for estimate in result.estimates.values())
    for model in (LINEAR, RELU):
        assert result.mean(f"{model}: floor") > 0, "two runs draw their own noise"
    assert f"{result.mean(f'{LINEAR}: {STOPPING}'):.1%}" in EXPERIMENT.conclude(result)
    assert EXPERIMENT.draw(result).axes


def test_a_cell_is_a_function_of_its_arguments(result: Result) -> None:
    assert_a_function_of_its_arguments(result, LINEAR)
