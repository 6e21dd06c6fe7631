"""Rates, gaps and ranks are what they are called, and what is learned from is apart from what is held out."""

import math

import numpy as np
import pytest
import torch
from hypothesis import strategies as st

from goagent.lab.capture_go import ENEMY, capturing_points
from goagent.lab.core import Result
from goagent.lab.information.compression import (
    AUTO,
    CLASSES,
    CODES,
    DECAY,
    DESIGN,
    DROPOUT,
    DROPOUTS,
    EXPERIMENT,
    FIT,
    GO,
    NARROW,
    NOISY,
    POINTS,
    PRICES,
    SIZE,
    TEACHER,
    Autoencoders,
    Classifiers,
    Settings,
    accuracy,
    captures,
    drawn_boards,
    inner,
    learn,
    log_loss,
    measure_autoencoders,
    measure_classifiers,
    taught,
    weight_bits,
)
from goagent.lab.ranks import rank_correlation
from goagent.lab.runner import run_experiment
from tests.goagent.lab.laws import assert_a_function_of_its_arguments

TEST = EXPERIMENT.settings["test"]
numbers = st.lists(st.floats(-100, 100).map(lambda v: round(v, 1)), min_size=3, max_size=12)


@pytest.fixture(scope="module")
def result() -> Result:
    return run_experiment(EXPERIMENT, "test", [0])


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def test_no_two_factors_of_the_design_go_together() -> None:
    """Each level of a factor meets each level of another equally often."""
    arms = [(width, *combination) for width, combinations in DESIGN.items() for combination in combinations]
    signs = np.array([[width > 64, dropout > 0, decay > 0] for width, dropout, decay in arms]) * 2 - 1
    assert (signs.T @ signs == 4 * np.eye(3)).all() and (signs.sum(axis=0) == 0).all()
    assert {dropout for _, dropout, _ in arms} == {0, DROPOUT} and {decay for *_, decay in arms} == {0, DECAY}
    assert len(arms) * len(PRICES) == 24


