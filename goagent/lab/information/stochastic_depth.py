"""Whole blocks that a residual network leaves out at random while it learns: what that saves, and what it is good for.
Start with `DroppedBlocks`.

A network that learns more slowly also over-fits less, and is less hurt by the loss of a part: it has less to lose. So
the path of each network is kept, and networks are compared after equal steps, after as many evaluations of blocks, and
where they have come as far on what they learn from.
"""

import copy
import gzip
import math
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor, nn

from envs import Rules
from envs.planes import NUM_PLANES
from goagent.lab.core import Claim, Criterion, Experiment, Figures, Result, Role, Scale
from goagent.learning.dataset import PACKAGED, Positions, load_positions
from goagent.noise.stochastic_depth import StochasticDepth, survival_schedule
from goagent.policies.heads import CategoricalHead

BLOCKS, FEWER = 12, 9
EXPECTED = (3 * BLOCKS - 1) / 4  # blocks that survive, of a survival that falls to a half
CONSTANT, STOCHASTIC, SHALLOW = "constant", "stochastic", "nine blocks"
SURVIVAL = {CONSTANT: (1.0,) * BLOCKS, STOCHASTIC: survival_schedule(BLOCKS), SHALLOW: (1.0,) * FEWER}
COLOURS = {CONSTANT: "#D55E00", STOCHASTIC: "#0072B2", SHALLOW: "#999999"}
SHOWN = 48  # steps whose blocks are drawn
AVERAGING = 0.99  # of the weights, so that the network is a finished one at any step of a constant rate


@dataclass(frozen=True)
class Settings:
    games: int = 50  # to learn from
    tests: int = 1000  # positions of others
    pool: int = 600  # games that both are drawn from
    steps: int = 480
    channels: int = 16
    batch: int = 32
    rate: float = 5e-3
    checks: int = 8  # along the way
    probes: int = 200  # positions on which each block is left out


Batch = tuple[Tensor, Tensor, Tensor]  # planes (n, planes, 7, 7), legal (n, actions), the expert's actions (n,)


class Block(nn.Module):
    """x + f(x), f two 3x3 convolutions that begin as zero. It counts how often f was evaluated in training."""

    def __init__(self, channels: int, survival: float) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        for parameter in self.second.parameters():
            nn.init.zeros_(parameter)
        self.join = StochasticDepth(survival)
        self.evaluated = 0

    def forward(self, x: Tensor) -> Tensor:
        return self.join(x, self.branch)

    def branch(self, x: Tensor) -> Tensor:
        self.evaluated += self.training
        return self.second(torch.relu(self.first(torch.relu(x))))


class ResidualPolicy(nn.Module):
    """A policy with a block for each of `survival`, called with planes and legal moves of a `Batch`."""

    def __init__(self, channels: int, survival: tuple[float, ...]) -> None:
        super().__init__()
        self.stem = nn.Conv2d(NUM_PLANES, channels, 3, padding=1)
        self.blocks = nn.Sequential(*(Block(channels, p) for p in survival))
        self.head = CategoricalHead(channels)

    def forward(self, planes: Tensor, legal: Tensor) -> Tensor:
        """(n, actions): nats, the log probability of each move; about -1e9 where it is illegal."""
        features = torch.relu(self.blocks(self.stem(planes)))
        return self.head.logits(features).masked_fill(~legal, -1e9).log_softmax(dim=1)


