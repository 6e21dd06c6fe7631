"""The ladder: which checkpoints climb it, whom they meet, and what it writes. The checkpoints here play by rollouts."""

import json

import pytest

from goagent.arena import ladder as module
from goagent.arena.ladder import find_rungs, fixtures
from goagent.arena.match import MatchConfig, match
from goagent.errors import UserError
from goagent.players.random import RandomPlayer
from goagent.players.rollout import RolloutPlayer
from goagent.players.spec import load_agent

TRAINING = {"size": "3x4", "komi": 1.5, "ko": "situational"}


@pytest.fixture
def run(tmp_path):
    """run(steps, key=value of a step) writes a run folder whose checkpoints are named only."""

    def make(steps, **recorded):
        for step in steps:
            folder = tmp_path / "run" / "checkpoints" / f"{step:06d}"
            folder.mkdir(parents=True)
            known = {key: value(step) for key, value in recorded.items()}
            (folder / "agent.json").write_text(json.dumps({"step": step, "training": TRAINING, **known}))
        return tmp_path / "run"

    return make


@pytest.fixture
def loaded(monkeypatch):
    """The SPECs that were loaded. A checkpoint at step n thinks n playouts long; at step 1, not at all."""
    specs = []

    def load(spec, rules):
        specs.append(spec)
        name = spec.partition("?")[0]
        if "checkpoints" not in name:
            return load_agent(spec, rules)
        step = int(name[-6:])
        return RolloutPlayer(step) if step > 1 else RandomPlayer()

    monkeypatch.setattr(module, "load_agent", load)
    return specs


def climb(capsys, **settings):
    """What `goagent match --ladder` prints, its long lines whole."""
    assert match(MatchConfig(**settings)) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("saved", "chosen"),
    [
        ([7], [7]),
        ([1, 2, 30], [1, 2, 30]),
        (range(8), range(8)),
        (range(0, 150, 10), range(0, 150, 20)),
        (range(1, 10), [1, 2, 3, 4, 6, 7, 8, 9]),
    ],
)
def test_eight_checkpoints_evenly_with_the_first_and_the_last(run, saved, chosen):
    folder = run(saved)
    assert [rung.step for rung in find_rungs(str(folder))[1]] == list(chosen)


def test_a_rung_tells_what_its_checkpoint_knows(run):
    folder = run([5, 6], seconds=lambda step: step * 1.5 if step == 5 else "long", games=lambda step: step * 100)
    where, (first, second) = find_rungs(f"{folder}?visits=8")
    assert where == folder
    assert first.spec == f"{folder}/checkpoints/000005?visits=8"
    assert (first.seconds, first.games) == (7.5, 500)
    assert (second.seconds, second.games) == (None, 600)  # what is no number is not known


def test_neighbours_distant_ones_and_yardsticks_meet_once():
    pairs = fixtures(list("abcdef"), ("random", "rollout"))
    met = {frozenset(pair) for pair in pairs}
    assert len(met) == len(pairs) == 5 + 4 + 2 + 6 * 2 + 1
    assert {frozenset("ab"), frozenset("df"), frozenset("ae"), frozenset(("c", "random"))} <= met
    assert frozenset("ad") not in met
    assert fixtures(["a"], ("r",)) == [("a", "r")]


def test_it_rates_prints_and_writes(run, loaded, capsys):
    folder = run([1, 6, 30], seconds=lambda step: step * 60.0, games=lambda step: step * 1000)
    printed = climb(capsys, ladder=f"{folder}?temperature=0", games=6, a="rollout?playouts=5")
    assert loaded[:3] == [f"{folder}/checkpoints/{step:06d}?temperature=0" for step in (1, 6, 30)]
    assert loaded[3:] == ["random", "rollout?playouts=50", "rollout?playouts=5"]
    content = json.loads((folder / "ladder.json").read_text())
    assert (content["size"], content["komi"], content["ko"]) == ("3x4", 1.5, "situational")
    assert content["anchors"] == {"rollout?playouts=50": 0}
    elo = {player["agent"]: player["elo"] for player in content["players"]}
    assert list(elo) == ["step 1", "step 6", "step 30", "random", "rollout?playouts=50", "rollout?playouts=5"]
    assert elo["step 1"] < elo["step 6"] < elo["step 30"]
    assert elo["rollout?playouts=50"] == 0
    assert [player["seconds"] for player in content["players"][:3]] == [60, 360, 1800]
    assert len(content["pairings"]) == 2 + 1 + 3 * 3 + 3
    assert {pairing["games"] for pairing in content["pairings"]} == {6}
    assert (folder / "ladder.png").read_bytes().startswith(b"\x89PNG")
    assert f"{6 * 15} games, 6 in each of 15 pairings" in printed
    gain = elo["step 30"] - elo["step 1"]
    assert f"From step 1 to step 30: {gain:+.0f} Elo" in printed
    for text in ("30.0 min", "30,000", "fixed"):
        assert text in printed
    assert sorted(path.name for path in folder.iterdir()) == ["checkpoints", "ladder.json", "ladder.png"]


def test_the_same_seed_climbs_the_same_ladder(run, loaded, capsys):
    folder = run([1, 3])
    results = []
    for seed in (0, 0, 1):
        climb(capsys, ladder=str(folder), games=4, seed=seed)
        content = json.loads((folder / "ladder.json").read_text())
        results.append([(pairing["score"], pairing["mean_length"]) for pairing in content["pairings"]])
    assert results[0] == results[1] != results[2]


def test_a_run_that_recorded_neither_time_nor_games(run, loaded, capsys):
    folder = run([2])
    printed = climb(capsys, ladder=str(folder), games=1, size="3")
    assert "training" not in printed
    assert "From step" not in printed
    content = json.loads((folder / "ladder.json").read_text())
    assert (content["size"], content["komi"], content["ko"]) == ("3", 0.5, "positional")  # asked for: not the run's
    assert content["players"][0]["seconds"] is None
    assert (folder / "ladder.png").is_file()


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"sprt": (0.0, 50.0)}, "ladder and sprt are both given"),
        ({"games": 0}, "games is 0"),
        ({"ladder": "no/such/run"}, "no/such/run holds no checkpoints"),
        ({"a": "rolout"}, "did you mean rollout"),
        ({"size": "big"}, "'big' is not a board size"),
    ],
)
def test_bad_settings_are_refused_in_one_line(run, loaded, settings, says):
    folder = run([2])
    with pytest.raises(UserError, match=says) as error:
        match(MatchConfig(**({"ladder": str(folder)} | settings)))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("training", [[], {"size": 0}, {"komi": "much"}, {"ko": None}, {"size": None}])
def test_a_spoiled_checkpoint_is_one_line_or_a_default(run, loaded, training, capsys):
    folder = run([2])
    (folder / "checkpoints/000002/agent.json").write_text(json.dumps({"training": training}))
    try:
        climb(capsys, ladder=str(folder), games=1, opening_plies=0, size="3" if training == [] else None)
    except UserError as error:
        assert "\n" not in str(error)
