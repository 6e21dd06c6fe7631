"""A small experiment with known figures, for the tests of the lab: a coin whose heads are counted.

It stands apart from the tests and imports no torch, for worker processes import it.
"""

from dataclasses import dataclass
from typing import ClassVar

from matplotlib.figure import Figure

from goagent.lab.core import Claim, Criterion, Experiment, Role

MEASURED: list[tuple[str, int]] = []  # by this process, so that a test sees what was not measured again


@dataclass(frozen=True)
class Settings:
    throws: int
    sides: tuple[str, ...] = ("heads", "tails")


class Coin(Experiment):
    name = "coin"
    title = 'A coin has two <sides> & no "edge"'
    claim = Claim(
        sentence="A fair coin falls on either side <script>alert('claim')</script> half of the time.",
        essay="None of the five, [bold]in no place[/bold].",
        source="Bernoulli, Ars Conjectandi (1713), part IV.",
        data="Throws of a coin.",
        models="A counter for each side.",
        baselines="A coin with two heads.",
        metric="Share of the throws.",
        shows_not="That any real coin is fair.",
    )
    criteria = (
        Criterion("heads: share", "heads take half [of the throws]", Role.CLAIM, at_least=0.4, at_most=0.6),
        Criterion("sum", "both sides together take all", Role.CONTROL, at_least=1),
        Criterion("difference", "one side is ahead by far", Role.CONDITION, at_least=0.9),
        Criterion("tails: share", "tails never come", Role.DETAIL, at_most=0),
    )
    settings: ClassVar = {"test": Settings(8), "quick": Settings(8), "full": Settings(64)}

    def cells(self, settings):
        return settings.sides

    def measure(self, cell, seed, settings):
        MEASURED.append((cell, seed))
        share = 0.5 + (seed % 3 - 1) / settings.throws * (1 if cell == "heads" else -1)
        return {"share": share, "throws": settings.throws, "curve": (seed, share)}

    def derive(self, figures):
        heads, tails = figures["heads: share"], figures["tails: share"]
        return {"sum": heads + tails, "difference": abs(heads - tails)}

    def draw(self, result):
        figure = Figure(figsize=(4, 3))
        figure.subplots().plot(result.first("heads: curve"))
        return figure

    def conclude(self, result):
        return f"Heads took {result.mean('heads: share'):.0%} of the throws."


class LostCoin(Coin):
    def measure(self, cell, seed, settings):
        raise ArithmeticError("the coin is lost")


COIN = Coin()