class DroppedBlocks(Experiment):
    name = "stochastic-depth"
    title = "Blocks dropped at random while a network learns"
    claim = Claim(
        sentence="A residual network that leaves out whole blocks at random while it learns computes less, over-fits "
        "less without being worse on new positions, and depends less on any one block.",
        essay="Jang 2016, Limiting information in neural nets: stochastic depth is like dropout, for layers instead of "
        "units; the noise forces a network to learn what is useful, and so helps against over-fitting.",
        source="Huang et al. 2016, arXiv:1603.09382: a residual block is bypassed for a whole mini-batch with a "
        "probability that grows linearly with depth up to a half, so that (3 L - 1) / 4 of L blocks are there on "
        "average; in evaluation each counts by its survival probability. Reported are lower errors on CIFAR in less "
        "time.",
        data="Real: 7x7 games of strong play that come with the package. 50 games to learn from (about 2,000 "
        "positions), 1,000 positions of other games that do not occur in these up to symmetry. Positions are shown as "
        "they are, without symmetries, so that over-fitting can show.",
        models=f"Policies of {BLOCKS} residual blocks of 16 channels without normalisation, whose branches begin as "
        "zero; AdamW at a constant rate of 0.005 (of 0.0025, 0.005 and 0.01, which differed little for either), "
        "averaged weights, batches of 32, 480 steps. Constant depth, and stochastic depth with a survival that falls "
        "linearly to a half; same beginning, same batches.",
        baselines=f"{FEWER} blocks of constant depth. Constant depth after as many evaluations of blocks; and where it "
        "has come as far on its training positions, by linear interpolation between points of its path.",
        metric="Bits: the mean of -log2 of the probability of the expert's move, on 1,000 positions each. Gap: that on "
        "test positions less that on training positions. Deletion: one block is bypassed in evaluation; how far that "
        "turns the answers is their Kullback-Leibler divergence from those of the whole network on test positions, "
        "averaged over blocks. (Test loss itself would not do: an over-confident network gains by being disturbed.) "
        "Evaluations of blocks are counted, not timed.",
        shows_not="That it holds with batch normalisation, or at the depth of a hundred blocks for which it was made: "
        "there it also helps gradients through, which is no matter here. That the saved computation is saved time "
        "on every machine.",
    )
    criteria = (
        Criterion(f"{STOCHASTIC}: active", f"blocks evaluated a step, (3 L - 1) / 4 = {EXPECTED} within 2 %",
                  Role.CLAIM, at_least=0.98 * EXPECTED, at_most=1.02 * EXPECTED),
        Criterion("test, equal steps", "after equal steps, bits on test positions above constant depth", Role.CLAIM,
                  at_most=0.03),
        Criterion("smaller gap", "share of seeds in which the gap is smaller after equal steps", Role.CLAIM,
                  at_least=0.7),
        Criterion("deletion, equal steps", "how far deleting a block turns the answers, by constant depth", Role.CLAIM,
                  at_most=0.6),
        Criterion("deletion, equal fit", "the same by constant depth that has come as far on training positions: not "
                  "only for having less to lose", Role.CLAIM, at_most=0.8),
        Criterion("gap, equal evaluations", "the smaller gap is less training: bits above the gap of constant depth "
                  "after as many evaluations of blocks", Role.CONDITION, at_least=-0.2),
        Criterion("test, equal fit", "stopping earlier does as well: bits on test positions above constant depth that "
                  "has come as far on training positions", Role.CONDITION, at_least=-0.1),
        Criterion(f"{CONSTANT}: gap", "constant depth does over-fit: its gap in bits", Role.CONTROL, at_least=0.3),
        Criterion(f"{CONSTANT}: learned", "and has learned: bits on test positions at best, below a uniform guess",
                  Role.CONTROL, at_least=1),
        Criterion(f"{CONSTANT}: deletion", "and uses its blocks: bits by which deleting one turns its answers",
                  Role.CONTROL, at_least=0.02),
        Criterion("test, at best", "each stopped at its best, bits on test positions above constant depth",
                  Role.DETAIL, at_most=0),
        Criterion("test, at best, nine blocks", "the same above nine blocks", Role.DETAIL, at_most=0),
        Criterion(f"{SHALLOW}: gap", "nine blocks over-fit, too: their gap in bits", Role.DETAIL, at_least=0.3),
    )  # fmt: skip
    settings: Mapping[Scale, Settings] = {
        "test": Settings(games=4, tests=60, pool=12, steps=16, channels=8, batch=16, checks=2, probes=30),
        "quick": Settings(games=25, tests=300, pool=100, steps=160, checks=4, probes=50),
        "full": Settings(),
    }

    def cells(self, settings: Settings) -> tuple[str, ...]:
        return (CONSTANT, STOCHASTIC, SHALLOW)

    def measure(self, cell: str, seed: int, settings: Settings) -> Figures:
        train, test = draw_games(seed, settings)
        with torch.random.fork_rng(devices=[]):  # first weights and survival are drawn from torch's own generator
            torch.manual_seed(seed)
            network = ResidualPolicy(settings.channels, SURVIVAL[cell])
            path, ran = learn(network, train, test, seed, settings)
        end = path[-1]
        uniform = float(test[1].sum(dim=1).log2().mean())
        return {
            "active": float(np.sum(ran)) / settings.steps,
            "train": end["train"],
            "test": end["test"],
            "gap": end["test"] - end["train"],
            "deletion": end["deletion"],
            "best": min(point["test"] for point in path),
            "learned": uniform - min(point["test"] for point in path),
            "path": path,
            "ran": ran[:SHOWN].tolist(),
        }

    def derive(self, figures: Figures) -> Figures:
        constant, ours = figures[f"{CONSTANT}: path"], figures[f"{STOCHASTIC}: path"][-1]
        there = at(constant, "step", ours["step"] * EXPECTED / BLOCKS)
        fit = at(constant, "train", ours["train"])
        gap = ours["test"] - ours["train"]
        return {
            "test, equal steps": ours["test"] - constant[-1]["test"],
            "smaller gap": float(gap < figures[f"{CONSTANT}: gap"]),
            "deletion, equal steps": ours["deletion"] / constant[-1]["deletion"],
            "test, equal evaluations": ours["test"] - there["test"],
            "gap, equal evaluations": gap - (there["test"] - there["train"]),
            "test, equal fit": ours["test"] - fit["test"],
            "deletion, equal fit": ours["deletion"] / fit["deletion"],
            "test, at best": figures[f"{STOCHASTIC}: best"] - figures[f"{CONSTANT}: best"],
            "test, at best, nine blocks": figures[f"{STOCHASTIC}: best"] - figures[f"{SHALLOW}: best"],
        }

    def draw(self, result: Result) -> Figure:
        return picture(result)

    def conclude(self, result: Result) -> str:
        mean = result.mean
        return (
            f"{mean(f'{STOCHASTIC}: active'):.2f} of {BLOCKS} blocks are evaluated a step, and after equal steps the "
            f"gap is {mean(f'{STOCHASTIC}: gap'):.2f} bits instead of {mean(f'{CONSTANT}: gap'):.2f}, test positions "
            f"cost {mean('test, equal steps'):+.2f} bits, and deleting a block turns the answers "
            f"{mean('deletion, equal steps'):.2f} times as far. Against constant depth after as many evaluations of "
            f"blocks the gap is {mean('gap, equal evaluations'):+.2f} bits; against constant depth that has come as "
            f"far on training positions, test positions cost {mean('test, equal fit'):+.2f} bits and deletion "
            f"{mean('deletion, equal fit'):.2f} times as much. Each stopped at its best, stochastic depth is "
            f"{mean('test, at best'):+.2f} bits from constant depth and {mean('test, at best, nine blocks'):+.2f} from "
            f"{FEWER} blocks."
        )


