"""What one number carries, with and without noise, against cases known by hand; then that the experiment runs."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special
from torch import nn

from goagent.lab.core import Result
from goagent.lab.information.bits import all_codes, expand
from goagent.lab.information.one_number import (
    CAPACITIES,
    DIMENSIONS,
    EXPERIMENT,
    FINEST,
    FORMATS,
    FREE,
    HAND,
    HELD_OUT,
    NOISE,
    SENT,
    UNSEEN,
    UNTRAINED,
    Autoencoder,
    Settings,
    Sines,
    noise_for,
    read_back,
    train,
    untrained,
    with_noise,
    without_noise,
)
from goagent.lab.runner import run_experiment
from goagent.noise.bottleneck import capacity_bits
from goagent.noise.inputs import InputNoise
from tests.goagent.lab.laws import assert_a_function_of_its_arguments
from tests.goagent.noise.measure import assert_mean, assert_variance

TEST = EXPERIMENT.settings["test"]
SMALL = Settings(steps=100, noisy_steps=100, hidden=32, features=32, copies=1, draws=64)


@pytest.fixture(scope="module")
def result() -> Result:
    return run_experiment(EXPERIMENT, "test", [0])


def words(bits: int = 4) -> torch.Tensor:
    return expand(all_codes(bits), DIMENSIONS, torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", ["bfloat16", "float16"])
def test_a_number_holds_as_many_bits_as_it_has_binary_digits(name: str) -> None:
    dtype, digits = FORMATS[name]
    assert digits == 1 - math.log2(torch.finfo(dtype).eps)
    assert [read_back(bits, dtype) for bits in (1, digits - 1, digits)] == [1, 1, 1]
    # one more is missing in numbers from a half on, and there every other one is rounded to its neighbour
    assert read_back(digits + 1, dtype) == 0.75
    assert read_back(digits + 2, dtype) < 0.6


@given(st.floats(0.1, 12))
def test_noise_for_a_capacity_allows_that_capacity(capacity: float) -> None:
    assert float(capacity_bits(torch.tensor(1.0, dtype=torch.float64), noise_for(capacity))) == pytest.approx(capacity)


@settings(max_examples=5, deadline=None)
@given(st.floats(0.01, 100), st.floats(-100, 100))
def test_a_limited_unit_cannot_turn_itself_up(stretch: float, shift: float) -> None:
    torch.manual_seed(0)
    network = Autoencoder(SMALL, sines=False, noise=nn.Identity()).double().requires_grad_(False)
    some = words().double()
    free, limited = network.encoder(some), network.send(some)
    assert float(limited.mean()) == pytest.approx(0, abs=1e-6)
    assert float(limited.var(correction=0)) == pytest.approx(1)
    network.encoder[-1].weight *= stretch
    network.encoder[-1].bias += shift
    torch.testing.assert_close(network.send(some), limited)
    network.limited = False
    assert float(network.send(some).std()) == pytest.approx(stretch * float(free.std()))


def test_the_decoder_is_told_of_the_number_and_its_own_noise_only() -> None:
    torch.manual_seed(0)
    network = Autoencoder(SMALL, sines=False, noise=InputNoise(0.5))
    network.decoder = nn.Sequential()  # which answers with what it is told
    sent = network.send(words()).detach()
    chosen = torch.arange(16).repeat(1000)
    noise = (network(words(), chosen).detach() - sent[chosen])[:, 0]
    assert_mean(noise, 0)
    assert_variance(noise, 0.25)
    assert abs(float((noise.view(1000, 16)[:, 0] * noise.view(1000, 16)[:, 1]).mean())) < 0.05, "each has its own"


def test_sines_are_as_many_for_each_digit() -> None:
    torch.manual_seed(0)
    sines = Sines(4000)
    share = sines.frequency.detach().log() / math.log(FINEST)
    assert float(share.min()) >= 0 and float(share.max()) <= 1
    assert_mean(share, 0.5)
    assert_variance(share, 1 / 12)
    x = torch.zeros(1, 1)
    torch.testing.assert_close(sines(x), sines.phase.sin()[None])


def test_a_random_map_keeps_words_apart() -> None:
    torch.manual_seed(0)
    assert untrained(6)["carried"] == pytest.approx(6)


def test_training_teaches_the_words_it_is_shown() -> None:
    torch.manual_seed(0)
    assert without_noise(3, True, 0, SMALL)["right"] == 1
    torch.manual_seed(0)
    learned = with_noise(8, True, SMALL)
    assert learned["read"] > 3 and learned["carried"] > 5


def test_of_words_held_out_it_is_told_neither_as_questions_nor_as_answers() -> None:
    torch.manual_seed(0)
    network, some = Autoencoder(SMALL, sines=True, noise=nn.Identity()), words()
    with torch.no_grad():
        network.encoder[-1].weight.zero_()  # so that the number, and what all words have in common with it, is no clue
    network.limited = False
    first = [parameter.clone() for parameter in network.parameters()]
    other = some.clone()
    other[8:] = -3 * other[8:]
    ends = []
    for shown in (some, other):
        with torch.no_grad():
            for parameter, value in zip(network.parameters(), first, strict=True):
                parameter.copy_(value)
        train(network, shown, torch.arange(8), 1, 5, 0.01)
        ends.append([parameter.clone() for parameter in network.parameters()])
    assert all(torch.equal(one, two) for one, two in zip(*ends, strict=True))
    assert not all(torch.equal(one, two) for one, two in zip(ends[0], first, strict=True))


def test_four_numbers_on_a_channel_of_one_bit(result: Result) -> None:
    """Their share right by the normal distribution; twice that is more than the channel carries, Fano's bound less."""
    right = 1 - 1.5 * float(special.ndtr(-math.sqrt(3 / 5)))
    assert result.mean(f"{HAND}: product") == pytest.approx(2 * right, abs=0.05)
    assert result.mean(f"{HAND}: product") > 1 > result.mean(f"{HAND}: fano")


