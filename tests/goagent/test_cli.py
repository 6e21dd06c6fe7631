"""The command line: help everywhere, bad input in one line with exit status 2, and nothing written."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from goagent import cli
from goagent.errors import UserError

TRAIN = Path(__file__).parents[2] / "train.py"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_has_help(name, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main([*name.split(), "--help"])
    assert stop.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    assert text.startswith(f"usage: goagent {name} ")
    for option in re.findall(r" --([a-z][a-z-]+)", text):
        said = rf" --{option},? [^ ]+ (?!\()"  # option, metavar, and then more than its default
        assert option.startswith(("help", "no-")) or re.search(said, text), f"--{option} has no help"


@pytest.mark.parametrize("argv", [[], ["-h"], ["--help"]])
def test_the_overview_names_every_command(argv, capsys):
    assert cli.main(argv) == 0
    text = capsys.readouterr().out
    assert all(f"  {name} " in text for name in cli.COMMANDS)


@pytest.mark.parametrize(
    "line, said",
    [
        ("trian", "no command 'trian': expected train, play"),
        ("bench", "no command 'bench'"),
        ("train --sizee 5", "Unrecognized options: --sizee, 5; see goagent train --help"),
        ("train --size 0", "rows is 0: expected a whole number from 1 to 19"),
        ("train --size 20", "rows is 20: expected a whole number from 1 to 19"),
        ("train --size big", "size 'big' is not a board size"),
        ("train --seed x", "--seed"),
        ("train --komi 0.3", "komi is 0.3: expected a multiple of 0.5"),
        ("train --policy regression --algorithm ppo", "policy 'regression' cannot learn by 'ppo'"),
        ("train --resume --run nowhere", "nowhere is not a run"),
        ("play --size 5x", "size '5x' is not a board size"),
        ("play --komi nan", "komi is nan"),
        ("play --agent nobody", "'nobody' is no agent"),
        ("play --agent rollout?visits=1", "no option 'visits'"),
        ("play --load nowhere.sgf", "cannot read nowhere.sgf"),
        ("play --seed -1", "seed is -1: expected 0 or more"),
        ("match random", "see goagent match --help"),
        ("match random random --size 0 --save games.sgf", "rows is 0"),
        ("match random random --games 0", "games is 0"),
        ("match random random --save nowhere/games.sgf", "cannot write nowhere/games.sgf"),
        ("bench env --games 0", "games"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(line, said, capsys, folder):
    assert cli.main(line.split()) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("goagent: ") and printed.err.count("\n") == 1
    assert said in printed.err
    assert not list(folder.iterdir())


def raiser(error):
    def run(config):
        raise error

    return run


@pytest.mark.parametrize(
    "error, status, said",
    [(KeyboardInterrupt(), 130, ""), (UserError("no: expected yes"), 2, "goagent: no: expected yes\n")],
)
def test_exit_status(error, status, said, monkeypatch, capsys):
    monkeypatch.setattr("goagent.interfaces.catalogue.agents", raiser(error))
    assert cli.main(["agents"]) == status
    assert capsys.readouterr().err == said


def test_a_fault_of_ours_is_not_hidden(monkeypatch):
    monkeypatch.setattr("goagent.interfaces.catalogue.agents", raiser(ValueError("a bug")))
    with pytest.raises(ValueError, match="a bug"):
        cli.main(["agents"])


def test_agents_lists_names_and_runs(capsys, folder):
    assert cli.main(["agents"]) == 0
    text = capsys.readouterr().out
    assert "rollout" in text and "gtp:COMMAND" in text and "No runs in runs yet" in text
    (folder / "runs" / "broken").mkdir(parents=True)
    (folder / "runs" / "broken" / "config.json").write_text("{")
    assert cli.main(["agents"]) == 0
    assert "cannot read" in capsys.readouterr().out


def test_a_closed_pipe_is_quiet():
    process = subprocess.Popen(
        [sys.executable, "-c", "import sys; from goagent.cli import main; sys.exit(main([]))"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.close()
    assert (process.wait(), process.stderr.read()) == (141, b"")


def test_the_overview_loads_no_library():
    code = (
        "import sys; from goagent.cli import main; main([]);"
        "print([name for name in ('torch', 'numba', 'numpy', 'tyro', 'rich') if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


def test_train_py_is_goagent_train():
    done = subprocess.run([sys.executable, TRAIN, "--komi", "0.3"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (2, "goagent: komi is 0.3: expected a multiple of 0.5\n")


def test_what_stands_for_not_given_is_offered_to_nobody(capsys):
    assert cli.main(["play", "--colour", "green"]) == 2
    said = capsys.readouterr().err
    assert "'black'" in said and "'white'" in said and "None" not in said
