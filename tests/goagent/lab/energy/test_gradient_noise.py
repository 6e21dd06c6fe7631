"""The poor beginning is a plateau, the noise a random walk of known width, and a draw can be as wide."""

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from goagent.lab.core import Result
from goagent.lab.energy.gradient_noise import (
    AFTER,
    ARMS,
    DRAWN,
    EXPERIMENT,
    GO_HE,
    GO_NOISE,
    GO_PLAIN,
    HE,
    NOISE,
    PLAIN,
    SHALLOW,
    SIZE,
    WALK,
    begin,
    boards,
    descend,
    hidden_gradient,
    linear_layers,
    loss_of,
    passed,
    points,
    poor_stds,
    right,
    walk_variance,
)
from goagent.lab.runner import run_experiment
from tests.goagent.lab.laws import assert_a_function_of_its_arguments

TEST, FULL = EXPERIMENT.settings["test"], EXPERIMENT.settings["full"]


@pytest.fixture(scope="module")
def result() -> Result:
    return run_experiment(EXPERIMENT, "test", [0])


def test_beginnings_are_as_wide_as_they_should_be() -> None:
    he, poor, drawn = (begin(ARMS[cell], 3, FULL) for cell in (HE, PLAIN, DRAWN))
    assert [len(linear_layers(network)) for network in (poor, begin(ARMS[SHALLOW], 3, FULL))] == [20, 2]
    stds, wide = poor_stds(poor, FULL.clusters), walk_variance(FULL.clusters, FULL)
    assert stds[1:] == pytest.approx([0.1] * 19)
    for one, half, drawn_wide, std in zip(*map(linear_layers, (he, poor, drawn)), stds, strict=True):
        torch.testing.assert_close(one.weight, 2 * half.weight)  # arms that differ in noise alone begin alike
        assert half.weight.std().item() == pytest.approx(std, rel=0.15)
        assert drawn_wide.weight.std().item() == pytest.approx((std**2 + wide) ** 0.5, rel=0.15)
        assert not half.bias.any() and drawn_wide.bias.any()


def test_each_layer_of_the_poor_beginning_halves_the_signal() -> None:
    """Positively homogeneous without biases: halving all weights of L layers divides the output by 2^L exactly."""
    x, answers, _ = points(TEST.clusters, 0)
    he, poor = (passed(begin(ARMS[cell], 0, FULL), x) for cell in (HE, PLAIN))
    torch.testing.assert_close(poor[0] * 2**20, he[0])
    torch.testing.assert_close(torch.tensor(he[1]) / torch.tensor(poor[1]), 2.0 ** torch.arange(1, 21))
    assert hidden_gradient(begin(ARMS[PLAIN], 0, FULL), x, answers) < 1e-4


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_noise_alone_is_a_random_walk_of_known_variance(rate: float) -> None:
    """Also shows that eta is a variance: taken for a standard deviation, it would be a tenth of this."""
    settings = replace(TEST, rate=rate)
    before = nn.utils.parameters_to_vector(begin(ARMS[WALK], 0, settings).parameters()).detach()
    walked = []
    for data_seed in (0, 1):  # the examples make no difference
        network = begin(ARMS[WALK], 0, settings)
        x, answers, _ = points(TEST.clusters, data_seed)
        descend(ARMS[WALK], network, x, answers, 0, settings)
        walked.append(nn.utils.parameters_to_vector(network.parameters()).detach())
    assert torch.equal(*walked)
    assert (walked[0] - before).var().item() == pytest.approx(walk_variance(TEST.clusters, settings), rel=0.1)
    expected = rate**2 * sum(0.01 / (1 + t) ** 0.55 for t in range(20))
    assert walk_variance(TEST.clusters, settings) == pytest.approx(expected)


def test_what_is_clipped_after_the_noise_goes_no_further_than_one_a_step() -> None:
    x, answers, _ = points(TEST.clusters, 0)
    arms = {cell: begin(ARMS[cell], 0, FULL) for cell in (PLAIN, AFTER, NOISE)}
    moved = {}
    for cell, network in arms.items():
        before = nn.utils.parameters_to_vector(network.parameters()).detach().clone()
        descend(ARMS[cell], network, x, answers, 0, replace(FULL, clusters=replace(TEST.clusters, steps=20)))
        moved[cell] = float((nn.utils.parameters_to_vector(network.parameters()).detach() - before).norm())
    assert max(moved[PLAIN], moved[AFTER]) <= FULL.rate * 20 < moved[NOISE]


@pytest.mark.parametrize("cell", [HE, GO_HE])
def test_plain_descent_is_that_by_hand(cell: str) -> None:
    """With a single example there is nothing to draw: three steps."""
    name, data = ("go", boards) if ARMS[cell].go else ("clusters", points)
    x, answers, _ = data(getattr(TEST, name), 0)
    settings = replace(TEST, **{name: replace(getattr(TEST, name), examples=1, steps=3)}, rate=0.5)
    network, by_hand = (begin(ARMS[cell], 0, settings) for _ in range(2))
    descend(ARMS[cell], network, x, answers, 0, settings)
    for _ in range(3):
        gradients = torch.autograd.grad(loss_of(by_hand, x[:1], answers[:1]), list(by_hand.parameters()))
        norm = torch.cat([gradient.flatten() for gradient in gradients]).norm()
        with torch.no_grad():
            for parameter, gradient in zip(by_hand.parameters(), gradients, strict=True):
                parameter -= settings.rate * gradient / max(1.0, float(norm))
    for one, other in zip(network.parameters(), by_hand.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_a_board_is_right_where_the_likeliest_move_wins() -> None:
    x, answers, empty = boards(TEST.go, 0)
    assert x.shape[2:] == (SIZE, SIZE) and answers.shape[1] == SIZE**2
    assert torch.equal(empty[:, 0], (x[:, :2].sum(dim=(1, 2, 3)) - SIZE**2).abs())
    assert (answers * x[:, :2].sum(dim=1).flatten(1)).sum() == 0  # no winning move is on a stone
    assert right(nn.Identity(), answers, answers) == 1 and right(nn.Identity(), -answers, answers) == 0


def test_what_leads_nowhere_is_at_chance(result: Result) -> None:
    assert result.mean(f"{PLAIN}: chance") == pytest.approx(1 / 8)
    assert 0.03 < result.mean(f"{GO_PLAIN}: chance") < 0.15
    assert result.mean(f"{PLAIN}: spread") < 0.9 and result.mean(f"{WALK}: spread") == pytest.approx(1, rel=0.05)


def test_it_runs_and_its_figures_are_finite(result: Result) -> None:
    assert {criterion.figure for criterion in EXPERIMENT.criteria} <= set(result.estimates)
    assert all(math.isfinite(estimate.mean) for estimate in result.estimates.values())
    ratio = result.mean(f"{DRAWN}: accuracy") / result.mean(f"{NOISE}: accuracy")
    assert result.mean(f"{DRAWN}: relative") == pytest.approx(ratio)
    times = result.mean(f"{HE}: accuracy") * 8
    assert result.mean(f"{HE}: times chance") == pytest.approx(times)
    assert result.mean(f"{HE}: learned") == (times >= 2) and result.mean(f"{HE}: stuck") == (times <= 1.5)
    assert f"{result.mean(f'{GO_NOISE}: accuracy'):.0%}" in EXPERIMENT.conclude(result)
    assert EXPERIMENT.draw(result).axes


@pytest.mark.parametrize("cell", [NOISE, GO_NOISE])
def test_a_cell_is_a_function_of_its_arguments(cell: str, result: Result) -> None:
    assert_a_function_of_its_arguments(result, cell)
