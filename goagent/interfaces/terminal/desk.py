"""The agent's desk: what an app asks of its agent is answered in a thread, so that the screen stays alive."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from goagent.players.player import Interrupted, Player, Thinker

T = TypeVar("T")


class Desk:
    """An agent, loaded by the first question. Only the last question asked counts: it interrupts the one before."""

    def __init__(self, load: Callable[[], Player]) -> None:
        self._load = load
        self._agent: Player | None = None
        self._busy = threading.Lock()  # held while the agent is loaded or thinks
        self._guard = threading.Lock()  # so that an interruption hits the question that it is meant for
        self._answering: object = None
        self._last: object = None

    @property
    def is_loaded(self) -> bool:
        return self._agent is not None

    async def ask(self, question: Callable[[Player], T]) -> T:
        """What `question` returns for the agent.

        Raises what it raises, and Interrupted when another is asked meanwhile. Whoever cancels the wait interrupts
        the agent; one that cannot be interrupted thinks to the end, and its answer is dropped.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        this = self._begin()

        def answer() -> None:
            try:
                with self._busy:
                    result = self._answer(this, question)
            except BaseException as error:  # whatever it is, it belongs to whoever asked
                _deliver(loop, future, future.set_exception, error)
            else:
                _deliver(loop, future, future.set_result, result)

        # A thread of its own, not an executor's: those are waited for when the program ends.
        threading.Thread(target=answer, daemon=True).start()
        try:
            return await future
        finally:
            self._interrupt(this)

    def interrupt(self) -> None:
        """Stop whatever the agent is thinking about."""
        self._begin()

    def close(self, seconds: float = 5.0) -> None:
        """Stop the agent and wait for it, so long at most: a thread must not be in the network when Python ends."""
        self.interrupt()
        if self._busy.acquire(timeout=seconds):
            self._busy.release()

    def _begin(self) -> object:
        """A new last question; the one being answered is interrupted."""
        before, self._last = self._last, object()
        self._interrupt(before)
        return self._last

    def _answer(self, this: object, question: Callable[[Player], T]) -> T:
        if self._agent is None:
            self._agent = self._load()
        with self._guard:
            if self._last is not this:
                raise Interrupted
            self._answering = this
        try:
            return question(self._agent)
        finally:
            with self._guard:
                self._answering = None

    def _interrupt(self, question: object) -> None:
        """Whether it is being answered or still waits for that."""
        with self._guard:
            if self._last is question:
                self._last = None
            if question is not None and self._answering is question and isinstance(self._agent, Thinker):
                self._agent.interrupt()


def _deliver(loop: asyncio.AbstractEventLoop, future: asyncio.Future, put: Callable, value: object) -> None:
    def finish() -> None:
        if not future.done():
            put(value)

    with suppress(RuntimeError):  # the program may have ended meanwhile
        loop.call_soon_threadsafe(finish)
