"""What every test runs under (one thread a worker, derandomized hypothesis), and the counts that the run ends with."""

import os
import sys
from collections import Counter

os.environ.setdefault("OMP_NUM_THREADS", "1")  # torch; the workers share the cores
os.environ.setdefault("NUMBA_NUM_THREADS", "2")  # at most: some tests compare one thread with two

import numba
import pytest
from hypothesis import settings

settings.register_profile("goagent", derandomize=True, deadline=None)
settings.load_profile("goagent")


@pytest.fixture(autouse=True)
def one_thread():
    numba.set_num_threads(1)
    if "torch" in sys.modules:  # numba's threads, when they start, give torch more again: they share OpenMP
        sys.modules["torch"].set_num_threads(1)


@pytest.fixture
def tally(record_property):
    """`tally(what, number)` adds to a count that is printed when all workers are done."""
    return lambda what, number: record_property(f"tally: {what}", int(number))


def pytest_terminal_summary(terminalreporter):
    counts = Counter()
    for report in terminalreporter.getreports("passed"):
        if report.when == "call":
            counts.update({name: number for name, number in report.user_properties if name.startswith("tally: ")})
    if counts:
        terminalreporter.section("what the passed tests compared")
        for name, number in sorted(counts.items()):
            terminalreporter.write_line(f"{number:>9,} {name.removeprefix('tally: ')}")