def test_nobody_reads_more_than_is_carried_nor_is_more_carried_than_theory_allows(result: Result) -> None:
    for cell in (*(f"{NOISE}, {bits} bits" for bits in CAPACITIES), FREE):
        capacity, carried, read = (result.mean(f"{cell}: {name}") for name in ("capacity", "carried", "read"))
        assert read - 0.1 < carried < min(capacity, SENT) + 0.05
        assert result.mean(f"{cell}: bits") < read + 0.05, "Fano's is a lower bound"
    for bits in CAPACITIES:
        assert result.mean(f"{NOISE}, {bits} bits: power") == pytest.approx(1, abs=1e-5)
        assert result.mean(f"{NOISE}, {bits} bits: capacity") == pytest.approx(bits, abs=1e-4)


def test_it_runs_and_its_figures_are_finite(result: Result) -> None:
    assert {criterion.figure for criterion in EXPERIMENT.criteria} <= set(result.estimates)
    assert all(math.isfinite(estimate.mean) for estimate in result.estimates.values())
    read = [result.mean(f"{NOISE}, {bits} bits: read") for bits in CAPACITIES]
    assert result.mean("read over capacity") == pytest.approx(max(r - c for r, c in zip(read, CAPACITIES, strict=True)))
    assert result.mean("lost by step") == pytest.approx(min(read[k + 1] - read[k] for k in range(len(read) - 1)))
    assert result.mean(f"{HAND}: float32") == 24 and result.mean(f"{HAND}: one more") == 0.75
    assert result.mean(f"{UNTRAINED}: carried") <= 16
    assert result.mean(f"{HELD_OUT}: right") * UNSEEN == pytest.approx(
        round(result.mean(f"{HELD_OUT}: right") * UNSEEN)
    )
    assert f"{result.mean(f'{NOISE}, 2 bits: carried'):.2f} through" in EXPERIMENT.conclude(result)
    assert EXPERIMENT.draw(result).axes


@pytest.mark.parametrize("cell", [HELD_OUT, f"{NOISE}, 2 bits"])
def test_a_cell_is_a_function_of_its_arguments(cell: str, result: Result) -> None:
    assert_a_function_of_its_arguments(result, cell)
