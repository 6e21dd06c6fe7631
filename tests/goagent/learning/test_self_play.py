"""What self-play remembers of its games is what happened in them, and a run survives being killed."""

import io
import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from envs import GoBatch, Position, Rules
from envs.symmetry import canonical_moves
from goagent.learning import train as training
from goagent.learning.config import TrainConfig
from goagent.learning.learner import TrainingError
from goagent.learning.losses import self_play_losses
from goagent.learning.replay import unpack
from goagent.learning.self_play import SelfPlay, draw_komi
from goagent.learning.train import build
from goagent.policies.distributions import CategoricalMoves
from goagent.policies.network import Prediction
from goagent.records import checkpoint
from goagent.search.tree import Forest
from tests.goagent.search import fakes

TINY = {
    "size": "3", "threads": 1, "channels": 4, "blocks": 1, "batch_size": 8, "num_games": 8, "horizon": 6, "visits": 6,
    "quick_visits": 2, "thorough_share": 0.5, "checkpoint_every": 2,
}  # fmt: skip


def played(config, plies):
    """Rows and games of self-play with a pseudo-random evaluator."""
    rng, play = np.random.default_rng(config.seed), SelfPlay(config)
    play.begin(np.ones(config.num_games, np.bool_), rng)
    forest = Forest(fakes.random, config.rules, config.num_games)
    rows, games = [], []
    for _ in range(plies):
        finished, records, _ = play.play(forest, rng)
        rows.append(finished)
        games += records
    return play, np.concatenate(rows), games


@pytest.fixture(scope="module")
def some():
    config = TrainConfig(size="3x4", num_games=32, visits=6, quick_visits=2, thorough_share=0.5, random_plies=2)
    return config, *played(config, 40)


def test_rows_know_how_their_game_ended(some):
    config, _, rows, games = some
    assert len(games) > 50 and len(rows) > 200
    assert (rows["value"] == np.sign(rows["score"])).all()
    # Own points minus the other's, and the komi from the mover's side: the score.
    assert np.allclose(rows["score"], rows["ownership"].sum(axis=1) + rows["komi"])
    legal = unpack(config.rules, rows)[1]
    assert np.allclose(rows["policy"].astype(np.float32).sum(axis=1), 1, atol=1e-2)
    assert not rows["policy"][~legal].any()
    assert set(np.abs(rows["side"])) == {1} and len(set(rows["side"])) == 2


def test_games_are_legal_and_counted_as_they_end(some):
    for game in some[3]:
        position = Position(Rules(3, 4, komi=game.komi))
        for move in game.moves:
            position = position.play(move)
        owners = GoBatch.from_positions([position]).pass_alive()
        if (owners != 0).all():  # settled: dead stones count as taken off
            assert game.score_black == owners.sum() - game.komi
        else:
            assert position.is_over and game.score_black == position.score_black()


def test_nobody_passes_in_the_first_half_of_a_game(some):
    config, _, _, games = some
    for game in games:
        position = Position(Rules(3, 4, komi=game.komi))
        for move in game.moves[: config.rules.num_points // 2]:
            assert move != config.rules.pass_action or not position.legal_mask()[:-1].any()
            position = position.play(move)


@given(st.floats(-20, 20), st.integers(0, 1000))
def test_komi_is_whole_or_half_and_near_the_fair_one(fair, seed):
    rules = Rules(4, 4)
    komi = draw_komi(rules, fair, 400, np.random.default_rng(seed))
    assert (2 * komi == np.round(2 * komi)).all() and np.abs(komi).max() <= 15.5
    assert (komi == rules.komi).mean() > 0.1  # a quarter, and chance
    others = komi[komi != rules.komi]
    assert abs(np.median(others) - np.clip(fair, -15.5, 15.5)) < 1


def test_a_game_has_one_name_in_every_symmetry():
    corners = [canonical_moves((point, 4, 9), 3, 3) for point in (0, 2, 6, 8)]
    assert len(set(corners)) == 1
    assert canonical_moves((1, 4, 9), 3, 3) not in corners


def test_losses_are_zero_for_the_truth_and_nowhere_less():
    rng, points = np.random.default_rng(0), 9
    target = {
        "policy": torch.tensor(rng.dirichlet(np.ones(points + 1), size=4), dtype=torch.float32),
        "value": torch.tensor([1.0, -1.0, 1.0, -1.0]),
        "score": torch.tensor([3.0, -1.0, 9.0, -9.0]),
        "ownership": torch.tensor(rng.integers(-1, 2, size=(4, 3, 3)), dtype=torch.float32),
    }
    legal = torch.ones(4, points + 1, dtype=torch.bool)

    def losses(change):
        moves = CategoricalMoves(target["policy"].log() + change * torch.arange(points + 1), legal)
        said = Prediction(
            moves, target["value"] * (1 - change), target["score"] + 10 * change, target["ownership"] + change
        )
        return {name: float(loss) for name, loss in self_play_losses(said, target).items()}

    assert all(math.isclose(loss, 0, abs_tol=1e-4) for loss in losses(0.0).values())
    assert all(loss > 1e-3 for loss in losses(0.5).values())


def test_a_buffer_of_one_repeated_game_is_noticed(tmp_path):
    learner, _ = build(TrainConfig(**TINY), tmp_path)
    learner._recent.extend([(4, 0, 9, 9)] * 512)
    with pytest.raises(TrainingError, match="collapsed: of the last 512 games only 1 differ"):
        learner._variety()


_DOOMED = """
import os, signal, sys
from goagent.learning import self_play, train as training
from goagent.learning.config import TrainConfig
from goagent.records import checkpoint

where, run = sys.argv[1:]
calls = 0

def deadly(inner, nth):
    def wrapped(*args, **kwargs):
        global calls
        calls += 1
        if calls == nth:
            os.kill(os.getpid(), signal.SIGKILL)
        return inner(*args, **kwargs)
    return wrapped

if where == "self-play":
    self_play.gumbel_search = deadly(self_play.gumbel_search, 20)
elif where == "learning":
    self_play.self_play_losses = deadly(self_play.self_play_losses, 9)
else:
    checkpoint.save_file = deadly(checkpoint.save_file, 4)  # between the files of the second checkpoint
training.print_report = lambda *_: None
training.train(TrainConfig(run=run, steps=6, **SETTINGS))
"""


@pytest.mark.parametrize("where", ["self-play", "learning", "writing"])
def test_a_killed_run_goes_on_to_the_same_end(tmp_path, monkeypatch, where):
    monkeypatch.setattr(training, "print_report", lambda *_: None)
    quiet = Console(file=io.StringIO())
    script = _DOOMED.replace("SETTINGS", repr(TINY)).replace("run=run", "run=__import__('pathlib').Path(run)")
    killed = subprocess.run([sys.executable, "-c", script, where, str(tmp_path / "killed")], capture_output=True)
    assert killed.returncode == -9, killed.stderr.decode()
    left = checkpoint.all_of(tmp_path / "killed")
    assert [folder.name for folder in left] in ([], ["000002"], ["000002", "000004"])
    training.train(TrainConfig(run=tmp_path / "killed", resume=True), quiet)
    training.train(TrainConfig(run=tmp_path / "whole", steps=6, **TINY), quiet)
    for load in (checkpoint.load, checkpoint.load_training):
        ours, theirs = load(tmp_path / "killed")[1], load(tmp_path / "whole")[1]
        assert ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert checkpoint.load_training(tmp_path / "killed")[0] == checkpoint.load_training(tmp_path / "whole")[0]
