"""What the tables of noise share: each source of `train.py --noise` alone, against none. Start with `NoiseAlone`."""

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from matplotlib.figure import Figure

from envs import SKIP, GoBatch, Rules
from goagent.arena.ratings import Pairing, rate
from goagent.lab.batched_play import draw, match, policy_mover
from goagent.lab.core import Experiment, Figures, Result
from goagent.learning.config import TrainConfig
from goagent.noise.settings import SETTINGS
from goagent.players.policy import load_network
from goagent.players.shipped import shipped_agents
from goagent.policies.network import PolicyNetwork

NONE = "none"
SOURCES = tuple(name for name in SETTINGS if name != "hogwild")  # no two runs alike; "stale" stands in for it
NO_NOISE = "initialisation"  # takes randomness away, so it is no part of what noise does on the whole
LEARNING_RATES = {"langevin": 0.3}  # as docs/noise.md says: it steps by the gradient's length, which AdamW does not
PLAYED = {"": 1.0, "sharp ": 0.25}  # temperatures of the agents; noise flattens policies, which alone costs strength
OPENING = 6  # plies whose entropy is measured
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#999999"


@dataclass(frozen=True)
class Settings:
    sources: tuple[str, ...]
    steps: int
    batch_size: int = 64
    channels: int = 16
    blocks: int = 3
    positions: int = 1000  # of either side, at most, on which bits are measured
    games: int = 60  # against each yardstick


class Trained(NamedTuple):
    """An agent, and how many bits it is off on positions that it learned from and on others of the same kind."""

    agent: PolicyNetwork
    learned: float
    held_out: float


class NoiseAlone(Experiment):
    """A cell is a source, or NONE."""

    size: str  # of the board
    algorithm: Literal["gumbel", "imitation"]
    yardsticks: tuple[float, ...]  # temperatures of the shipped agent's policy, played without search
    bits: str  # what `Trained` says bits of

    @abstractmethod
    def train(self, config: TrainConfig, settings: Any) -> Trained: ...

    def cells(self, settings: Settings) -> tuple[str, ...]:
        return (NONE, *settings.sources)

    def config(self, cell: str, seed: int, settings: Any) -> TrainConfig:
        """What train.py would be asked for."""
        return TrainConfig(
            size=self.size,
            algorithm=self.algorithm,
            seed=seed,
            threads=1,
            device="cpu",
            noise=() if cell == NONE else (cell,),
            channels=settings.channels,
            blocks=settings.blocks,
            batch_size=settings.batch_size,
            learning_rate=LEARNING_RATES.get(cell, TrainConfig.learning_rate),
        )

    def measure(self, cell: str, seed: int, settings: Settings) -> Figures:
        config = self.config(cell, seed, settings)
        with torch.random.fork_rng(devices=[]):  # noise draws from torch's own generator
            trained = self.train(config, settings)
        return figures_of(trained, config.rules, self.yardsticks, settings.games, seed) | {
            "entropy": opening_entropy(trained.agent, config.rules, settings.games, seed)
        }

    def derive(self, figures: Figures) -> Figures:
        sources = [name for name in SOURCES if f"{name}: gap" in figures]
        gained = elo_over_none(figures, sources, self.yardsticks) | {
            "narrowed": {cell: figures[f"{NONE}: gap"] - figures[f"{cell}: gap"] for cell in sources},
            "wider": {cell: figures[f"{cell}: entropy"] - figures[f"{NONE}: entropy"] for cell in sources},
        }
        noise = [name for name in sources if name != NO_NOISE]
        middle = {name: float(np.median([values[cell] for cell in noise])) for name, values in gained.items()}
        return {
            "Elo gained": middle["Elo"],
            "sharp Elo gained": middle["sharp Elo"],
            "gap narrowed": middle["narrowed"],
            "entropy gained": middle["wider"],
            **{f"{cell}: {name}": value for name, values in gained.items() for cell, value in values.items()},
        }

    def conclude(self, result: Result) -> str:
        mean = result.mean
        sources = result.experiment.settings[result.scale].sources
        best = max(sources, key=lambda name: mean(f"{name}: Elo"))
        worst = min(sources, key=lambda name: mean(f"{name}: Elo"))

        def surely(figure: str) -> tuple[int, int]:
            estimates = [result.estimates[f"{name}: {figure}"] for name in sources]
            return sum(e.low > 0 for e in estimates), sum(e.high < 0 for e in estimates)

        (more, less), (sharp_more, sharp_less) = surely("Elo"), surely("sharp Elo")
        narrower, wider = surely("narrowed")
        return (
            f"Without noise the gap is {mean(f'{NONE}: gap'):.2f} bits and the first {OPENING} plies hold "
            f"{mean(f'{NONE}: entropy'):.1f}. The median source of noise narrows the gap by "
            f"{mean('gap narrowed'):.2f} bits, adds {mean('entropy gained'):.2f} bits to the openings and changes "
            f"strength by {mean('Elo gained'):+.0f} Elo, {mean('sharp Elo gained'):+.0f} where all play nearly their "
            f"best move. Of the intervals of {len(sources)} sources {more} lie above none's Elo and {less} below, "
            f"{sharp_more} and {sharp_less} at the best move; {narrower} have surely a narrower gap, {wider} a wider "
            f"one. Most Elo: {best} ({mean(f'{best}: Elo'):+.0f}), least: {worst} ({mean(f'{worst}: Elo'):+.0f})."
        )

    def draw(self, result: Result) -> Figure:
        """A row for each source, best on top: Elo and bits of openings over the agent without noise, bits of moves."""
        sources = result.experiment.settings[result.scale].sources
        rows = sorted(sources, key=lambda name: result.mean(f"{name}: Elo"))
        names = [*rows, NONE]
        heights = np.arange(len(names))
        figure = Figure(figsize=(13, 6.4), facecolor="white", layout="constrained")
        played, bits, openings = figure.subplots(1, 3, sharey=True, width_ratios=(1.3, 1.3, 1))
        for height, name in enumerate(rows):
            for axes, over_none in ((played, "Elo"), (openings, "wider")):
                estimate = result.estimates[f"{name}: {over_none}"]
                surely = BLUE if estimate.low > 0 else ORANGE if estimate.high < 0 else GREY
                if math.isfinite(estimate.low):
                    axes.plot([estimate.low, estimate.high], [height, height], color=surely, linewidth=2)
                axes.plot(estimate.mean, height, "o", color=surely)
            played.plot(result.mean(f"{name}: sharp Elo"), height, "|", color="black", markersize=9)
        for axes in (played, openings):
            axes.axvline(0, color=GREY, linewidth=1, linestyle="--")
        played.set_title("Elo over none, 95 % interval (stroke: nearly the best move)", fontsize=10)

        learned, held_out = (
            np.array([result.mean(f"{name}: {side}") for name in names]) for side in ("learned", "held out")
        )
        bits.hlines(heights, learned, held_out, color=GREY, linewidth=2)
        bits.plot(learned, heights, "o", color=ORANGE, label="learned from")
        bits.plot(held_out, heights, "o", color=BLUE, label="held out")
        bits.axvline(held_out[-1], color=BLUE, linewidth=1, linestyle="--")
        bits.set_title(f"Bits of {self.bits}: the line is the gap", fontsize=10)
        bits.legend(fontsize=9, frameon=False, loc="upper right")

        without = result.mean(f"{NONE}: entropy")
        openings.set_title(f"Bits of the first {OPENING} plies over {without:.1f}", fontsize=10)
        played.set_yticks(heights, names)
        for axes in (played, bits, openings):
            axes.spines[["top", "right"]].set_visible(False)
        return figure


