"""Any GTP engine as a player. `ExternalPlayer` keeps it in step with a position; `_Engine` is the process.

Whatever the engine does wrong (it crashes, falls silent, answers garbage, refuses a command, plays an illegal move)
becomes an `EngineError`, and the process is stopped; the next move asked for starts a new one.
"""

import io
import queue
import shlex
import subprocess
import tempfile
import threading
import time
import weakref

import numpy as np

from envs import BLACK, EMPTY, WHITE, Position
from goagent.errors import UserError
from goagent.players.player import Analysis, Line, Resigned

_COLOURS = {BLACK: "black", WHITE: "white"}
_MAX_LINES = 1000  # of an answer
_MAX_LINE = 10_000  # characters
_PATIENCE = 2.0  # seconds to quit in


class EngineError(UserError):
    """A GTP engine did not play by the protocol or by the rules."""


class ExternalPlayer:
    """The engine that `command` starts, spoken to in GTP 2; started when the first move is asked for.

    timeout: seconds it may take for an answer.
    """

    def __init__(self, command: str, timeout: float = 60.0) -> None:
        self.name = f"gtp:{command}"
        self.command = command
        self.timeout = timeout
        self._engine: _Engine | None = None
        self._known: Position | None = None  # what stands on the engine's board

    def reset(self) -> None:
        """The next move begins with a new board."""
        self._known = None

    def choose(self, position: Position, rng: np.random.Generator) -> int:
        """The engine's move; its own generator decides, not `rng`. Raises EngineError and Resigned."""
        try:
            self._synchronise(position)
            vertex = self._ask(f"genmove {_COLOURS[position.to_play]}").lower()
            if vertex == "resign":
                raise Resigned(f"{self.name} resigns")
            action = self._action(position, vertex)
            self._known = position.play(action)
            return action
        except Resigned:
            self._known = None
            raise
        except BaseException:  # Ctrl-C too: an answer that is still to come would be taken for the next one
            self.close()
            raise

    def distribution(self, position: Position) -> np.ndarray:
        """(num_actions,) float: 1 for the move that it plays when asked now; the pass where it resigns."""
        try:
            action = self.choose(position, np.random.default_rng(0))
        except Resigned:
            action = position.rules.pass_action
        return np.eye(position.rules.num_actions)[action]

    def analyze(self, position: Position) -> Analysis:
        """Its move is all that GTP tells."""
        action = int(self.distribution(position).argmax())
        return Analysis(None, None, None, [Line(action, 1.0, None, 0, (action,))])

    def close(self) -> None:
        """Stop the process; done by itself when the player is no longer used, and at exit."""
        if self._engine is not None:
            self._engine.stop()
        self._engine = self._known = None

    def _synchronise(self, position: Position) -> None:
        """Put `position` on the engine's board: by the moves since it was last asked, or from the beginning."""
        if self._engine is None:
            self._engine = _Engine(self.command, self.timeout)
        plays = None if self._known is None else _plays_between(self._known, position)
        if plays is None:
            rules = position.rules
            square = rules.rows == rules.cols
            self._ask(f"boardsize {rules.rows}" if square else f"rectangular_boardsize {rules.cols} {rules.rows}")
            self._ask(f"komi {rules.komi:g}")
            self._ask("clear_board")
            plays = _plays_between(Position(rules), position)
        if plays is None:  # it began from a setup: the stones are all that can be told
            plays = [(int(colour), point) for point, colour in enumerate(position.board.flat) if colour != EMPTY]
        for colour, action in plays:
            self._ask(f"play {_COLOURS[colour]} {position.rules.vertex(action)}")
        self._known = position

    def _ask(self, command: str) -> str:
        assert self._engine is not None
        try:
            return self._engine.ask(command)
        except EngineError as error:
            raise EngineError(f"{self.name} {error}") from error

    def _action(self, position: Position, vertex: str) -> int:
        try:
            action = position.rules.action(vertex)
        except ValueError as error:
            raise EngineError(f"{self.name} answered genmove with {vertex!r}: expected a move") from error
        reason = position.why_illegal(action)
        if reason is not None:
            raise EngineError(f"{self.name} played an illegal move: {reason}")
        return action


def _plays_between(start: Position, end: Position) -> list[tuple[int, int]] | None:
    """The (colour, action) that lead from `start` to `end`, or None if playing in turn does not."""
    played = len(start.moves)
    if end.moves[:played] != start.moves:
        return None
    plays = []
    for action in end.moves[played:]:
        plays.append((start.to_play, action))
        start = start.play(action, check=False)
    return plays if start == end else None


class _Engine:
    """A process that answers GTP commands. Its errors do not name it: the player does."""

    def __init__(self, command: str, timeout: float) -> None:
        self._timeout = timeout
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  its stderr: the last words of an engine that dies
        try:
            self._process = subprocess.Popen(
                shlex.split(command), bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log
            )
        except (OSError, ValueError, IndexError) as error:
            self._log.close()
            raise EngineError(
                f"gtp:{command} cannot be started: {getattr(error, 'strerror', None) or error}"
            ) from error
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        # The reader holds the pipe and the queue, not the engine, so that an engine nobody uses any more is stopped.
        threading.Thread(target=_read_lines, args=(self._process.stdout, self._lines), daemon=True).start()
        self.stop = weakref.finalize(self, _stop, self._process, self._log)

    def ask(self, command: str) -> str:
        """The answer to a command, first line, without its "= ". Raises EngineError."""
        deadline = time.monotonic() + self._timeout
        try:
            _send(self._process, command)
        except OSError as error:
            raise self._ended(command) from error
        first = ""
        for _ in range(_MAX_LINES):
            line = self._next_line(command, deadline)
            if line and not first:
                first = line
                if first[0] not in "=?":
                    raise EngineError(f"answered {command!r} with {first[:40]!r}: expected '=' or '?'")
            elif first and not line:
                break
        else:
            raise EngineError(f"answered {command!r} without end")
        answer = first[1:].strip()
        if first[0] == "?":
            raise EngineError(f"refused {command!r}: {answer[:80]}")
        return answer

    def _next_line(self, command: str, deadline: float) -> str:
        try:
            line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            raise EngineError(f"gave no answer to {command!r} within {self._timeout:g} s") from None
        if line is None:
            raise self._ended(command)
        return line

    def _ended(self, command: str) -> EngineError:
        try:
            code = f"exit status {self._process.wait(_PATIENCE)}"
        except subprocess.TimeoutExpired:
            code = "its output closed"
        self._log.seek(0)
        words = self._log.read()[-2000:].decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(words) if line.strip()), "")
        return EngineError(f"ended at {command!r} ({code}){': ' + last[:120] if last else ''}")


def _send(process: subprocess.Popen, command: str) -> None:
    assert process.stdin is not None
    process.stdin.write(command.encode() + b"\n")


def _read_lines(pipe, lines: "queue.SimpleQueue[str | None]") -> None:
    with io.BufferedReader(pipe) as reader:
        for line in iter(lambda: reader.readline(_MAX_LINE), b""):
            lines.put(line.decode(errors="replace").strip())
    lines.put(None)


def _stop(process: subprocess.Popen, log) -> None:
    """Ask the engine to quit, then make it."""
    try:
        _send(process, "quit")
        process.wait(_PATIENCE)
    except (OSError, subprocess.TimeoutExpired):
        process.kill()
        process.wait()
    process.stdin.close()  # type: ignore[union-attr]
    log.close()
