"""Who played? Told by how well records compress together, and by counts. Start with `CompressionDistance`.

A compressor finds what two records have in common, whatever that is. Sculley and Brodley: it compares vectors that it
makes in passing, and which ones is a choice like any other. One coder here makes that exact, as the length of its code
is a function of the counts of runs.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from envs import Rules
from envs.symmetry import canonical_moves
from goagent.lab.batched_play import play_batch, policy_mover, random_mover
from goagent.lab.core import Claim, Criterion, Experiment, Figures, Result, Role, Scale
from goagent.lab.information.string_distances import (
    ADAPTIVE,
    BZ2,
    CODERS,
    COSINE,
    ZLIB,
    distances,
    logistic,
    nearest,
)
from goagent.lab.one_to_many.games import SHARPENED, greedy_mover
from goagent.lab.ranks import rank_correlation
from goagent.players.policy import load_network
from goagent.players.shipped import WEIGHTS

SIZE, PLIES = 7, 40  # of a board; that are kept of a game, of which hardly one is as short
PLAYERS = ("random", "captures", "policy", "cold policy")
SHOWN = 10  # records of each player in the picture
MOVES, LETTERS = "moves", "letters"
ALPHABET = {MOVES: SIZE**2 + 1, LETTERS: SIZE + 1}  # symbols: a move each; column, row
RUN = {MOVES: 2, LETTERS: 3}  # symbols in a row that are counted: a move and the reply, or half of it
GAMES, LOGISTIC = "games", "logistic"
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#999999"


@dataclass(frozen=True)
class Settings:
    records: int = 40  # of each player
    lengths: tuple[int, ...] = (1, 3, 8)  # of records, in games; the first is 1


class CompressionDistance(Experiment):
    name = "compression-distance"
    title = "Who played? Compression as a feature vector"
    claim = Claim(
        sentence="A compression distance compares implicit feature vectors: it tells players by their games about as "
        "well as explicit vectors do, and depends on the choice of compressor as those depend on their features.",
        essay="Jang 2016, Closing thoughts: theoretical work on compression may help to understand what the tricks of "
        "training have in common. This is the work cited there.",
        source="Sculley and Brodley 2006, DCC: compressors map strings to implicit feature vectors, akin to explicit "
        "ones, and free nobody from choosing features.",
        data="Games on 7x7 of four players, each against itself: one at random, one that captures what it can, the "
        f"shipped policy, the same at a temperature of {SHARPENED}. The first {PLIES} moves of a game, so that lengths "
        "tell nothing, in the first of its eight symmetric copies, so that orientations tell nothing. 40 records of "
        "each player, of 1, 3 and 8 games. Written with one symbol for a move, or with two, column and row.",
        models="NCD(x, y) = (C(xy) - min(C(x), C(y))) / max(C(x), C(y)), the nearest other record. C: zlib "
        "(raw deflate, level 9), bz2, and the ideal code length of a coder that learns, as it goes, how often each "
        "move follows each other one.",
        baselines="Counts of a move and its reply: cosine, the nearest other record; and logistic regression, its "
        "penalty chosen on development seeds. The size of the compressed record alone. Labels shuffled.",
        metric="Share of records whose player is told, in four-fold cross-validation; a guess is right by 25 %.",
        shows_not="That compressors in use compare bigrams: the adaptive coder is made to, and zlib's distances go "
        "with those of longer runs. How other compressors do, or longer texts. That it is what records have in "
        "common that tells them: the size of the code alone is asked apart.",
    )
    criteria = (
        Criterion("one: zlib", "by one game, zlib: share of players told", Role.CLAIM, at_least=0.4),
        Criterion("one: zlib ahead", "and what that is beyond bigrams, cosine", Role.CLAIM, at_least=-0.1,
                  at_most=0.1),
        Criterion("many: adaptive", "by many games, adaptive coder: share of players told", Role.CLAIM, at_least=0.6),
        Criterion("many: adaptive ahead", "and what that is beyond bigrams, cosine", Role.CLAIM, at_least=-0.1,
                  at_most=0.1),
        Criterion("many: adaptive alike", "adaptive coder and cosine order pairs of records alike: rank correlation",
                  Role.CLAIM, at_least=0.8),
        Criterion("many: choice", "best compressor and way of writing beyond the worst, many games", Role.CLAIM,
                  at_least=0.1),
        Criterion("one: zlib itself", "NCD of a game and itself, zlib", Role.CLAIM, at_most=0.15),
        Criterion("many: zlib ahead", "an ordinary compressor may miss what vectors show: zlib beyond bigrams, many "
                  "games", Role.CONDITION, at_most=-0.1),
        Criterion("many: logistic ahead", "vectors that are weighed show more: logistic regression beyond the best "
                  "compressor, many games", Role.CONDITION, at_least=0.1),
        Criterion("many: beyond size", "much of it is how compressible a player is: adaptive coder beyond the size "
                  "alone, many games", Role.CONDITION, at_most=0.1),
        Criterion("one: best", "one game does not identify a player: the best compressor", Role.CONDITION, at_most=0.7),
        Criterion("many: logistic", "the players can be told: logistic regression, many games", Role.CONTROL,
                  at_least=0.7),
        Criterion("one: zlib shuffled", "and not with shuffled labels: zlib, one game", Role.CONTROL, at_least=0.15,
                  at_most=0.35),
        Criterion("many: adaptive shuffled", "nor by the adaptive coder, many games", Role.CONTROL, at_least=0.15,
                  at_most=0.35),
        Criterion(f"{GAMES}: repeated", "share of games that repeat another one", Role.CONTROL, at_most=0.02),
        Criterion("one: beyond size", "zlib beyond the size alone, one game", Role.CONTROL, at_least=0.1),
        Criterion("many: zlib alike", "zlib and cosine, rank correlation", Role.DETAIL, at_least=0.5),
        Criterion("many: letters adaptive ahead", "written in letters: adaptive coder beyond trigrams, cosine",
                  Role.DETAIL, at_least=-0.1, at_most=0.1),
        Criterion("one: letters zlib swapped", "zlib, letters: mean size of NCD(x, y) - NCD(y, x)", Role.DETAIL,
                  at_most=0.05),
        Criterion("zlib gained", "zlib: many games beyond one", Role.DETAIL, at_least=0.1),
    )  # fmt: skip
    settings: Mapping[Scale, Settings] = {
        "test": Settings(records=4, lengths=(1, 2)),
        "quick": Settings(records=24, lengths=(1, 4)),
        "full": Settings(),
    }

    def cells(self, settings: Settings) -> tuple[str, ...]:
        return (GAMES,)

    def measure(self, cell: str, seed: int, settings: Settings) -> Figures:
        rng = np.random.default_rng(seed)
        games = play_games(settings.records * max(settings.lengths), rng)
        labels = np.repeat(np.arange(len(PLAYERS)), settings.records)
        figures: Figures = {"repeated": 1 - len(set(games)) / len(games), "lengths": list(settings.lengths)}
        for writing, prefix in ((LETTERS, "letters "), (MOVES, "")):
            texts = [write(game, writing) for game in games]
            for length in settings.lengths:
                near = distances(join(texts, settings, length), ALPHABET[writing], RUN[writing])
                for name, value in compare(near, labels, rng).items():
                    figures.setdefault(prefix + name, []).append(value)
        few = np.flatnonzero(np.arange(len(labels)) % settings.records < SHOWN)
        return figures | {f"{name} pairs": near[name][np.ix_(few, few)].tolist() for name in (*CODERS, COSINE)}

    def derive(self, figures: Figures) -> Figures:
        """Of records of one game and of many, from the lists by length."""
        derived: Figures = {}
        for when, place in (("one", 0), ("many", -1)):
            lists = ((key, value[place]) for key, value in figures.items() if isinstance(value, list))
            of = {key.removeprefix(f"{GAMES}: "): value for key, value in lists if isinstance(value, float)}
            best = max(of[name] for name in CODERS)
            said = [of[prefix + name] for prefix in ("", "letters ") for name in CODERS]
            derived |= {f"{when}: {key}": value for key, value in of.items()} | {
                **{f"{when}: {name} ahead": of[name] - of[COSINE] for name in CODERS},
                f"{when}: letters adaptive ahead": of["letters adaptive"] - of["letters cosine"],
                f"{when}: logistic ahead": of[LOGISTIC] - best,
                f"{when}: best": best,
                f"{when}: choice": max(said) - min(said),
            }
        return derived | {
            "one: beyond size": derived["one: zlib"] - derived["one: zlib size"],
            "many: beyond size": derived["many: adaptive"] - derived["many: adaptive size"],
            "zlib gained": derived["many: zlib"] - derived["one: zlib"],
        }

    def draw(self, result: Result) -> Figure:
        return picture(result)

    def conclude(self, result: Result) -> str:
        def told(name: str, when: str = "many") -> str:
            return f"{result.mean(f'{when}: {name}'):.0%}"

        return (
            f"By one game zlib tells {told(ZLIB, 'one')} of the players (a guess 25%), bigrams {told(COSINE, 'one')}. "
            f"By {max(result.first(f'{GAMES}: lengths'))} games a coder that learns bigrams tells {told(ADAPTIVE)} "
            f"(the size of its code alone {told('adaptive size')}), bigrams {told(COSINE)} and, weighed by logistic "
            f"regression, {told(LOGISTIC)}, but zlib {told(ZLIB)} and bz2 {told(BZ2)}. The adaptive coder's distances "
            f"and the cosines have a rank correlation of {result.mean('many: adaptive alike'):.2f}."
        )


def play_games(count: int, rng: np.random.Generator) -> list[tuple[int, ...]]:
    """The beginnings of `count` games of each player against itself, player by player."""
    rules, network = Rules.square(SIZE), load_network(WEIGHTS / f"{SIZE}x{SIZE}")
    movers = (
        *(random_mover(rng), greedy_mover(rng)),
        *(policy_mover(network, rng, temperature) for temperature in (1.0, SHARPENED)),
    )
    lines = [line[:PLIES] for mover in movers for line in play_batch(rules, count, mover, mover).moves]
    return [canonical_moves(line[line >= 0].tolist(), SIZE, SIZE) for line in lines]


def write(game: tuple[int, ...], writing: str) -> np.ndarray:
    """(symbols,) uint8, below ALPHABET[writing]; a pass is beyond the board in column and row."""
    moves = np.array(game, np.uint8)
    if writing == MOVES:
        return moves
    on = moves < SIZE**2
    return np.stack([np.where(on, moves % SIZE, SIZE), np.where(on, moves // SIZE, SIZE)], axis=1).ravel()


def join(texts: list[np.ndarray], settings: Settings, length: int) -> list[np.ndarray]:
    """As many records of each player, whatever their length in games."""
    starts = (
        np.arange(len(PLAYERS))[:, None] * settings.records * max(settings.lengths)
        + np.arange(settings.records) * length
    )
    return [np.concatenate(texts[start : start + length]) for start in starts.ravel()]


def compare(near: dict[str, np.ndarray], labels: np.ndarray, rng: np.random.Generator) -> dict[str, float]:
    """Share of records whose player is told, by name of the distance, and what else is asked of them."""
    shuffled, pairs = rng.permutation(labels), np.triu_indices(len(labels), 1)
    return (
        {name: nearest(distance, labels) for name, distance in near.items()}
        | {f"{name} shuffled": nearest(near[name], shuffled) for name in CODERS}
        | {f"{name} itself": float(np.diag(near[name]).mean()) for name in CODERS}
        | {f"{name} swapped": float(np.abs(near[name] - near[name].T).mean()) for name in CODERS}
        | {f"{name} alike": rank_correlation(near[name][pairs], near[COSINE][pairs]) for name in CODERS}
        | {LOGISTIC: logistic(1 - near[COSINE], labels)}
    )


def picture(result: Result) -> Figure:
    """Players told by the length of the records; then which records are near each other, by three distances."""
    figure = Figure(figsize=(15, 4.4), facecolor="white", layout="constrained")
    axes, *maps = figure.subplots(1, 4, width_ratios=(1.25, 1, 1, 1))
    lengths = result.first(f"{GAMES}: lengths")
    for name, style, label in (
        (LOGISTIC, {"color": GREEN, "marker": "s"}, "bigrams, logistic regression"),
        (COSINE, {"color": GREEN, "marker": "o", "linestyle": "--"}, "bigrams, cosine"),
        (ADAPTIVE, {"color": BLUE, "marker": "o"}, "adaptive coder of bigrams"),
        (f"{ADAPTIVE} size", {"color": GREY, "linestyle": ":"}, "size of its code alone"),
        (BZ2, {"color": ORANGE, "marker": "o", "linestyle": "--"}, "bz2"),
        (ZLIB, {"color": ORANGE, "marker": "o"}, "zlib"),
    ):
        axes.plot(np.mean([figures[f"{GAMES}: {name}"] for figures in result.by_seed], axis=0), label=label, **style)
    axes.axhline(1 / len(PLAYERS), color=GREY, linewidth=1)
    axes.set_xticks(range(len(lengths)), lengths)
    axes.set(ylim=(0.15, 1.6), yticks=np.linspace(0.2, 1, 5), xlabel="games in a record", ylabel="players told")
    axes.set_title("Who played? The line is a guess", fontsize=10)
    axes.legend(fontsize=9, frameon=False, loc="upper left")
    axes.spines[["top", "right"]].set_visible(False)
    for axes, (name, title) in zip(
        maps, ((ZLIB, "zlib"), (ADAPTIVE, "adaptive coder"), (COSINE, "cosine of bigrams")), strict=True
    ):
        pairs = np.array(result.first(f"{GAMES}: {name} pairs"))
        np.fill_diagonal(pairs, np.nan)
        low, high = np.nanquantile(pairs, (0.02, 0.98))
        axes.imshow(pairs, cmap="gray", vmin=low, vmax=high)
        each = len(pairs) / len(PLAYERS)
        middles = (np.arange(len(PLAYERS)) + 0.5) * each - 0.5
        axes.set_xticks(middles, PLAYERS, fontsize=8)
        axes.set_yticks(middles, PLAYERS if name == ZLIB else [""] * len(PLAYERS), fontsize=8)
        for edge in middles[1:] - each / 2:
            axes.axhline(edge, color=BLUE, linewidth=0.8)
            axes.axvline(edge, color=BLUE, linewidth=0.8)
        axes.set_title(f"Records of {max(lengths)} games, dark: near\nby {title}", fontsize=10)
    return figure


EXPERIMENT = CompressionDistance()
