"""Games for the tests to look at: moves drawn at random from the legal ones, the pass more or less often."""

from collections.abc import Iterator

import numpy as np

import envs
from envs import BLACK, GoBatch, Position, Rules

KO_RULES = ("simple", "positional", "situational")


def draw_actions(masks: np.ndarray, rng: np.random.Generator, pass_weight: float = 1.0) -> np.ndarray:
    """(games,) a random action of each row of `masks` (games, num_actions) bool, SKIP where there is none.

    The smaller `pass_weight`, the rarer the pass; at 1 it is as likely as any point.
    """
    noise = rng.random(masks.shape)
    noise[:, -1] *= pass_weight
    actions = np.where(masks, noise, -1).argmax(axis=1)
    return np.where(masks.any(axis=1), actions, envs.SKIP)


def random_positions(rules: Rules, seed: int, plies: int, pass_weight: float = 0.1) -> Iterator[Position]:
    """The positions of one random game, the empty board first, at most `plies` moves."""
    rng = np.random.default_rng(seed)
    position = Position(rules)
    yield position
    while not position.is_over and len(position.moves) < plies:
        position = position.play(int(draw_actions(position.legal_mask()[None], rng, pass_weight)[0]))
        yield position


def random_batch(rules: Rules, num_games: int, seed: int, plies: int, pass_weight: float = 0.1) -> GoBatch:
    """A batch after `plies` random moves in each game that lasts so long."""
    rng = np.random.default_rng(seed)
    batch = GoBatch(rules, num_games)
    for _ in range(plies):
        batch.step(draw_actions(batch.legal_mask(), rng, pass_weight))
    return batch


def play_vertices(rules: Rules, vertices: str, to_play: int = BLACK) -> Position:
    """The position after the moves of a line such as "C3 D4 pass"."""
    position = Position(rules).with_to_play(to_play)
    for vertex in vertices.split():
        position = position.play(rules.action(vertex))
    return position
