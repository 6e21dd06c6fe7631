"""How the app looks. After a change that is meant: pytest -n 0 tests/goagent/interfaces --snapshot-update, and look."""

import numpy as np
import pytest

from goagent.interfaces.kept import Shelf
from goagent.interfaces.terminal.app import GoApp
from tests.goagent.interfaces.terminal.driving import app_for, press, settled

OPENING = ["E5", "C3", "G3", "G7", "C7", "C6", "D7", "G5", "B6"]


@pytest.fixture
def shelf(tmp_path):
    return Shelf(tmp_path)


def keys(*names):
    """To be run before the picture is taken."""

    async def run(pilot):
        await settled(pilot)
        await press(pilot, *names)

    return run


def test_the_new_game_screen(shelf, snap_compare):
    assert snap_compare(GoApp(None, shelf, np.random.default_rng(0)))


def test_a_game_in_80x24(shelf, snap_compare):
    assert snap_compare(app_for(shelf, size=9, names=OPENING), run_before=keys("up"))


def test_a_light_heat_map_in_120x40(shelf, snap_compare):
    app = app_for(shelf, size=9, names=OPENING)
    assert snap_compare(app, terminal_size=(120, 40), run_before=keys("ctrl+e", "ctrl+l"))


def test_a_finished_game_with_ownership(shelf, snap_compare):
    black, white = ["C5", "C4", "D3", "C2", "C1"], ["D5", "D4", "E3", "D2", "D1"]
    names = [name for pair in zip(black, white, strict=True) for name in pair]
    assert snap_compare(app_for(shelf, names=[*names, "pass", "pass"]), run_before=keys())


def test_a_large_board_in_80x24(shelf, snap_compare):
    assert snap_compare(app_for(shelf, size=19, names=["Q16", "D4", "Q3", "D16"]), run_before=keys("ctrl+t"))


def test_without_colour(shelf, snap_compare, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(app_for(shelf, size="7x9", names=["E5", "C3", "G3", "G5"]), run_before=keys("ctrl+e"))
