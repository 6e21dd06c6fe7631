"""Whether the variational bottleneck makes an agent stronger by its noise, or by the layer that it comes with.

`NoiseForImitation` compares an agent that has the bottleneck with one that has none. But the bottleneck is
three things: a convolution that says mean and spread, noise of that spread, and a price for what passes.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import torch
from matplotlib.figure import Figure
from torch import Tensor

from goagent.lab.agents.noise_alone import BLUE, GREY, NONE, ORANGE, PLAYED, elo_over_none, figures_of
from goagent.lab.agents.noise_for_imitation import EXPERIMENT as TABLE
from goagent.lab.agents.noise_for_imitation import FewGames, imitate
from goagent.lab.core import OTHER_SEEDS, Claim, Criterion, Experiment, Figures, Result, Role, Scale
from goagent.learning.config import TrainConfig
from goagent.learning.start import fresh_network
from goagent.noise.bottleneck import VariationalBottleneck, mean_and_std, rate_bits
from goagent.policies.network import PolicyNetwork

LAYER, NOISE, PRICE, BOTTLENECK = "layer", "layer and noise", "layer and price", "variational-bottleneck"
LONGER = "none, 1.5 times as long"  # a step with the bottleneck takes about so much longer


class Arm(NamedTuple):
    noise: tuple[str, ...]  # as train.py is asked for it
    silent: bool = False  # whether the bottleneck sends its mean in training as it does in play
    length: float = 1.0  # steps, by those of the others


ARMS = {
    NONE: Arm(()),
    LONGER: Arm((), length=1.5),
    LAYER: Arm((f"{BOTTLENECK}=0",), silent=True),
    NOISE: Arm((f"{BOTTLENECK}=0",)),
    PRICE: Arm((BOTTLENECK,), silent=True),
    BOTTLENECK: Arm((BOTTLENECK,)),
}


class SilentBottleneck(VariationalBottleneck):
    """Reports its rate, which can be paid for, but never draws: what passes is the mean."""

    def forward(self, x: Tensor) -> Tensor:
        mean, std = mean_and_std(x)
        self.bits = rate_bits(mean, std)
        return mean


class NoiseOrLayer(Experiment):
    """A cell is an arm."""

    name = "noise-or-layer"
    title = "Is it the bottleneck's noise that makes an agent stronger?"
    claim = Claim(
        sentence="What makes an agent with a variational bottleneck stronger is that noise limits what it is told.",
        essay="Jang 2016, Limiting information in neural nets: noise bounds the information that a layer passes on, "
        "which is what makes it a regulariser.",
        source="Alemi et al. 2017, arXiv:1612.00410: the bottleneck, its price and the gain that they have by it.",
        data="Those of `noise-for-imitation`: strong 7x7 games, 2 % of them to learn from, measured on the others.",
        models="The policy network of `noise-for-imitation`, as it is (none), with the bottleneck's convolution and "
        "neither noise nor price (layer), with either of them added, and with both: the variational bottleneck at its "
        "usual price of 0.0001 a nat. 1,000 steps of 64 positions.",
        baselines="The layer alone, for what noise and price do; the network without it, for what the layer does.",
        metric="Elo and gap as in `noise-for-imitation`, from 120 games against each of the two yardsticks. Rate: bits "
        "by which a position's features differ from a standard normal, on held-out positions: what the price is paid "
        "for. It bounds what is passed on where there is noise; where there is none, nothing does.",
        shows_not="What the bottleneck does at other prices, or with other layers before it. Anything about larger "
        "data: of 1,400 positions a network learns a good part by heart. The question was asked because the bottleneck "
        "came out best of 16 sources; the runs here are of other seeds than those. "
        "The agent that learns longer was added when the verdict was known; it is rated apart, and decides nothing.",
    )
    criteria = (
        Criterion(f"{BOTTLENECK} over {LAYER}", "noise and price: Elo over the layer alone", Role.CLAIM, at_least=10),
        Criterion(f"sharp {BOTTLENECK} over {LAYER}", "the same where all play at temperature 0.25", Role.CLAIM,
                  at_least=10),
        Criterion(f"{BOTTLENECK}: Elo", "there is something to explain: Elo of the bottleneck over none", Role.CONTROL,
                  at_least=10),
        Criterion(f"{PRICE} over {LAYER}", "the price does it without noise: Elo over the layer alone", Role.CONDITION,
                  at_least=10),
        Criterion(f"{LAYER}: Elo", "the layer alone: Elo over none", Role.DETAIL, at_least=10),
        Criterion(f"{NOISE} over {LAYER}", "noise that costs nothing: Elo over the layer alone", Role.DETAIL,
                  at_least=10),
        Criterion(f"{LAYER}: sharp Elo", "the layer alone, at temperature 0.25: over none", Role.DETAIL, at_least=10),
        Criterion(f"{BOTTLENECK} over {LONGER}", "equal seconds: Elo over no noise and half as many steps again",
                  Role.DETAIL, at_least=10),
        Criterion(f"{BOTTLENECK}: narrowed", "the gap with the bottleneck, in bits less than the layer's", Role.DETAIL,
                  at_least=0.02),
    )  # fmt: skip
    settings: Mapping[Scale, FewGames] = {
        "test": FewGames((), steps=2, batch_size=8, channels=4, blocks=1, positions=8, games=2),
        "quick": FewGames((), steps=120, positions=500, games=40),
        "full": FewGames((), games=120),
    }

    def cells(self, settings: FewGames) -> tuple[str, ...]:
        return tuple(ARMS)

    def measure(self, cell: str, seed: int, settings: FewGames) -> Figures:
        config = self.config(cell, seed + OTHER_SEEDS, settings)  # the bottleneck was the best of 16 on the table's
        with torch.random.fork_rng(devices=[]):  # noise draws from torch's own generator
            steps = int(ARMS[cell].length * settings.steps)
            trained = imitate(config, network_of(cell, config), replace(settings, steps=steps))
        rate = rate_of(trained.agent)  # before it has seen other positions
        return figures_of(trained, config.rules, TABLE.yardsticks, settings.games, config.seed) | {"rate": rate}

    def config(self, cell: str, seed: int, settings: FewGames) -> TrainConfig:
        return replace(TABLE.config(NONE, seed, settings), noise=ARMS[cell].noise)

    def derive(self, figures: Figures) -> Figures:
        arms = (LAYER, NOISE, PRICE, BOTTLENECK)
        gained = elo_over_none(figures, arms, TABLE.yardsticks)
        longer = {name: of[LONGER] for name, of in elo_over_none(figures, [LONGER], TABLE.yardsticks).items()}
        return (
            {f"{cell}: {name}": values[cell] for name, values in gained.items() for cell in arms}
            | {f"{LONGER}: {name}": value for name, value in longer.items()}
            | {
                f"{how}{BOTTLENECK} over {LONGER}": gained[f"{how}Elo"][BOTTLENECK] - longer[f"{how}Elo"]
                for how in PLAYED
            }
            | {
                f"{how}{cell} over {LAYER}": gained[f"{how}Elo"][cell] - gained[f"{how}Elo"][LAYER]
                for how in PLAYED
                for cell in (NOISE, PRICE, BOTTLENECK)
            }
            | {
                f"{cell}: narrowed": figures[f"{LAYER}: gap"] - figures[f"{cell}: gap"]
                for cell in (NOISE, PRICE, BOTTLENECK)
            }
        )

    def conclude(self, result: Result) -> str:
        def elo(figure: str) -> str:
            found = result.estimates[figure]
            interval = f" ({found.low:.0f} to {found.high:.0f})" if math.isfinite(found.low) else ""
            return f"{found.mean:+.0f} Elo{interval}"

        def bits(cell: str) -> str:
            return f"{result.mean(f'{cell}: rate'):.0f}"

        return (
            f"The variational bottleneck is worth {elo(f'{BOTTLENECK}: Elo')}, its layer alone {elo(f'{LAYER}: Elo')}; "
            f"near the best move {elo(f'{BOTTLENECK}: sharp Elo')} and {elo(f'{LAYER}: sharp Elo')}. Noise and price "
            f"add {elo(f'{BOTTLENECK} over {LAYER}')} to the layer, near the best move "
            f"{elo(f'sharp {BOTTLENECK} over {LAYER}')}; the price alone adds {elo(f'{PRICE} over {LAYER}')}, noise "
            f"without a price {elo(f'{NOISE} over {LAYER}')}. No noise and half as many steps again, which take as "
            f"long, are worth {elo(f'{LONGER}: Elo')}, near the best move {elo(f'{LONGER}: sharp Elo')}. The gap is "
            f"{result.mean(f'{NONE}: gap'):.2f} bits without any, {result.mean(f'{LAYER}: gap'):.2f} with the layer "
            f"and {result.mean(f'{BOTTLENECK}: gap'):.2f} with the bottleneck, whose rate is {bits(BOTTLENECK)} bits a "
            f"position where noise without a price leaves {bits(NOISE)}."
        )

    def draw(self, result: Result) -> Figure:
        """A row for each arm: Elo over none, bits of moves, rate."""
        rows = list(reversed(ARMS))
        figure = Figure(figsize=(13, 4.2), facecolor="white", layout="constrained")
        played, bits, rates = figure.subplots(1, 3, sharey=True, width_ratios=(1.3, 1.3, 1))
        sides = (("Elo", BLUE, 0.12, "moves drawn"), ("sharp Elo", ORANGE, -0.12, "nearly the best move"))
        for height, cell in enumerate(rows):
            first = height == 0
            for figure_name, colour, above, label in sides if cell != NONE else ():
                elo = result.estimates[f"{cell}: {figure_name}"]
                if math.isfinite(elo.low):
                    played.plot([elo.low, elo.high], [height + above] * 2, color=colour, linewidth=2)
                played.plot(elo.mean, height + above, "o", color=colour, label=label if first else None)
            learned, held_out = result.mean(f"{cell}: learned"), result.mean(f"{cell}: held out")
            bits.plot([learned, held_out], [height, height], color=GREY, linewidth=2)
            bits.plot(learned, height, "o", color=ORANGE, label="learned from" if first else None)
            bits.plot(held_out, height, "o", color=BLUE, label="held out" if first else None)
            if cell in (NOISE, BOTTLENECK):
                rates.barh(height, result.mean(f"{cell}: rate"), 0.5, color=BLUE)
            else:
                rates.text(0, height, " no noise, no limit", va="center", color="#666666")
        played.axvline(0, color=GREY, linewidth=1, linestyle="--")
        played.set_title("Elo over none, 95 % interval", fontsize=10)
        bits.set_title("Bits of an expert's move: the line is the gap", fontsize=10)
        rates.set_title("Bits of a position that pass, at most", fontsize=10)
        played.set_yticks(range(len(rows)), rows)
        played.set_ylim(-0.6, len(rows) + 0.3)  # room for what the colours mean
        for axes in (played, bits):
            axes.legend(fontsize=9, frameon=False, loc="upper right", ncols=2)
        for axes in (played, bits, rates):
            axes.spines[["top", "right"]].set_visible(False)
        return figure


def network_of(cell: str, config: TrainConfig) -> PolicyNetwork:
    """The arm's network before the first step; the arms that have the layer begin with the same weights."""
    network = fresh_network(config)
    if ARMS[cell].silent:
        network.trunk.bottleneck.add_module("1", SilentBottleneck())  # in place of the one that draws
    return network


def rate_of(network: PolicyNetwork) -> float:
    """Mean over the positions that it saw last; 0 for a network without a bottleneck."""
    bottlenecks = [layer for layer in network.modules() if isinstance(layer, VariationalBottleneck)]
    return float(bottlenecks[0].bits.detach().mean()) if bottlenecks and bottlenecks[0].bits is not None else 0.0


EXPERIMENT = NoiseOrLayer()
