"""Noise in training: every source by its one option, all together, and never in what plays."""

import io
import math
import threading

import numpy as np
import pytest
import torch
from rich.console import Console

import envs
from envs import Position, Rules
from goagent.errors import UserError
from goagent.learning import train as training
from goagent.learning.config import TrainConfig
from goagent.learning.learner import TrainingError
from goagent.learning.noise import TrainingNoise
from goagent.learning.train import build
from goagent.noise.initialisation import unit_deviation
from goagent.noise.settings import SETTINGS, in_network, read_noise
from goagent.noise.sources import SOURCES
from goagent.players.policy import load_network
from goagent.policies.network import NetworkConfig, PolicyNetwork
from goagent.records import checkpoint
from goagent.records.sgf import Game, write_sgf

SMALL = {"threads": 1, "channels": 4, "blocks": 2, "batch_size": 16, "size": "3", "algorithm": "imitation"}
TOGETHER = ("input", "label", "dropout", "gaussian-dropout", "variational-dropout", "noisy-linear", "stochastic-depth",
            "rate=8", "weight", "gradient", "stale=2")  # fmt: skip


@pytest.fixture(scope="module")
def sgf(tmp_path_factory):
    """A file with 20 random games on 3x3."""
    batch, rng = envs.GoBatch(Rules.square(3), 20), np.random.default_rng(0)
    while not batch.is_over.all():
        batch.step(batch.sample_legal(rng))
    games = [batch.position(i) for i in range(20)]
    path = tmp_path_factory.mktemp("games") / "games.sgf"
    path.write_text("\n".join(write_sgf(Game.from_moves(game.rules, game.moves, game.score_black())) for game in games))
    return path


@pytest.fixture(scope="module")
def plain(tmp_path_factory, sgf):
    """What is learned without noise."""
    return trained(tmp_path_factory.mktemp("plain") / "run", sgf, ())[0]


def trained(run, sgf, noise, steps=4, **changes):
    """A run, read back: what plays, and what it goes on from."""
    resume = changes.get("resume", False)
    given = {} if resume else SMALL | {"data": sgf, "noise": noise}
    config = TrainConfig(run=run, steps=steps, checkpoint_every=2, **given | changes)
    original, training.print_report = training.print_report, lambda *_: None
    try:
        assert training.train(config, Console(file=io.StringIO())) == 0
    finally:
        training.print_report = original
    return load_network(run), *checkpoint.load_training(run)


def answers(network):
    position = Position(Rules.square(3))
    with torch.no_grad():
        return network.answer(position.observe()[None], position.legal_mask()[None])


def test_every_source_has_its_option():
    assert set(SOURCES) == set(SETTINGS)


@pytest.mark.parametrize("name", SETTINGS)
def test_each_source_alone_changes_what_is_learned_and_the_agent_plays_without_noise(name, tmp_path, sgf, plain):
    network, state, _ = trained(tmp_path / "run", sgf, (name,))
    assert state["updates"] == (8 if name == "hogwild" else 4) and network.config.noise == in_network([name])
    first, second = answers(network), answers(network)
    assert torch.equal(first.moves.probs, second.moves.probs) and torch.equal(first.value, second.value)
    assert bool(torch.isfinite(first.moves.probs).all())
    assert not torch.equal(first.moves.probs, answers(plain).moves.probs)


def test_all_together_resume_as_if_never_interrupted(tmp_path, sgf):
    whole = trained(tmp_path / "whole", sgf, TOGETHER, steps=5)
    trained(tmp_path / "parts", sgf, TOGETHER, steps=3)
    parts = trained(tmp_path / "parts", sgf, TOGETHER, steps=5, resume=True)
    assert whole[1] == parts[1] and whole[2].keys() == parts[2].keys()
    assert all(torch.equal(value, parts[2][name]) for name, value in whole[2].items())


@pytest.mark.parametrize("algorithm", ["gumbel", "ppo"])
@pytest.mark.parametrize("noise", [("dropout", "gradient"), ("hogwild",)])
def test_self_play_learns_under_noise_too(algorithm, noise, tmp_path):
    play = {"num_games": 4, "horizon": 4, "visits": 4, "quick_visits": 2, "algorithm": algorithm, "batch_size": 4}
    config = TrainConfig(run=tmp_path, noise=noise, **SMALL | play)
    learner, _ = build(config, tmp_path)
    for _ in range(20):
        if not learner.updates:
            learner.step()
    assert learner.updates
    learner.close()


