"""The kernels over all games of a `State`, and whole random games. The rules themselves are in `kernel.py`.

Each entry that is worth a second core exists twice from one source: serial, and `_parallel` over games.
"""

import numba
import numpy as np

from envs import kernel
from envs.jit import kernel as kernel_function
from envs.jit import njit
from envs.state import EMPTY, LEGAL, OVER, PLAYING, SKIP, State, Tables


def _legal_masks(t, s, out):
    for g in numba.prange(len(out)):
        if s.status[g] == PLAYING:
            kernel.legal_points(t, s, g, out)
            out[g, len(t.neighbours)] = True
        else:
            out[g, :] = False


def _verdicts(t, s, actions, out):
    for g in numba.prange(len(out)):
        if actions[g] == SKIP:
            out[g] = LEGAL
        elif s.status[g] != PLAYING:
            out[g] = OVER
        elif actions[g] == len(t.neighbours):
            out[g] = LEGAL
        else:
            out[g] = kernel.verdict(t, s, g, actions[g])


@njit()
def first_illegal(masks: np.ndarray, actions: np.ndarray) -> int:
    """The first game whose action is neither SKIP nor set in masks (games, num_actions); -1 when there is none."""
    for g in range(len(actions)):
        if actions[g] != SKIP and not masks[g, actions[g]]:
            return g
    return -1


def _play_all(t, s, actions):
    for g in numba.prange(len(actions)):
        if actions[g] != SKIP:
            kernel.play(t, s, g, actions[g])


legal_masks = njit()(_legal_masks)
legal_masks_parallel = njit(parallel=True)(_legal_masks)
verdicts = njit()(_verdicts)
play_all = njit()(_play_all)
play_all_parallel = njit(parallel=True)(_play_all)


@njit()
def play_lines(t: Tables, s: State, lines: np.ndarray, stopped: np.ndarray) -> None:
    """Play lines (games, plies), SKIP where they end; stopped (games,) is the ply of the first illegal move, or -1."""
    for g in range(len(lines)):
        stopped[g] = -1
        for ply in range(lines.shape[1]):
            action = lines[g, ply]
            if action == SKIP:
                continue
            wall = len(t.neighbours)
            good = 0 <= action <= wall and s.status[g] == PLAYING
            if not (good and (action == wall or kernel.verdict(t, s, g, action) == LEGAL)):
                stopped[g] = ply
                break
            kernel.play(t, s, g, action)


@njit()
def reset_games(t: Tables, s: State, which: np.ndarray) -> None:
    """Empty the boards of the games where `which` (games,) bool is set."""
    for g in range(len(which)):
        if which[g]:
            kernel.clear(t, s, g)


@njit()
def all_scores(t: Tables, s: State, ownership: np.ndarray) -> np.ndarray:
    """(games,) int32 scores for Black without komi; fills ownership (games, num_points) int8."""
    scores = np.empty(len(ownership), np.int32)
    stack = np.empty(len(t.neighbours), np.int16)
    for g in range(len(scores)):
        scores[g] = kernel.score(t, s, g, ownership[g], stack)
    return scores


@njit()
def copy_games(source: State, target: State, from_: np.ndarray, to: np.ndarray) -> None:
    """Copy games `from_[i]` of `source` into slots `to[i]` of `target`, in order; only the history in use is moved."""
    for i in range(len(to)):
        a, b = from_[i], to[i]
        target.board[b] = source.board[a]
        target.open_sides[b] = source.open_sides[a]
        target.chain[b] = source.chain[a]
        target.next_stone[b] = source.next_stone[a]
        target.liberties[b] = source.liberties[a]
        target.liberty_sum[b] = source.liberty_sum[a]
        target.liberty_squares[b] = source.liberty_squares[a]
        target.lost[b] = source.lost[a]
        target.packed[b] = source.packed[a]
        target.hash[b] = source.hash[a]
        target.to_play[b] = source.to_play[a]
        target.passes[b] = source.passes[a]
        target.ko_point[b] = source.ko_point[a]
        target.status[b] = source.status[a]
        target.winner[b] = source.winner[a]
        moves, past = source.num_moves[a], source.num_past[a]
        target.num_moves[b] = moves
        target.moves[b, :moves] = source.moves[a, :moves]
        target.num_past[b] = past
        target.past_hash[b, :past] = source.past_hash[a, :past]
        target.past_board[b, :past] = source.past_board[a, :past]


GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # SplitMix64 (Steele, Lea, Flood 2014): add this, then mix
CACHE_LINE = 64  # random_games keeps its workers this many slots apart, or they would write to each other's cache lines


@kernel_function(forceinline=True)
def mix(state: np.uint64) -> np.uint64:
    """64 random bits from the state of a SplitMix64."""
    z = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@kernel_function(forceinline=True)
def stream(seed: np.uint64, game: int) -> np.uint64:
    """Where the random numbers of a game begin, whichever thread plays it."""
    return mix(seed ^ mix(np.uint64(game + 1)))


@kernel_function(forceinline=True)
def below(bits: np.uint64, bound: int) -> int:
    """A number in 0..bound-1 from 64 random bits; the bias is under bound / 2**32."""
    return np.int64(((bits >> np.uint64(32)) * np.uint64(bound)) >> np.uint64(32))  # type: ignore[return-value]


def _choose(masks, seed, out):
    for g in numba.prange(len(out)):
        random = stream(seed, g)
        actions = masks.shape[1]
        out[g] = SKIP
        for _ in range(16):  # an action drawn until it is set is uniform over the set ones
            random += GOLDEN
            action = below(mix(random), actions)
            if masks[g, action]:
                out[g] = action
                break
        if out[g] == SKIP:  # few are set: count them
            count = 0
            for action in range(actions):
                count += masks[g, action]
            random += GOLDEN
            left = below(mix(random), max(count, 1))
            for action in range(actions):
                if masks[g, action]:
                    if left == 0:
                        out[g] = action
                    left -= 1


