"""Capture-Go with an exact oracle: the first capture wins, so in a position with an atari every winning move is known.

Boards are (boards, size, size) int8 seen from the side to move: +1 its own stones, -1 the other side's. Start with
`random_boards` and `capturing_points`. The rules are those of `Rules(objective="capture")`, said once more for whole
arrays; a test compares the two.
"""

from typing import Literal, NamedTuple

import numpy as np

from envs.symmetry import action_table

OWN, ENEMY = 1, -1
Group = Literal["none", "D1", "C2", "D4"]  # a mirror, a half turn, all eight
PLANES = 7


class Boards(NamedTuple):
    """Positions with a capture for either side, so that whoever moves must make it."""

    boards: np.ndarray  # (n, size, size) int8
    answers: np.ndarray  # (n, size * size) bool: the moves that win at once

    def where(self, chosen: np.ndarray) -> "Boards":
        return Boards(self.boards[chosen], self.answers[chosen])


def random_boards(
    size: int, count: int, rng: np.random.Generator, group: Group = "none", answers: tuple[int, int] = (1, 10**6)
) -> Boards:
    """`count` boards that the symmetry group maps to themselves, with a number of winning moves within `answers`.

    Points are filled at random, each board to its own density of 0.3 to 0.7, and boards are kept where every chain has
    a liberty, the mover can capture, and so could the other side: a move that does not win, loses or has to rescue.
    """
    found: list[Boards] = []
    have = 0
    while have < count:
        batch = _filled(size, 4096, rng, group)
        few, many = liberties(batch)
        alive = ((batch == 0) | (many >= 0)).all(axis=(1, 2))
        winning = capturing_points(batch, ENEMY, few, many)
        threatened = capturing_points(batch, OWN, few, many).any(axis=1)
        number = winning.sum(axis=1)
        kept = alive & threatened & (number >= answers[0]) & (number <= answers[1])
        found.append(Boards(batch[kept], winning[kept]))
        have += int(kept.sum())
    return Boards(*(np.concatenate(parts)[:count] for parts in zip(*found, strict=True)))


def group_elements(size: int, group: Group, rng: np.random.Generator) -> np.ndarray:
    """The rows of `action_table` that make the group; D1 has one of the four mirrors, drawn."""
    table = action_table(size, size)[:, :-1]
    if group == "D4":
        return table
    identity = np.arange(size * size)
    half_turn = identity[::-1]
    mirrors = [row for row in table if not (row == identity).all() and (row[row] == identity).all()]
    mirrors = [row for row in mirrors if not (row == half_turn).all()]
    chosen = {"none": [], "C2": [half_turn], "D1": [mirrors[rng.integers(len(mirrors))]]}[group]
    return np.stack([identity, *chosen])


