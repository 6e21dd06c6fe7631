"""Exact answers on small boards: who can force what, proven move by move. Start with `Solver`.

A proof holds under the rules of the position, superko and its history included: nothing is remembered between lines of
play, because a position under superko is more than its board. That makes it a solver for positions with few empty
points. It is plain alpha-beta with one question ("can this side force this score within so many plies?"), asked of
deeper and deeper trees; stones that are alive whatever happens (Benson 1976) and passes end most lines early.
"""

import math

import numpy as np

from envs import BLACK, WHITE, Position
from envs.benson import mark_pass_alive, pack
from envs.jit import njit
from envs.kernel import play, score, verdict
from envs.lockstep import copy_games, is_own_eye
from envs.state import LEGAL, PLAYING, State, Tables, make_state

NO, YES, OPEN, OUT_OF_NODES = 0, 1, 2, 3


class Unsolved(Exception):
    """The search would need more nodes, or deeper lines, than it was given."""


class Solver:
    """Answers about positions; every answer may use at most `nodes` nodes and lines of `plies` plies."""

    def __init__(self, nodes: int = 20_000_000, plies: int = 40) -> None:
        self.nodes = nodes
        self.plies = plies

    def winning_moves(self, position: Position) -> frozenset[int]:
        """The moves after which the side to move wins against any reply; all others are proven not to.

        Raises Unsolved.
        """
        return frozenset(int(a) for a in np.flatnonzero(position.legal_mask()) if self._wins(position, int(a)))

    def value(self, position: Position) -> int:
        """Black's area minus White's, komi left out, when both sides play perfectly. Raises Unsolved."""
        low, high = -position.rules.num_points, position.rules.num_points
        while low < high:
            middle = (low + high + 1) // 2
            if self._black_forces(position, middle):
                low = middle
            else:
                high = middle - 1
        return low

    def _wins(self, position: Position, action: int) -> bool:
        komi = float(position.rules.komi or 0)
        after = position.play(action)
        if position.to_play == BLACK:
            return self._black_forces(after, math.floor(komi) + 1)
        return not self._black_forces(after, math.ceil(komi))

    def _black_forces(self, position: Position, bound: int) -> bool:
        """Can Black make the area difference `bound` or more? Both answers are tried, with longer and longer lines."""
        left = self.nodes
        for plies in range(self.plies + 1):
            for black in (True, False):
                answer, used = _ask(position, black, bound, plies, left)
                left -= used
                if answer == YES:
                    return black
                if left <= 0:
                    raise Unsolved(f"no proof with {self.nodes} nodes, {plies} plies deep:\n{position}")
        raise Unsolved(f"no proof in {self.plies} plies:\n{position}")


def _ask(position: Position, black: bool, bound: int, plies: int, nodes: int) -> tuple[int, int]:
    """(answer, nodes used)."""
    rules = position.rules
    if rules.objective != "area":
        raise ValueError("the solver counts area: expected rules with objective 'area'")
    source = position._state
    used = max(int(source.num_moves[0]), int(source.num_past[0]) - 1)
    levels = make_state(rules.tables, plies + 1, used + plies)
    copy_games(source, levels, np.zeros(1, np.int64), np.zeros(1, np.int64))
    return _search(rules.tables, levels, rules.cols, BLACK if black else WHITE, bound, plies, nodes)


@njit()
def _search(t: Tables, s: State, cols: int, prover: int, bound: int, plies: int, nodes: int) -> tuple:
    """(answer, nodes used), depth first from game 0 of `s`, one game a ply: will `prover` get what it needs?"""
    points = len(t.neighbours)
    moves = np.empty((plies + 1, points + 1), np.int16)
    count, tried = np.zeros((2, plies + 1), np.int64)
    history = np.zeros((3, points + 1), np.int64)  # by colour and move: how often it decided a node, deep trees first
    here, below = np.zeros((2, 1), np.int64)
    used = depth = 0
    entering = True
    answer = NO
    while True:
        if entering:
            used += 1
            if used > nodes:
                return OUT_OF_NODES, used
            answer = _leaf(t, s, depth, cols, prover, bound, plies - depth)
            tried[depth] = count[depth] = 0
            if answer == OPEN:
                count[depth] = _moves(t, s, depth, prover, history, moves[depth])
        elif (answer == YES) == (s.to_play[depth] == prover):  # the child just left decides this node
            history[s.to_play[depth], moves[depth, tried[depth] - 1]] += 1 + (plies - depth) ** 2
            count[depth] = 0
        if tried[depth] < count[depth]:
            here[0], below[0] = depth, depth + 1
            copy_games(s, s, here, below)
            play(t, s, depth + 1, moves[depth, tried[depth]])
            tried[depth] += 1
            depth += 1
            entering = True
        elif depth:
            depth -= 1
            entering = False
        else:
            return answer, used


@njit()
def _leaf(t: Tables, s: State, g: int, cols: int, prover: int, bound: int, plies: int) -> int:
    """YES or NO where the answer is known without a move, else OPEN. Out of plies is NO: only YES is a proof."""
    points = len(t.neighbours)
    ownership = np.empty(points, np.int8)
    now = (score(t, s, g, ownership, np.empty(points, np.int16)) >= bound) == (prover == BLACK)
    if s.status[g] != PLAYING:
        return YES if now else NO
    if s.passes[g] and now == (s.to_play[g] == prover):  # the side to move ends the game as it likes it
        return YES if now else NO
    if 2 * sure_points(t, s, g, cols, BLACK) - points >= bound:
        return YES if prover == BLACK else NO
    if points - 2 * sure_points(t, s, g, cols, WHITE) < bound:
        return YES if prover == WHITE else NO
    return OPEN if plies else NO


@njit()
def _moves(t: Tables, s: State, g: int, prover: int, history: np.ndarray, out: np.ndarray) -> int:
    """Fill `out` with the moves to try, most successful first; returns how many. The prover spares its own eyes."""
    points = len(t.neighbours)
    colour = s.to_play[g]
    count = 0
    for action in range(points + 1):
        if action < points and (
            verdict(t, s, g, action) != LEGAL or (colour == prover and is_own_eye(t, s, g, action))
        ):
            continue
        i = count
        while i > 0 and history[colour, out[i - 1]] < history[colour, action]:
            out[i] = out[i - 1]
            i -= 1
        out[i] = action
        count += 1
    return count


@njit()
def sure_points(t: Tables, s: State, g: int, cols: int, colour: int) -> int:
    """How many points count for `colour` at the end even if it only passes: pass-alive stones and their one-point eyes.

    Larger regions of pass-alive stones are its area only if it answers (see `envs/benson.py`), so they are left out.
    """
    points = len(t.neighbours)
    black, white, bits = np.zeros((3, points // cols + 2), np.int64)
    pack(s.board[g], cols, black, white)
    seen = np.empty(points + 1, np.bool_)
    region, eyes = np.empty((2, points), np.int16)
    ends = np.zeros(points + 1, np.int16)
    vital = np.empty((points, 4), np.int16)
    alive = np.zeros(points, np.int8)
    own, enemy = (black, white) if colour == BLACK else (white, black)
    mark_pass_alive(
        t.neighbours, s.board[g], s.chain[g], cols, t.suicide, colour,
        own, enemy, bits, seen, region, ends, vital, eyes, alive,
    )  # fmt: skip
    total = 0
    for point in range(points):
        sure = alive[point] != 0
        if s.board[g, point] != colour:
            for k in range(4):
                q = t.neighbours[point, k]
                sure &= q == points or s.board[g, q] == colour
        total += sure
    return total