def draw_games(seed: int, settings: Settings) -> tuple[Batch, Batch]:
    """Positions to learn from, and others, of games that the seed draws."""
    positions = expert_positions(settings.pool)
    order = np.random.default_rng(seed).permutation(settings.pool)
    learned = np.isin(positions.games, order[: settings.games])
    fresh = np.flatnonzero(~learned & ~np.isin(positions.keys, positions.keys[learned]))
    place = np.argsort(order)[positions.games[fresh]]  # whole games, in the seed's order, for as long as there is need
    test = fresh[np.argsort(place, kind="stable")[: settings.tests]]
    return tensors(positions.where(learned)), tensors(positions.where(test))


@cache
def expert_positions(games: int) -> Positions:
    """Of the first `games` of the package's games on 7x7, which are in no order."""
    with tempfile.TemporaryDirectory() as folder, gzip.open(PACKAGED / "7x7.sgfs.gz", "rt", encoding="utf-8") as file:
        some = Path(folder) / "some.sgfs"
        some.write_text("".join(islice(file, games)), encoding="utf-8")  # a game a line
        return load_positions(some, Rules.square(7))[0]


def tensors(positions: Positions) -> Batch:
    planes = torch.from_numpy(positions.planes()).contiguous(memory_format=torch.channels_last)  # faster
    return planes, torch.from_numpy(positions.legal), torch.from_numpy(positions.actions)


def learn(
    network: ResidualPolicy, train: Batch, test: Batch, seed: int, settings: Settings
) -> tuple[list[dict[str, float]], np.ndarray]:
    """The path of the averaged network, and (steps, blocks) bool: which blocks were evaluated."""
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # in which convolutions are faster
    generator = torch.Generator().manual_seed(seed)
    average = copy.deepcopy(network).eval()
    weights: list[Tensor] = list(network.parameters())
    averages: list[Tensor] = list(average.parameters())
    optimiser = torch.optim.AdamW(weights, lr=settings.rate, weight_decay=1e-4, fused=True)
    checks = {round(settings.steps * (i + 1) / settings.checks) for i in range(settings.checks)}
    planes, legal, actions = train
    known = torch.randperm(len(planes), generator=generator)[: settings.tests]
    path, counts = [], [np.zeros(len(network.blocks), np.int64)]
    for step in range(1, settings.steps + 1):
        chosen = torch.randint(len(train[0]), (settings.batch,), generator=generator)
        loss = -network(planes[chosen], legal[chosen]).gather(1, actions[chosen, None]).mean()
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(weights, 1.0)
        optimiser.step()
        with torch.no_grad():
            torch._foreach_lerp_(averages, weights, 1 - min(AVERAGING, step / (step + 9)))
        counts.append(np.array([block.evaluated for block in network.blocks]))
        if step in checks:
            deletion = deletions(average, test[0][: settings.probes], test[1][: settings.probes])
            path.append(
                {
                    "step": float(step),
                    "train": bits(average, (planes[known], legal[known], actions[known])),
                    "test": bits(average, test),
                    "deletion": float(np.mean(deletion)),
                }
            )
    return path, np.diff(counts, axis=0) > 0