def test_what_is_learned_from_is_loss_and_price_and_decay() -> None:
    networks, (x, labels) = Classifiers(POINTS, 64, CLASSES), taught(30)
    networks.encoder[2] = torch.nn.Identity()  # dropout
    networks.code.generator = torch.Generator().manual_seed(1)
    total = networks.objective(x, labels)
    networks.code.generator.manual_seed(1)
    logits, rates = networks(x)
    expected = 0.0
    for index in range(networks.count):
        loss = torch.nn.functional.cross_entropy(logits[index], labels) / math.log(2)
        norm = sum(part[index].square().sum().item() for part in networks.parameters())
        price, decay = PRICES[index % len(PRICES)], DESIGN[64][index // len(PRICES)][1]
        expected += (loss + price * rates[index].mean()).item() + decay * norm
    assert total.item() == pytest.approx(expected, rel=1e-5)


def test_networks_side_by_side_do_not_meet() -> None:
    networks, (x, labels) = Classifiers(POINTS, 64, CLASSES), taught(30)
    log_loss(networks(x)[0], labels)[3].backward()
    for parameter in networks.parameters():
        assert parameter.grad is not None
        others = [index for index in range(networks.count) if index != 3]
        assert not parameter.grad[others].any() and parameter.grad[3].any()


def test_dropout_is_on_in_half_of_the_networks_and_in_training_only() -> None:
    networks, (x, _) = Classifiers(POINTS, 64, CLASSES), taught(30)
    networks.code.eval()
    once, again = networks(x)[0], networks(x)[0]
    differ = (once != again).flatten(1).any(dim=1).tolist()
    assert differ == [dropout > 0 for dropout, _ in DESIGN[64] for _ in PRICES]
    networks.eval()
    assert torch.equal(networks(x)[0], networks(x)[0])


def test_a_dear_code_passes_fewer_bits() -> None:
    x, labels = taught(60)
    networks = learn(Classifiers(POINTS, 64, CLASSES), x, labels, Settings(steps=50, rate=0.01))
    with torch.no_grad():
        rates = networks(x)[1].mean(dim=1).reshape(-1, len(PRICES))
    assert (rates[:, 0] > 3 * rates[:, -1]).all()
    assert (rates.diff(dim=1) < 0.5).all()


def test_loss_and_accuracy_of_a_known_answer() -> None:
    labels = torch.tensor([0, 1, 1])
    uniform, sure = torch.zeros(1, 3, 4), 99 * torch.eye(4)[torch.tensor([[0, 1, 3]])]
    assert log_loss(uniform, labels).tolist() == pytest.approx([2])
    assert accuracy(sure, labels).tolist() == pytest.approx([2 / 3])
    assert log_loss(torch.cat([uniform, sure]), labels)[1] > 40


def test_the_teacher_has_a_use_for_its_classes_and_boards() -> None:
    x, labels = taught(4000)
    assert x.shape == (4000, POINTS) and x.unique().tolist() == [-1, 0, 1]
    assert labels.shape == (4000,) and labels.bincount().max() < 0.6 * len(labels) and len(labels.unique()) > 3


def test_the_point_asked_for_is_the_one_that_captures() -> None:
    x, labels = captures(50, seed=3)
    boards = x[:, :POINTS].numpy().astype(np.int8).reshape(-1, SIZE, SIZE)
    assert (capturing_points(boards, ENEMY) == np.eye(POINTS, dtype=bool)[labels]).all()
    assert ((x[:, POINTS:] == 0) | (x[:, POINTS:] == x[:, :POINTS])).all()  # in atari is what stands there
    assert (x[:, POINTS:] < 0).any(dim=1).all()


def test_no_board_is_learned_from_and_held_out_too() -> None:
    """Many games begin alike, and a network that has learned them by heart would know them again."""
    boards = drawn_boards(TEST.games)
    assert len({board.numpy().tobytes() for board in boards}) == len(boards) > TEST.examples
    assert not torch.equal(boards, drawn_boards(TEST.games))  # in random order
    x, _ = captures(200, seed=0)
    assert len(x.unique(dim=0)) == 200


def test_only_autoencoders_with_dropout_are_noisy_in_training() -> None:
    networks, x = Autoencoders(NARROW), taught(30)[0]
    with torch.no_grad():
        differ = networks.errors(x) != networks.errors(x)
        assert differ.tolist() == [share > 0 for share in DROPOUTS]
        networks.eval()
        assert torch.equal(networks.errors(x), networks.errors(x))
        first = networks.layers(x.expand(len(DROPOUTS), *x.shape))[1]
        assert networks.errors(x)[1].item() == pytest.approx((first - x).square().mean().item())


def test_the_best_inner_price_is_chosen_apart() -> None:
    choose, compare = np.array([9, 1, 3, 2, 9.0]), np.array([0.5, 7, 0.6, 7, 0.1])
    assert inner(choose, compare) == pytest.approx(0.1)
    assert inner(choose, -compare) == pytest.approx(-0.5)


def test_weights_of_few_values_take_few_bits() -> None:
    networks, (x, labels) = Classifiers(POINTS, 64, CLASSES), taught(60)
    with torch.no_grad():
        for part in networks.parameters():
            part.copy_((torch.rand_like(part) < 0.5) * 2.0)  # a fair coin a weight; the coarsest rounding keeps it
        bits = weight_bits(networks, x, labels)
        size = sum(part[0].numel() for part in networks.parameters())
        assert bits.tolist() == pytest.approx([size] * networks.count, rel=0.01)
        for part in networks.parameters():
            part[0] = 0
        assert weight_bits(networks, x, labels)[0] == pytest.approx(0, abs=1e-6)


def test_weights_are_rounded() -> None:
    """The fresh ones of a network reach from -1/7 to 1/7, 19 multiples of 1/64; as floats nearly all are different."""
    networks, (x, labels) = Classifiers(POINTS, 64, CLASSES), taught(60)
    with torch.no_grad():
        bits = weight_bits(networks, x, labels)
    size = sum(part[0].numel() for part in networks.parameters())
    assert (bits < 6 * size).all()


def test_dropout_is_on_while_autoencoders_learn_and_off_while_they_are_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    modes, errors = [], Autoencoders.errors

    def spy(networks: Autoencoders, x: torch.Tensor) -> torch.Tensor:
        modes.append((torch.is_grad_enabled(), networks.training))
        return errors(networks, x)

    monkeypatch.setattr(Autoencoders, "errors", spy)
    measure_autoencoders(drawn_boards(TEST.games), TEST)
    assert set(modes) == {(True, True), (False, False)}


def test_the_first_examples_are_learned_from_and_the_rest_held_out() -> None:
    """Of examples with a clear label and others with the opposite one, the former are learned."""
    count = TEST.examples
    x = torch.randn(1, POINTS).sign().expand(2 * count, -1).clone()
    x[1:count:2] *= -1  # of those held out there is but the one kind
    labels = (x[:, 0] == x[0, 0]).long()
    labels[count:] = 0
    with torch.no_grad():
        figures = measure_classifiers(x, labels, 2, TEST)
    assert min(np.array(figures["fits"])[:3]) > 0.9 and min(figures["gaps"][:3]) > 0.9
    boards = torch.cat([torch.zeros(count, POINTS), torch.ones(20, POINTS)])
    errors = measure_autoencoders(boards, TEST)
    for code in CODES:
        assert all(np.array(errors[f"on others, {code}"]) > np.array(errors[f"on own, {code}"]))


def test_networks_that_fit_are_ranked_by_their_errors() -> None:
    figures = measure_classifiers(*taught(100), CLASSES, Settings(examples=21, held=79, steps=8, rate=0.01))
    rates, errors, fits, gaps = (np.array(figures[name]) for name in ("rates", "errors", "fits", "gaps"))
    fitted = fits >= FIT
    assert 3 < fitted.sum() == figures["count"] < 21
    assert gaps == pytest.approx(fits - (1 - errors))
    assert figures["fitted"] == pytest.approx(rank_correlation(rates[fitted], errors[fitted]))
    assert figures["spread"] == pytest.approx(rates[fitted].max() / rates[fitted].min())
    free = errors.reshape(4, len(PRICES))[:, 0]  # by combination: dropout in the second and the last
    assert figures["dropout gains"] == pytest.approx(free[[0, 2]].mean() - free[[1, 3]].mean())


def test_it_runs_and_its_figures_are_finite(result: Result) -> None:
    assert {criterion.figure for criterion in EXPERIMENT.criteria} <= set(result.estimates)
    assert all(math.isfinite(estimate.mean) for estimate in result.estimates.values())
    for cell in (TEACHER, NOISY, GO):
        fits, gaps, rates = (result.first(f"{cell}: {kind}") for kind in ("fits", "gaps", "rates"))
        assert len(rates) == len(gaps) == len(fits) == 24
        assert result.mean(f"{cell}: all") == pytest.approx(rank_correlation(np.array(rates), np.array(gaps)))
    ratio = result.mean(f"{AUTO}: plain, {NARROW}") / result.mean(f"{AUTO}: dropout, {NARROW}")
    assert result.mean(f"{AUTO}: ratio, {NARROW}") == pytest.approx(ratio)
    assert f"{result.mean(f'{TEACHER}: all'):.2f}" in EXPERIMENT.conclude(result)
    assert len(EXPERIMENT.draw(result).axes) == 5


@pytest.mark.parametrize("cell", [NOISY, AUTO])
def test_a_cell_is_a_function_of_its_arguments(cell: str, result: Result) -> None:
    assert_a_function_of_its_arguments(result, cell)
