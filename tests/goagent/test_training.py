"""Training end to end, tiny: it learns, it saves, and a resumed run is the run that was never interrupted."""

import io
import json
import shutil
import signal

import numpy as np
import pytest
import torch
from rich.console import Console

import envs
from goagent.errors import UserError
from goagent.learning import policy_gradient
from goagent.learning import train as training
from goagent.learning.config import TrainConfig
from goagent.learning.dataset import load_positions, split
from goagent.learning.imitation import _moved, compare
from goagent.learning.learner import TrainingError
from goagent.learning.start import fresh_network
from goagent.learning.train import build
from goagent.records import checkpoint
from goagent.records.sgf import Game, read_games, write_sgf

SMALL = {"threads": 1, "channels": 4, "blocks": 1, "batch_size": 32, "size": "3"}
SELF_PLAY = SMALL | {"algorithm": "ppo", "num_games": 8, "horizon": 6, "checkpoint_every": 2}
GUMBEL = SELF_PLAY | {"algorithm": "gumbel", "batch_size": 8, "visits": 6, "quick_visits": 2, "thorough_share": 0.5}


@pytest.fixture
def quiet(monkeypatch):
    """Training without the matches at its end."""
    monkeypatch.setattr(training, "print_report", lambda *_: None)
    return Console(file=io.StringIO())


@pytest.fixture
def sgf(tmp_path):
    """A folder with 40 random games on 3x3, komi 2."""
    folder = tmp_path / "games"
    folder.mkdir()
    rules = envs.Rules.square(3, komi=2)
    rng = np.random.default_rng(0)
    batch = envs.GoBatch(rules, 40)
    while not batch.is_over.all():
        batch.step(batch.sample_legal(rng))
    games = [batch.position(i) for i in range(40)]
    text = "\n".join(write_sgf(Game.from_moves(rules, game.moves, game.score_black())) for game in games)
    (folder / "games.sgfs").write_text(text)
    return folder


def settings(algorithm, sgf):
    if algorithm == "imitation":
        return SMALL | {"algorithm": algorithm, "data": sgf, "checkpoint_every": 2}
    return (GUMBEL if algorithm == "gumbel" else SELF_PLAY) | {"algorithm": algorithm}


def final(run):
    """Weights and training state of the newest checkpoint."""
    return checkpoint.load(run)[1], *checkpoint.load_training(run)


@pytest.mark.parametrize("algorithm", ["gumbel", "ppo", "reinforce", "imitation"])
@pytest.mark.parametrize("stop", [2, 3])  # on a checkpoint's step, and between two
def test_a_resumed_run_is_the_uninterrupted_run(tmp_path, sgf, quiet, algorithm, stop):
    common = settings(algorithm, sgf)
    training.train(TrainConfig(run=tmp_path / "whole", steps=5, **common), quiet)
    training.train(TrainConfig(run=tmp_path / "parts", steps=stop, **common), quiet)
    training.train(TrainConfig(run=tmp_path / "parts", steps=5, resume=True), quiet)
    (weights, state, tensors), (weights2, state2, tensors2) = final(tmp_path / "whole"), final(tmp_path / "parts")
    assert state == state2
    assert weights.keys() == weights2.keys() and tensors.keys() == tensors2.keys()
    assert all(torch.equal(weights[name], weights2[name]) for name in weights)
    assert all(torch.equal(tensors[name], tensors2[name]) for name in tensors)


@pytest.mark.parametrize("algorithm", ["gumbel", "ppo", "imitation"])
def test_another_seed_is_another_run(tmp_path, sgf, quiet, algorithm):
    for seed in (0, 1):
        training.train(TrainConfig(run=tmp_path / str(seed), steps=2, seed=seed, **settings(algorithm, sgf)), quiet)
    ours, theirs = final(tmp_path / "0")[0], final(tmp_path / "1")[0]
    assert any(not torch.equal(ours[name], theirs[name]) for name in ours)


