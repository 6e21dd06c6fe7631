"""Players whose every answer is known, and short ways to ask an engine."""

import io
import threading
from contextlib import contextmanager

import numpy as np

from envs import BLACK
from goagent.interfaces.gtp.engine import Engine
from goagent.interfaces.gtp.game import Terms
from goagent.interfaces.gtp.mover import Mover
from goagent.interfaces.gtp.protocol import Lines, serve
from goagent.players.player import Analysis, Interrupted, Line, Resigned
from goagent.players.random import RandomPlayer

HERE = "py:tests.goagent.interfaces.gtp.fakes"

OWNERS = np.array([[1.0, 0.5, 0.0], [-0.25, -1.0, 0.125]])
FOUND = Analysis(  # on two rows and three columns
    0.625, 1.5, OWNERS, [Line(0, 0.75, 0.64, 30, (0, 4, 6)), Line(4, 0.25, 0.5, 10, (4,)), Line(6, 0.0, None, 0, (6,))]
)


class First(RandomPlayer):
    """Plays the first legal point, and passes after a pass; it thinks that Black is ahead."""

    name = "first"

    def __init__(self, rules=None):
        self.resets = 0

    def reset(self):
        self.resets += 1

    def choose(self, position, rng):
        return int(self.distribution(position).argmax())

    def analyze(self, position):
        chance = 0.75 if position.to_play == BLACK else 0.25
        owners = np.full((position.rules.rows, position.rules.cols), 0.9 if position.to_play == BLACK else -0.9)
        action = self.choose(position, None)
        return Analysis(
            chance, 4 * chance - 2, owners, [Line(action, 0.5, None, 3, (action, position.rules.pass_action))]
        )


class Broken(First):
    """Fails in every way that there is."""

    def choose(self, position, rng):
        if len(position.moves) % 3 == 0:
            raise RuntimeError("no\n\nweights")
        return 0 if len(position.moves) % 3 == 1 else 10**6

    def analyze(self, position):
        raise ValueError("no opinion")


class Hopeless(First):
    def analyze(self, position):
        return Analysis(0.001, None, None, [])


class Quitter(First):
    def choose(self, position, rng):
        raise Resigned


class Thinker(First):
    """Thinks for ever: without end inside one thought, unless it is interrupted; counts its thoughts.

    It chooses as soon as it is let, and is `heard` twice before that, if anyone listens.
    """

    name = "thinker"

    def __init__(self, rules=None, stuck=False, fault=None):
        super().__init__()
        self.seconds = None
        self.stuck, self.fault = stuck, fault
        self.thoughts = 0
        self.told = threading.Event()
        self.let = threading.Event()
        self.let.set()
        self.hear = None
        self.intervals = []

    def choose(self, position, rng):
        if self.hear:
            self.hear(FOUND)
            self.let.wait(60)
            if self.fault:
                raise self.fault
            self.hear(FOUND)
        return super().choose(position, rng)

    def think(self, position, allowed=None):
        self.told.clear()
        first = 0 if allowed is None else int(allowed.argmax())
        while True:
            if self.fault and self.thoughts:
                raise self.fault
            self.thoughts += 1
            yield FOUND._replace(lines=[Line(first, 1.0, 0.5, self.thoughts, (first,))])
            if self.stuck:
                self.told.wait()
            if self.told.wait(0.001):
                raise Interrupted

    def interrupt(self):
        self.told.set()

    @contextmanager
    def aloud(self, hear, interval):
        self.intervals.append(interval)
        self.hear = None if interval == float("inf") else hear
        try:
            yield
        finally:
            self.hear = None


class Timed(RandomPlayer):
    """Uses all the seconds it may, and a little more, on a clock of its own; remembers what it was allowed."""

    name = "timed"

    def __init__(self, seconds=None):
        self.seconds = seconds
        self.time = 0.0
        self.allowed = []

    def use(self):
        self.allowed.append(self.seconds)
        self.time += 0.02 + 1.1 * (self.seconds or 0.0)

    def choose(self, position, rng):
        self.use()
        return super().choose(position, rng)

    def think(self, position, allowed=None):
        self.time += 0.02
        yield super().analyze(position)

    def interrupt(self):
        pass


class Screen(io.StringIO):
    """Output that can be waited for."""

    def __init__(self):
        super().__init__()
        self.news = threading.Condition()

    def write(self, text):
        with self.news:
            self.news.notify_all()
            return super().write(text)

    def wait_for(self, text, times=1):
        with self.news:
            assert self.news.wait_for(lambda: self.getvalue().count(text) >= times, timeout=60), self.getvalue()


def engine(player=None, size=3, terms=None, waits=lambda seconds: True, **settings):
    player = player or First()
    return Engine(Mover(lambda rules: player, lambda rules: None, terms or Terms(size, size), 0, **settings), waits)


def ask(player, *commands):
    """The answers to some commands, without the empty lines; of an engine, or of a player on 3x3."""
    out = io.StringIO()
    serve(player if isinstance(player, Engine) else engine(player), [f"{line}\n" for line in commands], out)
    assert out.getvalue() == "" or out.getvalue().endswith("\n\n")
    return out.getvalue().removesuffix("\n\n").split("\n\n")


def session(player, script):
    """What is answered on 2x3 to the lines that `script` gives, a generator over the lines which gets the screen."""
    screen = Screen()
    lines = Lines(script(screen))
    serve(engine(player, terms=Terms(2, 3, 0.0), waits=lines.waits), lines, screen)
    return screen.getvalue()
