"""What all models of the chapter have in common, and what sets the odd ones apart."""

from functools import cache
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from envs.symmetry import transform_board
from goagent.lab.capture_go import Boards, legal_points, observe, random_boards
from goagent.lab.one_to_many.models import (
    MODELS,
    AbsoluteMoves,
    EquivariantTrunk,
    HypothesesMoves,
    Model,
    SymmetricConv2d,
    fit,
    fresh,
    trunk,
)

# A row and a column offset of each move that the expert plays equally often, and what lemma 5 says of row x column.
ORBITS = {
    "corners": (sorted(product((-2, 2), repeat=2)), 1.0),
    "knights": ([(a, b) for a, b in product((-2, -1, 1, 2), repeat=2) if abs(a) != abs(b)], 0.5),
    "a pair": ([(-1, 2), (1, -2)], 0.5),
}


@cache
def some_boards(size: int) -> Boards:
    return random_boards(size, 3, np.random.default_rng(0))


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("size", [5, 6, 9])
def test_every_model_answers_with_a_distribution_on_any_size(name: str, size: int) -> None:
    found = some_boards(size)
    planes = torch.from_numpy(observe(found.boards))
    legal = torch.from_numpy(np.pad(legal_points(found.boards), ((0, 0), (0, 1))))
    model = fresh(name, 0)
    with torch.no_grad():
        free, masked = model(planes), model(planes, legal)
    for answer in (free, masked):
        assert answer.probs.shape == (3, size * size + 1)
        assert (answer.probs >= 0).all() and torch.allclose(answer.probs.sum(dim=1), torch.ones(3), atol=1e-5)
    assert not masked.probs[~legal].any()
    assert legal.gather(1, masked.sample(generator=torch.Generator().manual_seed(0))[:, None]).all()
    moves = torch.from_numpy(found.answers.argmax(axis=1))
    loss = model(planes).imitation_loss(moves, torch.Generator().manual_seed(0))
    assert loss.shape == (3,) and loss.isfinite().all()
    loss.sum().backward()
    assert any(weight.grad is not None and weight.grad.any() for weight in model.trunk.parameters())


def playing_parameters(model: Model) -> int:
    """Without the encoder that chooses a latent policy's noise while it learns."""
    return sum(weight.numel() for name, weight in model.named_parameters() if not name.startswith("head.encoder."))


def test_models_play_with_equally_many_weights() -> None:
    counts = {name: playing_parameters(fresh(name, 0)) for name in MODELS}
    mean = np.mean(list(counts.values()))
    assert all(abs(count / mean - 1) <= 0.05 for count in counts.values()), counts


@pytest.mark.parametrize("orbit", ORBITS)
def test_rows_times_columns_at_its_best_keeps_this_share_on_the_answers(orbit: str) -> None:
    """Lemma 5. The best product of two distributions is that of the marginals, which gradient descent finds as well."""
    moves, share = ORBITS[orbit]
    rows, cols = (torch.tensor(moves) + 3).T
    shown = torch.zeros(7, 7)
    shown[rows, cols] = 1 / len(moves)
    marginals = shown.sum(dim=1, keepdim=True) * shown.sum(dim=0, keepdim=True)
    assert marginals[rows, cols].sum().item() == pytest.approx(share)

    logits = torch.zeros(2, 7, requires_grad=True)
    for _ in range(1000):
        row, col = logits.log_softmax(dim=1)
        (slope,) = torch.autograd.grad(-(shown * (row[:, None] + col)).sum(), logits)
        logits = (logits - 2 * slope).detach().requires_grad_()
    row, col = logits.softmax(dim=1)
    assert torch.allclose(row[:, None] * col, marginals, atol=1e-3)


def test_row_then_column_can_say_any_distribution_of_points() -> None:
    """Its log probabilities are a row's plus a column's within it, so they are normalised by themselves."""
    found = random_boards(7, 4, np.random.default_rng(0))
    with torch.no_grad():
        said = fresh("row, then column", 0)(torch.from_numpy(observe(found.boards))).raw
    assert torch.allclose(said[:, :-1].exp().sum(dim=1), torch.ones(4), atol=1e-5)
    rows = said[:, :-1].exp().view(4, 7, 7).sum(dim=2)
    independent = rows[:, :, None] * said[:, :-1].exp().view(4, 7, 7).sum(dim=1)[:, None]
    assert not torch.allclose(independent.flatten(1), said[:, :-1].exp(), atol=1e-5)


