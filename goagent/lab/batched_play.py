"""Many games at once between movers, which answer for a whole batch. Start with `play` and `match`.

The games of a batch are of one age, so the same side is to move in all that go on, and a mover answers for all.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from envs import BLACK, GoBatch, Rules
from envs.state import SKIP
from goagent.arena.openings import random_openings
from goagent.policies.network import PolicyNetwork
from goagent.search.evaluation import Evaluate
from goagent.search.gumbel import gumbel_search
from goagent.search.tree import Forest

Mover = Callable[[GoBatch], np.ndarray]  # (num_games,) int64 actions; what it says of finished games is ignored


def play(games: GoBatch, black: Mover, white: Mover) -> np.ndarray:
    """Play games of one age to their end; returns their results for Black, (num_games,) +1, 0 or -1."""
    while not (over := games.is_over).all():
        mover = black if games.to_play[~over][0] == BLACK else white
        games.step(np.where(over, SKIP, mover(games)))
    return np.sign(games.score_black())


def play_batch(rules: Rules, num_games: int, black: Mover, white: Mover) -> GoBatch:
    """Finished games from the empty board."""
    games = GoBatch(rules, num_games, parallel=False)
    play(games, black, white)
    return games


def match(a: Mover, b: Mover, rules: Rules, games: int, rng: np.random.Generator, opening_plies: int = 2) -> np.ndarray:
    """(games,) what `a` scored: 1, 0.5 for a draw, 0. Both games of a pair have one random opening, colours swapped.

    The first half of the games, in which `a` has Black, is followed by the same openings with colours swapped.
    """
    openings = np.array(random_openings(rules, games // 2, opening_plies, rng), np.int64)
    points = []
    for black, white, sign in ((a, b, 1), (b, a, -1)):
        batch = GoBatch(rules, len(openings), parallel=False)
        batch.follow(openings)
        points.append((1 + sign * play(batch, black, white)) / 2)
    return np.concatenate(points)


def policy_mover(network: PolicyNetwork, rng: np.random.Generator, temperature: float = 1.0) -> Mover:
    """Moves drawn from the masked policy at a temperature; 0 takes the most probable one."""

    def choose(games: GoBatch) -> np.ndarray:
        goes_on = ~games.is_over
        moves = network.answer(games.observe()[goes_on], games.legal_mask()[goes_on]).moves
        actions = np.full(games.num_games, SKIP)
        actions[goes_on] = draw(moves.categorical(temperature).probs.numpy(), rng)
        return actions

    return choose


def random_mover(rng: np.random.Generator) -> Mover:
    """As `RandomPlayer`: uniform over the legal points; a pass where there is none, and after the opponent's pass."""

    def choose(games: GoBatch) -> np.ndarray:
        points = games.sample_legal(rng, passes=False)
        return np.where((points == SKIP) | (games.consecutive_passes > 0), games.rules.pass_action, points)

    return choose


def search_mover(evaluate: Evaluate, visits: int, rng: np.random.Generator) -> Mover:
    """Gumbel search anew for each move."""

    def choose(games: GoBatch) -> np.ndarray:
        forest = Forest(evaluate, games.rules, games.num_games, parallel=False)
        forest.plant(games)
        return gumbel_search(forest, np.full(games.num_games, visits), rng).actions

    return choose


def draw(probabilities: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(batch,) an action from each row (batch, num_actions), never one of probability zero."""
    cumulative = probabilities.astype(np.float64).cumsum(axis=1)
    return (cumulative > rng.random((len(cumulative), 1)) * cumulative[:, -1:]).argmax(axis=1)


class Plies(NamedTuple):
    """The positions of finished games with the moves played in them, all games' first ones first."""

    planes: np.ndarray  # (plies, planes, rows, cols) float32
    legal: np.ndarray  # (plies, num_actions) bool
    actions: np.ndarray  # (plies,) int64
    results: np.ndarray  # (plies,) float32: +1, 0 or -1 for the side to move
    games: np.ndarray  # (plies,) int64

    def where(self, chosen: np.ndarray) -> "Plies":
        return Plies(*(values[chosen] for values in self))


def plies_of(rules: Rules, moves: np.ndarray) -> Plies:
    """Games of these `moves` (games, plies) int, SKIP after their end, from the empty board."""
    batch, parts = GoBatch(rules, len(moves), parallel=False), []
    final = GoBatch(rules, len(moves), parallel=False)
    final.follow(moves)
    results = np.sign(final.score_black())
    for actions in moves.T:
        on = np.flatnonzero(actions != SKIP)
        side = np.where(batch.to_play[on] == BLACK, 1, -1)
        seen = results[on] * side
        parts.append(Plies(batch.observe()[on], batch.legal_mask()[on], actions[on].astype(np.int64), seen, on))
        batch.step(actions)
    return Plies(*(np.concatenate(values) for values in zip(*parts, strict=True)))
