"""Dropped blocks: what is counted, what is compared with what, and what deleting a block does, against hand counts."""

import copy
import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from goagent.lab.core import Result
from goagent.lab.information.stochastic_depth import (
    BLOCKS,
    CONSTANT,
    EXPECTED,
    EXPERIMENT,
    FEWER,
    SHALLOW,
    STOCHASTIC,
    SURVIVAL,
    ResidualPolicy,
    at,
    bits,
    deletions,
    draw_games,
    expert_positions,
)
from goagent.lab.runner import run_experiment
from tests.goagent.lab.laws import assert_a_function_of_its_arguments

TEST = EXPERIMENT.settings["test"]


@pytest.fixture(scope="module")
def result() -> Result:
    return run_experiment(EXPERIMENT, "test", [0])


def policy(survival: tuple[float, ...]) -> ResidualPolicy:
    """With branches that do something."""
    torch.manual_seed(0)
    network = ResidualPolicy(4, survival)
    for block in network.blocks:
        nn.init.normal_(block.second.weight, std=0.2)
    return network


def some_positions(n: int = 6) -> tuple[Tensor, Tensor]:
    legal = torch.rand(n, 50) < 0.7
    legal[:, -1] = True
    return torch.rand(n, 17, 7, 7), legal


def test_the_expected_depth_is_the_sum_of_the_survivals() -> None:
    assert sum(SURVIVAL[STOCHASTIC]) == pytest.approx(EXPECTED) == 8.75
    assert SURVIVAL[CONSTANT] == (1.0,) * BLOCKS and len(SURVIVAL[SHALLOW]) == FEWER


def test_a_block_counts_what_is_evaluated_in_training() -> None:
    network, (planes, legal) = policy((1.0, 0.0, 1.0)), some_positions()
    for _ in range(5):
        network(planes, legal)
    assert [block.evaluated for block in network.blocks] == [5, 0, 5]
    network.eval()(planes, legal)
    assert [block.evaluated for block in network.blocks] == [5, 0, 5]


def test_a_fresh_block_passes_its_input_on() -> None:
    x = torch.randn(2, 4, 7, 7)
    for block in ResidualPolicy(4, (1.0, 0.5)).blocks:
        assert torch.equal(block(x), x)


def test_only_legal_moves_are_answered() -> None:
    network, (planes, legal) = policy((1.0, 0.5)), some_positions()
    chances = network(planes, legal).exp()
    assert (chances[~legal] == 0).all()
    assert torch.allclose(chances.sum(dim=1), torch.ones(len(planes)))


@pytest.mark.parametrize("gone", [0, 1, 2])
def test_deletion_is_the_divergence_from_a_network_without_the_block(gone: int) -> None:
    network, (planes, legal) = policy((0.9, 0.7, 0.5)).eval(), some_positions()
    less = copy.deepcopy(network)
    less.blocks = nn.Sequential(*(block for i, block in enumerate(less.blocks) if i != gone))
    before = network(planes, legal).detach()
    with torch.no_grad():
        q = less(planes, legal)
    divergence = [
        sum(math.exp(a) * (a - b) for a, b, may in zip(*rows, strict=True) if may) / math.log(2)
        for rows in zip(before.tolist(), q.tolist(), legal.tolist(), strict=True)
    ]
    found = deletions(network, planes, legal)
    assert found[gone] == pytest.approx(np.mean(divergence), rel=1e-3, abs=1e-6)
    assert len(found) == 3 and min(found) > -1e-6
    assert torch.equal(network(planes, legal), before), "the network is whole again"


def test_what_does_nothing_is_not_missed() -> None:
    network, (planes, legal) = ResidualPolicy(4, (1.0, 0.5)).eval(), some_positions()
    assert deletions(network, planes, legal) == [0, 0]


def test_bits_of_a_uniform_answer() -> None:
    network, (planes, _) = ResidualPolicy(4, (1.0,)), some_positions(2)
    for parameter in network.parameters():
        nn.init.zeros_(parameter)
    legal = torch.zeros(2, 50, dtype=torch.bool)
    legal[0, :4] = legal[1, :16] = True
    assert bits(network, (planes, legal, torch.tensor([3, 0]))) == pytest.approx((2 + 4) / 2)


