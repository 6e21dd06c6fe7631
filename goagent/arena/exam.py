"""The five tests that `goagent evaluate` puts an agent to. Start with any function; each is a test, its result above.

`solve_problems`, `play_solved_boards`, `play_yardsticks`, `calibrate` and `measure_variety` share nothing but the
agent. `report` is called once for each problem and game.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from envs import BLACK, EMPTY, SKIP, GoBatch, Position, Rules
from goagent.arena.match import counted, play_match
from goagent.arena.openings import random_openings
from goagent.arena.problems import Problem
from goagent.arena.result import GameRecord, MatchResult
from goagent.players.external import EngineError
from goagent.players.player import Player, PlaysItself, Resigned
from goagent.players.spec import load_agent
from goagent.rules import rules_from

YARDSTICKS = ("random", "rollout?playouts=50", "rollout?playouts=500")
DEFENDER = "rollout?playouts=200"
# Size, Black's result under perfect play, and the first moves that keep it (van der Werf 2002 for 5x5).
SOLVED = (("2", 1, "A1 A2 B1 B2"), ("3", 9, "B2"), ("4", 2, "B2 B3 C2 C3"), ("5", 25, "C3"))
BINS = 10  # of the forecasts, equally wide
OPENING_PLIES = 4  # what counts as an opening when variety is measured
SAMPLES = 8  # positions of a game whose forecast is compared with its result


class Attempt(NamedTuple):
    """What the agent made of a problem."""

    problem: Problem
    action: int | None  # None: it gave no legal move
    trouble: str  # why not

    @property
    def solved(self) -> bool:
        return self.action in self.problem.accepted


class Board(NamedTuple):
    """Games as Black on a solved board, at a komi that perfect play just beats."""

    size: str
    value: int  # Black's perfect result without komi
    first_moves: float  # share of games that began with a perfect move
    score: float  # share of the points
    games: int


class Calibration(NamedTuple):
    """Win probabilities for the side to move, compared with how the games ended."""

    positions: int
    brier: float  # mean squared error; 0.25 for always saying one half
    error: float  # expected calibration error: |mean forecast - mean result|, averaged over positions
    bins: tuple[tuple[float, float, int], ...]  # (mean forecast, mean result, positions) of each bin in use


class Variety(NamedTuple):
    """How much the agent's games against itself from the empty board differ."""

    games: int
    unique: float  # share of games that differ, symmetric ones counted once
    entropy: float  # bits, of the openings up to symmetry; at most log2(games)


def solve_problems(
    spec: str, problems: Sequence[Problem], rng: np.random.Generator, report: Callable[[], None] = lambda: None
) -> tuple[Attempt, ...]:
    """One move for each problem."""
    attempts: dict[int, Attempt] = {}
    order = sorted(range(len(problems)), key=lambda i: (problems[i].rules.size, problems[i].rules.komi))
    rules: Rules | None = None
    for i in order:
        if problems[i].rules != rules:
            rules = problems[i].rules
            player = load_agent(spec, rules)
        attempts[i] = attempt(player, problems[i], rng)
        report()
    return tuple(attempts[i] for i in range(len(problems)))


def attempt(player: Player, problem: Problem, rng: np.random.Generator) -> Attempt:
    """The player's move; anything else is a failure that says why."""
    position = problem.position()
    player.reset()
    try:
        action = player.choose(position, rng)
    except Resigned:
        return Attempt(problem, None, "it resigns")
    except EngineError as error:
        return Attempt(problem, None, str(error))
    if not position.legal_mask()[action]:
        return Attempt(problem, None, str(position.why_illegal(action)))
    return Attempt(problem, int(action), "")


def play_solved_boards(
    spec: str, games: int, rng: np.random.Generator, report: Callable[[], None] = lambda: None
) -> tuple[Board, ...]:
    """`games` games as Black on each solved board, against a rollout player that must be beaten by all there is."""
    boards = []
    for size, value, best in SOLVED:
        rules = rules_from(size, komi=value - 0.5)
        player, defender = load_agent(spec, rules), load_agent(DEFENDER, rules)
        firsts = {rules.action(vertex) for vertex in best.split()}
        records: list[GameRecord] = []
        for generator in rng.spawn(games):
            records += play_match(player, defender, rules, 1, generator).games
            report()
        right = np.mean([record.moves[:1] != () and record.moves[0] in firsts for record in records])
        won = np.mean([record.winner == BLACK for record in records])
        boards.append(Board(size, value, float(right), float(won), games))
    return tuple(boards)


