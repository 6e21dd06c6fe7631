"""Waiting for what another process does, without a test that depends on how fast it is."""

import time
from collections.abc import Callable


def wait_until(true: Callable[[], bool]) -> None:
    """Raises AssertionError after two minutes."""
    for _ in range(1200):
        if true():
            return
        time.sleep(0.1)
    raise AssertionError("it did not happen within two minutes")
