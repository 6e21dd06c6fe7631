"""`goagent gtp`: an agent as a GTP 2 engine, for Sabaki, GoGui, KGS, CGOS and the rest.

Here is the protocol: lines in, answers out, one for each command, whatever goes wrong. What the commands do is in
`engine.py`. Nothing but GTP goes to stdout; everything else is said on stderr.
"""

import io
import queue
import re
import sys
import threading
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TextIO

from envs import Rules
from goagent.errors import UserError
from goagent.interfaces.gtp.arguments import Refused
from goagent.interfaces.gtp.engine import COMMANDS, Engine
from goagent.interfaces.gtp.game import Terms
from goagent.interfaces.gtp.mover import Mover
from goagent.rules import rules_from

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")  # what GTP has no use for: all but tab and newline


@dataclass(frozen=True)
class GtpConfig:
    """Be a GTP engine on stdin and stdout, for any Go program or server."""

    agent: str = "shipped"
    """SPEC of the player: `goagent agents` lists what there is."""
    size: str = "9"
    """Board size until the controller says another: 9, or 5x7 (rows x columns)."""
    resign: bool = True
    """Give up games that are lost; else they are played to the end."""
    seed: int | None = None
    """The agent's randomness. Default: another game every time."""

    def __post_init__(self) -> None:
        if self.seed is not None and self.seed < 0:
            raise UserError(f"seed is {self.seed}: expected 0 or more")


class Lines:
    """Lines that a thread reads ahead, so that one can be waited for while the engine thinks."""

    def __init__(self, source: Iterable[str]) -> None:
        self._queue: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._ahead: list[str | None] = []  # what `waits` has taken out
        threading.Thread(target=self._read, args=(source,), daemon=True).start()

    def __iter__(self) -> Iterator[str]:
        while (line := self._ahead.pop() if self._ahead else self._queue.get()) is not None:
            yield line

    def waits(self, seconds: float) -> bool:
        """Is there a line, or the end, within so many seconds?"""
        try:
            self._ahead = self._ahead or [self._queue.get(timeout=seconds)]
        except queue.Empty:
            return False
        return True

    def _read(self, source: Iterable[str]) -> None:
        try:
            for line in source:
                self._queue.put(line)
        finally:
            self._queue.put(None)


def gtp(config: GtpConfig, source: Iterable[str] | None = None, out: TextIO | None = None) -> int:
    """Answer until `quit` or the end of the input; the exit status.

    source: lines; stdin by default. Raises UserError for a bad configuration.
    """
    from goagent.players.spec import load_agent  # late: it may load torch, and a bad size should say so at once

    rules = rules_from(config.size)
    lines = Lines(source if source is not None else _stdin())
    terms = Terms(rules.rows, rules.cols)
    mover = Mover(
        partial(load_agent, config.agent), partial(_depends_on, config.agent), terms, config.seed, config.resign
    )
    engine = Engine(mover, lines.waits)
    out = out or sys.stdout
    if isinstance(out, io.TextIOWrapper):
        out.reconfigure(encoding="utf-8", errors="backslashreplace")  # no character may end the session
    serve(engine, lines, out)
    mover.rest()
    return 0


def serve(engine: Engine, lines: Iterable[str], out: TextIO) -> None:
    """Answer every line that holds a command."""
    for line in lines:
        words = _CONTROL.sub("", line).partition("#")[0].split()
        number = words.pop(0) if words and words[0].isascii() and words[0].isdecimal() else ""
        if not words and not number:
            continue
        _answer(engine, number, words, out)
        if engine.done:
            return


def _answer(engine: Engine, number: str, words: list[str], out: TextIO) -> None:
    """One answer, with the number that the command came with. Raises nothing but what `out` raises."""
    begun, text, fault = False, "", None

    def say(line: str) -> None:
        nonlocal begun
        out.write(("" if begun else f"={number}\n") + (f"{line}\n" if line else ""))
        out.flush()
        begun = True

    try:
        command = COMMANDS.get(words[0]) if words else None
        if command is None:
            raise Refused("unknown command")
        engine.say = say
        text = re.sub(r"\n(\s*\n)+", "\n", command(engine, words[1:])).rstrip()  # an empty line would end the answer
    except (Refused, UserError) as error:
        fault = " ".join(str(error).split())
    except Exception as error:
        traceback.print_exc()  # on stderr
        fault = " ".join(f"internal error: {type(error).__name__}: {error}".split())
    if begun and fault is not None:  # too late to refuse
        print(fault, file=sys.stderr)
    elif fault is not None:
        out.write(f"?{number} {fault}\n")
    elif not begun:
        out.write(f"={number}{text}\n" if text.startswith("\n") else f"={number} {text}\n")
    out.write("\n")
    out.flush()


def _stdin() -> Iterator[str]:
    """Lines of stdin, by a reader of its own: Python could not close one at its end that a thread waits in."""
    with open(sys.stdin.fileno(), "rb", closefd=False) as stream:
        for line in stream:
            yield line.decode(errors="replace")


def _depends_on(spec: str, rules: Rules) -> object:
    """What of the rules the player of a SPEC is made for."""
    if spec.startswith("py:"):
        return rules
    return rules.size if spec.partition("?")[0] == "shipped" else None
