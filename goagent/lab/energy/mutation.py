"""What mutation does to offspring: it spreads them, spoils most, and finds better ones. Start with `Mutation`.

Evolution on two landscapes: NK, where genomes are 20 bits and all 2^20 are known, and the weights of a linear policy,
whose fitness is the share of Capture-Go positions that it wins at once. From a copy of the parent (no mutation) to a
fresh random genome (the most), all levels are compared at equal numbers of offspring.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import special

from goagent.lab.capture_go import ENEMY, OWN, legal_points, random_boards
from goagent.lab.core import Claim, Criterion, Experiment, Figures, Result, Role, Scale
from goagent.lab.ranks import order

NK, UNRELATED, GO = "NK", "unrelated", "Go"
BITS, NEIGHBOURS = 20, 4  # N and K: what a bit adds depends on it and the four after it, in a ring
Levels = tuple[float, ...]
RATES: Levels = (0, 0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)  # chance of a bit to flip
SIGMAS: Levels = (0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 30)  # of noise on weights of mean square 1
BEST = 6  # the level where the best of 50 was best, on the development seeds: a rate of 0.075, a sigma of 0.5
LEAVING = RATES.index(0.15)  # where most lineages left a local optimum, on the same
LEARNING = SIGMAS.index(0.2)  # and where a policy learned most
SIZE, WINDOW = 5, 7  # of the boards, and of what a policy sees around a point
WEIGHTS = 4 * WINDOW**2
SHOWN = 300  # offspring in the picture
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#999999"


@dataclass(frozen=True)
class Settings:
    landscapes: int = 5  # of each kind
    chosen_from: int = 1000  # random genomes, of which the best is a fit parent
    offspring: int = 20_000  # of each parent at each level of mutation, on NK
    policy_offspring: int = 800  # and in Go
    positions: int = 400  # that a policy is judged by
    brood: int = 50  # offspring in each generation, and those whose best is looked at
    lineages: int = 25  # on each NK landscape
    generations: int = 100  # on NK
    policy_generations: int = 60


class Landscape(Protocol):
    """Genomes (n, ...), their fitness in standard deviations of random genomes' around their mean, and mutation."""

    levels: Levels  # of mutation, none first, and last one that leaves nothing of the parent

    def random(self, count: int, rng: np.random.Generator) -> np.ndarray: ...
    def mutate(self, genomes: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray: ...
    def fitness(self, genomes: np.ndarray) -> np.ndarray: ...


class Mutation(Experiment):
    name = "mutation"
    title = "Mutation: the spread of offspring, and what it is good for"
    claim = Claim(
        sentence="Mutation spreads the fitness of offspring: the more of it, the fewer are better than their parent, "
        "but the best of many is best at a level in between; without it, evolution stays on the first local optimum.",
        essay="Jang 2016, Exploration energy: random mutation increases the variance of a species' success, whose "
        "offspring may be far better or far worse off; training without noise ends in the nearest local optimum, "
        "however shallow.",
        source="Kauffman and Weinberger 1989, The NK model of rugged fitness landscapes, J. Theor. Biol. 141. Fisher "
        "1930, The Genetical Theory of Natural Selection: the larger a mutation, the less likely it improves. "
        "Rechenberg 1973, Evolutionsstrategie: there is progress only at mutations neither too small nor too large.",
        data=f"NK: {BITS} bits, K = {NEIGHBOURS}, all 2^20 genomes evaluated, 5 landscapes for each seed. Go: 400 "
        f"random {SIZE}x{SIZE} Capture-Go positions in which the mover must capture; their winning moves are exact.",
        models=f"NK: each bit flips with the level's chance. Go: a point's score is linear in {WEIGHTS} weights for "
        f"own and enemy stones, empty points and points off the board, {WINDOW}x{WINDOW} around it; the legal point "
        "with the highest score is played. Gaussian noise is added to the weights, which are then scaled back to a "
        "mean square of 1. Evolution is a (1, 50) strategy: the best of 50 offspring is the next parent.",
        baselines="No mutation; so much that offspring are fresh random genomes, which is random search; steepest "
        "ascent begun again and again, at equal evaluations; a landscape where genomes have nothing in common with "
        "their mutants.",
        metric="Fitness in standard deviations of random genomes' fitness. Parents are the best of 1,000 random ones; "
        "others are random or local optima. Of their offspring: standard deviation; the share better than the parent, "
        "of those whose fitness differs, as little mutation mostly copies; the expected best of 50, without bias from "
        "all subsets of 50. A sequence's order is Kendall's: 1 where it always rises, -1 where it always falls. The "
        "levels compared were chosen on the development seeds, so none is picked by luck.",
        shows_not="That any noise in training does the same: mutation is followed by selection here, and a gradient "
        "step is not. That mutation is the best way off a local optimum: beginning anew is chance as well. Fitness is "
        "that of the very positions a policy evolves on, not of others. Without recombination or a population.",
    )
    criteria = (
        Criterion(f"{NK}: spread", "NK: order of the spread of offspring, up to the level of the best of 50",
                  Role.CLAIM, at_least=1),
        Criterion(f"{GO}: spread", "Go: the same", Role.CLAIM, at_least=1),
        Criterion(f"{NK}: better", "NK: order of the share of offspring that are better", Role.CLAIM, at_most=-0.9),
        Criterion(f"{GO}: better", "Go: the same", Role.CLAIM, at_most=-0.9),
        Criterion(f"{NK}: gain", "NK: the best of 50 at a rate of 0.075, above the parent and above the best of 50 "
                  "fresh ones", Role.CLAIM, at_least=0.1),
        Criterion(f"{GO}: gain", "Go: the same at a sigma of 0.5", Role.CLAIM, at_least=0.1),
        Criterion(f"{NK}: left without", "NK: lineages that leave a local optimum without mutation", Role.CLAIM,
                  at_most=0),
        Criterion(f"{NK}: left", "and at a rate of 0.15", Role.CLAIM, at_least=0.9),
        Criterion(f"{NK}: climbs to the top", "steepest ascents that end on the highest point: few, or there is "
                  "nothing to leave", Role.CONTROL, at_most=0.2),
        Criterion(f"{UNRELATED}: gain", "copies among the offspring do not make the peak: the gain where mutants have "
                  "nothing of their parent", Role.CONTROL, at_most=0.05),
        Criterion(f"{NK}: fresh", "NK: at the highest level offspring are as fresh ones: difference of the best of 50",
                  Role.CONTROL, at_least=-0.15, at_most=0.15),
        Criterion(f"{GO}: fresh", "Go: the same", Role.CONTROL, at_least=-0.3, at_most=0.3),
        Criterion(f"{NK}: spread again", "NK: the spread is largest in between, too: that of the highest level, by the "
                  "largest", Role.CONDITION, at_most=0.97),
        Criterion(f"{NK}: random gain", "NK: a random parent has its best of 50 with the most mutation: gain of a rate "
                  "of 0.075", Role.CONDITION, at_most=0),
        Criterion(f"{GO}: random gain", "Go: the same", Role.CONDITION, at_most=0),
        Criterion(f"{NK}: better at optimum", "NK: on a local optimum more mutation finds more that is better: share "
                  "at 0.15, by that at 0.005", Role.CONDITION, at_least=2),
        Criterion(f"{GO}: spread again", "Go: spread of the highest level, by the largest", Role.DETAIL, at_most=0.97),
        Criterion(f"{NK}: left at most", "lineages that leave it with as many fresh genomes", Role.DETAIL,
                  at_most=0.75),
        Criterion(f"{NK}: top", "that come to the highest point, at a rate of 0.15", Role.DETAIL, at_least=0.2),
        Criterion(f"{NK}: restarts over mutation", "and how many more of as many ascents begun again and again do",
                  Role.DETAIL, at_least=0),
        Criterion(f"{GO}: learned", "Go: positions won after 60 generations, sigma 0.2", Role.DETAIL, at_least=0.6),
        Criterion(f"{GO}: learned at most", "and by the best of as many fresh ones", Role.DETAIL, at_most=0.45),
    )  # fmt: skip
    settings: Mapping[Scale, Settings] = {
        "test": Settings(1, 500, 100, 60, 60, lineages=5, generations=10, policy_generations=3),
        "quick": Settings(2, offspring=5000, policy_offspring=400),
        "full": Settings(),
    }

    def cells(self, settings: Settings) -> tuple[str, ...]:
        return NK, UNRELATED, GO

    def measure(self, cell: str, seed: int, settings: Settings) -> Figures:
        rng = np.random.default_rng([seed, self.cells(settings).index(cell)])
        measured = [
            on_policies(settings, rng) if cell == GO else on_bits(cell == NK, settings, rng)
            for _ in range(settings.landscapes)
        ]
        mean = {name: np.mean([one[name] for one in measured], axis=0) for name in measured[0]}
        spread, better, best = mean["fit"]
        figures = {
            "spread": order(spread[: BEST + 1]),
            "spread again": spread[-1] / spread.max(),
            "better": order(better[1:]),
            "gain": best[BEST] - max(best[0], best[-1]),
            "random gain": mean["random"][2][BEST] - mean["random"][2][-1],
            "fresh": best[-1] - mean["fresh"],
        }
        if cell == GO:
            figures |= {"learned": mean["learned"][LEARNING], "learned at most": mean["learned"][-1]}
        else:
            better = mean["optimum"][1]
            figures |= {
                # one in ten thousand where a short run finds none
                "better at optimum": better[LEAVING] / max(better[1], 1e-4),
                "left without": mean["left"][0],
                "left": mean["left"][LEAVING],
                "left at most": mean["left"][-1],
                "top": mean["top"][LEAVING],
                "top by restarts": mean["restarts"],
                "restarts over mutation": mean["restarts"] - mean["top"][LEAVING],
                "climbs to the top": mean["climbs"],
            }
        return (
            {name: float(value) for name, value in figures.items()}
            | {f"{name} by level": values.tolist() for name, values in mean.items() if values.ndim}
            | {"cloud": measured[0]["cloud"].tolist()}
        )

    def draw(self, result: Result) -> Figure:
        return picture(result)

    def conclude(self, result: Result) -> str:
        def of(name: str, cell: str = NK) -> float:
            return result.mean(f"{cell}: {name}")

        return (
            f"With more mutation fewer offspring of a fit parent are better, but the best of 50 gains most in between: "
            f"{of('gain'):.2f} standard deviations above both ends on NK, {of('gain', GO):.2f} in Go, and "
            f"{of('gain', UNRELATED):.2f} where mutants have nothing of their parent. A random parent gains most from "
            f"the most mutation. Of lineages on a local optimum {of('left without'):.0%} leave it without mutation, "
            f"{of('left'):.0%} at a rate of 0.15, {of('left at most'):.0%} with as many fresh genomes; "
            f"{of('top'):.0%} reach the highest point, but {of('top by restarts'):.0%} do by steepest ascents begun "
            f"again and again. A policy that evolves wins {of('learned', GO):.0%} of its positions, the best of as "
            f"many random ones {of('learned at most', GO):.0%}."
        )


class Bits:
    """An NK landscape, or one whose fitnesses are independent; genomes are numbers (n,) int64 below 2^20."""

    levels = RATES

    def __init__(self, related: bool, rng: np.random.Generator) -> None:
        """Values are for all genomes; `highest` is the largest."""
        genomes = np.arange(1 << BITS, dtype=np.uint32)
        if related:
            values = np.zeros(len(genomes))
            for bit in range(BITS):
                window = (genomes >> bit | genomes << (BITS - bit)) % (1 << NEIGHBOURS + 1)
                values += rng.random(1 << NEIGHBOURS + 1)[window]
        else:
            values = rng.standard_normal(len(genomes))
        self.values = (values - values.mean()) / values.std()
        self.highest = self.values.max()

    def random(self, count: int, rng: np.random.Generator) -> np.ndarray:
        return rng.integers(1 << BITS, size=count)

    def mutate(self, genomes: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
        flips = rng.random((len(genomes), BITS), np.float32) < level
        return genomes ^ flips @ (1 << np.arange(BITS))

    def fitness(self, genomes: np.ndarray) -> np.ndarray:
        return self.values[genomes]

    def climb(self, genomes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Steepest ascent by single flips from each of `genomes` (n,): local optima and numbers of evaluations."""
        genomes = genomes.copy()
        evaluations = np.zeros(len(genomes), np.int64)
        climbing = np.arange(len(genomes))
        while len(climbing):
            near = genomes[climbing, None] ^ 1 << np.arange(BITS)
            best = near[np.arange(len(near)), self.values[near].argmax(axis=1)]
            evaluations[climbing] += BITS
            higher = self.values[best] > self.values[genomes[climbing]]
            climbing, best = climbing[higher], best[higher]
            genomes[climbing] = best
        return genomes, evaluations


class Policies:
    """Linear policies and the positions they are judged by; genomes are weights (n, WEIGHTS) of mean square 1."""

    levels = SIGMAS

    def __init__(self, settings: Settings, rng: np.random.Generator) -> None:
        boards, answers = random_boards(SIZE, settings.positions, rng)
        others = legal_points(boards) & ~answers
        seen = windows(boards)
        asked = np.flatnonzero(others.any(axis=1))  # where every legal move wins there is nothing to know
        parts = [seen[position, moves[position]] for position in asked for moves in (answers, others)]
        self.moves = np.concatenate(parts)  # (moves, WEIGHTS): for each position those that win, then the others
        self.starts = np.cumsum([0, *(len(part) for part in parts[:-1])])
        fresh = self.share(self.random(settings.chosen_from, rng))
        self.mean, self.deviation = fresh.mean(), fresh.std()

    def random(self, count: int, rng: np.random.Generator) -> np.ndarray:
        return scaled(rng.standard_normal((count, WEIGHTS), np.float32))

    def mutate(self, genomes: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
        if not level:
            return genomes
        return scaled(genomes + np.float32(level) * rng.standard_normal(genomes.shape, np.float32))

    def fitness(self, genomes: np.ndarray) -> np.ndarray:
        return (self.share(genomes) - self.mean) / self.deviation

    def share(self, genomes: np.ndarray) -> np.ndarray:
        """(n,) of positions whose highest score is a winning move's."""
        shares = []
        for part in np.array_split(genomes, -(-len(genomes) // 50)):  # so that the scores stay in the cache
            highest = np.maximum.reduceat(self.moves @ part.T, self.starts)
            shares.append((highest[0::2] > highest[1::2]).mean(axis=0))
        return np.concatenate(shares)


def windows(boards: np.ndarray) -> np.ndarray:
    """(n, points, WEIGHTS) float32: own, enemy, empty and off the board, in the window around each point of boards."""
    margin = WINDOW // 2
    around = np.pad(boards, ((0, 0), (margin, margin), (margin, margin)), constant_values=2)
    views = np.lib.stride_tricks.sliding_window_view(around, (WINDOW, WINDOW), axis=(1, 2))
    planes = np.stack([views == content for content in (OWN, ENEMY, 0, 2)], axis=3)
    return planes.reshape(len(boards), SIZE * SIZE, WEIGHTS).astype(np.float32)


def scaled(weights: np.ndarray) -> np.ndarray:
    """To a mean square of 1 in each row: the policy stays as it is, and sigma is relative to its weights."""
    return weights / np.sqrt((weights**2).mean(axis=1, keepdims=True))


def on_bits(related: bool, settings: Settings, rng: np.random.Generator) -> dict[str, np.ndarray]:
    landscape = Bits(related, rng)
    found = around_parents(landscape, settings.offspring, settings, rng)
    optima, evaluations = landscape.climb(landscape.random(settings.chosen_from, rng))
    below = landscape.values[optima] < landscape.highest
    start = optima[below][: settings.lineages]
    best = np.array([evolve(landscape, start, rate, settings.brood, settings.generations, rng) for rate in RATES])
    ascents = settings.brood * settings.generations / evaluations.mean()  # at equal evaluations
    return found | {
        "optimum": litter(landscape, optima[0], settings.offspring, settings.brood, rng),
        "left": (best > landscape.values[start]).mean(axis=1),
        "top": (best == landscape.highest).mean(axis=1),
        "climbs": 1 - below.mean(),
        "restarts": 1 - below.mean() ** ascents,
    }


def on_policies(settings: Settings, rng: np.random.Generator) -> dict[str, np.ndarray]:
    landscape = Policies(settings, rng)
    found = around_parents(landscape, settings.policy_offspring, settings, rng)
    start = landscape.random(1, rng)
    best = [evolve(landscape, start, sigma, settings.brood, settings.policy_generations, rng)[0] for sigma in SIGMAS]
    return found | {"learned": landscape.mean + landscape.deviation * np.array(best)}


def around_parents(
    landscape: Landscape, offspring: int, settings: Settings, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """`litter` of a fit and of a random parent, the best of a brood of fresh genomes, and offspring to be drawn."""
    chosen = landscape.random(settings.chosen_from, rng)
    fitness = landscape.fitness(chosen)
    fit = chosen[fitness.argmax()]
    shown = np.repeat(fit[None], SHOWN, axis=0)
    return {
        "fit": litter(landscape, fit, offspring, settings.brood, rng),
        "random": litter(landscape, chosen[0], offspring, settings.brood, rng),
        "fresh": np.array(expected_best(fitness, settings.brood)),
        "cloud": np.array([landscape.fitness(landscape.mutate(shown, level, rng)) for level in landscape.levels]),
    }


def litter(
    landscape: Landscape, parent: np.ndarray, offspring: int, brood: int, rng: np.random.Generator
) -> np.ndarray:
    """(3, levels): spread of the offspring, share better of those that differ, expected best of a brood."""
    own = landscape.fitness(parent[None])[0]
    columns = []
    for level in landscape.levels:
        fitness = landscape.fitness(landscape.mutate(np.repeat(parent[None], offspring, axis=0), level, rng))
        better = (fitness > own).sum() / max(1, (fitness != own).sum())
        columns.append((fitness.std(), better, expected_best(fitness, brood)))
    return np.transpose(columns)


def evolve(
    landscape: Landscape, parents: np.ndarray, level: float, brood: int, generations: int, rng: np.random.Generator
) -> np.ndarray:
    """(n,) the highest fitness that each lineage of a (1, brood) strategy has met, its first parent's included."""
    highest = landscape.fitness(parents)
    for _ in range(generations):
        offspring = landscape.mutate(np.repeat(parents, brood, axis=0), level, rng)
        fitness = landscape.fitness(offspring).reshape(-1, brood)
        parents = offspring[fitness.argmax(axis=1) + brood * np.arange(len(parents))]
        highest = np.maximum(highest, fitness.max(axis=1))
    return highest


def expected_best(values: np.ndarray, brood: int) -> float:
    """The mean over all subsets of `brood` of `values` (n,) of their maximum: E[max] of so many draws, unbiased."""
    rank = np.arange(brood, len(values) + 1)  # of the maximum, counted from 1; the others are below it
    log_share = special.betaln(brood, len(values) - brood + 1) - special.betaln(brood, rank - brood + 1)
    share = np.exp(log_share) * brood / rank  # as C(rank - 1, brood - 1) / C(n, brood)
    return float(share @ np.sort(values)[brood - 1 :])


def picture(result: Result) -> Figure:
    """Offspring of a fit parent at each level of mutation, on both landscapes; what evolution makes of them."""
    figure = Figure(figsize=(13.5, 5.2), facecolor="white", layout="constrained")
    grid = figure.add_gridspec(2, 3, width_ratios=(1.15, 1.15, 1))
    draw_offspring(figure.add_subplot(grid[:, 0]), result, NK, RATES, "NK: chance of each of 20 bits to flip")
    draw_offspring(figure.add_subplot(grid[:, 1]), result, GO, SIGMAS, "Go policy: noise on its 196 weights")
    rates = figure.add_subplot(grid[0, 2])
    for name, colour in (("left", BLUE), ("top", GREEN)):
        rates.plot(np.mean([figures[f"{NK}: {name} by level"] for figures in result.by_seed], axis=0), "o-",
                   color=colour, markersize=4)  # fmt: skip
    rates.set_title("NK: lineages on a local optimum that ...", fontsize=10)
    rates.text(2.6, 0.9, "leave it", color=BLUE, fontsize=9, ha="right")
    rates.text(LEAVING - 0.4, 0.34, "reach the highest point", color=GREEN, fontsize=9, ha="right")
    rates.set(ylim=(-0.05, 1.12), yticks=[0, 0.5, 1], yticklabels=["0", "50 %", "100 %"])
    learned = figure.add_subplot(grid[1, 2])
    learned.plot(np.mean([figures[f"{GO}: learned by level"] for figures in result.by_seed], axis=0), "o-",
                 color=BLUE, markersize=4)  # fmt: skip
    learned.set_title("Go: positions won, best policy of its evolution", fontsize=10)
    learned.set(ylim=(0, 0.85), yticks=[0, 0.25, 0.5, 0.75], yticklabels=["0", "25 %", "50 %", "75 %"])
    for axes, levels in ((rates, RATES), (learned, SIGMAS)):
        label_levels(axes, levels)
        axes.set_xlabel("mutation", fontsize=9)
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def draw_offspring(axes: Axes, result: Result, cell: str, levels: Levels, label: str) -> None:
    rng = np.random.default_rng(0)
    fitness = np.array(result.first(f"{cell}: cloud"))  # (levels, SHOWN)
    parent = fitness[0, 0]
    x = np.arange(len(levels))[:, None] + rng.uniform(-0.3, 0.3, fitness.shape)
    axes.scatter(x, fitness, s=4, linewidths=0, color=np.where(fitness > parent, GREEN, GREY).ravel())
    axes.axhline(parent, color="black", linewidth=0.8)
    axes.text(len(levels) - 0.5, parent, "parent", fontsize=9, ha="right", va="bottom")
    axes.plot([expected_best(column, 50) for column in fitness], color=ORANGE, linewidth=1.8)
    axes.text(0, parent + 0.6, "best of 50", color=ORANGE, fontsize=9)
    axes.set(xlabel=label, ylabel="fitness of offspring (standard deviations of random genomes)")
    axes.set_ylim(top=parent + 2.7)
    better = np.mean([figures[f"{cell}: fit by level"][1] for figures in result.by_seed], axis=0)
    axes.text(-0.5, 0.995, "better, of those that differ:", fontsize=8, color=GREEN, va="top",
              transform=axes.get_xaxis_transform())  # fmt: skip
    for level in range(1, len(levels)):
        share = f"{better[level]:.0%}" if better[level] >= 0.095 else f"{better[level]:.1%}"
        axes.text(level, 0.945, share, fontsize=7.5, color=GREEN, ha="center", va="top",
                  transform=axes.get_xaxis_transform())  # fmt: skip
    label_levels(axes, levels)
    axes.spines[["top", "right"]].set_visible(False)


def label_levels(axes: Axes, levels: Levels) -> None:
    names = ["none", *(f"{level:g}".removeprefix("0") for level in levels[1:-1]), f"fresh\n({levels[-1]:g})"]
    axes.set_xticks(range(len(levels)), names, fontsize=7.5)


EXPERIMENT = Mutation()