def test_noise_that_takes_nothing_leaves_the_network_as_it_was():
    """So that agents from before there was noise can be read."""
    names = set(PolicyNetwork(NetworkConfig(channels=4, blocks=1)).state_dict())
    assert names == set(PolicyNetwork(NetworkConfig(channels=4, blocks=1, noise=("dropout", "swapout"))).state_dict())


def test_the_rate_is_priced_by_the_bit_and_reported():
    network = PolicyNetwork(NetworkConfig(channels=4, blocks=1, noise=("variational-bottleneck=0.5",)))
    noise = TrainingNoise(("variational-bottleneck=0.5",), network, examples=1)
    assert noise.penalty() == 0 and noise.measured() == {}  # nothing has passed yet
    answers(network)
    bits = noise.measured()["bits"]
    assert bits > 0 and float(noise.penalty()) == pytest.approx(0.5 * np.log(2) * bits)


def test_a_late_gradient_makes_no_step_until_it_is_there():
    network = PolicyNetwork(NetworkConfig(channels=4, blocks=1))
    noise = TrainingNoise(("stale=2",), network, examples=1)
    assert [noise.gradients(update) for update in range(4)] == [False, False, True, True]


def test_workers_learn_at_once_on_the_same_weights(tmp_path, sgf):
    learner, _ = build(TrainConfig(data=sgf, noise=("hogwild=3", "dropout"), **SMALL), tmp_path)
    together = threading.Barrier(3, timeout=60)
    assert sorted(learner.learn(lambda item: together.wait() * 0 + item, range(6))) == list(range(6))
    before = [value.clone() for value in learner.network.parameters()]
    learner.step()
    assert learner.updates == 3
    for worker in learner.workers:
        pairs = list(zip(worker.network.parameters(), learner.network.parameters(), strict=True))
        assert all(mine.data_ptr() == theirs.data_ptr() for mine, theirs in pairs)
        assert all(bool(torch.isfinite(state["exp_avg"]).all()) for state in worker.optimizer.state.values())
        assert worker.optimizer.state, "each has made a step of its own"
    assert not all(torch.equal(a, b) for a, b in zip(before, learner.network.parameters(), strict=True))


def test_a_worker_that_fails_ends_the_step(tmp_path, sgf):
    learner, _ = build(TrainConfig(data=sgf, noise=("hogwild",), **SMALL), tmp_path)
    with torch.no_grad():
        next(learner.workers[1].network.parameters()).fill_(math.nan)
    with pytest.raises(TrainingError, match="no longer a number"):
        learner.step()


def test_without_random_initialisation_units_are_alike_at_first(tmp_path, sgf):
    learner, _ = build(TrainConfig(data=sgf, noise=("initialisation=0.02",), **SMALL), tmp_path)
    weight = learner.network.trunk.stem.weight
    assert unit_deviation(weight) == 0 and weight.mean().item() == pytest.approx(0.02)


@pytest.mark.parametrize(
    "asked, says",
    [
        (["droput"], "noise is 'droput': expected one of input, label, dropout"),
        (["dropout=x"], "noise dropout is 'x': expected a number, the share of the feature planes"),
        (["dropout=1"], "noise dropout is 1.0: expected a number from 0 to below 1"),
        (["dropout", "dropout=0.2"], "noise dropout is given twice"),
        (["binary=1"], "noise binary is given a value: expected none"),
        (["stale=1.5"], "noise stale is 1.5: expected a whole number"),
        (["weight=nan"], "noise weight is nan"),
        (["swapout", "stochastic-depth"], "noise swapout and noise stochastic-depth both act on the residual"),
        (["rate", "bottleneck"], "both act on the features: expected one of them"),
    ],
)
def test_what_makes_no_sense_is_said(asked, says):
    with pytest.raises(ValueError, match=says):
        read_noise(asked)
    with pytest.raises(UserError, match=says):
        TrainConfig(noise=tuple(asked), algorithm="imitation")


def test_labels_need_an_expert():
    with pytest.raises(UserError, match="noise label needs an expert's moves"):
        TrainConfig(noise=("label",))


def test_noise_survives_json_and_belongs_to_the_run():
    config = TrainConfig(noise=("binary", "dropout=0.25"))
    assert TrainConfig.from_dict(config.to_dict()) == config
    with pytest.raises(UserError, match="noise is"):
        training.resumed(TrainConfig(noise=("dropout",)), config)
    assert in_network(["gradient", "binary", "dropout=0.250"]) == ("dropout=0.25", "binary")