def play_yardsticks(
    player: Player, rules: Rules, games: int, rng: np.random.Generator, report: Callable[[Any], None] = lambda _: None
) -> tuple[MatchResult, ...]:
    """A match against each of `YARDSTICKS` from random openings of two moves."""
    openings = random_openings(rules, (games + 1) // 2, 2, rng)
    matches = (play_match(player, load_agent(spec, rules), rules, games, rng, openings, report) for spec in YARDSTICKS)
    return tuple(replace(match, b=spec) for spec, match in zip(YARDSTICKS, matches, strict=True))


def compare_yardsticks(
    rules: Rules, games: int, rng: np.random.Generator, report: Callable[[Any], None] = lambda _: None
) -> tuple[MatchResult, ...]:
    """Each of `YARDSTICKS` against the one before it, so that a rating knows how far apart they are."""
    openings = random_openings(rules, (games + 1) // 2, 2, rng)
    matches = []
    for weaker, stronger in pairwise(YARDSTICKS):
        a, b = load_agent(stronger, rules), load_agent(weaker, rules)
        matches.append(replace(play_match(a, b, rules, games, rng, openings, report), a=stronger, b=weaker))
    return tuple(matches)


def calibrate(
    player: Player, rules: Rules, games: int, rng: np.random.Generator, report: Callable[[Any], None] = lambda _: None
) -> Calibration | None:
    """Its win probabilities against the results of its games with itself, from random openings of four moves.

    Games between equals, because that is what a value forecasts: against a weaker player it is right to win more.
    None for a player without an opinion.
    """
    if player.analyze(Position(rules)).win_probability is None:
        for _ in range(games):
            report(None)
        return None
    openings = random_openings(rules, games, 4, rng)
    records = play_itself(player, rules, openings, rng, report)
    forecasts: list[float] = []
    results: list[float] = []
    for opening, record, generator in zip(openings, records, rng.spawn(games), strict=True):
        plies = generator.permutation(np.arange(len(opening), len(record.moves)))[:SAMPLES]
        for position in _positions(record, set(plies.tolist())):
            forecast = player.analyze(position).win_probability
            if forecast is not None:
                forecasts.append(forecast)
                results.append(0.5 if record.winner == EMPTY else float(record.winner == position.to_play))
    return compare_forecasts(np.array(forecasts), np.array(results)) if forecasts else None


def compare_forecasts(forecasts: np.ndarray, results: np.ndarray) -> Calibration:
    """Forecasts (n,) and results (n,), both in [0, 1], binned by forecast (Naeini et al. 2015)."""
    bins = np.minimum((forecasts * BINS).astype(int), BINS - 1)
    rows = [
        (float(forecasts[bins == b].mean()), float(results[bins == b].mean()), int((bins == b).sum()))
        for b in np.unique(bins)
    ]
    error = sum(abs(forecast - result) * count for forecast, result, count in rows) / len(forecasts)
    return Calibration(len(forecasts), float(((forecasts - results) ** 2).mean()), error, tuple(rows))


def measure_variety(
    player: Player, rules: Rules, games: int, rng: np.random.Generator, report: Callable[[Any], None] = lambda _: None
) -> Variety:
    """Games of the player against itself from the empty board."""
    records = play_itself(player, rules, [()] * games, rng, report)
    unique = len({record.canonical_moves() for record in records})
    openings = Counter(record.canonical_moves(OPENING_PLIES) for record in records)
    shares = np.array(list(openings.values())) / games
    return Variety(games, unique / games, float(-(shares * np.log2(shares)).sum() + 0.0))


def play_itself(
    player: Player,
    rules: Rules,
    openings: Sequence[Sequence[int]],
    rng: np.random.Generator,
    report: Callable[[Any], None] = lambda _: None,
) -> list[GameRecord]:
    """A game of the player against itself from each opening."""
    if not isinstance(player, PlaysItself):
        return [
            play_match(player, player, rules, 1, generator, [opening], report).games[0]
            for opening, generator in zip(openings, rng.spawn(len(openings)), strict=True)
        ]
    games = GoBatch(rules, len(openings), parallel=False)
    longest = max(map(len, openings))
    games.follow(np.array([[*opening, *[SKIP] * (longest - len(opening))] for opening in openings], np.int64))
    games = player.play_itself(games, rng)
    for _ in openings:
        report(None)
    return [counted(games.position(i)) for i in range(games.num_games)]


def _positions(record: GameRecord, plies: set[int]) -> list[Position]:
    """The positions of a game before these plies."""
    position, found = Position(record.rules), []
    for ply, action in enumerate(record.moves):
        if ply in plies:
            found.append(position)
        position = position.play(action)
    return found
