"""Units of one bit: sums over all their states against sums by hand, gradients against each other, bits of memory."""

import copy
import math
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from goagent.lab.core import Result
from goagent.lab.information.binary_units import (
    AUTOENCODERS,
    BINARY,
    BITS,
    DIMENSIONS,
    DRAWN,
    EARLY,
    EXPERIMENT,
    FLOAT,
    LOOKS,
    POLICIES,
    STATES,
    WIDE,
    Autoencoder,
    compare_gradients,
    cosine,
    errors,
    expected_loss,
    expected_straight_through,
    log_chance,
    policy,
    score_loss,
)
from goagent.lab.information.bits import all_codes, expand
from goagent.lab.runner import run_experiment
from goagent.noise.binary import BinaryConv2d, binarize, pack, unpack
from tests.goagent.lab.laws import assert_a_function_of_its_arguments

TEST = EXPERIMENT.settings["test"]


@pytest.fixture(scope="module")
def result() -> Result:
    return run_experiment(EXPERIMENT, "test", [0])


def fresh(stretch: float = 1.0) -> tuple[Autoencoder, torch.Tensor]:
    """A network, whose units' means are stretched, and words for it."""
    torch.manual_seed(0)
    network = Autoencoder(DRAWN, BITS, 16)
    with torch.no_grad():
        network.encoder[2].weight *= stretch
    return network, expand(all_codes(BITS), DIMENSIONS, torch.Generator().manual_seed(0))


def gradient(network: Autoencoder, loss: torch.Tensor) -> torch.Tensor:
    return torch.cat([part.flatten() for part in torch.autograd.grad(loss, list(network.encoder.parameters()))])


@settings(max_examples=20)
@given(st.lists(st.floats(-2, 2), min_size=BITS, max_size=BITS))
def test_chances_of_all_states(means: list[float]) -> None:
    chances = log_chance(torch.tensor([means]), STATES).exp()
    assert float(chances.sum()) == pytest.approx(1, abs=1e-4)
    held = [min(max(mean, -1), 1) for mean in means]
    assert ((chances[:, None] * STATES).sum(dim=0)).tolist() == pytest.approx(held, abs=1e-4), "these are the means"


def test_the_expected_loss_is_what_draws_have_on_average() -> None:
    network, words = fresh(stretch=4)
    with torch.no_grad():
        some, means = words[:3], network.encoder(words[:3])
        drawn = errors(network, binarize(means.expand(4000, -1, -1), stochastic=True), some)
        spread = drawn.std(dim=0) / len(drawn) ** 0.5
        assert ((drawn.mean(dim=0) - expected_loss(network, some)).abs() < 5 * spread).all()


def test_the_exact_gradient_is_that_of_a_sum_over_states() -> None:
    network, words = fresh(stretch=4)
    word = words[:1]
    means = network.encoder(word)[0].clamp(-1, 1)
    total = torch.zeros(())
    for signs in product((-1.0, 1.0), repeat=BITS):
        state = torch.tensor(signs)
        total = total + ((1 + means * state) / 2).prod() * errors(network, state, word[0]).detach()
    torch.testing.assert_close(gradient(network, expected_loss(network, word).mean()), gradient(network, total))


def test_the_mean_of_straight_through_gradients() -> None:
    network, words = fresh(stretch=4)
    assert 0.05 < float((network.encoder(words).abs() > 1).double().mean()) < 0.95, "some are outside the window"
    torch.testing.assert_close(expected_straight_through(network, words), expected_loss(network, words))
    mean = gradient(network, expected_straight_through(network, words).mean())
    drawn = torch.stack([
        gradient(network, errors(network, binarize(network.encoder(words), stochastic=True), words).mean())
        for _ in range(200)
    ])  # fmt: skip
    assert cosine(drawn.mean(dim=0), mean) > 0.99
    assert float(drawn.mean(dim=0).norm() / mean.norm()) == pytest.approx(1, abs=0.05)


def test_the_score_function_has_the_exact_gradient_on_average() -> None:
    network, words = fresh()
    exact = gradient(network, expected_loss(network, words).mean())
    for baseline in (torch.zeros(len(words)), expected_loss(network, words).detach()):
        drawn = torch.stack([gradient(network, score_loss(network, words, baseline)) for _ in range(200)])
        assert cosine(drawn.mean(dim=0), exact) > 0.9
        assert float(drawn.mean(dim=0) @ exact / exact.square().sum()) == pytest.approx(1, abs=0.15)


