"""What a network sees: a position as planes of float32, from the side to move.

| planes | what is 1 there |
|---|---|
| own stones | a stone of the side to move |
| enemy stones | a stone of the other side |
| own liberties 1, 2, 3+ | a stone of the side to move whose chain has that many liberties |
| enemy liberties 1, 2, 3+ | the same for the other side |
| last moves 1 to 4 | the point of the last move, the one before, ... |
| passes 1, 2 | everywhere, if the last move (the one before) was a pass |
| illegal | an empty point where the side to move may not play |
| komi | everywhere, the komi in favour of the side to move, divided by `KOMI_SCALE` (a number, not 0 or 1) |
| board | everywhere: with zero padding it shows a network where the board ends |
"""

import numba
import numpy as np

from envs.jit import kernel, njit
from envs.rules import Rules
from envs.state import BLACK, EMPTY, State, Tables

# (name, number of planes), in order; the table above says what each holds.
PLANES = (
    ("own stones", 1),
    ("enemy stones", 1),
    ("own liberties", 3),
    ("enemy liberties", 3),
    ("last moves", 4),
    ("passes", 2),
    ("illegal", 1),
    ("komi", 1),
    ("board", 1),
)
NUM_PLANES = sum(count for _, count in PLANES)
OFFSETS = {name: sum(count for _, count in PLANES[:i]) for i, (name, _) in enumerate(PLANES)}
KOMI_SCALE = 15.0

_OWN, _ENEMY = OFFSETS["own stones"], OFFSETS["enemy stones"]
_OWN_LIBERTIES, _ENEMY_LIBERTIES = OFFSETS["own liberties"], OFFSETS["enemy liberties"]
_LAST, _NUM_LAST, _PASSES = OFFSETS["last moves"], 4, OFFSETS["passes"]
_ILLEGAL, _KOMI, _BOARD = OFFSETS["illegal"], OFFSETS["komi"], OFFSETS["board"]


def observe(rules: Rules, state: State, legal: np.ndarray, komi: np.ndarray, parallel: bool = False) -> np.ndarray:
    """(games, NUM_PLANES, rows, cols) float32 for every game of `state`.

    legal: (games, num_actions) bool. komi: (games,) float32, points for White.
    """
    out = np.zeros((len(legal), NUM_PLANES, rules.num_points), np.float32)
    fill = _observe_parallel if parallel else _observe
    fill(rules.tables, state, legal, komi / np.float32(KOMI_SCALE), out)
    return out.reshape(len(legal), NUM_PLANES, rules.rows, rules.cols)


@kernel()
def count_liberties(t: Tables, s: State, g: int, head: int, most: int) -> int:
    """The number of different liberties of the chain named `head`, up to `most` <= 3."""
    first = -1
    second = -1
    found = 0
    stone = head
    while True:
        for k in range(4):
            q = t.neighbours[stone, k]
            if s.board[g, q] == EMPTY and q != first and q != second:
                second = first
                first = q
                found += 1
                if found == most:
                    return found
        stone = s.next_stone[g, stone]
        if stone == head:
            return found


def _fill(t, s, legal, komi, out):
    for g in numba.prange(len(out)):
        colour = s.to_play[g]
        wall = len(t.neighbours)
        for point in range(wall):
            stone = s.board[g, point]
            if stone == EMPTY:
                out[g, _ILLEGAL, point] = not legal[g, point]
            elif s.chain[g, point] == point:  # once a chain, at the stone that names it
                own = stone == colour
                liberties = count_liberties(t, s, g, point, 3)
                plane = (_OWN_LIBERTIES if own else _ENEMY_LIBERTIES) + liberties - 1
                member = point
                while True:
                    out[g, _OWN if own else _ENEMY, member] = 1
                    out[g, plane, member] = 1
                    member = s.next_stone[g, member]
                    if member == point:
                        break
            out[g, _KOMI, point] = -komi[g] if colour == BLACK else komi[g]
            out[g, _BOARD, point] = 1
        for back in range(min(_NUM_LAST, s.num_moves[g])):
            move = s.moves[g, s.num_moves[g] - 1 - back]
            if move < wall:
                out[g, _LAST + back, move] = 1
            elif back < 2:
                out[g, _PASSES + back, :] = 1


_observe = njit()(_fill)
_observe_parallel = njit(parallel=True)(_fill)
