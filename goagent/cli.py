"""The command line: find the command, parse its one configuration, call its one function. Start with `COMMANDS`."""

import io
import os
import re
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr
from importlib import import_module
from itertools import dropwhile, takewhile
from typing import Any, NamedTuple

from goagent.errors import UserError


class Command(NamedTuple):
    help: str
    config: str  # module:dataclass, what tyro fills from the options
    run: str  # module:function, from the configuration to the exit status


# By name and imported when called: `goagent --help` waits for nothing, and a game in the terminal not for torch.
COMMANDS = {
    "train": Command("train an agent", "goagent.learning.config:TrainConfig", "goagent.learning.train:train"),
    "play": Command("play against an agent", "goagent.interfaces.play:PlayConfig", "goagent.interfaces.play:play"),
    "gtp": Command(
        "be a GTP engine", "goagent.interfaces.gtp.protocol:GtpConfig", "goagent.interfaces.gtp.protocol:gtp"
    ),
    "match": Command("let two agents play", "goagent.arena.match:MatchConfig", "goagent.arena.match:match"),
    "agents": Command(
        "list what can play", "goagent.interfaces.catalogue:AgentsConfig", "goagent.interfaces.catalogue:agents"
    ),
    "evaluate": Command(
        "test an agent's play", "goagent.arena.evaluate:EvaluateConfig", "goagent.arena.evaluate:evaluate"
    ),
    "analyze": Command(
        "find the mistakes in a game", "goagent.interfaces.analyze:AnalyzeConfig", "goagent.interfaces.analyze:analyze"
    ),
    "lab list": Command(
        "list the experiments on randomness", "goagent.lab.commands:LabListConfig", "goagent.lab.commands:lab_list"
    ),
    "lab run": Command(
        "run an experiment to its verdict", "goagent.lab.commands:LabRunConfig", "goagent.lab.commands:lab_run"
    ),
    "lab report": Command(
        "write the results as one page", "goagent.lab.commands:LabReportConfig", "goagent.lab.commands:lab_report"
    ),
    "bench search": Command(
        "measure the search's speed", "goagent.bench.search:SearchBenchConfig", "goagent.bench.search:bench_search"
    ),
    "bench env": Command(
        "measure the environment's speed", "goagent.bench.env:EnvBenchConfig", "goagent.bench.env:bench_env"
    ),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line, the process's by default, and return the exit status: 2 after bad input, 130 after Ctrl-C."""
    try:
        status = _run(list(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()  # a closed pipe shows here, not while Python shuts down
        return status
    except UserError as error:
        print(f"goagent: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:  # a path that cannot be read or written
        print(f"goagent: cannot use {error.filename}: {error.strerror}", file=sys.stderr)
        return 2


def _run(argv: list[str]) -> int:
    if not argv or argv[0] in ("-h", "--help"):
        print(_help())
        return 0
    name = next((name for name in COMMANDS if argv[: name.count(" ") + 1] == name.split()), None)
    if name is None:
        raise UserError(f"there is no command {argv[0]!r}: expected {', '.join(COMMANDS)}")
    command = COMMANDS[name]
    config = _parse(_find(command.config), f"goagent {name}", argv[name.count(" ") + 1 :])
    return _find(command.run)(config)


def _parse(config_class: type, prog: str, argv: list[str]) -> Any:
    """The configuration in `argv`. Raises UserError with one line, and SystemExit after printing help."""
    import tyro

    heard = io.StringIO()
    try:
        with redirect_stderr(heard):
            return tyro.cli(config_class, prog=prog, args=argv)
    except SystemExit as stop:
        if not stop.code:
            raise
        message = re.sub(r"'None', |, 'None'", "", _first_paragraph(heard.getvalue()))  # it stands for "not given"
        prefix = f"Error parsing {config_class.__name__}: "  # what the configuration itself found wrong
        if message.startswith(prefix):
            raise UserError(message.removeprefix(prefix)) from None
        raise UserError(f"{message.rstrip('.')}; see {prog} --help") from None


def _first_paragraph(box: str) -> str:
    """What is said first in one of tyro's boxes, which have a title and may be in colour, drawn, or plain."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", box).strip()
    _, *lines = (re.sub("^-+$", "", line.strip("│╭╮╰╯─ ")) for line in plain.splitlines())
    return " ".join(takewhile(bool, dropwhile(lambda line: not line, lines)))


def _find(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


def _help() -> str:
    lines = [f"  {name:<14}{command.help}" for name, command in COMMANDS.items()]
    return "\n".join(["usage: goagent COMMAND [OPTIONS]", "", *lines, "", "goagent COMMAND --help lists its options."])