def test_the_run_folder_holds_everything(tmp_path, quiet):
    run = tmp_path / "run"
    training.train(TrainConfig(run=run, steps=4, **SELF_PLAY | {"horizon": 30}), quiet)
    assert json.loads((run / "config.json").read_text())["horizon"] == 30
    assert list((run / "metrics").glob("events*"))
    folders = checkpoint.all_of(run)
    assert [folder.name for folder in folders] == ["000002", "000004"]
    assert not (folders[0] / "training.json").exists()  # only the newest can be resumed
    games = [game for file in sorted((run / "games").iterdir()) for game in read_games(file)]
    assert games and all(game.result for game in games)


def test_ctrl_c_finishes_the_step_saves_it_and_can_go_on(tmp_path, quiet, monkeypatch):
    run = tmp_path / "run"
    inner = training.PolicyGradientLearner.step

    def step(learner):
        if learner.updates == 0:
            signal.raise_signal(signal.SIGINT)
        return inner(learner)

    monkeypatch.setattr(training.PolicyGradientLearner, "step", step)
    assert training.train(TrainConfig(run=run, steps=3, **SELF_PLAY), quiet) == 130
    assert checkpoint.load_training(run)[0]["step"] == 1
    assert training.train(TrainConfig(run=run, resume=True), quiet) == 0
    assert checkpoint.load_training(run)[0]["step"] == 3


def test_a_run_folder_is_never_overwritten(tmp_path, quiet):
    (tmp_path / "precious").write_text("thesis")
    with pytest.raises(UserError, match="exists already"):
        training.train(TrainConfig(run=tmp_path, steps=1, **SELF_PLAY), quiet)
    assert [file.name for file in tmp_path.iterdir()] == ["precious"]


def test_resuming_what_is_no_run_writes_nothing(tmp_path, quiet):
    with pytest.raises(UserError, match="is not a run"):
        training.train(TrainConfig(run=tmp_path / "none", resume=True), quiet)
    assert not (tmp_path / "none").exists()


def test_init_starts_from_another_agents_weights(tmp_path, quiet):
    training.train(TrainConfig(run=tmp_path / "a", steps=2, **SELF_PLAY), quiet)
    learner, _ = build(TrainConfig(init=str(tmp_path / "a"), **SELF_PLAY), tmp_path)
    _, weights = checkpoint.load(tmp_path / "a")
    assert all(torch.equal(weights[name], value) for name, value in learner.network.state_dict().items())
    with pytest.raises(UserError, match="the network of"):
        build(TrainConfig(init=str(tmp_path / "a"), **SELF_PLAY | {"channels": 5}), tmp_path)


def test_a_run_that_began_from_another_agent_can_be_resumed_without_it(tmp_path, quiet):
    training.train(TrainConfig(run=tmp_path / "a", steps=2, **SELF_PLAY), quiet)
    for steps, name in ((4, "whole"), (2, "parts")):
        training.train(
            TrainConfig(run=tmp_path / name, init=f"{tmp_path / 'a'}?temperature=0", steps=steps, **SELF_PLAY), quiet
        )
    shutil.rmtree(tmp_path / "a")
    training.train(TrainConfig(run=tmp_path / "parts", resume=True, steps=4), quiet)
    ours, theirs = final(tmp_path / "parts")[0], final(tmp_path / "whole")[0]
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_a_run_that_never_reached_a_checkpoint_starts_from_its_beginning(tmp_path, quiet):
    training.train(TrainConfig(run=tmp_path / "whole", steps=2, **SELF_PLAY), quiet)
    training.train(TrainConfig(run=tmp_path / "parts", steps=2, **SELF_PLAY), quiet)
    shutil.rmtree(tmp_path / "parts" / "checkpoints")
    training.train(TrainConfig(run=tmp_path / "parts", resume=True), quiet)
    ours, theirs = final(tmp_path / "parts")[0], final(tmp_path / "whole")[0]
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_resuming_a_finished_run_writes_nothing_over_it(tmp_path, quiet):
    training.train(TrainConfig(run=tmp_path / "run", steps=2, **SELF_PLAY), quiet)
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "run" / "checkpoints").rglob("*")}
    training.train(TrainConfig(run=tmp_path / "run", resume=True), quiet)
    assert before == {file: file.stat().st_mtime_ns for file in (tmp_path / "run" / "checkpoints").rglob("*")}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda state, tensors: state.update(step=float("inf")),
        lambda state, tensors: state.update(step=-5),
        lambda state, tensors: state.update(lengths=[3]),
        lambda state, tensors: state.pop("rng"),
        lambda state, tensors: tensors.pop("optimizer.0.exp_avg"),
        lambda state, tensors: tensors.update({"optimizer.0.exp_avg": torch.zeros(1)}),
        lambda state, tensors: [tensors.pop(name) for name in list(tensors) if name.startswith("optimizer")],
        lambda state, tensors: tensors.pop("games_in_flight"),
    ],
)
def test_a_spoiled_training_state_is_refused(tmp_path, quiet, spoil):
    run = tmp_path / "run"
    training.train(TrainConfig(run=run, steps=2, **SELF_PLAY), quiet)
    newest = checkpoint.newest(run)
    (agent, weights), (state, tensors) = checkpoint.load(run), checkpoint.load_training(run)
    spoil(state, tensors)
    shutil.rmtree(newest)
    checkpoint.save(newest, agent, weights, state, tensors)
    with pytest.raises(UserError, match="cannot resume"):
        training.train(TrainConfig(run=run, resume=True, steps=4), quiet)


