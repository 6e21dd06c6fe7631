"""The rules of Go on plain arrays. The only place where a stone is placed, and the only place that decides legality.

Start with `verdict` (may this move be played?), then `play` (play it), then `repeats` (superko). All of them work on
game `g` of a `State`, so one game is a `State` of one and a batch shares the code. Points are actions:
`row * cols + col`; index `num_points` is the pass and, on the board, the wall.

Chains carry *pseudo-liberties*: for each pair (stone, empty neighbour) the count, the sum and the sum of squares of
the neighbour's index. All three change in O(1) when a stone comes or goes, and a chain has exactly one liberty if and
only if count * sum_of_squares == sum ** 2 (equality in Cauchy-Schwarz; the trick is known from libEGO and Pachi).
"""

import numpy as np

from envs.jit import kernel
from envs.state import (
    BLACK,
    EMPTY,
    FINISHED,
    KO,
    LEGAL,
    OCCUPIED,
    PLAYING,
    REPEATS,
    SIMPLE,
    SITUATIONAL,
    SUICIDE,
    TRUNCATED,
    WALL,
    WHITE,
    State,
    Tables,
)  # fmt: skip


@kernel(forceinline=True)
def in_atari(s: State, g: int, head: int) -> bool:
    """True when the chain named `head` has exactly one liberty."""
    total = np.int64(s.liberty_sum[g, head])
    return np.int64(s.liberties[g, head]) * s.liberty_squares[g, head] == total * total


@kernel()
def sweep(t: Tables, s: State, g: int) -> None:
    """Take every stone off the board, without a trace in the history."""
    wall = len(t.neighbours)
    s.board[g, :wall] = EMPTY
    s.board[g, wall] = WALL
    s.packed[g, :] = 0
    s.hash[g] = 0
    for point in range(wall):
        s.open_sides[g, point] = 0
        for k in range(4):
            s.open_sides[g, point] += t.neighbours[point, k] != wall


@kernel()
def clear(t: Tables, s: State, g: int) -> None:
    """The start of a game: an empty board, Black to move."""
    sweep(t, s, g)
    s.lost[g, :] = 0
    s.to_play[g] = BLACK
    s.passes[g] = 0
    s.ko_point[g] = -1
    s.status[g] = PLAYING
    s.winner[g] = EMPTY
    s.num_moves[g] = 0
    s.num_past[g] = 0
    remember(t, s, g)


@kernel(forceinline=True)
def remember(t: Tables, s: State, g: int) -> None:
    """Add the present board, and under situational superko the side to move, to what may not come again."""
    if t.ko == SIMPLE:
        return
    n = s.num_past[g]
    s.past_hash[g, n] = s.hash[g] | situation(t, s.to_play[g])
    for i in range(s.packed.shape[1]):
        s.past_board[g, n, i] = s.packed[g, i]
    s.num_past[g] = n + 1


@kernel(forceinline=True)
def situation(t: Tables, to_play: int) -> np.uint64:
    """Bit 0 of a remembered hash: the side to move, where the ko rule asks for it."""
    return np.uint64(1) if t.ko == SITUATIONAL and to_play == WHITE else np.uint64(0)


@kernel(forceinline=True)
def add_liberty(s: State, g: int, head: int, point: int) -> None:
    s.liberties[g, head] += 1
    s.liberty_sum[g, head] += np.int64(point)
    s.liberty_squares[g, head] += np.int64(point) * np.int64(point)


@kernel(forceinline=True)
def remove_liberty(s: State, g: int, head: int, point: int) -> None:
    s.liberties[g, head] -= 1
    s.liberty_sum[g, head] -= np.int64(point)
    s.liberty_squares[g, head] -= np.int64(point) * np.int64(point)


@kernel()
def remove_chain(t: Tables, s: State, g: int, head: int) -> int:
    """Take the chain named `head` off the board; returns its number of stones."""
    colour = s.board[g, head]
    stone = head
    count = 0
    while True:
        s.board[g, stone] = EMPTY
        s.lost[g, stone] |= colour
        s.hash[g] ^= t.keys[stone, colour]
        s.packed[g, stone >> 2] ^= np.uint8(colour << (2 * (stone & 3)))
        for k in range(4):
            q = t.neighbours[stone, k]
            s.open_sides[g, q] += 1
            if (s.board[g, q] == BLACK or s.board[g, q] == WHITE) and s.chain[g, q] != head:
                add_liberty(s, g, s.chain[g, q], stone)
        count += 1
        stone = s.next_stone[g, stone]
        if stone == head:
            return count


@kernel(forceinline=True)
def merge(s: State, g: int, kept: int, joined: int) -> None:
    """Make chain `joined` part of chain `kept`."""
    stone = joined
    while True:
        s.chain[g, stone] = kept
        stone = s.next_stone[g, stone]
        if stone == joined:
            break
    s.next_stone[g, kept], s.next_stone[g, joined] = s.next_stone[g, joined], s.next_stone[g, kept]
    s.liberties[g, kept] += s.liberties[g, joined]
    s.liberty_sum[g, kept] += s.liberty_sum[g, joined]
    s.liberty_squares[g, kept] += s.liberty_squares[g, joined]


