"""The arms differ in what they are said to differ in, and in nothing else."""

import math

import pytest
import torch

from goagent.lab.agents.noise_alone import NONE
from goagent.lab.agents.noise_or_layer import (
    ARMS,
    BOTTLENECK,
    EXPERIMENT,
    LAYER,
    LONGER,
    NOISE,
    PRICE,
    network_of,
    rate_of,
)
from goagent.lab.core import Result
from goagent.lab.runner import run_experiment
from goagent.learning.noise import TrainingNoise
from goagent.policies.network import PolicyNetwork
from tests.goagent.lab.laws import assert_a_function_of_its_arguments

SETTINGS = EXPERIMENT.settings["test"]
WITH_LAYER = [cell for cell in ARMS if ARMS[cell].noise]


def made(cell: str) -> PolicyNetwork:
    return network_of(cell, EXPERIMENT.config(cell, 1, SETTINGS))


def features(network: PolicyNetwork) -> torch.Tensor:
    planes = torch.ones(2, network.config.planes, 7, 7)
    return network.trunk(planes)


@pytest.fixture(scope="module")
def result() -> Result:
    return run_experiment(EXPERIMENT, "test", [0])


def test_those_with_the_layer_begin_alike() -> None:
    first = made(LAYER).state_dict()
    for cell in WITH_LAYER:
        weights = made(cell).state_dict()
        assert weights.keys() == first.keys()
        assert all(torch.equal(weights[name], first[name]) for name in first)
    assert len(made(NONE).state_dict()) == len(first) - 2


@pytest.mark.parametrize("cell", ARMS)
def test_noise_is_drawn_where_there_is_some(cell: str) -> None:
    network = made(cell)
    assert torch.equal(features(network), features(network)) == (cell not in (NOISE, BOTTLENECK))
    network.eval()
    assert torch.equal(features(network), features(network))


@pytest.mark.parametrize("cell", ARMS)
def test_the_rate_is_paid_for_where_there_is_a_price(cell: str) -> None:
    network = made(cell)
    noise = TrainingNoise(EXPERIMENT.config(cell, 1, SETTINGS).noise, network, examples=1)
    features(network)
    rate = rate_of(network)
    assert (rate > 0) == (cell in WITH_LAYER)
    priced = 1e-4 if cell in (PRICE, BOTTLENECK) else 0
    assert torch.as_tensor(noise.penalty()).item() == pytest.approx(priced * math.log(2) * rate)
    if priced:
        noise.penalty().backward()
        assert all(weight.grad.abs().sum() > 0 for weight in network.trunk.bottleneck.parameters())


def test_all_arms_are_runs_of_train_but_for_silence() -> None:
    assert EXPERIMENT.config(BOTTLENECK, 3, SETTINGS).noise == (BOTTLENECK,)
    assert EXPERIMENT.config(NONE, 3, SETTINGS).noise == ()
    assert not ARMS[BOTTLENECK].silent and not ARMS[NONE].silent


def test_derived_figures() -> None:
    points = {NONE: (40, 30), LONGER: (60, 50), LAYER: (60, 50), NOISE: (60, 50), PRICE: (40, 30), BOTTLENECK: (75, 65)}
    seen: dict[str, float] = {}
    for cell, (worse, better) in points.items():
        seen |= {f"{cell}: points at 3": worse, f"{cell}: points at 2": better, f"{cell}: games": 100}
        seen |= {f"{cell}: sharp points at 3": 50, f"{cell}: sharp points at 2": 50}
        seen |= {f"{cell}: gap": 0.4 if cell == LAYER else 0.3}
    derived = EXPERIMENT.derive(seen)
    assert derived[f"{LAYER}: Elo"] > 100
    assert derived[f"{NOISE} over {LAYER}"] == pytest.approx(0, abs=1e-6)
    assert derived[f"{PRICE} over {LAYER}"] == pytest.approx(-derived[f"{LAYER}: Elo"])
    assert derived[f"{BOTTLENECK} over {LAYER}"] == pytest.approx(115, abs=25), "60 to 75 % of the points are 120 Elo"
    assert derived[f"{LONGER}: Elo"] == pytest.approx(derived[f"{LAYER}: Elo"], abs=5)
    assert derived[f"{BOTTLENECK} over {LONGER}"] == pytest.approx(derived[f"{BOTTLENECK} over {LAYER}"], abs=5)
    assert derived[f"sharp {BOTTLENECK} over {LAYER}"] == pytest.approx(0, abs=1e-6)
    assert derived[f"{BOTTLENECK}: narrowed"] == pytest.approx(0.1)


def test_it_runs_and_its_figures_are_finite(result: Result) -> None:
    assert all(math.isfinite(estimate.mean) for estimate in result.estimates.values())
    assert {criterion.figure for criterion in EXPERIMENT.criteria} <= set(result.estimates)
    assert f"{result.mean(f'{NONE}: gap'):.2f} bits" in EXPERIMENT.conclude(result)
    assert EXPERIMENT.draw(result).axes


def test_a_cell_is_a_function_of_its_arguments(result: Result) -> None:
    assert_a_function_of_its_arguments(result, BOTTLENECK)
