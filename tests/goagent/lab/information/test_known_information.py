"""The vectors say what they are said to, and what is measured of the networks keeps the bounds that are theorems."""

import math

import numpy as np
import pytest
import torch

from goagent.lab.core import Result, Role
from goagent.lab.information.capacity import dichotomies
from goagent.lab.information.known_information import EXPERIMENT, GENERATE, LARGEST, ONE, RECONSTRUCT, STORE
from goagent.lab.information.known_measurements import (
    BINARY,
    BOUNDED,
    CHANNELS,
    DROPOUT,
    DROPPED,
    EXAMPLES,
    LENGTH,
    LOADS,
    MODELS,
    NOISE,
    NOISY_UNIT,
    SMOOTH,
    STORES,
    WEIGHTS,
    WITH,
    WITHOUT,
    code_length,
    most,
    units,
    vectors,
)
from goagent.lab.information.known_networks import Autoregressive, train
from goagent.lab.runner import run_experiment
from tests.goagent.lab.laws import assert_a_function_of_its_arguments

TEST = EXPERIMENT.settings["test"]


@pytest.fixture(scope="module")
def result() -> Result:
    return run_experiment(EXPERIMENT, "test", [0])


@pytest.mark.parametrize("bits", EXAMPLES)
def test_vectors_say_as_many_bits_as_they_are_said_to(bits: int) -> None:
    torch.manual_seed(0)
    x, other = vectors(bits), vectors(bits)
    assert x.shape == (2**bits, LENGTH) and set(x.flatten().tolist()) == {-1.0, 1.0}
    assert len(x[:, :bits].unique(dim=0)) == 2**bits, "the first signs are free, so the others follow from them"
    assert torch.equal(x[:, :bits], other[:, :bits])
    assert not torch.equal(x, other), "by another rule"
    assert torch.equal(x.flip(0), -x), "odd functions of the free signs"


def test_no_layer_passes_more_than_it_has_units_or_the_vectors_bits() -> None:
    for channel in CHANNELS:
        bounds = [most(channel, number, 8) for number in (1, 2, 4, 8, 16, 64)]
        assert bounds == sorted(bounds) and bounds[-1] <= 8
    assert [most(BINARY, number, 8) for number in (1, 8, 9)] == [1, 8, 8]
    assert most(NOISE, 3, 12) == pytest.approx(3 * NOISY_UNIT) and 0.9 < NOISY_UNIT < 0.5 * math.log2(5)
    assert most(DROPPED, 1, 8) == 0.5 and 3.4 < most(DROPPED, 8, 4) < 3.5
    assert most(SMOOTH, 1, 8) == 4, "one real number says all, half of the time"
    assert [units(channel, 6) for channel in CHANNELS] == [6, 6, 12, 12]


def test_code_lengths_are_of_networks_without_dropout_and_leave_them_in_training() -> None:
    torch.manual_seed(0)
    model, x = Autoregressive(LENGTH, 40, DROPOUT), vectors(4)
    first = code_length(model, x)
    assert model.training and np.array_equal(first, code_length(model, x))
    assert np.abs(first - LENGTH).max() < 2, "an untrained network knows nothing"
    train(model, lambda: model.bits(x).mean(dim=1).sum(), 20, 0.01)
    assert (code_length(model, x) < first - 2).all()


def test_bounds_that_hold_of_any_network(result: Result) -> None:
    stored = np.array(result.first(f"{STORE}: bits"))
    assert stored.shape == (len(STORES), len(LOADS), len(DROPOUT))
    assert (stored < np.array(LOADS)[:, None]).all(), "of so many bits for each weight"
    unit = result.first(f"{ONE}: bits")
    assert all(bits <= dichotomies(load * WEIGHTS, WEIGHTS) / WEIGHTS for load, bits in zip(LOADS, unit, strict=False))
    for cell in RECONSTRUCT:
        for channel in CHANNELS:
            bound, read, fano = (
                np.array(result.first(f"{cell}: {channel} {name}")) for name in ("bound", "read", "fano")
            )
            assert (read < bound).all() and (fano < bound).all()
            if channel in BOUNDED:
                assert (result.first(f"{cell}: {channel} pass") < bound + 0.3).all(), "few draws"
    for cell, bits in GENERATE.items():
        seen = np.array(result.first(f"{cell}: seen"))
        assert seen.shape == (len(MODELS), len(DROPOUT))
        assert (seen > math.log2(EXAMPLES[bits])).all()


def test_figures_that_are_made_of_others(result: Result) -> None:
    seen, unseen = (np.array(result.first(f"{LARGEST}: {name}")) for name in ("seen", "unseen"))
    assert result.mean(f"{LARGEST}: taken") == pytest.approx(np.mean(seen[:, WITH] - seen[:, WITHOUT]))
    assert result.mean(f"{LARGEST}: given") == pytest.approx(np.mean(unseen[:, WITHOUT] - unseen[:, WITH]))
    assert result.mean(f"{LARGEST}: by heart") == pytest.approx((12 - seen[-1, WITHOUT]) / 4)
    assert result.mean(f"{LARGEST}: best with") in unseen[:, WITH]
    shares = [np.divide(*(result.first(f"{c}: {BINARY} {name}") for name in ("pass", "bound"))) for c in RECONSTRUCT]
    assert result.mean(f"{BINARY}: pass") == pytest.approx(np.mean(shares))
    assert result.mean("over passage") == pytest.approx(
        max(
            np.subtract(result.first(f"{cell}: {channel} read"), result.first(f"{cell}: {channel} pass")).max()
            for cell in RECONSTRUCT
            for channel in BOUNDED
        )
    )


def test_it_runs_and_its_figures_are_finite(result: Result) -> None:
    assert {criterion.figure for criterion in EXPERIMENT.criteria} <= set(result.estimates)
    assert all(math.isfinite(estimate.mean) for estimate in result.estimates.values())
    assert {criterion.role for criterion in EXPERIMENT.criteria} == set(Role)
    assert f"{result.mean(f'{STORE}: a weight'):.2f} bits" in EXPERIMENT.conclude(result)
    assert len(EXPERIMENT.draw(result).axes) == 5


@pytest.mark.parametrize("cell", [ONE, "reconstruct 4", "generate 4"])
def test_a_cell_is_a_function_of_its_arguments(cell: str, result: Result) -> None:
    assert_a_function_of_its_arguments(result, cell)