@kernel(forceinline=True)
def place_stone(t: Tables, s: State, g: int, point: int, colour: int) -> int:
    """Put a stone on an empty point, take what it captures, then itself if it has no liberty; returns its captures."""
    enemy = 3 - colour
    s.board[g, point] = colour
    s.chain[g, point] = point
    s.next_stone[g, point] = point
    s.liberties[g, point] = 0
    s.liberty_sum[g, point] = 0
    s.liberty_squares[g, point] = 0
    s.hash[g] ^= t.keys[point, colour]
    s.packed[g, point >> 2] ^= np.uint8(colour << (2 * (point & 3)))
    for k in range(4):
        q = t.neighbours[point, k]
        s.open_sides[g, q] -= 1
        if s.board[g, q] == EMPTY:
            add_liberty(s, g, point, q)
        elif s.board[g, q] != WALL:
            remove_liberty(s, g, s.chain[g, q], point)
    captured = 0
    head = point
    for k in range(4):
        q = t.neighbours[point, k]
        if s.board[g, q] == enemy:
            if s.liberties[g, s.chain[g, q]] == 0:
                captured += remove_chain(t, s, g, s.chain[g, q])
        elif s.board[g, q] == colour and s.chain[g, q] != head:
            merge(s, g, s.chain[g, q], head)  # the new stone joins its neighbours, not they it: less to relabel
            head = s.chain[g, q]
    if s.liberties[g, head] == 0:
        remove_chain(t, s, g, head)
    return captured


@kernel()
def repeats(t: Tables, s: State, g: int, point: int, suicide: bool) -> bool:
    """Would this move recreate an earlier position? A matching hash is confirmed on the stored board."""
    colour = s.to_play[g]
    taken = colour if suicide else 3 - colour
    key = s.hash[g] | situation(t, 3 - colour)
    if not suicide:
        key ^= t.keys[point, colour]
    for k in range(4):
        q = t.neighbours[point, k]
        if not is_taken(s, g, q, point, taken):
            continue
        head = s.chain[g, q]
        seen = False
        for j in range(k):
            other = t.neighbours[point, j]
            seen |= s.board[g, other] == taken and s.chain[g, other] == head
        stone = head
        while not seen:
            key ^= t.keys[stone, taken]
            stone = s.next_stone[g, stone]
            seen = stone == head
    found = 0
    for n in range(s.num_past[g]):  # no early exit: this loop becomes vector instructions
        found += s.past_hash[g, n] == key
    if found:
        for n in range(s.num_past[g]):
            if s.past_hash[g, n] == key and same_board(t, s, g, n, point, taken, suicide):
                return True
    return False


@kernel(forceinline=True)
def is_taken(s: State, g: int, q: int, point: int, taken: int) -> bool:
    """Is there a stone of colour `taken` on `q` whose chain's only liberty is `point`?"""
    if s.board[g, q] != taken:
        return False
    head = s.chain[g, q]
    return in_atari(s, g, head) and s.liberty_sum[g, head] == point * s.liberties[g, head]


@kernel()
def same_board(t: Tables, s: State, g: int, n: int, point: int, taken: int, suicide: bool) -> bool:
    """Is remembered board `n` the one that a move at `point` leads to?"""
    for q in range(len(t.neighbours)):
        after = s.board[g, q]
        if q == point and not suicide:
            after = s.to_play[g]
        elif is_taken(s, g, q, point, taken):
            after = EMPTY
        if (s.past_board[g, n, q >> 2] >> (2 * (q & 3))) & 3 != after:
            return False
    return True


@kernel(forceinline=True)
def verdict(t: Tables, s: State, g: int, point: int) -> int:
    """LEGAL, or the reason why the side to move may not play here. The game is not over; the pass is always legal."""
    if s.board[g, point] != EMPTY:
        return OCCUPIED
    colour = s.to_play[g]
    enemy = 3 - colour
    # An earlier board that this move recreates had our stone here, and it was taken since: no loss here, no repetition.
    fresh = t.ko == SIMPLE or s.lost[g, point] & colour == 0
    breathes = s.open_sides[g, point] > 0
    if breathes and fresh:
        return LEGAL
    connects = False
    for k in range(4):
        q = t.neighbours[point, k]
        stone = s.board[g, q]
        if stone == colour:
            connects = True
            breathes |= not in_atari(s, g, s.chain[g, q])
        elif stone == enemy:
            breathes |= in_atari(s, g, s.chain[g, q])
    if breathes and fresh:
        return KO if s.ko_point[g] == point else LEGAL
    if breathes:
        return REPEATS if repeats(t, s, g, point, False) else LEGAL
    # A single stone's suicide would leave the board as it is; a larger one changes it, but may recreate an older one.
    if not (t.suicide and connects):
        return SUICIDE
    return REPEATS if t.ko != SIMPLE and repeats(t, s, g, point, True) else LEGAL


