"""The arrays that hold games: what the rules look like to a kernel (`Tables`) and the games themselves (`State`)."""

from typing import Any, NamedTuple

import numpy as np

EMPTY, BLACK, WHITE, WALL = 0, 1, 2, 3
SIMPLE, POSITIONAL, SITUATIONAL = 0, 1, 2  # ko rules
PLAYING, FINISHED, TRUNCATED = 0, 1, 2  # State.status
LEGAL, OCCUPIED, SUICIDE, KO, REPEATS, OVER = 0, 1, 2, 3, 4, 5  # verdicts
SKIP = -1  # the action that leaves a game of a batch as it is


class Tables(NamedTuple):
    """A `Rules` as the kernels read it."""

    neighbours: np.ndarray  # (num_points, 4) uint16; the wall, `num_points`, where the board ends
    keys: np.ndarray  # (num_points, 3) uint64 Zobrist keys by colour; bit 0 clear, it tells who is to move
    ko: int
    suicide: bool
    capture: bool
    max_moves: int


class State(NamedTuple):
    """Games in progress, one per row of every array."""

    board: np.ndarray  # (games, num_points + 1) int8
    open_sides: np.ndarray  # (games, num_points + 1) int8: how many neighbours are empty
    chain: np.ndarray  # (games, num_points + 1) uint16: the point that names the chain of this stone
    next_stone: np.ndarray  # (games, num_points) uint16: the chain's stones, as a ring
    liberties: np.ndarray  # (games, num_points) int16: pseudo-liberties of the chain named by this point
    liberty_sum: np.ndarray  # (games, num_points) int32
    liberty_squares: np.ndarray  # (games, num_points) int32
    lost: np.ndarray  # (games, num_points) int8: BLACK | WHITE, the colours that were ever taken off this point
    packed: np.ndarray  # (games, ceil(num_points / 4)) uint8: the board at 2 bits a point
    hash: np.ndarray  # (games,) uint64
    to_play: np.ndarray  # (games,) int8
    passes: np.ndarray  # (games,) int32: consecutive, up to now
    ko_point: np.ndarray  # (games,) int16: where simple ko forbids the retake, or -1
    status: np.ndarray  # (games,) int8
    winner: np.ndarray  # (games,) int8: who captured first, which decides Capture-Go; or EMPTY
    num_moves: np.ndarray  # (games,) int32
    moves: np.ndarray  # (games, capacity) int16
    num_past: np.ndarray  # (games,) int32: how many entries of the two arrays below are in use
    past_hash: (
        np.ndarray
    )  # (games, capacity) uint64: earlier boards; bit 0 is the side to move under situational superko
    past_board: np.ndarray  # (games, capacity, ceil(num_points / 4)) uint8


def make_tables(rules: Any) -> Tables:
    """The kernels' view of a `Rules`."""
    rows, cols = rules.rows, rules.cols
    wall = rows * cols
    points = np.pad(np.arange(wall).reshape(rows, cols), 1, constant_values=wall)
    neighbours = np.stack([points[:-2, 1:-1], points[1:-1, :-2], points[1:-1, 2:], points[2:, 1:-1]], axis=-1)
    keys = np.random.Generator(np.random.PCG64(1977)).integers(0, 2**63, size=(wall, 3), dtype=np.uint64) << np.uint64(
        1
    )
    keys[:, EMPTY] = 0
    ko = {"simple": SIMPLE, "positional": POSITIONAL, "situational": SITUATIONAL}[rules.ko]
    # Nothing can repeat before the first capture, so Capture-Go needs no history.
    ko = SIMPLE if rules.objective == "capture" else ko
    return Tables(
        neighbours=np.ascontiguousarray(neighbours.reshape(wall, 4), np.uint16),
        keys=keys,
        ko=ko,
        suicide=rules.suicide,
        capture=rules.objective == "capture",
        max_moves=rules.max_moves,
    )


def make_state(tables: Tables, num_games: int, capacity: int) -> State:
    """Arrays for `num_games` games with room for `capacity` plies; `lockstep.reset_games` makes them empty boards."""
    points = len(tables.neighbours)
    past = capacity + 1 if tables.ko != SIMPLE else 0
    width = (points + 3) // 4

    def zeros(*shape: int, dtype: type) -> np.ndarray:
        return np.zeros((num_games, *shape), dtype)

    return State(
        board=zeros(points + 1, dtype=np.int8),
        open_sides=zeros(points + 1, dtype=np.int8),
        chain=zeros(points + 1, dtype=np.uint16),
        next_stone=zeros(points, dtype=np.uint16),
        liberties=zeros(points, dtype=np.int16),
        liberty_sum=zeros(points, dtype=np.int32),
        liberty_squares=zeros(points, dtype=np.int32),
        lost=zeros(points, dtype=np.int8),
        packed=zeros(width, dtype=np.uint8),
        hash=zeros(dtype=np.uint64),
        to_play=zeros(dtype=np.int8),
        passes=zeros(dtype=np.int32),
        ko_point=zeros(dtype=np.int16),
        status=zeros(dtype=np.int8),
        winner=zeros(dtype=np.int8),
        num_moves=zeros(dtype=np.int32),
        moves=zeros(capacity, dtype=np.int16),
        num_past=zeros(dtype=np.int32),
        past_hash=zeros(past, dtype=np.uint64),
        past_board=zeros(past, width, dtype=np.uint8),
    )


def with_capacity(tables: Tables, state: State, capacity: int) -> State:
    """The same games with room for `capacity` plies; arrays that do not grow are shared."""
    past = capacity + 1 if tables.ko != SIMPLE else 0

    def grown(array: np.ndarray, length: int) -> np.ndarray:
        result = np.zeros((array.shape[0], length, *array.shape[2:]), array.dtype)
        used = min(length, array.shape[1])
        result[:, :used] = array[:, :used]
        return result

    return state._replace(
        moves=grown(state.moves, capacity),
        past_hash=grown(state.past_hash, past),
        past_board=grown(state.past_board, past),
    )