@pytest.mark.parametrize("size", [6, 7])
@pytest.mark.parametrize("k", range(8))
def test_the_equivariant_trunk_commutes_with_the_symmetries(size: int, k: int) -> None:
    torch.manual_seed(0)
    layers = EquivariantTrunk(8)
    boards = some_boards(size).boards

    def features(boards: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return layers(torch.from_numpy(observe(boards))).numpy()

    straight, other = features(boards), features(transform_board(boards, k))
    assert np.allclose(other, transform_board(straight, k), atol=1e-5)
    if k:
        assert not np.allclose(other, straight, atol=1e-3)


def test_the_plain_trunk_does_not() -> None:
    torch.manual_seed(0)
    layers = trunk(8)
    boards = random_boards(7, 4, np.random.default_rng(0)).boards
    with torch.no_grad():
        straight, other = (layers(torch.from_numpy(observe(b))).numpy() for b in (boards, transform_board(boards, 1)))
    assert not np.allclose(other, transform_board(straight, 1), atol=1e-3)


@pytest.mark.parametrize("k", range(8))
def test_a_symmetric_kernel_is_what_all_turns_of_the_weights_have_in_common(k: int) -> None:
    torch.manual_seed(0)
    layer = SymmetricConv2d(2, 3, 3)
    x = torch.randn(1, 2, 5, 5)
    with torch.no_grad():
        once = layer(x)
        layer.weight.copy_(torch.from_numpy(transform_board(layer.weight.numpy(), k)))
        assert torch.allclose(layer(x), once, atol=1e-5)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_hypotheses_are_a_distribution_over_the_legal_moves(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    raw = 3 * torch.randn(4, 3 * 5 + 1, generator=generator) + 2
    legal = torch.rand(4, 26, generator=generator) < 0.4
    legal[:, 7] = True
    probs = HypothesesMoves(raw, legal, 5, 5).categorical().probs
    assert torch.allclose(probs.sum(dim=1), torch.ones(4), atol=1e-5)
    assert not probs[~legal].any()
    assert ((probs[:, :-1] > 1e-9).sum(dim=1) <= 5).all()


def test_only_the_nearest_hypothesis_and_its_weight_pay_in_full() -> None:
    raw = torch.zeros(1, 7)
    raw[0, :4] = torch.tensor([0.0, 4.0, 0.0, 4.0])  # points (0, 0) and (4, 4)
    raw.requires_grad_()
    HypothesesMoves(raw, torch.ones(1, 26, dtype=torch.bool), 5, 5).imitation_loss(torch.tensor([6])).backward()
    assert raw.grad is not None
    pull = raw.grad[0].abs()
    assert pull[0] > 50 * pull[1] / 3 > 0  # the other is three steps away, and pays a hundredth
    assert raw.grad[0, 4] < 0 < raw.grad[0, 5]


def test_the_absolute_error_of_corners_is_the_same_all_over_their_square() -> None:
    """Lemma 5: the medians of (+-2, +-2) are no single point; squared error has one."""
    corners = torch.tensor([(row + 2) * 5 + col + 2 for row, col in product((-2, 2), repeat=2)])
    for point in ((2.0, 2.0), (3.0, 3.0), (4.0, 0.0), (1.5, 2.25)):
        answer = AbsoluteMoves(torch.tensor([[*point, -9.0]]), torch.ones(1, 26, dtype=torch.bool), 5, 5)
        assert answer.distance(corners).mean().item() == pytest.approx(4)


def test_fresh_is_a_function_of_the_seed_and_leaves_the_generator_alone() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    once, again, other = (nn.utils.parameters_to_vector(fresh("latent", seed).parameters()) for seed in (0, 0, 1))
    assert torch.equal(once, again) and not torch.equal(once, other)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("name", ["squared error", "noise, squared error", "latent", "categorical"])
def test_learning_is_a_function_of_the_seed_too(name: str) -> None:
    found = random_boards(5, 40, np.random.default_rng(0))
    torch.manual_seed(5)
    before = torch.get_rng_state()
    weights = []
    for seed in (0, 0, 1):
        model = fresh(name, 0)
        fit(model, observe(found.boards), found.answers, steps=3, batch_size=16, seed=seed)
        weights.append(torch.cat([weight.flatten() for weight in model.parameters()]))
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])
    assert torch.equal(torch.get_rng_state(), before)
