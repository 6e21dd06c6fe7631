"""Running an experiment: what is kept is not measured again, what changed is, and processes change nothing."""

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from goagent.lab.runner import run_experiment, start_workers
from tests.goagent.lab.fake import COIN, MEASURED, Coin, LostCoin, Settings
from tests.waiting import wait_until


@pytest.fixture(autouse=True)
def measured():
    MEASURED.clear()
    return MEASURED


class Stopped(Coin):
    """Stopped by its reader in the third cell."""

    def measure(self, cell, seed, settings):
        if len(MEASURED) == 2:
            raise KeyboardInterrupt
        return super().measure(cell, seed, settings)


class Newer(Coin):
    version = 2


class Longer(Coin):
    settings = Coin.settings | {"quick": replace(Coin.settings["quick"], throws=16)}


class OddNames(Coin):
    settings = Coin.settings | {"quick": Settings(8, ("heads", "a/b", "../up", "tails"))}


class Threads(Coin):
    def measure(self, cell, seed, settings):
        return super().measure(cell, seed, settings) | {"threads": torch.get_num_threads()}


def test_every_cell_is_measured_for_every_seed_and_named_once(measured):
    heard = []
    result = run_experiment(COIN, "quick", [3, 5], report=heard.append)
    assert measured == [("heads", 3), ("tails", 3), ("heads", 5), ("tails", 5)]
    assert heard == ["heads, seed 3", "tails, seed 3", "heads, seed 5", "tails, seed 5"]
    assert result.seeds == (3, 5)
    assert result.by_seed[0]["heads: share"] == 0.375
    assert [figures["sum"] for figures in result.by_seed] == [1, 1]
    assert result.first("tails: curve") == [3, 0.625]


def test_what_is_kept_is_not_measured_again(measured, tmp_path):
    first = run_experiment(COIN, "quick", [0, 1], tmp_path)
    heard = []
    assert run_experiment(COIN, "quick", [0, 1], tmp_path, report=heard.append) == first
    assert len(measured) == 4 and len(heard) == 4
    run_experiment(COIN, "quick", [1, 2], tmp_path)
    assert measured[4:] == [("heads", 2), ("tails", 2)]


def test_what_is_kept_is_what_is_measured(tmp_path):
    assert run_experiment(COIN, "quick", [0], tmp_path) == run_experiment(COIN, "quick", [0])


@pytest.mark.parametrize("changed", [Newer(), Longer()])
def test_another_version_or_setting_is_measured_anew(changed, measured, tmp_path):
    run_experiment(COIN, "quick", [0], tmp_path)
    result = run_experiment(changed, "quick", [0], tmp_path)
    assert len(measured) == 4
    assert result.first("heads: throws") == changed.settings["quick"].throws
    run_experiment(COIN, "quick", [0], tmp_path)  # and the older is still there
    assert len(measured) == 4


def test_a_stopped_run_goes_on_where_it_was(measured, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run_experiment(Stopped(), "quick", [0, 1], tmp_path)
    result = run_experiment(COIN, "quick", [0, 1], tmp_path)
    assert measured == [("heads", 0), ("tails", 0), ("heads", 1), ("tails", 1)]
    assert result == run_experiment(COIN, "quick", [0, 1])


def test_any_name_of_a_cell_can_be_kept(measured, tmp_path):
    folder = tmp_path / "cells"
    first = run_experiment(OddNames(), "quick", [0], folder)
    assert run_experiment(OddNames(), "quick", [0], folder).by_seed == first.by_seed
    assert len(measured) == 4
    assert [path.name for path in tmp_path.iterdir()] == ["cells"]
    assert {len(path.relative_to(folder).parts) for path in folder.rglob("*.json")} == {3}


def test_kept_cells_are_json_and_nothing_is_left_beside_them(tmp_path):
    run_experiment(COIN, "quick", [4], tmp_path)
    files = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert [path.name for path in files] == ["heads-4.json", "tails-4.json"]
    assert json.loads(files[0].read_text()) == {"share": 0.5, "throws": 8, "curve": [4, 0.5]}


def test_a_cell_runs_on_one_thread_and_gives_the_others_back():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert run_experiment(Threads(), "quick", [0]).first("heads: threads") == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_two_processes_give_what_one_gives(measured, tmp_path):
    alone = run_experiment(COIN, "quick", [0, 1, 2])
    measured.clear()
    heard = []
    with start_workers(2, __name__) as workers:
        together = run_experiment(COIN, "quick", [0, 1, 2], tmp_path, workers, report=heard.append)
    assert not measured  # here
    assert together == alone
    assert len(heard) == 6
    assert run_experiment(COIN, "quick", [0, 1, 2], tmp_path) == alone
    assert not measured


class Endless(Coin):
    """Says in a file who measures, and goes on for ever."""

    settings = Coin.settings | {"quick": Settings(8, ("heads", "tails"))}

    def measure(self, cell, seed, settings):
        Path(f"{cell}.pid").write_text(f"{os.getpid()}\n")
        time.sleep(3600)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for processes in /proc")
def test_no_process_outlives_the_one_it_works_for(tmp_path):
    code = """
from tests.goagent.lab.test_runner import *
with start_workers(2, "tests.goagent.lab.test_runner") as workers:
    run_experiment(Endless(), "quick", [0], workers=workers)
"""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    run = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, env=environment)
    said = [tmp_path / "heads.pid", tmp_path / "tails.pid"]
    wait_until(lambda: all(file.exists() and file.read_text().endswith("\n") for file in said))
    run.kill()
    run.wait()
    wait_until(lambda: not any(Path("/proc", file.read_text().strip()).exists() for file in said))


def test_a_fault_in_another_process_is_heard_here(tmp_path):
    with pytest.raises(ArithmeticError, match="the coin is lost"), start_workers(2, __name__) as workers:
        run_experiment(LostCoin(), "quick", [0, 1], tmp_path, workers)