def liberties(boards: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The lowest and the highest liberty of each stone's chain, as points; -1 for the highest where there is none.

    They are equal where the chain is in atari. Both (n, size, size) int16.
    """
    size = boards.shape[1]
    grid = np.ascontiguousarray(np.moveaxis(boards, 0, 2))  # boards last: numpy is quick along the last axis
    points = np.arange(size * size, dtype=np.int16).reshape(size, size, 1)
    none, nothing = np.int16(size * size), np.int16(-1)
    empty = grid == 0
    lowest, highest = np.where(empty, points, none), np.where(empty, points, nothing)
    low, high = np.full(grid.shape, none), np.full(grid.shape, nothing)
    pairs = [(here[1:], there[1:]) for here, there in _neighbours(size)]
    for here, there in pairs:
        low[here] = np.minimum(low[here], lowest[there])
        high[here] = np.maximum(high[here], highest[there])
    low[empty], high[empty] = none, nothing
    # A neighbour of another colour has nothing to tell: these bits make it 32767 for `low` and -1 for `high`.
    deaf = [np.where((grid[here] == grid[there]) & ~empty[here], 0, -1).astype(np.int16) for here, there in pairs]
    spread = None
    while spread is None or (spread != high - low).any():  # what one stone of a chain knows, its neighbours learn
        spread = high - low
        for (here, there), bits in zip(pairs, deaf, strict=True):
            np.minimum(low[here], low[there] | (bits & np.int16(32767)), out=low[here])
            np.maximum(high[here], high[there] | bits, out=high[here])
    low, high = (np.ascontiguousarray(np.moveaxis(values, 2, 0)) for values in (low, high))
    return low, high


def capturing_points(
    boards: np.ndarray, victim: int, low: np.ndarray | None = None, high: np.ndarray | None = None
) -> np.ndarray:
    """(n, size * size) bool: where a stone against `victim` (OWN or ENEMY) captures: its chains' last liberties."""
    if low is None or high is None:
        low, high = liberties(boards)
    found = np.zeros((len(boards), boards.shape[1] * boards.shape[2]), bool)
    atari = (boards == victim) & (low == high)
    game = np.nonzero(atari)[0]
    found[game, low[atari]] = True
    return found


def legal_points(boards: np.ndarray) -> np.ndarray:
    """(n, size * size) bool: empty, and no suicide."""
    low, high = liberties(boards)
    breathes = np.zeros(boards.shape, bool)
    for here, there in _neighbours(boards.shape[1]):
        neighbour = boards[there]
        breathes[here] |= (neighbour == 0) | ((neighbour == OWN) & (low[there] != high[there]))
    return ((boards == 0) & breathes).reshape(len(boards), -1) | capturing_points(boards, ENEMY, low, high)


class Verdicts(NamedTuple):
    """What becomes of moves, one for each board; (n,) bool each. What is neither was rescued by luck."""

    illegal: np.ndarray
    wins: np.ndarray
    loses: np.ndarray  # legal, and the other side captures at once


def judge_moves(boards: np.ndarray, moves: np.ndarray) -> Verdicts:
    """moves (n,) int: points, or the pass (size * size), which is legal."""
    n, size, _ = boards.shape
    row = np.arange(n)
    passed = moves == size * size
    points = np.where(passed, 0, moves)
    legal = legal_points(boards)[row, points] | passed
    wins = capturing_points(boards, ENEMY)[row, points] & ~passed
    after = boards.reshape(n, -1).copy()
    quiet = legal & ~wins & ~passed
    after[row[quiet], points[quiet]] = OWN
    answered = capturing_points(after.reshape(boards.shape), OWN).any(axis=1)
    return Verdicts(~legal, wins, legal & ~wins & answered)


def observe(boards: np.ndarray) -> np.ndarray:
    """(n, PLANES, size, size) float32: own and enemy stones, those of them in atari, the board, row and column.

    Which chains are in atari is shown, as the package's own planes show it: what is to be learned is where to play.
    """
    n, size, _ = boards.shape
    low, high = liberties(boards)
    atari = (low == high) & (boards != 0)
    planes = np.empty((n, PLANES, size, size), np.float32)
    planes[:, 0], planes[:, 1] = boards == OWN, boards == ENEMY
    planes[:, 2], planes[:, 3] = planes[:, 0] * atari, planes[:, 1] * atari
    planes[:, 4] = 1
    middle = (size - 1) / 2
    offsets = ((np.arange(size) - middle) / max(middle, 1)).astype(np.float32)
    planes[:, 5], planes[:, 6] = offsets[:, None], offsets[None, :]
    return planes


def _filled(size: int, count: int, rng: np.random.Generator, group: Group) -> np.ndarray:
    representative = group_elements(size, group, rng).min(axis=0)  # of each point's orbit
    density = rng.uniform(0.3, 0.7, (count, 1))
    colours = rng.choice(np.array([OWN, ENEMY], np.int8), (count, size * size))
    stones = np.where(rng.random((count, size * size)) < density, colours, np.int8(0))
    return stones[:, representative].reshape(count, size, size)


def _neighbours(size: int) -> list[tuple[tuple[slice, ...], tuple[slice, ...]]]:
    """Index pairs (here, there) such that `there` is the neighbour of `here`, for each of the four directions."""
    everything, first, last = slice(None), slice(0, size - 1), slice(1, size)
    up, down = (everything, first), (everything, last)
    left, right = (everything, everything, first), (everything, everything, last)
    return [(up, down), (down, up), (left, right), (right, left)]
