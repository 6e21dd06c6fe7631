"""`goagent lab list | run | report`: the experiments there are, one of them run to its verdict, and all on one page.

Start with `lab_run`. Ctrl-C keeps the cells that are measured, and the same command goes on with the rest.
"""

import os
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column, Table
from tyro.conf import Positional, arg

from goagent.errors import UserError
from goagent.lab.catalogue import experiments, find_experiment, find_module
from goagent.lab.core import DEVELOPMENT_SEEDS, JUDGING_SEEDS, Experiment, Outcome, Role, Scale, Verdict
from goagent.lab.report import measured, seeds_in_words, write_report
from goagent.lab.results import read_result, result_file, write_result
from goagent.lab.runner import Report, run_experiment, start_workers
from goagent.learning.progress import say

RESULTS = Path("runs/lab")
COMMITTED = Path(__file__).resolve().parents[2] / "docs" / "lab"  # in a checkout; an installed package has none
_COLOURS = {
    Verdict.REPRODUCED: "green",
    Verdict.WITH_CONDITION: "yellow",
    Verdict.NOT_REPRODUCED: "magenta",
    Verdict.REFUTED: "red",
    Verdict.NOT_TESTABLE: "dim",
}
_OUTCOME_COLOURS = {Outcome.MET: "green", Outcome.NOT_MET: "yellow", Outcome.CONTRADICTED: "red"}


@dataclass(frozen=True)
class LabListConfig:
    """List the experiments by chapter, each with the verdict of its judged run."""

    results: Path = RESULTS
    """The folder to look for results in, before the ones that come with the repository."""


@dataclass(frozen=True)
class LabRunConfig:
    """Run an experiment: measure it, compare the figures with its criteria, and print the verdict.

    A verdict counts if it is from --full on the judging seeds, 100 to 109. Any other run is a trial, and its files,
    NAME.trial.json and NAME.trial.png, leave those of the judged run, NAME.json and NAME.png, as they are.
    """

    name: Annotated[Positional[str], arg(metavar="NAME")]
    """The experiment (see `goagent lab list`)."""
    quick: bool = False
    """A short trial, under a minute on two cores, which is the default."""
    full: bool = False
    """Up to five minutes for each cell (a model, say) and seed."""
    seeds: tuple[int, ...] = ()
    """One run each, of which the figures are the mean: 0 if quick, 100 to 109 if full, where none are given."""
    jobs: int = field(default_factory=lambda: os.cpu_count() or 1)
    """Cells measured at the same time, each in a process of its own. Default: one for each core."""
    output: Path = RESULTS
    """The folder of the results; the cells measured are kept in its folder `cells`."""

    def __post_init__(self) -> None:
        if self.quick and self.full:
            raise UserError("quick and full are both asked for: expected one of them")
        if self.jobs < 1:
            raise UserError(f"jobs is {self.jobs}: expected 1 or more")
        if min(self.seeds, default=0) < 0 or len(set(self.seeds)) < len(self.seeds):
            raise UserError(f"seeds is {' '.join(map(str, self.seeds))}: expected different numbers, 0 or more")

    @property
    def scale(self) -> Scale:
        return "full" if self.full else "quick"


@dataclass(frozen=True)
class LabReportConfig:
    """Write the results as one HTML page that needs no other file."""

    results: Path = RESULTS
    """The folder with the results: of each experiment the judged one, else the trial, which is marked."""
    output: Path | None = None
    """The page; report.html in the folder of the results where none is given."""


def lab_list(config: LabListConfig) -> int:
    """`goagent lab list`: a table for each chapter. The exit status. Raises UserError."""
    console = Console()
    for title, chapter in experiments().items():
        name = Column(
            "name", no_wrap=True, min_width=max(len(experiment.name) for experiment in chapter)
        )  # to be copied
        table = Table(name, "title", "verdict", title=escape(title), title_justify="left")
        for experiment in chapter:
            found = (read_result(result_file(folder, experiment.name, True)) for folder in (config.results, COMMITTED))
            said = next((said for said in found if said), None)
            verdict = _verdict(said["verdict"]) if said else "not judged yet"
            table.add_row(escape(experiment.name), escape(experiment.title), verdict)
        console.print(table)
    console.print("Run one:  goagent lab run NAME", highlight=False)
    return 0


def lab_run(config: LabRunConfig) -> int:
    """`goagent lab run`: measure, write picture and figures, print one table and the verdict. The exit status.

    Raises UserError, OSError.
    """
    with start_workers(config.jobs, find_module(config.name)) as workers:
        return _run(config, find_experiment(config.name), workers)


def _run(config: LabRunConfig, experiment: Experiment, workers: Executor | None) -> int:
    seeds = sorted(config.seeds) or (JUDGING_SEEDS if config.full else DEVELOPMENT_SEEDS[:1])
    config.output.mkdir(parents=True, exist_ok=True)  # first: it may be that it cannot be written
    total = len(seeds) * len(experiment.cells(experiment.settings[config.scale]))
    with _progress(total) as report:
        result = run_experiment(experiment, config.scale, seeds, config.output / "cells", workers, report)
    said = write_result(result, config.output)
    console = Console()
    console.print(_table(said))
    console.print(f"Verdict: {_verdict(said['verdict'])}{'' if result.judged else f', {_trial(said)}'}")
    say(console, said["conclusion"])
    file = result_file(config.output, experiment.name, result.judged)
    say(console, f"Figures: {file}\nPicture: {file.with_suffix('.png')}")
    return 0


def lab_report(config: LabReportConfig) -> int:
    """`goagent lab report`: write the page and say where it is. The exit status. Raises UserError, OSError."""
    page = config.output or config.results / "report.html"
    if config.output and not page.parent.is_dir():
        raise UserError(f"cannot write {page}: expected a file in a folder that exists")
    count = write_report(config.results, page)
    say(Console(), f"{page}: {count} experiment{'s'[: count != 1]}")
    return 0


@contextmanager
def _progress(total: int) -> Iterator[Report]:
    """What to call with the name of each cell that is there: a bar on a terminal, elsewhere a line."""
    console = Console(stderr=True)
    columns = BarColumn(24), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}")
    done = 0
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("first cell", total=total)

        def report(cell: str) -> None:
            nonlocal done
            done += 1
            progress.update(task, completed=done, description=escape(cell))
            if not console.is_terminal:
                say(console, f"{done} of {total}: {cell}")

        try:
            yield report
        except KeyboardInterrupt:
            progress.stop()
            say(console, f"stopped with {done} of {total} cells, which are kept: the same command measures the rest")
            raise


def _table(said: dict[str, Any]) -> Table:
    """The criteria of a result."""
    table = Table("criterion", "of", "measured (95 % interval)", "asked", "outcome", title=escape(said["title"]))
    for criterion in said["criteria"]:
        colour = _OUTCOME_COLOURS[criterion["outcome"]] if criterion["role"] in (Role.CLAIM, Role.CONTROL) else "dim"
        table.add_row(
            escape(criterion["statement"]),
            criterion["role"],
            measured(criterion),
            criterion["bound"],
            f"[{colour}]{criterion['outcome']}",
        )
    return table


def _verdict(verdict: str) -> str:
    return f"[bold {_COLOURS[Verdict(verdict)]}]{verdict}[/]"


def _trial(said: dict[str, Any]) -> str:
    counts = f"--full on {seeds_in_words(JUDGING_SEEDS)}"
    return (
        f"but this is a trial ({said['scale']}, {seeds_in_words(said['seeds'])}): the verdict that counts is {counts}"
    )
