"""The benchmark counts and compares; how fast anything is, no test says."""

import importlib.util
import json
import sys

import numba
import pytest

from goagent.bench import env as bench
from goagent.bench.env import EnvBenchConfig, bench_env
from goagent.errors import UserError

FAST = {"games": 8, "repeats": 1, "seconds": 0.001}


@pytest.fixture
def without_peers(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspiel", None)  # None makes the import fail
    monkeypatch.setitem(sys.modules, "pettingzoo.classic", None)


def test_without_the_peers_it_prints_its_own_figures_and_says_so(without_peers, capsys, tmp_path):
    path = tmp_path / "bench.json"
    assert bench_env(EnvBenchConfig(**FAST, json=path)) == 0
    printed = capsys.readouterr().out
    assert "play_random_games" in printed and "Not installed, so not measured: OpenSpiel, PettingZoo go_v5" in printed
    figures = json.loads(path.read_text())
    assert {row["name"] for row in figures["speeds"]} == {
        "play_random_games", "GoBatch", "GoBatch, numpy sampler", "Position",
    }  # fmt: skip
    assert all(row["moves_per_second"] > 0 for row in figures["speeds"])
    assert [file.name for file in tmp_path.iterdir()] == ["bench.json"]


@pytest.mark.parametrize("make, module", [(bench._open_spiel, "pyspiel"), (bench._pettingzoo, "pygame")])
def test_a_peer_plays_where_it_is_installed(make, module):
    if importlib.util.find_spec(module):
        play = make(seed=0)
        assert all(play() > 0 for _ in range(3))
    else:
        with pytest.raises(ImportError):
            make(seed=0)


def test_it_gives_the_threads_back(without_peers):
    before = numba.get_num_threads()
    bench_env(EnvBenchConfig(**FAST))
    assert numba.get_num_threads() == before


def test_a_table_compares_with_both_peers():
    speeds = {("GoBatch", 1): 3000.0, ("OpenSpiel", 1): 1000.0, ("PettingZoo go_v5", 1): 10.0}
    columns = {column.header: list(column.cells) for column in bench._table(speeds).columns}
    assert columns["x OpenSpiel"] == ["3.00", "1.00", "0.01"]
    assert columns["x PettingZoo"] == ["300.00", "100.00", "1.00"]


def test_a_batch_on_9x9_takes_less_than_8_kib_a_game_at_200_plies():
    assert bench.batch_bytes_a_game(plies=200) < 8192


@pytest.mark.parametrize("bad", [{"games": 0}, {"repeats": 0}, {"seconds": 0}, {"json": "no/such/folder/bench.json"}])
def test_bad_settings_are_refused_before_anything_is_measured(bad, tmp_path, monkeypatch):
    monkeypatch.setattr(bench, "measure", lambda *_: pytest.fail("it measured"))
    if "json" in bad:
        bad = {"json": tmp_path / bad["json"]}
    with pytest.raises(UserError):
        bench_env(EnvBenchConfig(**bad))
