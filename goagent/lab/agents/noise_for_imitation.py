"""What each source of `train.py --noise` does for an agent that learns from few games. Start with `NoiseForImitation`.

The agents learn with `learning.imitation`, just as `python train.py --algorithm imitation --noise NAME` has it: the
same games, the same number of gradient steps, each source alone at its usual value, and one agent with none.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure

from envs import SKIP, GoBatch, Rules
from goagent.arena.ratings import Pairing, rate
from goagent.lab.core import Claim, Criterion, Experiment, Figures, Result, Role, Scale
from goagent.lab.one_to_many.batched_play import draw, match, policy_mover
from goagent.learning.config import TrainConfig
from goagent.learning.dataset import Positions
from goagent.learning.imitation import ImitationLearner
from goagent.learning.start import fresh_network
from goagent.noise.settings import SETTINGS
from goagent.players.policy import load_network
from goagent.players.shipped import shipped_agents
from goagent.policies.network import PolicyNetwork

NONE = "none"
SOURCES = tuple(name for name in SETTINGS if name != "hogwild")  # no two runs alike; "stale" stands in for it
YARDSTICKS = (3.0, 2.0)  # temperatures of the shipped agent's policy, played without search
OPENING = 6  # plies whose entropy is measured
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#999999"


@dataclass(frozen=True)
class Settings:
    sources: tuple[str, ...] = SOURCES
    steps: int = 1500
    batch_size: int = 64
    channels: int = 16
    blocks: int = 3
    holdout: float = 0.98  # of the games; the rest, about 33, are learned from
    positions: int = 1000  # of either side, at most, on which bits are measured
    games: int = 100  # against each yardstick


class NoiseForImitation(Experiment):
    name = "noise-for-imitation"
    title = "What noise does for an agent that learns from few games"
    claim = Claim(
        sentence="Noise while it learns makes a network memorise less and play better.",
        essay="Jang 2016, Randomness and information theory, and Exploration energy: noise in layers is a regulariser "
        "and noise in gradients helps to find better parameters. Perez 2017, Revisiting deep learning as a "
        "non-equilibrium process, reports the contrary of gradient noise and of dropout.",
        source="Kukačka, Golkov and Cremers 2017, arXiv:1710.10686, for the kinds of noise; each source's paper is "
        "named in goagent/noise.",
        data="Strong 7x7 games, 2 % of them to learn from (about 33 games, 1,400 positions, each seen in a random "
        "symmetry); measured on the others' positions that do not occur among them.",
        models="Policy networks of 3 blocks and 16 channels, 1,500 steps of 64 positions with AdamW at 0.001, the "
        "moving average of the weights playing: train.py's own algorithm and defaults. Each of its sources of noise "
        "alone, at its usual value.",
        baselines="The same network, games and batches without noise. Training by several workers at once is left "
        "out, as no two runs of it are alike: `stale` stands in for it.",
        metric="Gap: bits of an expert's move on held-out positions, less those on positions learned from. Elo: from "
        "100 games against each of two yardsticks, the shipped agent's policy without search at temperatures 3 and 2, "
        "with colours swapped and two random opening moves; all moves are drawn. Opening entropy: bits of the first "
        "six plies of the agent against itself, by the chain rule from its own probabilities, which has no bias.",
        shows_not="That a source is useless where it loses: each has one value, its usual one, and none was tuned for "
        "this task. Anything about large networks, long training or learning from self-play, where examples are never "
        "the same twice. Equal steps are not equal seconds: variational convolutions take about three times as long.",
    )
    criteria = (
        Criterion("gap narrowed", "mean over all sources: bits by which the gap is smaller than without noise",
                  Role.CLAIM, at_least=0.02),
        Criterion("Elo gained", "mean over all sources: Elo over the agent without noise", Role.CLAIM, at_least=10),
        Criterion(f"{NONE}: gap", "without noise there is something to gain: its gap in bits", Role.CONTROL,
                  at_least=0.1),
        Criterion(f"{NONE}: held out", "and something is learned: its bits on held-out positions", Role.CONTROL,
                  at_most=3.5),
        *(Criterion(f"{name}: Elo", f"Elo with {name}, over none", Role.DETAIL, at_least=0) for name in SOURCES),
        *(Criterion(f"{name}: narrowed", f"bits by which the gap is smaller with {name}", Role.DETAIL, at_least=0)
          for name in SOURCES),
    )  # fmt: skip
    settings: Mapping[Scale, Settings] = {
        "test": Settings(("dropout", "gradient"), steps=2, batch_size=8, channels=4, blocks=1, positions=8, games=2),
        "quick": Settings(
            ("dropout", "label", "variational-bottleneck", "gradient"), steps=120, positions=500, games=40
        ),
        "full": Settings(),
    }

    def cells(self, settings: Settings) -> tuple[str, ...]:
        return (NONE, *settings.sources)

    def measure(self, cell: str, seed: int, settings: Settings) -> Figures:
        config = TrainConfig(
            size="7",
            algorithm="imitation",
            seed=seed,
            threads=1,
            device="cpu",
            noise=() if cell == NONE else (cell,),
            channels=settings.channels,
            blocks=settings.blocks,
            batch_size=settings.batch_size,
            holdout=settings.holdout,
        )
        with torch.random.fork_rng(devices=[]):  # noise draws from torch's own generator
            learner = ImitationLearner(config, fresh_network(config), torch.device("cpu"))
            for _ in range(settings.steps):
                learner.step()
        agent, rules = learner.average, config.rules
        learned, held_out = (
            move_bits(agent, positions, settings.positions, seed) for positions in (learner.train, learner.held_out)
        )
        return {
            f"points at {temperature:g}": points_against_shipped(agent, rules, temperature, settings.games, seed)
            for temperature in YARDSTICKS
        } | {
            "games": settings.games,
            "learned": learned,
            "held out": held_out,
            "gap": held_out - learned,
            "entropy": opening_entropy(agent, rules, settings.games, seed),
        }

    def derive(self, figures: Figures) -> Figures:
        sources = [name for name in SOURCES if f"{name}: gap" in figures]
        ratings = rate(
            Pairing(cell, f"{temperature:g}", figures[f"{cell}: points at {temperature:g}"], figures[f"{cell}: games"])
            for cell in (NONE, *sources)
            for temperature in YARDSTICKS
        )
        elo = {cell: ratings[cell] - ratings[NONE] for cell in sources}
        narrowed = {cell: figures[f"{NONE}: gap"] - figures[f"{cell}: gap"] for cell in sources}
        return {
            "Elo gained": float(np.mean(list(elo.values()))),
            "gap narrowed": float(np.mean(list(narrowed.values()))),
            **{f"{cell}: Elo": value for cell, value in elo.items()},
            **{f"{cell}: narrowed": value for cell, value in narrowed.items()},
        }

    def draw(self, result: Result) -> Figure:
        return picture(result)

    def conclude(self, result: Result) -> str:
        mean = result.mean
        sources = result.experiment.settings[result.scale].sources
        best = max(sources, key=lambda name: mean(f"{name}: Elo"))
        worst = min(sources, key=lambda name: mean(f"{name}: Elo"))
        surely = {
            "better": [name for name in sources if result.estimates[f"{name}: Elo"].low > 0],
            "worse": [name for name in sources if result.estimates[f"{name}: Elo"].high < 0],
            "narrower": [name for name in sources if result.estimates[f"{name}: narrowed"].low > 0],
        }
        return (
            f"Without noise the gap is {mean(f'{NONE}: gap'):.2f} bits; the mean of {len(sources)} sources narrows it "
            f"by {mean('gap narrowed'):.2f} and changes strength by {mean('Elo gained'):+.0f} Elo. The interval lies "
            f"above 0 Elo for {len(surely['better'])} of them, below for {len(surely['worse'])}; the gap is surely "
            f"narrower with {len(surely['narrower'])}. Most Elo: {best} ({mean(f'{best}: Elo'):+.0f}), least: {worst} "
            f"({mean(f'{worst}: Elo'):+.0f})."
        )


def move_bits(network: PolicyNetwork, positions: Positions, most: int, seed: int) -> float:
    """Bits of an expert's move: the policy's mean log loss over the positions, of which `most` are drawn."""
    rng = np.random.default_rng(seed)
    chosen = positions.where(rng.permutation(len(positions))[:most])
    moves = network.answer(chosen.planes(), chosen.legal).moves
    return -float(moves.log_prob(torch.from_numpy(chosen.actions)).mean()) / math.log(2)


def points_against_shipped(network: PolicyNetwork, rules: Rules, temperature: float, games: int, seed: int) -> float:
    """Points, a draw being half, against the shipped agent's policy at a temperature, both without search."""
    rng = np.random.default_rng(seed)
    shipped = load_network(shipped_agents()[rules.rows, rules.cols])
    return float(match(policy_mover(network, rng), policy_mover(shipped, rng, temperature), rules, games, rng).sum())


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


