"""Does the collapse lose games? Policies that imitate the same expert, one by a distribution and one by a point.

The games are `games.py`'s; centre-collapse asks the same of single positions. Start with `CRITERIA`.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
from matplotlib.figure import Figure

from goagent.lab.boards_drawn import DOT, HEAT
from goagent.lab.core import Claim, Criterion, Experiment, Figures, Result, Role, Scale
from goagent.lab.one_to_many.games import SHARPENED, measure_games

CAPTURE = "capture 7x7"
GAMES = {CAPTURE: ("capture", 7), "area 7x7": ("area", 7), "area 5x5": ("area", 5)}


@dataclass(frozen=True)
class Settings:
    expert_games: int
    playouts: int  # of the expert in Capture-Go
    steps: int  # of learning
    games: int  # of each match


CRITERIA = (
    Criterion(f"{CAPTURE}: categorical score", "Capture-Go 7x7: the distribution, sampled, scores against the point",
              Role.CLAIM, at_least=0.65),
    Criterion(f"{CAPTURE}: sharpened score", f"the same, sharpened by a temperature of {SHARPENED}", Role.DETAIL,
              at_least=0.65),
    *(Criterion(f"{cell}: {name} score", f"area Go {cell[-3:]}: the distribution, {words}, scores against the point",
                Role.DETAIL, at_least=0.65)
      for cell in ("area 7x7", "area 5x5") for name, words in (("categorical", "sampled"), ("sharpened", "sharpened"))),
    *(Criterion(f"{cell}: regression unique", f"{cell}: different games of the regressor against itself, share",
                Role.DETAIL, at_most=0.05)
      for cell in GAMES),
)  # fmt: skip


class WholeGames(Experiment):
    name = "whole-games"
    title = "The mean of good moves, played out"
    claim = Claim(
        sentence="In whole games, too, a policy that answers with a distribution beats a regressor that learned from "
        "the same games, even when the regressor's point is repaired to the nearest legal one.",
        essay="Jang 2016, Single input, multiple output: the averaged move is a bad one.",
        source="Bishop 1994, Mixture density networks: the mean of good answers need not be a good answer.",
        data="Games of one expert: in Capture-Go 7x7 the rollout search with 200 playouts, in area Go the bare "
        "policies of the shipped 7x7 and 5x5 agents. Every position is shown in random symmetries.",
        models="The package's categorical and regression policies, 24 channels, 2 blocks; both masked.",
        baselines="A random player; one that captures whatever it can, rescues what it must, else plays at random.",
        metric="Score (wins and half the draws) in games with paired random openings of two moves, colours swapped.",
        shows_not="How much is lost by the mean and how much by sampling: the sharpened policy tells the two apart. "
        "Experts of another kind, whose moves are less spread, would sharpen the sampled policy as well.",
    )
    criteria = CRITERIA
    settings: Mapping[Scale, Settings] = {
        "test": Settings(expert_games=2, playouts=8, steps=3, games=4),
        "quick": Settings(expert_games=20, playouts=50, steps=60, games=20),
        "full": Settings(expert_games=200, playouts=200, steps=400, games=40),
    }

    def cells(self, settings: Settings) -> tuple[str, ...]:
        return tuple(GAMES)

    def measure(self, cell: str, seed: int, settings: Settings) -> Figures:
        objective, size = GAMES[cell]
        return measure_games(objective, size, seed, **asdict(settings))

    def draw(self, result: Result) -> Figure:
        figure = Figure(figsize=(8, 3.6), layout="constrained")
        axes = figure.subplots()
        names = (("categorical", "sampled", HEAT), ("sharpened", f"temperature {SHARPENED}", "#56B4E9"))
        at = np.arange(len(GAMES))
        for shift, (name, label, colour) in zip((-0.18, 0.18), names, strict=True):
            estimates = [result.estimates[f"{cell}: {name} score"] for cell in GAMES]
            bars = axes.bar(at + shift, [e.mean for e in estimates], 0.34, color=colour, label=label)
            for bar, estimate in zip(bars, estimates, strict=True):
                axes.plot(
                    [bar.get_x() + 0.17] * len(estimate.values), estimate.values, ".", color="black", markersize=3
                )
        axes.axhline(0.5, color=DOT, linewidth=1, linestyle="--")
        axes.text(len(GAMES) - 0.6, 0.51, "as strong as the regressor", fontsize=8, ha="right", color=DOT)
        axes.set_xticks(at, list(GAMES))
        axes.set_ylim(0, 1)
        axes.set_ylabel("score against the regressor")
        axes.legend(title="the distribution", fontsize=8)
        axes.set_title("One expert, two ways to answer: whole games (dots are seeds)", fontsize=10)
        return figure

    def conclude(self, result: Result) -> str:
        said = (
            f"{cell} {result.mean(f'{cell}: categorical score'):.0%} sampled and "
            f"{result.mean(f'{cell}: sharpened score'):.0%} sharpened"
            for cell in GAMES
        )
        return f"Against the regressor the distribution scores in {', in '.join(said)}."


EXPERIMENT = WholeGames()
