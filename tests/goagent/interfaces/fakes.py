"""Agents that answer at once, or never, or wrongly."""

import threading

import numpy as np

from goagent.players.player import Analysis, Interrupted, Line, Resigned
from goagent.players.random import RandomPlayer

HERE = "py:tests.goagent.interfaces.fakes"


class First(RandomPlayer):
    """Plays the first legal point, and passes after a pass."""

    name = "first"

    def __init__(self, rules=None):
        pass

    def choose(self, position, rng):
        return int(self.distribution(position).argmax())


class Quitter(First):
    def choose(self, position, rng):
        raise Resigned


class Cheat(First):
    """Plays where a stone is."""

    def choose(self, position, rng):
        return position.moves[-1]


class Broken(First):
    """Has a bug."""

    def choose(self, position, rng):
        raise ZeroDivisionError("a bug")


class Sure(First):
    """Likes the points of the top line, each twice as much as the next one, and has an opinion of everything."""

    name = "sure"

    def distribution(self, position):
        mask = position.legal_mask()
        weights = np.where(mask, 0.5 ** np.arange(len(mask)), 0)
        return weights / weights.sum()

    def choose(self, position, rng):
        if position.consecutive_passes:
            return position.rules.pass_action
        return super().choose(position, rng)

    def analyze(self, position):
        probabilities = self.distribution(position)
        win = 0.5 + 0.3 * np.sin(len(position.moves))
        best = np.argsort(-probabilities, kind="stable")[:3]
        lines = [Line(int(a), float(probabilities[a]), win, 10, (int(a),)) for a in best if probabilities[a] > 0]
        return Analysis(win, 10 * win - 5, None, lines)


class Ponderer(Sure):
    """Never finishes its thoughts before it is interrupted, and says so in `asked` and `stopped`."""

    name = "ponderer"
    seconds = None

    def __init__(self, rules=None):
        self.asked, self.stopped = threading.Event(), threading.Event()

    def choose(self, position, rng):
        self.asked.set()
        if not self.stopped.wait(60):
            raise AssertionError("nobody interrupted it")
        raise Interrupted

    def think(self, position):
        yield self.analyze(position)

    def interrupt(self):
        self.stopped.set()
