"""`njit` as this project uses it: cached on disk, never stale, and announced when it has to compile.

numba's cache checks the file of the function it stores, not the files of the functions that one calls, so an edit
of one kernel could leave another running old code. Here the cache folder is named after a hash of every source file
that kernels are made of: an edit anywhere starts a new folder.
"""

import hashlib
import multiprocessing
import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numba
import platformdirs
from numba.core import config, event

_settings: Any = config  # its attributes are made at run time
_PROJECT = Path(__file__).resolve().parent.parent


def kernel_sources() -> list[Path]:
    """The files that define kernels, and `state.py`, whose constants are compiled into them; in a fixed order."""
    files = (file for package in ("envs", "goagent") for file in (_PROJECT / package).rglob("*.py"))
    kernels = {file for file in files if b"envs.jit" in file.read_bytes()}
    return sorted(kernels | {_PROJECT / "envs" / "state.py"})


@cache
def cache_folder() -> Path:
    """The folder that holds the compiled form of exactly these sources."""
    digest = hashlib.blake2b(digest_size=8)
    for file in kernel_sources():
        digest.update(file.read_bytes())
    return Path(platformdirs.user_cache_dir("goagent")) / f"kernels-{digest.hexdigest()}"


@cache
def can_cache() -> bool:
    """Can the folder be written? Otherwise nothing is kept, nor where numba would put it, beside the sources."""
    try:
        cache_folder().mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(cache_folder(), os.W_OK)


def njit(**options: Any) -> Callable[[Callable], Callable]:
    """`numba.njit(nogil=True, **options)`, cached in `cache_folder()`."""

    def decorate(function: Callable) -> Callable:
        # The folder is read once, when caching is enabled; other users of numba keep their own. The index in it knows
        # functions by name, not by options, so a source compiled in two ways needs two folders.
        before = _settings.CACHE_DIR
        _settings.CACHE_DIR = str(cache_folder() / ("parallel" if options.get("parallel") else "serial"))
        try:
            return numba.njit(cache=can_cache(), nogil=True, **options)(function)
        finally:
            _settings.CACHE_DIR = before

    return decorate


def kernel(**options: Any) -> Callable[[Callable], Callable]:
    """`njit` for functions that are called by other kernels and own no memory: they neither allocate nor return arrays.

    numba counts references to every array that enters a function. For a tuple of twenty arrays that takes longer than
    the legality check inside, so it is switched off here. The arrays stay alive because the caller holds them.
    """
    return njit(_nrt=False, **options)


class _Announcer(event.Listener):
    """Says once, on stderr, that kernels are being compiled: the one slow moment of a fresh installation."""

    def __init__(self) -> None:
        self.said = False

    def on_start(self, event: Any) -> None:
        module = event.data["dispatcher"].py_func.__module__
        first = not self.said and multiprocessing.parent_process() is None
        if first and module.split(".")[0] in ("envs", "goagent"):
            self.said = True
            kept = "only the first run takes" if can_cache() else f"{cache_folder()} cannot be written: each run takes"
            print(f"Compiling the Go kernels; {kept} this minute.", file=sys.stderr, flush=True)

    def on_end(self, event: Any) -> None:
        pass


event.register("numba:compile", _Announcer())