choose = njit()(_choose)
choose_parallel = njit(parallel=True)(_choose)


@kernel_function(forceinline=True)
def uniform_action(t: Tables, s: State, g: int, random: np.uint64, scratch: np.ndarray) -> tuple:
    """(action, random): a draw from the legal moves and the pass of game `g`, and the generator's next state."""
    wall = len(t.neighbours)
    for _ in range(16):  # a point drawn until it is legal is uniform over the legal ones
        random += GOLDEN
        point = below(mix(random), wall + 1)
        if point == wall or kernel.verdict(t, s, g, point) == LEGAL:
            return point, random
    count = 0  # few are legal: list them, as likely each
    for point in range(wall):
        if kernel.verdict(t, s, g, point) == LEGAL:
            scratch[count] = point
            count += 1
    scratch[count] = wall
    random += GOLDEN
    return scratch[below(mix(random), count + 1)], random


@njit(parallel=True)
def random_games(
    t: Tables, s: State, seed: np.uint64, todo: np.ndarray, scores: np.ndarray, lengths: np.ndarray
) -> None:
    """Play whole games, each move uniform over the legal moves and the pass; fills scores and lengths at `todo`.

    Slot `w * CACHE_LINE` of `s` is the board of worker `w`. Game `i` depends on (seed, i) alone, not on the number of
    workers. A length of -1: the history of `s` was too short for this game.
    """
    workers = (len(s.board) + CACHE_LINE - 1) // CACHE_LINE
    wall = len(t.neighbours)
    for w in numba.prange(workers):
        g = w * CACHE_LINE
        ownership = np.empty(wall, np.int8)
        scratch = np.empty(wall + 1, np.int16)
        for n in range(w, len(todo), workers):
            i = todo[n]
            random = stream(seed, i)
            kernel.clear(t, s, g)
            while s.status[g] == PLAYING and s.num_moves[g] < s.moves.shape[1]:
                action, random = uniform_action(t, s, g, random, scratch)
                kernel.play(t, s, g, action)
            lengths[i] = -1 if s.status[g] == PLAYING else s.num_moves[g]
            scores[i] = kernel.score(t, s, g, ownership, scratch)


@njit()
def set_up_game(t: Tables, s: State, g: int, board: np.ndarray, to_play: int) -> bool:
    """Make game `g` start anew from `board` (num_points,); False when a chain on it has no liberty."""
    return kernel.set_up(t, s, g, board, to_play)


@njit()
def hand_over(t: Tables, s: State) -> None:
    """Give the move in game 0 to the other side without a pass."""
    s.to_play[0] = 3 - s.to_play[0]
    s.ko_point[0] = -1
    kernel.remember(t, s, 0)


@njit()
def take_off_stone(t: Tables, s: State, g: int, point: int, board: np.ndarray) -> None:
    """Remove one stone of a chain; the history stays. `board` (num_points,) is the board as it is."""
    kernel.take_off_stone(t, s, g, point, board)


@kernel_function(forceinline=True)
def is_own_eye(t: Tables, s: State, g: int, point: int) -> bool:
    """Is this empty point a one-point eye of the side to move?

    Its own stones on every side, and enemies on at most one of the diagonal points, at the edge on none.
    """
    colour = s.to_play[g]
    wall = len(t.neighbours)
    spare = 1
    for k in range(4):
        q = t.neighbours[point, k]
        if q == wall:
            spare = 0
        elif s.board[g, q] != colour:
            return False
    for k in (0, 3):  # the diagonal points are beside the neighbours above and below
        q = t.neighbours[point, k]
        if q != wall:
            for j in (1, 2):
                spare -= s.board[g, t.neighbours[q, j]] == 3 - colour
    return spare >= 0


@njit()
def own_eyes(t: Tables, s: State, out: np.ndarray) -> None:
    """Fill out (games, num_actions) bool: the one-point eyes of the side to move; none once a game is over."""
    out[:] = False
    for g in range(len(out)):
        if s.status[g] == PLAYING:
            for point in range(len(t.neighbours)):
                out[g, point] = s.board[g, point] == EMPTY and is_own_eye(t, s, g, point)


@kernel_function(forceinline=True)
def playout_action(t: Tables, s: State, g: int, random: np.uint64, scratch: np.ndarray) -> tuple:
    """(action, random): a draw from the legal points that are no own eye; the pass when there is none."""
    wall = len(t.neighbours)
    count = 0
    for point in range(wall):
        if s.board[g, point] == EMPTY:
            scratch[count] = point
            count += 1
    while count:  # the empty points in random order: the first that will do is uniform over those that will do
        random += GOLDEN
        i = below(mix(random), count)
        point = scratch[i]
        if not is_own_eye(t, s, g, point) and kernel.verdict(t, s, g, point) == LEGAL:
            return point, random
        count -= 1
        scratch[i] = scratch[count]
    return wall, random


def _play_out(t, s, seed, max_plies):
    for g in numba.prange(len(s.status)):
        scratch = np.empty(len(t.neighbours), np.int16)
        random = stream(seed, g)
        for _ in range(max_plies):
            if s.status[g] != PLAYING:
                break
            action, random = playout_action(t, s, g, random, scratch)
            kernel.play(t, s, g, action)


play_out = njit()(_play_out)
play_out_parallel = njit(parallel=True)(_play_out)
