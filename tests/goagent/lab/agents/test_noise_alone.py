"""The tables of noise: their figures mean what they say, and their agents are train.py's."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from envs import Rules
from goagent.lab.agents import noise_for_imitation, noise_for_self_play
from goagent.lab.agents.noise_alone import (
    NONE,
    OPENING,
    SOURCES,
    NoiseAlone,
    opening_entropy,
    points_against_shipped,
)
from goagent.lab.agents.noise_for_imitation import move_bits
from goagent.lab.agents.noise_for_self_play import HoldingOut, bits_off
from goagent.lab.core import Result
from goagent.lab.runner import run_experiment
from goagent.learning.dataset import load_positions
from goagent.learning.replay import Replay, row_type
from goagent.policies.network import NetworkConfig, PolicyNetwork
from tests.goagent.lab.laws import assert_a_function_of_its_arguments

RULES = Rules.square(7)
DOCS = Path(__file__).parents[4] / "docs"
TABLES = noise_for_imitation.EXPERIMENT, noise_for_self_play.EXPERIMENT


@pytest.fixture(scope="module", params=TABLES, ids=lambda table: table.name)
def table(request: pytest.FixtureRequest) -> NoiseAlone:
    return request.param


@pytest.fixture(scope="module")
def result(table: NoiseAlone) -> Result:
    return run_experiment(table, "test", [0])


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
    assert points_against_shipped(network(60, RULES.pass_action), 1.0, RULES, 1.0, 4, seed=0) <= 1
    assert 0 <= points_against_shipped(network(0, 0), 1.0, RULES, 100.0, 4, seed=0) <= 4


def held(replay: Replay) -> list[int]:
    """The slots of its rows."""
    return replay.rows["game"][: replay.added].tolist()


def test_every_eighth_slot_is_held_out() -> None:
    rows = np.zeros(20, row_type(RULES))
    rows["game"] = np.arange(20) % 10
    replay = HoldingOut(RULES, 80)
    replay.add(rows)
    assert held(replay.held_out) == [0, 8, 0, 8]
    assert held(replay) == [1, 2, 3, 4, 5, 6, 7, 9] * 2


def test_bits_off_the_search_known_by_hand() -> None:
    """The search is sure of one move, the same under every symmetry: a uniform policy is off by log2 of the moves."""
    replay, rules = Replay(RULES, 8), RULES
    rows = np.zeros(8, row_type(rules))
    rows["legal"] = 255
    rows["policy"][:, rules.pass_action] = 1
    replay.add(rows)
    rng = np.random.default_rng(0)
    assert bits_off(network(0, 0), replay, 8, rng) == pytest.approx(math.log2(rules.num_actions))
    assert bits_off(network(60, rules.pass_action), replay, 8, rng) == pytest.approx(0, abs=1e-6)


def test_derived_figures(table: NoiseAlone) -> None:
    worse, better = table.yardsticks
    plain = {"games": 100, "gap": 0.5, "entropy": 9}
    points = {"points": (50, 30), "sharp points": (90, 60)}
    noisy, better_points = plain | {"gap": 0.3, "entropy": 10}, points | {"points": (75, 55)}
    seen: dict[str, float] = {}
    for cell in (NONE, "dropout", "stale", "initialisation"):
        figures, scored = (noisy, better_points) if cell == "dropout" else (plain, points)
        seen |= {f"{cell}: {name}": value for name, value in figures.items()}
        for name, (against_worse, against_better) in scored.items():
            seen |= {f"{cell}: {name} at {worse:g}": against_worse, f"{cell}: {name} at {better:g}": against_better}
    derived = table.derive(seen)
    assert derived["stale: Elo"] == pytest.approx(0, abs=1e-6) and derived["stale: narrowed"] == 0
    assert derived["dropout: Elo"] == pytest.approx(180, abs=15), "half to three quarters of the points are 191 Elo"
    assert derived["dropout: sharp Elo"] == pytest.approx(0, abs=1e-6)
    assert derived["Elo gained"] == pytest.approx(derived["dropout: Elo"] / 2), "initialisation is no noise"
    assert derived["gap narrowed"] == pytest.approx(0.1)
    assert derived["entropy gained"] == pytest.approx(0.5)


def test_every_source_of_train_is_a_row(table: NoiseAlone) -> None:
    cells = table.cells(table.settings["full"])
    assert set(cells) - {"label"} == {NONE, *SOURCES} - {"label"}
    judged = {criterion.figure for criterion in table.criteria}
    assert {f"{name}: {what}" for name in cells[1:] for what in ("Elo", "narrowed")} <= judged


def test_every_row_is_a_run_of_train(table: NoiseAlone) -> None:
    settings = table.settings["full"]
    for cell in table.cells(settings):
        config = table.config(cell, 3, settings)
        assert (config.algorithm, config.seed, config.noise) == (table.algorithm, 3, () if cell == NONE else (cell,))


def test_it_runs_and_its_figures_are_finite(table: NoiseAlone, result: Result) -> None:
    assert all(math.isfinite(estimate.mean) for estimate in result.estimates.values())
    gains = {"Elo gained", "sharp Elo gained", "gap narrowed", "entropy gained"}
    assert gains | {f"{NONE}: gap", f"{NONE}: held out"} <= set(result.estimates)
    assert f"{result.mean(f'{NONE}: gap'):.2f} bits" in table.conclude(result)
    assert table.draw(result).axes


def test_a_cell_is_a_function_of_its_arguments(table: NoiseAlone, result: Result) -> None:
    assert_a_function_of_its_arguments(result, "dropout")


def judged_rows(name: str) -> list[str]:
    """The table of docs/noise.md: Elo of drawn moves and of nearly the best move, gap and opening entropy in bits."""
    figures = json.loads((DOCS / "lab" / f"{name}.json").read_text())["figures"]

    def cell(source: str, figure: str, form: str) -> str:
        low, high = figures[f"{source}: {figure}"]["interval"]
        return f"{figures[f'{source}: {figure}']['mean']:{form}} ({low:{form}} to {high:{form}})"

    sources = [figure.removesuffix(": Elo") for figure in figures if figure.endswith(": Elo")]
    rows = [(NONE, "0", "0")] + [
        (source, cell(source, "Elo", "+.0f"), cell(source, "sharp Elo", "+.0f"))
        for source in sorted(sources, key=lambda source: -figures[f"{source}: Elo"]["mean"])
    ]
    return [
        f"| `{source}` | {elo} | {sharp} | {cell(source, 'gap', '.2f')} | {cell(source, 'entropy', '.1f')} |"
        for source, elo, sharp in rows
    ]


@pytest.mark.parametrize("name", [table.name for table in TABLES if (DOCS / "lab" / f"{table.name}.json").exists()])
def test_the_docs_have_the_judged_figures(name: str) -> None:
    assert "\n".join(judged_rows(name)) in (DOCS / "noise.md").read_text(encoding="utf-8")
