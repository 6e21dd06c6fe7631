"""Late gradients are those of earlier weights, one worker is plain descent, and the bowl keeps to its theory."""

import math
import threading
from copy import deepcopy

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from goagent.lab.capture_go import random_boards
from goagent.lab.core import Result
from goagent.lab.energy.asynchrony import BOWL, DELAYED, DELAYS, EXPERIMENT, PROCESSES, RATES, compare, positions
from goagent.lab.energy.late_gradients import Policies, critical, curvature, late_updates, meeting_loss, train
from goagent.lab.runner import run_experiment
from tests.goagent.lab.laws import assert_a_function_of_its_arguments

TEST = EXPERIMENT.settings["test"]


@pytest.fixture(scope="module")
def result() -> Result:
    return run_experiment(EXPERIMENT, "test", [0])


@pytest.fixture
def policy() -> Policies:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Policies(*positions(60, 0), batch=8)


@given(st.integers(0, 40), st.floats(0.5, 1.5))
def test_the_critical_rate_is_where_a_root_leaves_the_unit_circle(delay: int, factor: float) -> None:
    """w' = w - a w_delayed has the solutions z^t, with z^(d + 1) - z^d + a = 0."""
    polynomial = np.zeros(delay + 2)
    polynomial[[0, 1]] = 1, -1
    polynomial[-1] += critical(delay)
    assert np.abs(np.roots(polynomial)).max() == pytest.approx(1, abs=1e-9)
    polynomial[-1] += (factor - 1) * critical(delay)
    if abs(factor - 1) > 0.01:
        assert (np.abs(np.roots(polynomial)).max() > 1) == (factor > 1)


def test_the_critical_rate_is_that_of_levin_and_may() -> None:
    assert critical(0) == pytest.approx(2) and critical(1) == pytest.approx(1)
    for delay in DELAYS:
        assert critical(delay) == pytest.approx(2 * math.cos(math.pi * delay / (2 * delay + 1)))


def test_positions_show_stones_and_share_the_answer() -> None:
    x, answers = positions(50, 3)
    boards, _ = random_boards(5, 50, np.random.default_rng(3))
    own, enemy = x[:, :25], x[:, 25:]
    assert x.shape == (50, 50) and torch.equal(own - enemy, torch.from_numpy(boards).flatten(1).float())
    torch.testing.assert_close(answers.sum(dim=1), torch.ones(50))
    assert not (answers * (own + enemy)).any()
    assert torch.equal(positions(50, 3)[0], x) and not torch.equal(positions(50, 4)[0], x)


def test_copies_learn_by_themselves(policy: Policies) -> None:
    """Each at its own rate as it would alone, late gradients included."""
    many = policy.repeat(3)
    train(many, 2, torch.tensor([0.1, 0.2, 0.4]), seed=5, updates=6)
    for copy, rate in enumerate((0.1, 0.2, 0.4)):
        alone = deepcopy(policy)
        train(alone, 2, torch.tensor([rate]), seed=5, updates=6)
        torch.testing.assert_close(many.weights()[copy], alone.weights()[0])


def test_without_delay_it_is_plain_descent(policy: Policies) -> None:
    plain = deepcopy(policy)
    generator = torch.Generator().manual_seed(5)
    for _ in range(6):
        gradient = plain.gradient(plain.draw(generator))
        start = 0
        with torch.no_grad():
            for part in plain.parts:
                part -= 0.2 * gradient[:, start : start + part[0].numel()].view_as(part)
                start += part[0].numel()
    train(policy, 0, torch.tensor([0.2]), seed=5, updates=6)
    torch.testing.assert_close(policy.weights(), plain.weights())


@pytest.mark.parametrize("delay", [0, 1, 4])
def test_a_late_gradient_is_that_of_the_weights_before_the_way(policy: Policies, delay: int) -> None:
    start, seen = policy.weights(), []
    for batch, way in late_updates(policy, delay, torch.tensor([0.2]), seed=1, updates=7):
        late = torch.cat([part.grad.flatten(1) for part in policy.parts if part.grad is not None], dim=1)
        seen.append((batch, way, policy.weights(), late))
    assert len(seen) == 7
    for update, (batch, way, now, late) in enumerate(seen):
        then = seen[update - delay][2] if update >= delay else start
        torch.testing.assert_close(way, now - then)
        before = at(policy, then)
        torch.testing.assert_close(late, before.gradient(batch))
    torch.testing.assert_close(policy.weights(), seen[-1][2] - 0.2 * seen[-1][3])


def at(policy: Policies, weights: Tensor) -> Policies:
    """The policy with other weights (1, numbers)."""
    other = deepcopy(policy)
    torch.nn.utils.vector_to_parameters(weights[0], other.parts)
    return other


def test_only_late_gradients_are_off(policy: Policies) -> None:
    assert compare(deepcopy(policy), 0, 0.1, 0, TEST) == (0, 0, 0)
    noise, by_batches, back = compare(deepcopy(policy), 4, 0.1, 0, TEST)
    assert noise > 0 and by_batches > 0 and -1 <= back <= 1


def test_the_curvature_is_the_largest_eigenvalue() -> None:
    class Quadratic:
        parts = (torch.nn.Parameter(torch.tensor([[[1.0, 2.0]]])), torch.nn.Parameter(torch.tensor([[[3.0]]])))

        def loss(self, chosen: slice) -> Tensor:
            (first, second), third = self.parts[0][0, 0], self.parts[1][0, 0, 0]
            return 0.5 * (3 * first**2 + 3 * second**2 + third**2) + 2 * first * second

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        assert curvature(Quadratic()) == pytest.approx(5, rel=1e-4)  # type: ignore[arg-type]


def test_workers_wait_for_each_other(policy: Policies) -> None:
    policy.begun, policy.seed = torch.zeros(2, dtype=torch.bool), 70
    losses: dict[int, Tensor] = {}

    def work(seed: int) -> None:
        losses[seed] = meeting_loss(policy, torch.Generator().manual_seed(seed))

    first = threading.Thread(target=work, args=(70,))
    first.start()
    first.join(timeout=0.05)
    assert first.is_alive() and not losses
    work(71)
    first.join(timeout=10)
    assert len(losses) == 2 and policy.begun.all()
    assert losses[70].item() == policy.loss(policy.draw(torch.Generator().manual_seed(70))).item()


def test_one_worker_is_no_other_than_none(result: Result) -> None:
    """At this scale `hogwild` has one worker, which is plain descent but for rounding, and repeats to the last bit."""
    assert TEST.workers == 1
    assert result.mean(f"{PROCESSES}: relative loss") == pytest.approx(1, rel=1e-5)
    assert result.mean(f"{PROCESSES}: distance") == result.mean(f"{PROCESSES}: serial distance") == 0
    assert result.first(f"{PROCESSES}: histogram") == [TEST.steps]


def test_it_runs_and_its_figures_are_finite(result: Result) -> None:
    assert {criterion.figure for criterion in EXPERIMENT.criteria} <= set(result.estimates)
    assert all(math.isfinite(estimate.mean) for estimate in result.estimates.values())
    loss = np.array(result.first(f"{DELAYED}: loss by rate"))
    assert loss.shape == (len(DELAYS), len(RATES))
    assert result.mean(f"{DELAYED}: fresh") == 0
    assert result.mean(f"{BOWL}: error") <= 0.02
    assert f"{result.mean(f'{DELAYED}: noise'):.0%}" in EXPERIMENT.conclude(result)
    assert EXPERIMENT.draw(result).axes


def test_the_delays_are_a_function_of_their_arguments(result: Result) -> None:
    assert_a_function_of_its_arguments(result, DELAYED)