def at(path: list[dict[str, float]], name: str, value: float) -> dict[str, float]:
    """The point of a path where `name` is `value`, interpolated between those next to it."""
    points = sorted(path, key=lambda point: point[name])
    places = [point[name] for point in points]
    return {other: float(np.interp(value, places, [point[other] for point in points])) for other in points[0]}


@torch.no_grad()
def bits(network: nn.Module, batch: Batch) -> float:
    """-log2 of the probability of the expert's move, on average."""
    planes, legal, actions = batch
    return -float(network(planes, legal).gather(1, actions[:, None]).mean()) / math.log(2)


@torch.no_grad()
def deletions(network: ResidualPolicy, planes: Tensor, legal: Tensor) -> list[float]:
    """For each block, bits of divergence of the answers without it from those with it: sum of p log2(p / q)."""
    whole = network(planes, legal)
    found = []
    for block in network.blocks:
        join, block.join = block.join, StochasticDepth(0.0).eval()
        less = network(planes, legal)
        block.join = join
        found.append(float((whole.exp() * (whole - less)).sum(dim=1).mean()) / math.log(2))
    return found


def picture(result: Result) -> Figure:
    """Which blocks the first mini-batches go through; the networks' paths; how far deletion turns their answers."""
    figure = Figure(figsize=(13, 5), facecolor="white", layout="constrained")
    drawn, over, turned = figure.subplots(1, 3, width_ratios=(1, 1.25, 1.25))
    ran = np.array(result.first(f"{STOCHASTIC}: ran"))
    drawn.pcolormesh(ran.astype(float), cmap="Blues", vmin=0, vmax=1.4, edgecolor="white", linewidth=0.4)
    drawn.invert_yaxis()
    drawn.set_xticks(np.arange(BLOCKS) + 0.5, [str(i + 1) for i in range(BLOCKS)])
    drawn.set(xlabel="block", ylabel="mini-batch")
    active = result.mean(f"{STOCHASTIC}: active")
    drawn.set_title(f"Blocks that mini-batches go through:\n{active:.2f} of {BLOCKS} (white: passed by)", fontsize=10)
    for axes, name in ((over, "test"), (turned, "deletion")):
        for cell, colour in COLOURS.items():
            draw_path(axes, result, cell, name, colour)
        axes.invert_xaxis()
        axes.set_xlabel("bits a move on training positions (learning →)")
        axes.spines[["top", "right"]].set_visible(False)
    over.set_ylabel("bits a move on new positions")
    steps = result.experiment.settings[result.scale].steps
    over.set_title(
        f"New positions, as training positions are learned\n(● after {steps} steps, ■ after as many evaluations)",
        fontsize=10,
    )
    over.legend(fontsize=9, frameon=False)
    turned.set(ylabel="bits by which the answers turn", ylim=(0, None))
    turned.set_title("The loss of a block,\nwhere each is deleted in turn", fontsize=10)
    return figure


def draw_path(axes: Axes, result: Result, cell: str, name: str, colour: str) -> None:
    """A figure of the cell along its path, mean over seeds."""
    paths = [figures[f"{cell}: path"] for figures in result.by_seed]
    fit, values, steps = (
        np.mean([[point[key] for point in path] for path in paths], axis=0) for key in ("train", name, "step")
    )
    axes.plot(fit, values, "o-", color=colour, markersize=4, label=cell if cell == SHALLOW else f"{cell} depth")
    axes.plot(fit[-1], values[-1], "o", color=colour, markersize=9)
    if cell == CONSTANT:  # where it has evaluated as many blocks as stochastic depth has at the end
        even = steps[-1] * EXPECTED / BLOCKS
        axes.plot(np.interp(even, steps, fit), np.interp(even, steps, values), "s", color=colour, markersize=8)


EXPERIMENT = DroppedBlocks()