@kernel(forceinline=True)
def legal_points(t: Tables, s: State, g: int, out: np.ndarray) -> None:
    """Fill out[g, :num_points] with `verdict(...) == LEGAL`, no game over.

    The first loop settles most points by an empty neighbour and no loss, in vector instructions.
    """
    watched = EMPTY if t.ko == SIMPLE else s.to_play[g]
    for point in range(len(t.neighbours)):
        out[g, point] = (s.board[g, point] == EMPTY) & (s.open_sides[g, point] > 0) & (s.lost[g, point] & watched == 0)
    for point in range(len(t.neighbours)):
        if (s.board[g, point] == EMPTY) & (not out[g, point]):  # `and` would branch twice, unpredictably
            out[g, point] = verdict(t, s, g, point) == LEGAL


@kernel(forceinline=True)
def play(t: Tables, s: State, g: int, action: int) -> None:
    """Play a point or the pass for the side to move, without asking whether it is legal. The history has room."""
    colour = s.to_play[g]
    s.moves[g, s.num_moves[g]] = action
    s.num_moves[g] += 1
    s.to_play[g] = 3 - colour
    s.ko_point[g] = -1
    s.status[g] = PLAYING
    if action == len(t.neighbours):
        s.passes[g] += 1
        if t.ko == SITUATIONAL:
            remember(t, s, g)
        if s.passes[g] >= 2:
            s.status[g] = FINISHED
    else:
        s.passes[g] = 0
        captured = place_stone(t, s, g, action, colour)
        remember(t, s, g)
        if captured == 1 and t.ko == SIMPLE and s.next_stone[g, action] == action and in_atari(s, g, action):
            s.ko_point[g] = s.liberty_sum[g, action] // s.liberties[g, action]
        if captured and s.winner[g] == EMPTY:
            s.winner[g] = colour
    if t.capture and s.winner[g] != EMPTY:
        s.status[g] = FINISHED
    if s.status[g] == PLAYING and s.num_moves[g] >= t.max_moves:
        s.status[g] = TRUNCATED


@kernel()
def lay_out(t: Tables, s: State, g: int, board: np.ndarray) -> None:
    """Replace all stones by those of `board` (num_points,), on which every chain has a liberty; the history stays."""
    sweep(t, s, g)
    for point in range(len(board)):
        if board[point] != EMPTY:
            place_stone(t, s, g, point, board[point])


@kernel()
def set_up(t: Tables, s: State, g: int, board: np.ndarray, to_play: int) -> bool:
    """Start anew from `board` (num_points,); False when a chain on it has no liberty."""
    clear(t, s, g)
    lay_out(t, s, g, board)
    s.lost[g, :] = 0
    s.to_play[g] = to_play
    s.num_past[g] = 0
    remember(t, s, g)
    same = True
    for point in range(len(board)):
        same &= s.board[g, point] == board[point]
    return same


@kernel()
def take_off_stone(t: Tables, s: State, g: int, point: int, board: np.ndarray) -> None:
    """Remove one stone of a chain; `board` (num_points,) is a copy of the board, which this changes."""
    s.lost[g, point] |= board[point]
    board[point] = EMPTY
    lay_out(t, s, g, board)


@kernel()
def area(t: Tables, s: State, g: int, out: np.ndarray, stack: np.ndarray) -> int:
    """Black's area minus White's; fills out (num_points,): +1 Black's, -1 White's, 0 nobody's. `stack` is scratch."""
    total = 0
    for point in range(len(out)):
        out[point] = 2  # not seen yet
    for point in range(len(out)):
        if out[point] != 2:
            continue
        if s.board[g, point] != EMPTY:
            out[point] = 1 if s.board[g, point] == BLACK else -1
            total += out[point]
            continue
        size = 0
        reaches = 0
        stack[0] = point
        top = 1
        out[point] = 0
        while size < top:
            stone = stack[size]
            size += 1
            for k in range(4):
                q = t.neighbours[stone, k]
                if s.board[g, q] != EMPTY:
                    reaches |= s.board[g, q] & 3 if s.board[g, q] != WALL else 0
                elif out[q] == 2:
                    out[q] = 0
                    stack[top] = q
                    top += 1
        if reaches in (BLACK, WHITE):
            owner = 1 if reaches == BLACK else -1
            for j in range(size):
                out[stack[j]] = owner
            total += owner * size
    return total


@kernel()
def score(t: Tables, s: State, g: int, out: np.ndarray, stack: np.ndarray) -> int:
    """Black's result without komi: the area difference, or under Capture-Go +1, 0, -1. Fills `out` as `area` does."""
    difference = area(t, s, g, out, stack)
    if t.capture:
        difference = 0 if s.winner[g] == EMPTY else (1 if s.winner[g] == BLACK else -1)
    return difference
