"""Contenders that take turns, so that what else the machine does hits them alike; the medians are compared."""

import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

import numba


class Contender(NamedTuple):
    """Something that works. `play` goes on for a short while and returns how much it did, in moves for example."""

    name: str
    threads: int
    play: Callable[[], int]


def measure(contenders: list[Contender], repeats: int, seconds: float) -> dict[tuple[str, int], float]:
    """Median speed of each (name, threads). Compilation and start-up come before the first timer."""
    before = numba.get_num_threads()
    speeds: dict[tuple[str, int], list[float]] = {(c.name, c.threads): [] for c in contenders}
    try:
        for turn in range(repeats + 1):
            for contender in contenders:
                numba.set_num_threads(contender.threads)
                speed = _speed(contender.play, seconds)
                if turn > 0:  # the first only warms up
                    speeds[contender.name, contender.threads].append(speed)
    finally:
        numba.set_num_threads(before)
    return {key: statistics.median(values) for key, values in speeds.items()}


def _speed(play: Callable[[], int], seconds: float) -> float:
    done = 0
    start = time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds:
        done += play()
    return done / elapsed