def picture(result: Result) -> Figure:
    """A row for each source, best on top: Elo over the agent without noise, bits of a move, bits of the openings."""
    sources = result.experiment.settings[result.scale].sources
    rows = sorted(sources, key=lambda name: result.mean(f"{name}: Elo"))
    names = [*rows, NONE]
    heights = np.arange(len(names))
    figure = Figure(figsize=(13, 6.4), facecolor="white", layout="constrained")
    strength, bits, openings = figure.subplots(1, 3, sharey=True, width_ratios=(1.3, 1.3, 1))
    for height, name in enumerate(rows):
        elo = result.estimates[f"{name}: Elo"]
        surely = BLUE if elo.low > 0 else ORANGE if elo.high < 0 else GREY
        if math.isfinite(elo.low):
            strength.plot([elo.low, elo.high], [height, height], color=surely, linewidth=2)
        strength.plot(elo.mean, height, "o", color=surely)
    strength.axvline(0, color=GREY, linewidth=1, linestyle="--")
    strength.set_title("Elo over the agent without noise (mean and 95 % interval)", fontsize=10)

    learned, held_out = (
        np.array([result.mean(f"{name}: {side}") for name in names]) for side in ("learned", "held out")
    )
    bits.hlines(heights, learned, held_out, color=GREY, linewidth=2)
    bits.plot(learned, heights, "o", color=ORANGE, label="learned from")
    bits.plot(held_out, heights, "o", color=BLUE, label="held out")
    bits.axvline(held_out[-1], color=BLUE, linewidth=1, linestyle="--")
    bits.set_title("Bits of an expert's move: the line is the gap", fontsize=10)
    bits.legend(fontsize=9, frameon=False, loc="lower right")

    openings.barh(heights, [result.mean(f"{name}: entropy") for name in names], 0.6, color=[*[BLUE] * len(rows), GREY])
    openings.set_title(f"Bits of the first {OPENING} plies of its games", fontsize=10)
    strength.set_yticks(heights, names)
    for axes in (strength, bits, openings):
        axes.spines[["top", "right"]].set_visible(False)
    return figure


EXPERIMENT = NoiseForImitation()