def test_straight_through_is_exact_for_a_square_of_units_that_are_open() -> None:
    """Of a parabola, half the difference from -1 to +1 is the mean of the slopes there: right where odds are even."""
    network, words = fresh()
    network.decoder = nn.Linear(BITS, DIMENSIONS)  # type: ignore[assignment]
    with torch.no_grad():
        network.encoder[2].weight.zero_()
        network.encoder[2].bias.zero_()
    assert compare_gradients(network, words, 2)["straight"] == pytest.approx(1, abs=1e-5)
    with torch.no_grad():
        network.encoder[2].bias.fill_(0.8)
    assert compare_gradients(network, words, 2)["straight"] < 0.99


def test_nothing_in_common_is_seen_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    network, words = fresh()
    right = compare_gradients(network, words, 2)
    assert right["p"] < 1e-6 and right["cosine"] > 0.5
    other = torch.randn(len(words), generator=torch.Generator().manual_seed(1))

    def nonsense(network: Autoencoder, words: torch.Tensor, baseline: torch.Tensor) -> torch.Tensor:
        """Reward for nothing, drawn anew for each call."""
        drawn = torch.randn_like(other)
        return (drawn * log_chance(network.encoder(words), binarize(network.encoder(words).detach(), True))).mean()

    monkeypatch.setattr("goagent.lab.information.binary_units.score_loss", nonsense)
    assert compare_gradients(network, words, 2)["p"] > 0.01


def test_float_and_binary_policies_have_one_shape() -> None:
    for width in (8, WIDE):
        shapes = [[p.shape for p in policy(kind, width).parameters()] for kind in (BINARY, FLOAT)]
        assert shapes[0] == shapes[1]


def test_a_binary_policy_plays_the_same_from_its_bits() -> None:
    torch.manual_seed(0)
    network, planes = policy(BINARY, 8), torch.rand(5, 7, 7, 7)
    thawed = copy.deepcopy(network)
    for layer in thawed[0]:
        if isinstance(layer, BinaryConv2d):
            layer.weight.data = unpack(pack(layer.weight), layer.weight.shape)
    trunk, head = network
    assert set(trunk(planes).unique().tolist()) == {-1.0, 1.0}
    assert torch.equal(head.logits(trunk(planes)), thawed[1].logits(thawed[0](planes)))


def test_memory_by_hand(result: Result) -> None:
    weights, others = 9 * (7 * 8 + 8 * 8 + 8 * 8), 3 * 8 + (8 + 1) + (3 * 8 + 1)  # biases, and the head's two parts
    assert result.mean(f"8 {BINARY} channels: bits") == weights + 32 * others
    assert result.mean(f"8 {FLOAT} channels: bits") == 32 * (weights + others)
    assert result.mean("packed") == 32


def test_no_binary_unit_carries_more_than_a_bit(result: Result) -> None:
    for cell, (kind, units) in AUTOENCODERS.items():
        if kind != FLOAT:
            assert result.mean(f"{cell}: unit") <= 1
            assert result.mean(f"{cell}: read") <= units
        assert 0 <= result.mean(f"{cell}: decoded") <= BITS and result.mean(f"{cell}: read") <= BITS
    assert result.mean(f"2 {FLOAT} units: unit") > 5, "and a float, many"


def test_it_runs_and_its_figures_are_finite(result: Result) -> None:
    assert {criterion.figure for criterion in EXPERIMENT.criteria} <= set(result.estimates)
    assert all(math.isfinite(estimate.mean) for estimate in result.estimates.values())
    gradients = result.first(f"{BITS} {DRAWN} units: gradients")
    assert [point["step"] for point in gradients] == [round(TEST.steps * share) for share in LOOKS]
    assert result.mean("p") == max(point["p"] for point in gradients[:EARLY])
    assert result.mean("aligned, end") == gradients[-1]["straight"]
    won = {cell: result.mean(f"{cell}: won") for cell in POLICIES}
    assert result.mean("lost") == pytest.approx(won[f"{WIDE} {FLOAT} channels"] - won[f"{WIDE} {BINARY} channels"])
    assert f"{result.mean(f'4 {BINARY} units: read'):.2f} of 8 bits" in EXPERIMENT.conclude(result)
    assert EXPERIMENT.draw(result).axes


@pytest.mark.parametrize("cell", [f"{BITS} {DRAWN} units", f"8 {BINARY} channels"])
def test_a_cell_is_a_function_of_its_arguments(cell: str, result: Result) -> None:
    assert_a_function_of_its_arguments(result, cell)
