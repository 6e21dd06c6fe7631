"""Noise on the values at the leaves of a search, and whether it plays better for it. Start with `NoisyLeaves`.

`resonance.py` shows noise that lets a signal through a threshold. Here the signal is a network's value of a position of
5x5 Go and its reader a search of few visits: with the value as it is, and with a threshold before it that no value
reaches, read by one unit or by a crowd of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from envs import GoBatch, Rules
from goagent.arena.openings import random_openings
from goagent.lab.batched_play import Mover, play
from goagent.lab.boards_drawn import draw_board
from goagent.lab.core import Claim, Criterion, Experiment, Figures, Result, Role, Scale
from goagent.lab.one_to_many.exploration import puct_mover
from goagent.players.evaluator import evaluator
from goagent.players.policy import load_network
from goagent.players.shipped import WEIGHTS
from goagent.search.cache import CachedEvaluator
from goagent.search.evaluation import Evaluate, Evaluation
from goagent.search.puct import puct_search
from goagent.search.tree import Forest

CACHE = 1 << 16  # positions, as games and their searches meet again and again; noise is added anew each time
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#999999"


class Leaf(NamedTuple):
    """How a search reads the value of a leaf, from -1 (lost) to 1 (won)."""

    units: int  # 0: as it is, plus noise; else so many, each on where value and noise exceed the threshold
    levels: tuple[float, ...]  # of noise: standard deviations
    best: float  # of the levels, on the development seeds


THRESHOLD = 1.2  # which no value reaches; the search gets the share of units that are on, -1 for none to 1 for all
LEAVES = {
    "value": Leaf(0, (0.1, 0.3, 1), best=0.1),
    "one unit": Leaf(1, (0.3, 1, 3), best=0.3),
    "15 units": Leaf(15, (0.3, 2, 10), best=2),
}
VALUE, UNIT, CROWD = LEAVES


@dataclass(frozen=True)
class Settings:
    pairs: int = 24  # of games from one opening, colours swapped
    opening_plies: int = 5  # random
    drawn: int = 4  # openings for each that is played, the most even
    visits: int = 16
    max_moves: int = 40  # of a game
    shown: int = 40  # searches of each opening, for the picture

    @property
    def rules(self) -> Rules:
        return Rules.square(5, komi=0.5, max_moves=self.max_moves)


class NoisyLeaves(Experiment):
    name = "noisy-leaves"
    title = "Noise at the leaves of a search"
    claim = Claim(
        sentence="Noise on the values at its leaves can be a feature of a search, too: with a little of it a shallow "
        "search plays better than without.",
        essay="Jang 2016, Closing thoughts: asks whether the noisiness of our neural code is a feature. It does not "
        "speak of search; that noise on the leaves should help is what stochastic resonance would have it do.",
        source="McDonnell and Abbott 2009, What is stochastic resonance?, PLoS Comput. Biol. 5(5): noise can raise the "
        "transmission of a signal where a nonlinear system is suboptimal without; whether brains use it is debated.",
        data="Games of 5x5 Go, area scoring, komi 0.5, at most 40 moves, from openings of 5 random plies: of every 4 "
        "the one whose value is nearest to 0, as openings that are decided tell nothing. Each is played twice, "
        "colours swapped.",
        models="PUCT with the shipped 5x5 network and 16 visits a move, no noise at the root, no score in the utility; "
        "ends of games are exact. Leaves are read as they are; or by one unit that is on where value and noise exceed "
        f"{THRESHOLD}, or by 15, each with its own noise: cases made for resonance, as no value reaches the threshold.",
        baselines="The same search without noise, as the opponent: it scores 50 % against itself, game by game "
        "mirrored. The network's policy without search.",
        metric="Share of the points against the search without noise that reads its leaves alike. Noise is Gaussian, "
        "drawn anew for each evaluation. The level of the criteria is the one that did best on the development seeds, "
        "so none is picked by luck.",
        shows_not="That noise is of no use in a search: at the root and in the choice of moves it brings variety, "
        "which these games, each from its own opening, do not need. That a threshold is worth having: noise makes up "
        "for a part of what it costs. Other thresholds, deeper searches, and a search that asks a leaf twice, which "
        "would average its noise away, were not tried.",
    )
    criteria = (
        Criterion(f"{VALUE}: best", "points of the search with noise 0.1 on its leaves against the one without",
                  Role.CLAIM, at_least=0.55),
        Criterion(f"{VALUE}: policy", "values matter: points of the policy without search", Role.CONTROL,
                  at_most=0.45),
        Criterion(f"{VALUE}: worst", "and the match shows what spoils them: points with noise 1", Role.CONTROL,
                  at_most=0.45),
        Criterion(f"{UNIT}: best", "leaves read by one unit, below its threshold: points with noise 0.3", Role.DETAIL,
                  at_least=0.52),
        Criterion(f"{CROWD}: best", "by 15 units: points with noise 2", Role.DETAIL, at_least=0.55),
        Criterion(f"{UNIT}: against values", "the threshold costs more than that: points without noise, against the "
                  "search that reads values", Role.DETAIL, at_most=0.4),
        Criterion(f"{CROWD}: against values", "and by 15 units with noise 2, against the same", Role.DETAIL,
                  at_most=0.5),
    )  # fmt: skip
    settings: Mapping[Scale, Settings] = {
        "test": Settings(pairs=2, drawn=2, visits=2, max_moves=12, shown=4),
        "quick": Settings(pairs=4),
        "full": Settings(),
    }

    def cells(self, settings: Settings) -> tuple[str, ...]:
        return tuple(LEAVES)

    def measure(self, cell: str, seed: int, settings: Settings) -> Figures:
        network = CachedEvaluator(evaluator(load_network(WEIGHTS / "5x5")), CACHE)
        rng = np.random.default_rng([seed, list(LEAVES).index(cell)])
        openings = even_openings(network, settings, np.random.default_rng(seed))  # every cell has the same
        leaf = LEAVES[cell]

        def search(noise: float, leaf: Leaf = leaf) -> Mover:
            return puct_mover(read(network, leaf, noise, rng), settings.visits, 0, rng)

        by_level = [paired(search(noise), search(0), openings, settings.rules) for noise in leaf.levels]
        figures = {"best": by_level[leaf.levels.index(leaf.best)], "by level": by_level}
        if cell == VALUE:
            figures["worst"] = by_level[-1]
            figures["policy"] = paired(policy(network), search(0), openings, settings.rules)
            figures["board"], figures["moves"] = choices(network, openings, settings, rng)
        else:
            noise = leaf.best if cell == CROWD else 0
            figures["against values"] = paired(search(noise), search(0, LEAVES[VALUE]), openings, settings.rules)
        return figures

    def draw(self, result: Result) -> Figure:
        return picture(result)

    def conclude(self, result: Result) -> str:
        def of(name: str, cell: str = VALUE) -> str:
            return f"{result.mean(f'{cell}: {name}'):.0%}"

        return (
            f"A search with noise 0.1 on the values at its leaves scores {of('best')} against the same without, with "
            f"noise 1 {of('worst')}; the policy without search scores {of('policy')}. Where a threshold that no value "
            f"reaches costs the search ({of('against values', UNIT)} against values), noise 0.3 scores "
            f"{of('best', UNIT)} against none for leaves read by one unit, and noise 2 {of('best', CROWD)} by 15 "
            f"units, which is {of('against values', CROWD)} against values without noise."
        )


def read(network: Evaluate, leaf: Leaf, noise: float, rng: np.random.Generator) -> Evaluate:
    """`network` with its value as the leaf reads it, noise drawn anew each time; the score counts for nothing."""

    def evaluate(planes: np.ndarray) -> Evaluation:
        answer = network(planes)
        noisy = answer.value + noise * rng.standard_normal((max(1, leaf.units), len(planes)))
        value = np.where(noisy > THRESHOLD, 1, -1).mean(axis=0) if leaf.units else noisy[0]
        return answer._replace(value=value.astype(np.float32), score=np.zeros_like(answer.score))

    return evaluate


def policy(network: Evaluate) -> Mover:
    """The legal move that the network thinks most likely."""

    def choose(games: GoBatch) -> np.ndarray:
        return np.where(games.legal_mask(), network(games.observe()).logits, -np.inf).argmax(axis=1)

    return choose


def even_openings(network: Evaluate, settings: Settings, rng: np.random.Generator) -> np.ndarray:
    """(pairs, plies) int64: of all that were drawn, those whose value is nearest to 0; the most even first."""
    openings = np.array(
        random_openings(settings.rules, settings.drawn * settings.pairs, settings.opening_plies, rng), np.int64
    )
    value = network(begun(openings, settings.rules).observe()).value
    return openings[np.abs(value).argsort(kind="stable")[: settings.pairs]]


def begun(openings: np.ndarray, rules: Rules) -> GoBatch:
    games = GoBatch(rules, len(openings), parallel=False)
    games.follow(openings)
    return games


def paired(a: Mover, b: Mover, openings: np.ndarray, rules: Rules) -> float:
    """What `a` scores against `b`, 0 to 1: each opening twice, colours swapped."""
    black = (1 + play(begun(openings, rules), a, b)) / 2
    white = (1 - play(begun(openings, rules), b, a)) / 2
    return float(np.mean([black, white]))


def choices(
    network: Evaluate, openings: np.ndarray, settings: Settings, rng: np.random.Generator
) -> tuple[list[list[float]], list[list[float]]]:
    """The position, of those after `openings`, where most noise spreads the choices most: its board, own stones 1 and
    enemy stones -1, and how often each move is chosen there, without noise and at each level.
    """
    games = begun(np.repeat(openings, settings.shown, axis=0), settings.rules)
    shares = []
    for noise in (0, *LEAVES[VALUE].levels):
        forest = Forest(read(network, LEAVES[VALUE], noise, rng), settings.rules, games.num_games, parallel=False)
        forest.plant(games)
        found = puct_search(forest, np.full(games.num_games, settings.visits), rng, noise_fraction=0).actions
        shares.append(np.eye(settings.rules.num_actions)[found].reshape(len(openings), settings.shown, -1).mean(axis=1))
    chosen = int(shares[-1].max(axis=1).argmin())
    planes = games.observe()[chosen * settings.shown]
    return (planes[0] - planes[1]).tolist(), [share[chosen].tolist() for share in shares]


def picture(result: Result) -> Figure:
    """One position as searches with more and more noise answer it; and what they score."""
    figure = Figure(figsize=(12.5, 5.2), facecolor="white", layout="constrained")
    figure.suptitle(
        "Left: how often a search of 16 visits chooses a move (Black's turn). Right: what such searches score",
        fontsize=10,
    )
    grid = figure.add_gridspec(2, 3, width_ratios=(1, 1, 2.5))
    board = np.array(result.first(f"{VALUE}: board"))
    every = result.first(f"{VALUE}: moves")
    for i, (noise, moves) in enumerate(zip((0, *LEAVES[VALUE].levels), every, strict=True)):
        axes, points = figure.add_subplot(grid[i // 2, i % 2]), np.array(moves[:-1])
        draw_board(axes, board, points, title=f"noise {noise:g} on leaves" if noise else "without noise")
        for point in np.flatnonzero(points >= 0.1).tolist():
            axes.text(point % 5, point // 5, f"{points[point]:.0%}", fontsize=7, color="white", ha="center",
                      va="center", zorder=5)  # fmt: skip
    curves = figure.add_subplot(grid[:, 2])
    for cell, colour, label in (
        (CROWD, GREEN, "by 15 units below their threshold"),
        (UNIT, ORANGE, "by one such unit"),
        (VALUE, BLUE, "as they are"),
    ):
        points = np.array([figures[f"{cell}: by level"] for figures in result.by_seed])
        error = points.std(axis=0, ddof=1) / len(points) ** 0.5 if len(points) > 1 else None
        curves.errorbar(LEAVES[cell].levels, points.mean(axis=0), error, fmt="o-", color=colour, markersize=5,
                        capsize=3, label=label)  # fmt: skip
    curves.axhline(0.5, color=GREY, linestyle="--")
    curves.text(0.1, 0.505, "no noise", color=GREY, fontsize=9, va="bottom")
    curves.set(xscale="log", ylim=(0.15, 0.8), xlabel="noise on leaves (standard deviation; won is 1, lost is -1)")
    curves.set_ylabel("points against the same search without noise")
    curves.set_xticks([0.1, 0.3, 1, 3, 10], ["0.1", "0.3", "1", "3", "10"], minor=False)
    curves.xaxis.minorticks_off()
    curves.set_yticks([0.25, 0.5, 0.75], ["25 %", "50 %", "75 %"])
    curves.legend(title="values of leaves are read", fontsize=9, title_fontsize=9, frameon=False, loc="upper left")
    curves.spines[["top", "right"]].set_visible(False)
    return figure


EXPERIMENT = NoisyLeaves()