def test_imitation_is_not_resumed_on_other_games(tmp_path, sgf, quiet):
    training.train(TrainConfig(run=tmp_path / "run", steps=2, **settings("imitation", sgf)), quiet)
    lines = (sgf / "games.sgfs").read_text().splitlines()
    (sgf / "games.sgfs").write_text("\n".join(lines[:30]))
    with pytest.raises(UserError, match="same --data"):
        training.train(TrainConfig(run=tmp_path / "run", resume=True, steps=4), quiet)


@pytest.mark.parametrize(
    "record, says",
    [
        ("(;SZ[3];B[bb];W[aa])", "leave no position to hold out"),
        ("(;SZ[3];B[bb])(;SZ[3];B[bb])(;SZ[3];B[bb])", "leave no position to hold out"),
        ("(;SZ[3]PL[W];B[bb])", "no game on 3 begins"),
        ("(;SZ[9];B[bb])", "no game on 3 in"),
    ],
)
def test_games_that_teach_nothing_are_refused_before_anything_is_written(tmp_path, quiet, record, says):
    (tmp_path / "a.sgf").write_text(record)
    config = TrainConfig(run=tmp_path / "run", steps=1, algorithm="imitation", data=tmp_path / "a.sgf", **SMALL)
    with pytest.raises(UserError, match=says):
        training.train(config, quiet)
    assert not (tmp_path / "run").exists()


def test_before_its_first_update_the_ratio_of_ppo_is_one_at_any_temperature(tmp_path, monkeypatch):
    seen = []
    inner = policy_gradient.ppo_loss
    monkeypatch.setattr(
        policy_gradient, "ppo_loss", lambda new, old, *rest: (seen.append((new, old)), inner(new, old, *rest))[1]
    )
    learner, _ = build(TrainConfig(temperature=2.0, **SELF_PLAY | {"batch_size": 48}), tmp_path)
    learner.step()
    assert torch.allclose(*seen[0], atol=1e-5)


def test_fresh_weights_come_from_the_seed_and_leave_torchs_generator_alone(tmp_path):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first, second = (fresh_network(TrainConfig(seed=3, **SELF_PLAY)) for _ in range(2))
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_imitation_learns_what_it_is_shown(tmp_path):
    """Random games that all begin at the centre: it learns to begin there, and where a stone can be put at all."""
    rules = envs.Rules.square(3)
    rng = np.random.default_rng(0)
    batch = envs.GoBatch.from_positions([envs.Position(rules).play(4)] * 80)
    while not batch.is_over.all():
        batch.step(batch.sample_legal(rng))
    games = [write_sgf(Game.from_moves(rules, batch.position(i).moves)) for i in range(80)]
    (tmp_path / "games.sgfs").write_text("\n".join(games))
    learner, _ = build(
        TrainConfig(
            size="3", algorithm="imitation", data=tmp_path / "games.sgfs", channels=16, blocks=1, batch_size=64
        ),
        tmp_path,
    )
    before = compare(learner.average, learner.held_out)
    for _ in range(500):
        learner.step()
    after = compare(learner.average, learner.held_out)
    assert before["occupied"] > 0.15 > 0.05 > after["occupied"]
    empty = envs.Position(rules)
    answer = learner.average.answer(empty.observe()[None], empty.legal_mask()[None]).moves
    assert answer.mode().tolist() == [4] and float(answer.probs[0, 4]) > 0.5