def figures_of(trained: Trained, rules: Rules, yardsticks: Sequence[float], games: int, seed: int) -> Figures:
    """Its bits, their gap, and what `elo_over_none` rates: points of `games` against each yardstick, as PLAYED."""
    agent, learned, held_out = trained
    return {
        f"{how}points at {yardstick:g}": points_against_shipped(agent, temperature, rules, yardstick, games, seed)
        for how, temperature in PLAYED.items()
        for yardstick in yardsticks
    } | {"games": games, "learned": learned, "held out": held_out, "gap": held_out - learned}


def elo_over_none(figures: Figures, cells: Sequence[str], yardsticks: Sequence[float]) -> dict[str, dict[str, float]]:
    """Elo and sharp Elo of each cell over NONE, from a joint rating of their points and NONE's."""
    ratings = rate(
        Pairing(how + cell, f"{at:g}", figures[f"{cell}: {how}points at {at:g}"], figures[f"{cell}: games"])
        for cell in (NONE, *cells)
        for how in PLAYED
        for at in yardsticks
    )
    return {f"{how}Elo": {cell: ratings[how + cell] - ratings[how + NONE] for cell in cells} for how in PLAYED}


def points_against_shipped(
    network: PolicyNetwork, temperature: float, rules: Rules, yardstick: float, games: int, seed: int
) -> float:
    """Points, a draw being half, of a policy against the shipped agent's, each at a temperature, without search."""
    rng = np.random.default_rng(seed)
    shipped = load_network(shipped_agents()[rules.rows, rules.cols])
    movers = policy_mover(network, rng, temperature), policy_mover(shipped, rng, yardstick)
    return float(match(*movers, rules, games, rng).sum())


def opening_entropy(network: PolicyNetwork, rules: Rules, games: int, seed: int) -> float:
    """Bits of the first OPENING plies when the policy plays itself: by the chain rule, the mean of its entropies' sum.

    A game that two passes have ended adds nothing more.
    """
    rng = np.random.default_rng(seed)
    batch = GoBatch(rules, games, parallel=False)
    total = 0.0
    for _ in range(OPENING):
        on = ~batch.is_over
        moves = network.answer(batch.observe()[on], batch.legal_mask()[on]).moves
        total += float(moves.entropy().sum()) / math.log(2)
        actions = np.full(games, SKIP)
        actions[on] = draw(moves.probs.numpy(), rng)
        batch.step(actions)
    return total / games