def test_between_two_points_of_a_path() -> None:
    path = [{"step": 10.0, "train": 4.0, "test": 4.0}, {"step": 20.0, "train": 2.0, "test": 3.0},
            {"step": 30.0, "train": 1.0, "test": 5.0}]  # fmt: skip
    assert at(path, "step", 15) == {"step": 15, "train": 3, "test": 3.5}
    assert at(path, "train", 1.5) == {"step": 25, "train": 1.5, "test": 4}
    assert at(path, "train", 2.0)["test"] == 3
    assert at(path, "train", 0.5) == path[-1], "no farther than it went"


def test_comparisons_are_with_the_right_point_of_the_path() -> None:
    def point(step: float, train: float, test: float, deletion: float) -> dict[str, float]:
        return {"step": step, "train": train, "test": test, "deletion": deletion}

    constant = [point(0, 4, 4, 0), point(BLOCKS, 1, 5, 0.8)]
    stochastic = [point(BLOCKS, 2, 3.5, 0.2)]
    figures = {f"{CONSTANT}: path": constant, f"{STOCHASTIC}: path": stochastic, f"{CONSTANT}: gap": 4.0}
    figures |= {f"{CONSTANT}: best": 4.0, f"{STOCHASTIC}: best": 3.5, f"{SHALLOW}: best": 3.0}
    derived = EXPERIMENT.derive(figures)
    assert derived["test, equal steps"] == -1.5 and derived["smaller gap"] == 1
    assert derived["deletion, equal steps"] == pytest.approx(0.25)
    far = EXPECTED / BLOCKS  # of the way
    assert derived["gap, equal evaluations"] == pytest.approx(1.5 - 4 * far)
    assert derived["test, equal evaluations"] == pytest.approx(3.5 - (4 + far))
    assert derived["test, equal fit"] == pytest.approx(3.5 - (4 + 2 / 3))
    assert derived["deletion, equal fit"] == pytest.approx(0.2 / (0.8 * 2 / 3))
    assert derived["test, at best"] == -0.5 and derived["test, at best, nine blocks"] == 0.5


@pytest.mark.parametrize("seed", [0, 1])
def test_nothing_is_tested_that_was_learned(seed: int) -> None:
    train, test = draw_games(seed, TEST)
    assert len(test[0]) == TEST.tests and len(train[0]) > 20 * TEST.games
    for planes, legal, actions in (train, test):
        assert legal[torch.arange(len(planes)), actions].all()

    def stones(planes: Tensor) -> set[bytes]:
        return {board.contiguous().numpy().tobytes() for board in planes[:, :2]}

    learned = stones(train[0])
    for mirrored in (test[0], test[0].flip(3)):
        assert not any(stones(mirrored.rot90(k, (2, 3))) & learned for k in range(4))


def test_as_many_games_as_asked_for() -> None:
    assert set(expert_positions(TEST.pool).games) == set(range(TEST.pool))


def test_it_runs_and_its_figures_are_finite(result: Result) -> None:
    assert {criterion.figure for criterion in EXPERIMENT.criteria} <= set(result.estimates)
    assert all(math.isfinite(estimate.mean) for estimate in result.estimates.values())
    assert result.mean(f"{CONSTANT}: active") == BLOCKS and result.mean(f"{SHALLOW}: active") == FEWER
    ran = np.array(result.first(f"{STOCHASTIC}: ran"))
    assert ran.shape == (TEST.steps, BLOCKS) and ran.sum() / TEST.steps == result.mean(f"{STOCHASTIC}: active") < BLOCKS
    for cell in (CONSTANT, STOCHASTIC, SHALLOW):
        path = result.first(f"{cell}: path")
        assert [point["step"] for point in path] == [TEST.steps / 2, TEST.steps]
        assert path[-1]["train"] < path[0]["train"], "something is learned"
        gap = result.mean(f"{cell}: test") - result.mean(f"{cell}: train")
        assert result.mean(f"{cell}: gap") == pytest.approx(gap)
    assert f"{result.mean(f'{STOCHASTIC}: gap'):.2f} bits" in EXPERIMENT.conclude(result)
    assert EXPERIMENT.draw(result).axes


def test_a_cell_is_a_function_of_its_arguments(result: Result) -> None:
    assert_a_function_of_its_arguments(result, STOCHASTIC)