def test_a_loss_that_is_no_number_stops_the_run(tmp_path):
    learner, _ = build(TrainConfig(**SELF_PLAY), tmp_path)
    with pytest.raises(TrainingError, match="learning-rate"):
        learner.update(torch.tensor(float("nan")))


def test_looking_at_how_good_it_is_changes_nothing(tmp_path, sgf):
    for algorithm in ("gumbel", "ppo", "imitation"):
        learner, _ = build(TrainConfig(**settings(algorithm, sgf)), tmp_path)
        learner.step()
        before = learner.state()
        assert learner.assess(1) == learner.assess(1)
        after = learner.state()
        assert before[0] == after[0] and all(torch.equal(before[1][name], after[1][name]) for name in before[1])


@pytest.mark.parametrize("algorithm", ["gumbel", "ppo"])
def test_self_play_learns_to_beat_random_moves(tmp_path, algorithm):
    """On 3x3, in a few dozen steps: from about half the points to nearly all."""
    config = TrainConfig(
        size="3",
        algorithm=algorithm,
        channels=16,
        blocks=1,
        num_games=64,
        horizon=16,
        threads=1,
        seed=1,
        batch_size=128,
    )
    learner, _ = build(config, tmp_path)
    before = learner.assess(0)["score against random"]
    for _ in range(30 if algorithm == "ppo" else 15):
        learner.step()
    after = learner.assess(0)["score against random"]
    assert after > before + 0.15 and after > 0.75


def test_games_are_split_whole_and_nothing_held_out_was_seen(sgf):
    positions, count = load_positions(sgf, envs.Rules.square(3))
    train, held_out = split(positions, 0.3, np.random.default_rng(0))
    assert count == 40
    assert not set(train.games) & set(held_out.games)
    assert len(held_out) > 0 and not set(train.keys) & set(held_out.keys)


def test_positions_are_what_the_environment_shows(sgf):
    """Planes come back from bits as `observe` gives them under the game's own komi, and moves are the record's."""
    positions, _ = load_positions(sgf, envs.Rules.square(3))
    planes = positions.planes()
    games = list(read_games(sgf))
    seen = {}
    for row, game in enumerate(positions.games):
        ply = seen.get(game, 0)
        seen[game] = ply + 1
        position = envs.Position(games[game].rules)
        for _, action in games[game].moves[:ply]:
            position = position.play(action)
        assert np.array_equal(planes[row], position.observe())
        assert np.array_equal(positions.legal[row], position.legal_mask())
        assert positions.actions[row] == games[game].moves[ply][1]
        sign = {"B": 1, "W": -1, "0": 0}[games[game].result[0]] * (1 if position.to_play == envs.BLACK else -1)
        assert positions.results[row] == sign


def test_equal_positions_have_equal_keys_in_every_symmetry():
    from goagent.learning.dataset import _keys

    rng = np.random.default_rng(3)
    boards = rng.integers(0, 3, (50, 3, 4)).astype(np.int8)
    to_play = rng.integers(1, 3, 50).astype(np.int8)
    keys = _keys(boards, to_play)
    assert len(set(keys)) > 45
    for k in range(4):
        assert np.array_equal(_keys(envs.symmetry.transform_board(boards, k), to_play), keys)
    assert not (_keys(boards, 3 - to_play) == keys).any()


def test_a_random_symmetry_moves_position_and_answer_alike(sgf):
    positions, _ = load_positions(sgf, envs.Rules.square(3))
    planes, legal, actions = _moved(positions, np.random.default_rng(0))
    assert legal[np.arange(len(positions)), actions].all()
    stones = planes[:, 0] + planes[:, 1]
    points = actions < 9
    assert (stones.reshape(len(positions), -1)[np.flatnonzero(points), actions[points]] == 0).all()
    illegal_plane = planes[:, 14].reshape(len(positions), -1)
    assert np.array_equal(illegal_plane == 1, ~legal[:, :-1] & (stones.reshape(len(positions), -1) == 0))
    assert (actions != positions.actions).any()
