"""Policies: what every head's answer must obey, whatever the network says."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import envs
from envs.symmetry import action_table, transform_board
from goagent.policies.distributions import CategoricalMoves, DrawnMoves, MixtureMoves, PointMoves
from goagent.policies.heads import HEADS
from goagent.policies.network import NetworkConfig, PolicyNetwork

ROWS, COLS = 3, 4


def drawn(raw: torch.Tensor, legal: torch.Tensor) -> DrawnMoves:
    return DrawnMoves(lambda: raw, legal, ROWS, COLS, loss=lambda *_: None)


def answers(seed: int, scale: float) -> list:
    """One answer of each kind, with arbitrary numbers in it, over arbitrary masks."""
    generator = torch.Generator().manual_seed(seed)
    legal = torch.rand(6, ROWS * COLS + 1, generator=generator) < 0.4
    legal[torch.arange(6), torch.randint(ROWS * COLS + 1, (6,), generator=generator)] = True
    logits = scale * torch.randn(6, ROWS * COLS + 1, generator=generator)
    return [
        CategoricalMoves(logits, legal),
        PointMoves(scale * torch.randn(6, 3, generator=generator), legal, ROWS, COLS),
        MixtureMoves(scale * torch.randn(6, 4 * 5 + 1, generator=generator), legal, ROWS, COLS),
        drawn(scale * torch.randn(6, 2 * 9 + 1, generator=generator), legal),
    ]


@settings(deadline=None, derandomize=True, max_examples=60)
@given(
    st.integers(0, 10_000), st.sampled_from([1e-3, 1.0, 30.0, 1e4]), st.sampled_from([0.0, 1e-3, 0.5, 1.0, 5.0, 1e38])
)
def test_every_answer_is_a_distribution_over_legal_moves(seed, scale, temperature):
    for answer in answers(seed, scale):
        probs = answer.categorical(temperature).probs
        assert torch.allclose(probs.sum(1), torch.ones(6), atol=1e-5)
        assert (probs[~answer.legal] == 0).all()
        moves = answer.sample(temperature, torch.Generator().manual_seed(seed))
        assert answer.legal[torch.arange(6), moves].all()
        assert answer.legal[torch.arange(6), answer.mode()].all()
        assert torch.isfinite(answer.entropy()).all() and (answer.entropy() >= -1e-5).all()
        assert torch.isfinite(answer.log_prob(answer.mode())).all()


def test_temperature_goes_from_the_mode_to_uniform():
    logits, legal = torch.tensor([[0.0, 1.0, 2.0, 9.0]]), torch.tensor([[True, True, True, False]])
    answer = CategoricalMoves(logits, legal)
    assert answer.categorical(0).probs.tolist() == [[0, 0, 1, 0]]
    assert torch.allclose(answer.categorical(0.01).probs, answer.categorical(0).probs, atol=1e-6)
    assert torch.allclose(answer.categorical(1e4).probs, torch.tensor([[1, 1, 1, 0]]) / 3, atol=1e-3)
    assert torch.allclose(answer.probs[0, :3], torch.softmax(logits[0, :3], 0))


def test_sampling_follows_the_probabilities():
    answer = CategoricalMoves(
        torch.log(torch.tensor([[0.1, 0.2, 0.3, 0.4]])).expand(20_000, -1), torch.ones(20_000, 4, dtype=torch.bool)
    )
    counts = answer.sample(generator=torch.Generator().manual_seed(0)).bincount(minlength=4)
    expected = 20_000 * torch.tensor([0.1, 0.2, 0.3, 0.4])
    assert ((counts - expected) ** 2 / expected).sum() < 16.3  # chi-squared, 3 degrees of freedom, p = 0.001


def test_a_point_plays_the_nearest_legal_point_and_remembers_what_it_said():
    legal = torch.ones(3, 10, dtype=torch.bool)
    legal[1, 4] = False  # the centre of a 3x3 board is taken
    raw = torch.tensor([[1.1, 0.9, -3.0], [1.1, 1.4, -3.0], [1.0, 1.0, 3.0]])
    answer = PointMoves(raw, legal, 3, 3)
    assert answer.mode().tolist() == [4, 5, 9]
    assert answer.unmasked.mode().tolist() == [4, 4, 9]
    assert answer.raw is raw
    assert torch.allclose(answer.entropy(), torch.zeros(3), atol=1e-6)


def test_squared_error_is_smallest_at_the_mean_of_the_moves():
    """Lemma: shown the four corners equally often, the best single answer is the centre, which was never shown."""
    corners = torch.tensor([0, 2, 6, 8])
    point = torch.tensor([0.3, 1.9, -5.0], requires_grad=True)
    optimizer = torch.optim.SGD([point], lr=0.1)
    for _ in range(200):
        optimizer.zero_grad()
        PointMoves(point.expand(4, 3), torch.ones(4, 10, dtype=torch.bool), 3, 3).imitation_loss(
            corners
        ).mean().backward()
        optimizer.step()
    assert torch.allclose(point[:2], torch.ones(2), atol=1e-3)


def test_cross_entropy_is_smallest_at_the_frequencies_of_the_moves():
    corners = torch.tensor([0, 2, 6, 8])
    logits = torch.zeros(10, requires_grad=True)
    optimizer = torch.optim.SGD([logits], lr=1.0)
    for _ in range(500):
        optimizer.zero_grad()
        CategoricalMoves(logits.expand(4, 10), torch.ones(4, 10, dtype=torch.bool)).imitation_loss(
            corners
        ).mean().backward()
        optimizer.step()
    assert torch.allclose(logits.softmax(0)[corners], torch.full((4,), 0.25), atol=0.01)


@pytest.mark.parametrize("policy", sorted(HEADS))
@pytest.mark.parametrize("rows, cols", [(1, 1), (2, 5), (5, 5), (9, 7), (19, 19)])
def test_one_network_answers_on_every_size(policy, rows, cols):
    torch.manual_seed(0)
    network = PolicyNetwork(NetworkConfig(policy=policy, channels=8, blocks=2))
    batch = envs.GoBatch(envs.Rules(rows=rows, cols=cols), 3)
    answer, value, _, _ = network.answer(batch.observe(), batch.legal_mask().copy())
    assert answer.probs.shape == (3, rows * cols + 1)
    assert value.shape == (3,) and (value.abs() < 1).all()


@pytest.mark.parametrize("policy", sorted(HEADS))
def test_a_batch_answers_as_single_positions_do(policy):
    torch.manual_seed(1)
    network = PolicyNetwork(NetworkConfig(policy=policy, channels=8, blocks=2))
    for parameter in network.parameters():  # blocks start as the identity: move away from it
        torch.nn.init.normal_(parameter, std=0.1)
    rules = envs.Rules.square(5)
    positions = [envs.Position(rules)]
    for action in (12, 3, 17, 25):
        positions.append(positions[-1].play(action))
    batch = envs.GoBatch.from_positions(positions)
    answer, value, _, _ = network.answer(batch.observe(), batch.legal_mask().copy())
    for i, position in enumerate(positions):
        one, v, _, _ = network.answer(position.observe()[None], position.legal_mask()[None])
        assert torch.allclose(one.raw[0], answer.raw[i], atol=1e-5)
        assert torch.allclose(v[0], value[i], atol=1e-5)


def test_symmetry_averaged_weights_make_the_regressor_answer_the_centre():
    """A network whose answer moves with the board can only name the centre of an empty one, trained or not."""
    torch.manual_seed(2)
    network = PolicyNetwork(NetworkConfig(policy="regression", channels=8, blocks=2))
    for layer in network.modules():  # filters that are the same from all eight sides
        if isinstance(layer, torch.nn.Conv2d):
            with torch.no_grad():
                turned = [torch.rot90(layer.weight, k, (2, 3)) for k in range(4)]
                layer.weight.copy_(sum(turned + [w.flip(3) for w in turned]) / 8)
    empty = envs.Position(envs.Rules.square(7))
    answer = network.answer(empty.observe()[None], empty.legal_mask()[None]).moves
    assert torch.allclose(answer.raw[0, :2], torch.full((2,), 3.0), atol=1e-4)


def test_planes_move_with_the_board():
    position = envs.Position(envs.Rules.square(5)).play(3).play(11).play(7)
    for k, table in enumerate(action_table(5, 5)):
        moved = envs.Position(envs.Rules.square(5))
        for action in position.moves:
            moved = moved.play(int(table[action]))
        assert np.array_equal(moved.observe(), transform_board(position.observe(), k))


@pytest.mark.parametrize("settings_", [{"policy": "oracle"}, {"channels": 0}, {"blocks": "3"}, {"planes": 4}])
def test_a_network_that_cannot_be_is_refused(settings_):
    with pytest.raises(ValueError, match=next(iter(settings_))):
        NetworkConfig(**settings_)


def test_a_mixture_is_the_mass_over_each_point_of_the_board():
    """One bump, narrow enough to lie on one point; and one on the corner of four points, a quarter of it on each."""
    legal = torch.ones(2, ROWS * COLS + 1, dtype=torch.bool)
    raw = torch.tensor([[0.0, 1.0, 2.0, -9.0, -30.0], [0.0, 0.5, 0.5, -9.0, -30.0]])  # weight, row, col, width, pass
    probs = MixtureMoves(raw, legal, ROWS, COLS).probs
    assert probs[0, 1 * COLS + 2] > 0.99
    assert torch.allclose(probs[1, [0, 1, COLS, COLS + 1]], torch.full((4,), 0.25), atol=1e-3)


def test_a_mixture_agrees_with_numerical_integration():
    generator = torch.Generator().manual_seed(0)
    raw = torch.randn(1, 4 * 3 + 1, generator=generator)
    answer = MixtureMoves(raw, torch.ones(1, ROWS * COLS + 1, dtype=torch.bool), ROWS, COLS)
    fine = 200  # cells a step
    rows, cols = (torch.arange(n * fine) / fine - 0.5 + 0.5 / fine for n in (ROWS, COLS))
    weights, centres, widths = answer._bumps()
    density = torch.zeros(ROWS * fine, COLS * fine)
    for weight, centre, width in zip(weights[0].exp(), centres[0], widths[0, :, 0], strict=True):
        squared = (rows[:, None] - centre[0]) ** 2 + (cols - centre[1]) ** 2
        density += weight * torch.exp(-squared / (2 * width**2)) / (2 * torch.pi * width**2)
    mass = density.view(ROWS, fine, COLS, fine).sum((1, 3)).flatten() / fine**2
    assert torch.allclose(answer.logits()[0, :-1].exp(), mass * torch.sigmoid(-raw[0, -1]), atol=1e-4)


def test_draws_count_for_the_nearest_point_and_illegal_ones_not_at_all():
    raw = torch.tensor([[0.1, 0.1, 2.2, 1.0, 0.0, 0.0, 3.0, 1.0, -30.0]])  # rows, columns, the pass
    legal = torch.ones(1, ROWS * COLS + 1, dtype=torch.bool)
    probs = drawn(raw, legal).probs[0]
    assert torch.allclose(probs[[0, 2 * COLS + 3, 1 * COLS + 1]], torch.tensor([0.5, 0.25, 0.25]), atol=1e-6)
    legal[0, 0] = False
    probs = drawn(raw, legal).probs[0]
    assert torch.allclose(probs[[0, 2 * COLS + 3, 1 * COLS + 1]], torch.tensor([0.0, 0.5, 0.5]), atol=1e-6)
    legal[0, [2 * COLS + 3, 1 * COLS + 1]] = False  # nothing left: each draw goes to the nearest legal point
    assert drawn(raw, legal).probs[0, [1, COLS, COLS + 2, 2 * COLS + 2]].sum() > 0.7


@pytest.mark.parametrize("policy", sorted(HEADS))
def test_every_head_learns_the_move_it_is_shown(policy):
    torch.manual_seed(0)
    network = PolicyNetwork(NetworkConfig(policy=policy, channels=8, blocks=1))
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    batch = envs.GoBatch(envs.Rules(4, 4), 2)
    batch.step(np.array([5, 0]))  # two positions, so that an answer has to look
    planes, legal = torch.from_numpy(batch.observe()), torch.from_numpy(batch.legal_mask().copy())
    moves, generator = torch.tensor([10, 16]), torch.Generator().manual_seed(0)  # a point, and the pass
    for _ in range(150):
        optimizer.zero_grad()
        network(planes, legal).moves.imitation_loss(moves, generator).mean().backward()
        optimizer.step()
    assert network(planes, legal).moves.mode().tolist() == moves.tolist()
