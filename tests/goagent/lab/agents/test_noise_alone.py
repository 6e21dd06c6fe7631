"""The table of noise for an agent that imitates: its figures mean what they say, and its agents are train.py's."""

import math

import numpy as np
import pytest
import torch

from envs import Rules
from goagent.lab.agents.noise_for_imitation import (
    EXPERIMENT,
    NONE,
    OPENING,
    SOURCES,
    move_bits,
    opening_entropy,
    points_against_shipped,
)
from goagent.lab.core import Result
from goagent.lab.runner import run_experiment
from goagent.learning.dataset import load_positions
from goagent.policies.network import NetworkConfig, PolicyNetwork

TEST = EXPERIMENT.settings["test"]
RULES = Rules.square(7)


@pytest.fixture(scope="module")
def result() -> Result:
    return run_experiment(EXPERIMENT, "test", [0])


def network(sharpness: float, action: int) -> PolicyNetwork:
    """Answers every position with the same logits: `sharpness` for one action, 0 for the others."""
    made = PolicyNetwork(NetworkConfig(channels=2, blocks=1)).eval()
    logits = torch.zeros(RULES.num_actions)
    logits[action] = sharpness
    made.policy.logits = lambda features: logits.expand(len(features), -1)  # type: ignore[method-assign, assignment]
    return made


def test_bits_of_a_move_known_by_hand() -> None:
    positions, _ = load_positions(None, RULES)
    first = positions.where(np.flatnonzero(positions.legal.all(axis=1))[:20])
    assert move_bits(network(0, 0), first, 20, seed=0) == pytest.approx(math.log2(RULES.num_actions))
    same = first.where(first.actions == first.actions[0])
    assert move_bits(network(30, int(same.actions[0])), same, 20, seed=0) == pytest.approx(0, abs=1e-3)
    assert move_bits(network(30, int(same.actions[0]) - 1), same, 20, seed=0) > 20


def test_opening_entropy_of_a_uniform_and_of_a_certain_policy() -> None:
    """Uniform: log2 of the legal moves, which are one fewer with each stone, but where the game has ended by passes."""
    uniform = sum(math.log2(RULES.num_actions - ply) for ply in range(OPENING))
    assert opening_entropy(network(0, 0), RULES, 64, seed=0) == pytest.approx(uniform, rel=0.02)
    assert opening_entropy(network(60, RULES.pass_action), RULES, 4, seed=0) == pytest.approx(0, abs=1e-6)


def test_points_are_those_of_a_match_and_a_player_that_passes_has_none() -> None:
    assert points_against_shipped(network(60, RULES.pass_action), RULES, 1.0, 4, seed=0) <= 1
    assert 0 <= points_against_shipped(network(0, 0), RULES, 100.0, 4, seed=0) <= 4


def test_derived_figures() -> None:
    figures = {"games": 100, "gap": 0.5, "points at 3": 50, "points at 2": 30}
    better = {"games": 100, "gap": 0.3, "points at 3": 75, "points at 2": 55}
    seen = {f"{cell}: {name}": value for cell, said in ((NONE, figures), ("dropout", better), ("stale", figures))
            for name, value in said.items()}  # fmt: skip
    derived = EXPERIMENT.derive(seen)
    assert derived["stale: Elo"] == pytest.approx(0, abs=1e-6) and derived["stale: narrowed"] == 0
    assert derived["dropout: Elo"] == pytest.approx(180, abs=15), "half to three quarters of the points are 191 Elo"
    assert derived["Elo gained"] == pytest.approx(derived["dropout: Elo"] / 2)
    assert derived["gap narrowed"] == pytest.approx(0.1)


def test_every_source_of_train_is_a_row() -> None:
    assert EXPERIMENT.cells(EXPERIMENT.settings["full"]) == (NONE, *SOURCES)
    judged = {criterion.figure for criterion in EXPERIMENT.criteria}
    assert {f"{name}: Elo" for name in SOURCES} | {f"{name}: narrowed" for name in SOURCES} <= judged


def test_it_runs_and_its_figures_are_finite(result: Result) -> None:
    assert all(math.isfinite(estimate.mean) for estimate in result.estimates.values())
    assert {"Elo gained", "gap narrowed", f"{NONE}: gap", f"{NONE}: held out"} <= set(result.estimates)
    assert f"{result.mean(f'{NONE}: gap'):.2f} bits" in EXPERIMENT.conclude(result)
    assert EXPERIMENT.draw(result).axes


def test_a_cell_is_a_function_of_its_arguments() -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    once, again, other = (EXPERIMENT.measure("dropout", seed, TEST) for seed in (0, 0, 1))
    assert once == again != other
    assert torch.equal(torch.get_rng_state(), before)
