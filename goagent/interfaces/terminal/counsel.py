"""What the agent thinks of a game: its estimates, its distributions and its advice, asked of a desk and remembered."""

from typing import NamedTuple

import numpy as np

from envs import BLACK, Position
from goagent.interfaces.terminal.desk import Desk
from goagent.players.player import Analysis


class Estimate(NamedTuple):
    """What is thought of a position, for Black."""

    win: float | None
    score: float | None
    analysis: Analysis | None  # for the side to move


class Counsel:
    """Opinions by the number of moves played. What is asked raises what the agent raises, and Interrupted."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.estimates: dict[int, Estimate] = {}
        self.heats: dict[int, np.ndarray] = {}  # (num_actions,) probabilities

    async def look(self, position: Position, number: int) -> None:
        """Estimate a position."""
        analysis = await self._desk.ask(lambda agent: agent.analyze(position))
        win, score = analysis.win_probability, analysis.score
        if position.to_play != BLACK:
            win, score = None if win is None else 1 - win, None if score is None else -score
        self.estimates[number] = Estimate(win, score, analysis)

    async def heat(self, position: Position, number: int) -> None:
        """Find out how often the agent would play each point."""
        self.heats[number] = await self._desk.ask(lambda agent: agent.distribution(position))

    async def advise(self, position: Position, number: int) -> tuple[int, str]:
        """The move that the agent would play, and the advice in words. The position has been looked at."""
        analysis = self.estimates[number].analysis
        if analysis is None or not analysis.lines:
            action = int((await self._desk.ask(lambda agent: agent.distribution(position))).argmax())
            return action, f"Hint: {position.rules.vertex(action)}."
        best = analysis.lines[0]
        chances = "" if best.win_probability is None else f", {100 * best.win_probability:.0f} % to win"
        then = " ".join(position.rules.vertex(action) for action in best.variation[1:5])
        return best.action, f"Hint: {position.rules.vertex(best.action)}{chances}." + (f" Then {then}." if then else "")

    def settle(self, number: int, score_black: float) -> None:
        """The game has been counted."""
        self.estimates[number] = Estimate((float(np.sign(score_black)) + 1) / 2, score_black, None)

    def give_up(self, number: int) -> None:
        """Nobody waits for an estimate of this position any more."""
        self.estimates.setdefault(number, Estimate(None, None, None))

    def forget_after(self, number: int) -> None:
        """Moves were taken back: later opinions are of another game."""
        self.estimates = {key: value for key, value in self.estimates.items() if key <= number}
        self.heats = {key: value for key, value in self.heats.items() if key <= number}

    def so_far(self) -> list[Estimate]:
        """The estimates in the order of the game."""
        return [self.estimates[key] for key in sorted(self.estimates)]
