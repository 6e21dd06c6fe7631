"""Go moves described in yes and no: by raw stones and by hand-made features. Start with `items`."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from envs.symmetry import action_table
from goagent.lab.capture_go import ENEMY, OWN, legal_points, liberties, random_boards

SIZE, RADIUS, EDGE = 7, 2, 2  # of boards and of windows; what windows show beyond the board
MADE = 32  # features made by hand


def items(boards: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Boards (n, SIZE, SIZE), of each a move (n,) that captures nothing, and whether its chain is left in atari."""
    drawn, wins = random_boards(SIZE, boards, rng)
    row, quiet = np.arange(boards), legal_points(drawn) & ~wins
    points = (rng.random(quiet.shape) * quiet).argmax(axis=1)
    after = drawn.copy()
    after.reshape(boards, -1)[row, points] = OWN
    low, high = (side.reshape(boards, -1)[row, points] for side in liberties(after))
    caught, safe = (np.flatnonzero(quiet[row, points] & (atari == (low == high))) for atari in (True, False))
    half = min(len(caught), len(safe))
    chosen = rng.permutation(np.concatenate([caught[:half], safe[:half]]))
    return drawn[chosen], points[chosen], (low == high)[chosen]


def windows(boards: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(n, 5, 5) int8 around the points: stones, and `EDGE` beyond the board."""
    padded = np.pad(boards, ((0, 0), (RADIUS, RADIUS), (RADIUS, RADIUS)), constant_values=EDGE)
    views = np.lib.stride_tricks.sliding_window_view(padded, (2 * RADIUS + 1, 2 * RADIUS + 1), axis=(1, 2))
    return views[np.arange(len(boards)), points // SIZE, points % SIZE]


def raw(seen: np.ndarray) -> np.ndarray:
    """Windows -> (n, 48) bool: is the nearest point an own stone, an enemy one, and so on; both beyond the board."""
    away = np.square(np.arange(-RADIUS, RADIUS + 1))
    nearest = np.argsort((away[:, None] + away).ravel(), kind="stable")[1:]
    cells = seen.reshape(len(seen), -1)[:, nearest, None]
    return ((cells == [OWN, ENEMY]) | (cells == EDGE)).reshape(len(seen), -1)


def beside(boards: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What is above, left of, right of and below each point (n, 4), and the liberties of its chain (n, 4)."""
    grid = torch.from_numpy(boards).float()[:, None]
    steps = torch.eye(9)[[7, 5, 3, 1]].view(4, 1, 3, 3)
    marks = functional.one_hot(torch.from_numpy(points), SIZE * SIZE).float().view_as(grid)
    chain = functional.conv2d(marks, steps, padding=1)  # (n, 4, SIZE, SIZE)
    colour = torch.where(chain.sum((2, 3)) > 0, (chain * grid).sum((2, 3)), EDGE)

    def spread(chain: Tensor) -> Tensor:
        return functional.conv2d(chain.flatten(0, 1)[:, None], steps.sum(0, keepdim=True), padding=1).view_as(chain)

    same = (grid == colour[:, :, None, None]) & (grid != 0)
    before = torch.zeros_like(chain)
    while not torch.equal(chain, before):
        before, chain = chain, ((chain + spread(chain) > 0) & same).float()
    return colour.numpy(), ((spread(chain) > 0) & (grid == 0)).sum((2, 3)).numpy()


def hand_made(boards: np.ndarray, points: np.ndarray, seen: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(n, MADE) bool, of windows `seen`, too; the last are the 3x3 patterns most frequent among `others` (indices),
    turned and mirrored ones being one.
    """
    stones, free = beside(boards, points)
    empty, own, enemy = stones == 0, stones == OWN, stones == ENEMY
    numbers = [
        (empty, 1), (empty, 2), (own & (free > 2), 1), (own & (free == 2), 1), (own & (free == 2), 2),
        (own & (free > 3), 1), (own & (free == 1), 1), (stones == EDGE, 1), (empty, 3), (own, 1), (own, 2), (enemy, 1),
        (enemy, 2), (enemy, 3), (enemy & (free == 2), 1), (own & (free > 2), 2),
    ]  # fmt: skip
    turned = seen[:, 1:-1, 1:-1].reshape(-1, 9)[:, action_table(3, 3)[:, :-1]] % 4  # (n, 8, 9)
    pattern = (turned * 4 ** np.arange(9)).sum(axis=2).min(axis=1)
    names, counts = np.unique(pattern[others], return_counts=True)
    frequent = names[np.argsort(-counts, kind="stable")[: MADE - len(numbers)]]
    counted = np.stack([what.sum(axis=1) >= least for what, least in numbers], axis=1)
    return np.concatenate([counted, pattern[:, None] == frequent], axis=1)
