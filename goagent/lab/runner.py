"""Run an experiment cell by cell, keep what is measured, and write the result. Start with `run_experiment`.

A cell's figures are written as soon as they are there, under everything that they depend on, so a run that was
stopped goes on where it was.
"""

import hashlib
import json
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from urllib.parse import quote

from goagent.lab.core import Experiment, Figures, Result, Scale
from goagent.processes import begin_work
from goagent.records.files import write_text

Report = Callable[[str], None]


def run_experiment(
    experiment: Experiment,
    scale: Scale,
    seeds: Sequence[int],
    kept: Path | None = None,
    workers: Executor | None = None,
    report: Report = lambda _: None,
) -> Result:
    """Measure every cell for every seed, those apart that `kept` (a folder) has already.

    workers: of `start_workers`; else this process measures. They change nothing but the time: a cell runs on one thread
    with generators of its own. report is called with the name of each cell that is there.
    """
    settings = experiment.settings[scale]
    todo = [(cell, seed) for seed in seeds for cell in experiment.cells(settings)]
    found: dict[tuple[str, int], Figures] = {}
    for cell, seed in todo:
        place = _place(kept, experiment, scale, cell, seed)
        if place is not None and place.exists():
            found[cell, seed] = json.loads(place.read_text(encoding="utf-8"))
            report(f"{cell}, seed {seed}")
    for (cell, seed), figures in _measured(experiment, scale, [key for key in todo if key not in found], workers):
        text = json.dumps(figures)
        found[cell, seed] = json.loads(text)  # as it will be read when it is kept
        place = _place(kept, experiment, scale, cell, seed)
        if place is not None:
            place.parent.mkdir(parents=True, exist_ok=True)
            write_text(place, text + "\n")
        report(f"{cell}, seed {seed}")
    by_seed = []
    for seed in seeds:
        figures = {
            f"{cell}: {name}" if cell else name: value
            for cell in experiment.cells(settings)
            for name, value in found[cell, seed].items()
        }
        by_seed.append(figures | experiment.derive(figures))
    return Result(experiment, scale, tuple(seeds), tuple(by_seed))


@contextmanager
def start_workers(jobs: int, module: str) -> Iterator[Executor | None]:
    """Processes that measure, `jobs` at most; they end with the block, whatever they are at. None for a single job.

    Two begin at once to import the experiment's module, which takes seconds, and this process need not wait for them.
    """
    if jobs == 1:
        yield None
        return
    # Spawned, because a fork of a process with numba's threads hangs.
    pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), initializer=_alone)
    try:
        for _ in range(2):
            pool.submit(import_module, module)
        yield pool
    finally:  # nobody waits for workers: idle ones take a second to end, and after Ctrl-C or a fault some are at work
        pool.shutdown(wait=False, cancel_futures=True)
        for worker in multiprocessing.active_children():
            worker.terminate()


def _measured(
    experiment: Experiment, scale: Scale, todo: Sequence[tuple[str, int]], workers: Executor | None
) -> Iterator[tuple[tuple[str, int], Figures]]:
    settings = experiment.settings[scale]
    if workers is None:
        import numba  # late: a worker process has to set the environment first
        import torch

        threads = torch.get_num_threads()
        numba.set_num_threads(1)  # first: as numba's threads start, they give torch more again
        torch.set_num_threads(1)
        try:
            for cell, seed in todo:
                yield (cell, seed), experiment.measure(cell, seed, settings)
        finally:
            torch.set_num_threads(threads)
        return
    waiting = {workers.submit(experiment.measure, cell, seed, settings): (cell, seed) for cell, seed in todo}
    for done in as_completed(waiting):
        yield waiting[done], done.result()


def _alone() -> None:
    """One thread for each process, and way for others."""
    begin_work()
    # Read when torch and numba are imported, which an experiment does, not this module.
    os.environ |= {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    if hasattr(os, "nice"):  # not on Windows
        os.nice(5)


def _place(kept: Path | None, experiment: Experiment, scale: Scale, cell: str, seed: int) -> Path | None:
    """The file of a cell, its name made of everything that its figures depend on."""
    if kept is None:
        return None
    settings = json.dumps(asdict(experiment.settings[scale]), sort_keys=True)
    key = hashlib.sha256(f"{experiment.version} {settings}".encode()).hexdigest()[:12]
    return kept / experiment.name / key / f"{quote(cell or 'all', safe=' ')}-{seed}.json"
