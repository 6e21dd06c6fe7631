"""A trained network as a player."""

import numpy as np
import pytest
import torch

import envs
from goagent.players.policy import PolicyPlayer
from goagent.policies.network import NetworkConfig, PolicyNetwork
from goagent.records.checkpoint import CheckpointError

RULES = envs.Rules.square(4)


@pytest.fixture
def network():
    torch.manual_seed(0)
    network = PolicyNetwork(NetworkConfig(channels=8, blocks=1))
    torch.nn.init.normal_(network.policy.points.weight, std=3.0)
    return network


def test_it_plays_from_its_distribution(network):
    player = PolicyPlayer(network, "it")
    position = envs.Position(RULES).play(5).play(10)
    expected = player.distribution(position)
    assert expected.sum() == pytest.approx(1) and (expected[~position.legal_mask()] == 0).all()
    rng = np.random.default_rng(0)
    counts = np.bincount([player.choose(position, rng) for _ in range(2000)], minlength=RULES.num_actions)
    likely = 2000 * expected >= 5
    assert ((counts - 2000 * expected)[likely] ** 2 / (2000 * expected)[likely]).sum() < 45  # 17 degrees, p < 0.001


def test_at_temperature_zero_it_always_plays_the_most_probable_move(network):
    position = envs.Position(RULES).play(5)
    best = int(PolicyPlayer(network, "it").distribution(position).argmax())
    greedy = PolicyPlayer(network, "it", temperature=0)
    assert {greedy.choose(position, np.random.default_rng(seed)) for seed in range(20)} == {best}
    assert greedy.distribution(position)[best] == 1


def test_its_opinion_is_for_the_side_to_move_and_begins_with_its_favourite(network):
    player = PolicyPlayer(network, "it")
    position = envs.Position(RULES).play(5)
    analysis = player.analyze(position)
    value = network.answer(position.observe()[None], position.legal_mask()[None]).value
    assert analysis.win_probability == pytest.approx((float(value[0]) + 1) / 2)
    assert analysis.lines[0].action == player.distribution(position).argmax()
    assert sum(line.probability for line in analysis.lines) == pytest.approx(1)


def test_weights_that_overflow_are_named(network):
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(1e30)
    with pytest.raises(CheckpointError, match="no number"):
        PolicyPlayer(network, "it").choose(envs.Position(RULES), np.random.default_rng(0))


def test_high_temperatures_scatter_the_stones_and_leave_the_pass_alone(network):
    position = envs.Position(RULES).play(5)
    usual = PolicyPlayer(network, "it").distribution(position)
    flat = PolicyPlayer(network, "it", temperature=1e6).distribution(position)
    assert flat[-1] == pytest.approx(usual[-1], rel=1e-4) and flat.sum() == pytest.approx(1)
    free = position.legal_mask()[:-1]
    assert flat[:-1][free] == pytest.approx((1 - usual[-1]) / free.sum(), rel=1e-3)
