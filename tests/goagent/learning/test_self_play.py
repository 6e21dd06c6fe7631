"""What self-play remembers of its games is what happened in them, and a run survives being killed."""

import io
import math
import multiprocessing
import subprocess
import sys
import time
from pathlib import Path

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
from tests.goagent.search import fakes

TINY = {
    "size": "3", "threads": 1, "channels": 4, "blocks": 1, "batch_size": 8, "num_games": 8, "horizon": 6, "visits": 6,
    "quick_visits": 2, "thorough_share": 0.5, "checkpoint_every": 2,
}  # fmt: skip


@pytest.fixture(scope="module")
def some():
    """A configuration, and what 40 plies of self-play with a pseudo-random evaluator brought."""
    config = TrainConfig(size="3x4", num_games=32, visits=6, quick_visits=2, thorough_share=0.5, random_plies=2)
    return config, SelfPlay(config, 32, np.random.default_rng(0)).play(fakes.random, 40)


def test_rows_know_how_their_game_ended(some):
    config, (rows, games, _) = some
    assert len(games) > 50 and len(rows) > 200
    assert (rows["value"] == np.sign(rows["score"])).all()
    # Own points minus the other's, and the komi from the mover's side: the score.
    assert np.allclose(rows["score"], rows["ownership"].sum(axis=1) + rows["komi"])
    legal = unpack(config.rules, rows)[1]
    assert np.allclose(rows["policy"].astype(np.float32).sum(axis=1), 1, atol=1e-2)
    assert not rows["policy"][~legal].any()
    assert set(np.abs(rows["side"])) == {1} and len(set(rows["side"])) == 2


def test_games_are_legal_and_counted_as_they_end(some):
    for game in some[1].games:
        position = Position(Rules(3, 4, komi=game.komi))
        for move in game.moves:
            position = position.play(move)
        owners = GoBatch.from_positions([position]).pass_alive()
        if (owners != 0).all():  # settled: dead stones count as taken off
            assert game.score_black == owners.sum() - game.komi
        else:
            assert position.is_over and game.score_black == position.score_black()


def test_nobody_passes_in_the_first_half_of_a_game(some):
    config, harvest = some
    for game in harvest.games:
        position = Position(Rules(3, 4, komi=game.komi))
        for move in game.moves[: config.rules.num_points // 2]:
            assert move != config.rules.pass_action or not position.legal_mask()[:-1].any()
            position = position.play(move)


@given(st.floats(-20, 20), st.integers(0, 1000))
def test_komi_is_whole_or_half_and_near_the_fair_one(fair, seed):
    rules = Rules(4, 4)
    komi = draw_komi(rules, np.full(400, fair), np.random.default_rng(seed))
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
        learner._record([])


_DOOMED = """
import os, signal, sys
from pathlib import Path
from goagent.learning import gumbel, self_play, train as training
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
    gumbel.self_play_losses = deadly(gumbel.self_play_losses, 9)
else:
    checkpoint.save_file = deadly(checkpoint.save_file, 4)  # between the files of the second checkpoint
training.print_report = lambda *_: None
training.train(TrainConfig(run=run, steps=6, **SETTINGS))
"""


@pytest.mark.parametrize("where", ["self-play", "learning", "writing"])
def test_a_killed_run_goes_on_to_the_same_end(tmp_path, monkeypatch, where):
    monkeypatch.setattr(training, "print_report", lambda *_: None)
    quiet = Console(file=io.StringIO())
    script = _DOOMED.replace("SETTINGS", repr(TINY)).replace("run=run", "run=Path(run)")
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


def test_actors_of_their_own_process_play_the_same_games(tmp_path, monkeypatch):
    """One actor's games are the same in this process and in another; two actors' run goes on to the same end."""
    monkeypatch.setattr(training, "print_report", lambda *_: None)
    quiet = Console(file=io.StringIO())

    def run(name, steps, resume=False, **settings):
        folder = tmp_path / name
        training.train(TrainConfig(run=folder, steps=steps, resume=resume, **settings), quiet)
        return checkpoint.load(folder)[1] | checkpoint.load_training(folder)[1]

    def same(ours, theirs):
        assert ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)

    same(run("here", 4, **TINY), run("elsewhere", 4, **TINY | {"threads": 2}))
    two = TINY | {"threads": 2, "num_games": 35}
    whole = run("whole", 4, **two)
    assert [len(whole[f"actors.{i}.komi"]) for i in range(2)] == [18, 17]
    run("parts", 2, **two)
    same(run("parts", 4, resume=True), whole)
    assert not multiprocessing.active_children()


def test_a_lost_actor_is_named_and_no_actor_outlives_its_run(tmp_path):
    script = """
import os, signal, sys, pathlib
from goagent.learning.config import TrainConfig
from goagent.learning.train import build
if __name__ == "__main__":
    learner, _ = build(TrainConfig(**SETTINGS), pathlib.Path(sys.argv[1]))
    learner.step()
    print(*(actor._process.pid for actor in learner._actors), flush=True)
    os.kill(os.getpid() if sys.argv[2] == "run" else learner._actors[1]._process.pid, signal.SIGKILL)
    learner.step()
"""
    file = tmp_path / "lost.py"
    file.write_text(script.replace("SETTINGS", repr(TINY | {"threads": 2, "num_games": 32})))
    for victim, code, says in (("actor", 1, "ended with code -9; the last checkpoint stands"), ("run", -9, "")):
        done = subprocess.run(
            [sys.executable, file, tmp_path, victim], capture_output=True, text=True, cwd=Path(__file__).parents[3]
        )
        assert done.returncode == code and says in done.stderr
        for process in map(int, done.stdout.split()):
            deadline = time.monotonic() + 60
            while alive(process):
                assert time.monotonic() < deadline, f"process {process} lives on after the {victim}"
                time.sleep(0.1)


def alive(process):
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
