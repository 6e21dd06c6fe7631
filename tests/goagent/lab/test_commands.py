"""`goagent lab list | run | report` as a person calls them."""

import json

import pytest

from goagent import cli
from goagent.errors import UserError
from goagent.lab import commands
from goagent.lab.catalogue import names
from goagent.lab.core import JUDGING_SEEDS
from tests.goagent.lab.fake import COIN, Coin


class Stopped(Coin):
    def measure(self, cell, seed, settings):
        if cell == "tails":
            raise KeyboardInterrupt
        return super().measure(cell, seed, settings)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty folder to work in, and a lab with one experiment in it."""

    def find(name):
        if name != "coin":
            raise UserError(f"there is no experiment {name!r}: expected coin")
        return COIN

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(commands, "find_experiment", find)
    monkeypatch.setattr(commands, "experiments", lambda: {"Money": [COIN]})
    monkeypatch.setattr("goagent.lab.catalogue.CHAPTERS", {"money": ("Money", ("coin",))})
    monkeypatch.setattr(commands, "COMMITTED", tmp_path / "docs" / "lab")
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def call(capsys, line):
    """In one process, as the experiment here is known to this one alone."""
    assert cli.main([*line.split(), *(["--jobs", "1"] if "lab run" in line else [])]) == 0
    return capsys.readouterr()


def test_a_quick_run_is_a_trial_and_says_so(folder, capsys):
    printed = call(capsys, "lab run coin")
    assert "Verdict: NOT REPRODUCED, but this is a trial (quick, seed 0)" in printed.out
    assert "--full on seeds 100 to 109" in printed.out
    assert "heads take half [of the throws]" in printed.out and "0.4 to 0.6" in printed.out
    assert "Heads took 38% of the throws." in printed.out
    assert printed.err.splitlines() == ["1 of 2: heads, seed 0", "2 of 2: tails, seed 0"]
    results = folder / "runs" / "lab"
    assert {path.name for path in results.iterdir()} == {"coin.trial.json", "coin.trial.png", "cells"}
    assert (results / "coin.trial.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads((results / "coin.trial.json").read_text())["scale"] == "quick"


def test_a_full_run_is_judged_and_no_trial_overwrites_it(folder, capsys):
    printed = call(capsys, "lab run coin --full")
    assert "Verdict: REPRODUCED\n" in printed.out and "trial" not in printed.out
    result = folder / "runs" / "lab" / "coin.json"
    assert json.loads(result.read_text())["seeds"] == list(JUDGING_SEEDS)
    before = result.read_bytes(), result.with_suffix(".png").read_bytes()
    for line in ("lab run coin --quick", "lab run coin --full --seeds 0 1", "lab run coin --quick --seeds 100 101"):
        assert "but this is a trial" in call(capsys, line).out
    assert (result.read_bytes(), result.with_suffix(".png").read_bytes()) == before


def test_judging_seeds_in_any_order_are_the_judging_seeds(capsys):
    seeds = " ".join(map(str, reversed(JUDGING_SEEDS)))
    assert "trial" not in call(capsys, f"lab run coin --full --seeds {seeds}").out


def test_a_stopped_run_keeps_its_cells(folder, capsys, monkeypatch):
    monkeypatch.setattr(commands, "find_experiment", lambda name: Stopped())
    assert cli.main(["lab", "run", "coin", "--jobs", "1"]) == 130
    printed = capsys.readouterr()
    assert printed.out == "" and "stopped with 1 of 2 cells" in printed.err
    assert [path.name for path in folder.rglob("*.json")] == ["heads-0.json"]


def test_the_list_says_every_name_in_full(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    shown = call(capsys, "lab list").out.split()
    assert {name for chapter in names().values() for name in chapter} <= set(shown)


def test_the_list_shows_the_judged_verdict(folder, capsys):
    assert "not judged yet" in call(capsys, "lab list").out
    call(capsys, "lab run coin --quick")
    assert "not judged yet" in call(capsys, "lab list").out
    call(capsys, "lab run coin --full --output docs/lab")
    printed = call(capsys, "lab list").out
    assert "Money" in printed and COIN.title in printed and "REPRODUCED" in printed
    newer = json.loads((folder / "docs" / "lab" / "coin.json").read_text()) | {"verdict": "REFUTED"}
    (folder / "runs" / "lab" / "coin.json").write_text(json.dumps(newer))
    assert "REFUTED" in call(capsys, "lab list").out


def test_the_report_is_where_it_says(folder, capsys):
    call(capsys, "lab run coin")
    assert call(capsys, "lab report").out == "runs/lab/report.html: 1 experiment\n"
    assert "Heads took 38%" in (folder / "runs" / "lab" / "report.html").read_text()
    call(capsys, "lab report --output page.html")
    assert (folder / "page.html").read_text() == (folder / "runs" / "lab" / "report.html").read_text()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("lab run", "see goagent lab run --help"),
        ("lab run edge", "there is no experiment 'edge': expected coin"),
        ("lab run coin --quick --full", "quick and full are both asked for"),
        ("lab run coin --jobs 0", "jobs is 0: expected 1 or more"),
        ("lab run coin --seeds 1 1", "seeds is 1 1: expected different numbers"),
        ("lab run coin --seeds -1", "seeds is -1: expected different numbers, 0 or more"),
        ("lab run coin --seeds x", "see goagent lab run --help"),
        ("lab report", "there is no result in runs/lab"),
        ("lab report --output nowhere/page.html", "cannot write nowhere/page.html"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(line, said, capsys, folder):
    assert cli.main(line.split()) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("goagent: ") and printed.err.count("\n") == 1
    assert said in printed.err
    assert not list(folder.iterdir())


def test_a_folder_that_cannot_be_written_is_said_before_anything_is_measured(capsys, folder):
    (folder / "file").write_text("")
    assert cli.main(["lab", "run", "coin", "--output", "file/lab"]) == 2
    assert capsys.readouterr().err.startswith("goagent: cannot use file/lab")
