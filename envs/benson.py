"""Unconditional life: what stays a side's even if that side never plays again. Start with `pass_alive_games`.

D. B. Benson, "Life in the Game of Go", Information Sciences 10 (1976), 17-29. For one colour, the *regions* are the
connected sets of points that hold no stone of it. A region is *vital* to a chain if the chain touches every empty
point of it: as long as all chains around the region stand, the enemy cannot fill it. Take all chains and all regions;
strike out chains that have fewer than two vital regions, then regions that touch a chain struck out, and so on until
nothing changes. The chains left over are *pass-alive*: no sequence of enemy moves captures one, and of all other
chains some sequence does. Where suicide is allowed the enemy may empty a region by filling it and come back in another
shape, so there the chain has to touch the points under enemy stones as well.

A region that touches pass-alive chains only belongs to their side if every two of its *inner* points, those that touch
no stone around it, are neighbours of each other. An enemy chain that lives in there would need two eyes. Neither can
touch the stones around (its side would have to fill both eyes of a pass-alive chain), so both consist of inner points,
and points of two different eyes are no neighbours. KataGo (`Board::calculateArea`) asks for at most one inner point;
this is as safe and also decides, for example, a corner of 2x3. Enemy stones may stand in such a region, or come to,
but its side can take them off whenever it likes. Larger regions are left open, even empty ones: the enemy could live.
"""

import numpy as np

from envs.jit import kernel, njit
from envs.state import BLACK, EMPTY, WHITE, State, Tables

# In all kernels: near (num_points, 4) are the neighbours, board and chain (num_points + 1,) rows of a `State`. Arrays
# of bits (rows + 2,) int64 hold a row of the board in each number, column 0 in the lowest bit, and 0 above and below.


@kernel(forceinline=True)
def pack(board: np.ndarray, cols: int, black: np.ndarray, white: np.ndarray) -> None:
    """Fill the bits of the black and of the white stones."""
    point = 0
    for row in range(1, len(black) - 1):
        blacks = 0
        whites = 0
        for col in range(cols):
            blacks |= int(board[point] & 1) << col
            whites |= int(board[point] >> 1) << col
            point += 1
        black[row] = blacks
        white[row] = whites


@kernel(forceinline=True)
def around(bits: np.ndarray, row: int) -> int:
    """The points of a row that are in `bits` or next to one that is."""
    return bits[row] | bits[row] << 1 | bits[row] >> 1 | bits[row - 1] | bits[row + 1]


@kernel(forceinline=True)
def find_open(own: np.ndarray, enemy: np.ndarray, full: int, suicide: bool, out: np.ndarray) -> None:
    """Fill the bits of the regions that are vital to no chain, having a point that counts and touches no own stone.

    Most of a board is such a region, and bits find it faster than point after point would. full: a row with all set.
    """
    for row in range(1, len(out) - 1):
        out[row] = full & ~around(own, row) & (full if suicide else ~enemy[row])
    changed = True
    while changed:
        changed = False
        for row in range(1, len(out) - 1):
            grown = around(out, row) & full & ~own[row]
            changed |= grown != out[row]
            out[row] = grown


@kernel(forceinline=True)
def unpack(bits: np.ndarray, cols: int, unset: np.ndarray) -> bool:
    """Fill unset (num_points + 1,) with the points that are not in `bits`, and the wall; is any point in them?"""
    point = 0
    some = 0
    for row in range(1, len(bits) - 1):
        some |= bits[row]
        for col in range(cols):
            unset[point] = (bits[row] >> col) & 1 == 0
            point += 1
    unset[point] = True
    return some != 0


@kernel(forceinline=True)
def add_regions(near: np.ndarray, seen: np.ndarray, points: np.ndarray, ends: np.ndarray, count: int) -> int:
    """Add the connected parts of what is not `seen` to `count` regions; returns how many there are then.

    Region `r` is points[ends[r]:ends[r + 1]].
    """
    top = ends[count]
    for point in range(len(near)):
        if seen[point]:
            continue
        seen[point] = True
        points[top] = point
        n = top
        top += 1
        while n < top:
            for k in range(4):
                q = near[points[n], k]
                if not seen[q]:
                    seen[q] = True
                    points[top] = q
                    top += 1
            n += 1
        count += 1
        ends[count] = top
    return count


@kernel(forceinline=True)
def find_vital(
    near: np.ndarray,
    board: np.ndarray,
    chain: np.ndarray,
    colour: int,
    suicide: bool,
    region: np.ndarray,
    vital: np.ndarray,
) -> None:
    """Fill vital (4,) with the chains that a region is vital to, -1 for none.

    They are among the chains around any one of the points that count, so there are at most four.
    """
    vital[:] = -1
    first = True
    left = 0
    for point in region:
        if board[point] != EMPTY and not suicide:
            continue
        if first:
            first = False
            for k in range(4):
                q = near[point, k]
                head = np.int64(chain[q])
                if board[q] == colour and vital[0] != head and vital[1] != head and vital[2] != head:
                    vital[k] = head
                    left += 1
        else:
            for k in range(4):
                if vital[k] >= 0 and not touches(near, board, chain, point, colour, vital[k]):
                    vital[k] = -1
                    left -= 1
        if left == 0:
            return


@kernel(forceinline=True)
def touches(near: np.ndarray, board: np.ndarray, chain: np.ndarray, point: int, colour: int, head: int) -> bool:
    """Is the point next to a stone of the chain of this colour named `head`?"""
    for k in range(4):
        q = near[point, k]
        if board[q] == colour and chain[q] == head:
            return True
    return False


@kernel()
def touches_mortal(
    near: np.ndarray, board: np.ndarray, chain: np.ndarray, colour: int, region: np.ndarray, eyes: np.ndarray
) -> bool:
    """Does the region touch a chain with fewer than two `eyes`?"""
    for point in region:
        for k in range(4):
            q = near[point, k]
            if board[q] == colour and eyes[chain[q]] < 2:
                return True
    return False


@kernel()
def has_room_for_two_eyes(near: np.ndarray, board: np.ndarray, colour: int, region: np.ndarray) -> bool:
    """Has the region two inner points that are no neighbours of each other?"""
    inner = -1
    pair = False
    for point in region:
        outer = False
        beside = False
        for k in range(4):
            q = near[point, k]
            outer |= board[q] == colour
            beside |= q == inner
        if not outer:
            if inner >= 0 and (pair or not beside):
                return True
            pair = inner >= 0
            inner = int(point)
    return False


@kernel()
def mark_pass_alive(
    near: np.ndarray,
    board: np.ndarray,
    chain: np.ndarray,
    cols: int,
    suicide: bool,
    colour: int,
    own: np.ndarray,
    enemy: np.ndarray,
    bits: np.ndarray,
    seen: np.ndarray,
    points: np.ndarray,
    ends: np.ndarray,
    vital: np.ndarray,
    eyes: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write +1 for BLACK, -1 for WHITE to out (num_points,) wherever the colour's pass-alive chains hold.

    own, enemy: the bits of the stones. The rest is scratch; eyes (num_points,) counts the vital regions of a chain.
    """
    full = (1 << cols) - 1
    find_open(own, enemy, full, suicide, bits)
    for row in range(1, len(bits) - 1):
        bits[row] = full & ~own[row] & ~bits[row]
    if not unpack(bits, cols, seen):
        return
    regions = add_regions(near, seen, points, ends, 0)
    if regions < 2:
        return
    eyes[:] = 0
    alive = False
    for r in range(regions):
        find_vital(near, board, chain, colour, suicide, points[ends[r] : ends[r + 1]], vital[r])
        for k in range(4):
            if vital[r, k] >= 0:
                eyes[vital[r, k]] += 1
                alive |= eyes[vital[r, k]] == 2
    if not alive:
        return
    changed = True
    while changed:
        changed = False
        for r in range(regions):
            counts = vital[r, 0] >= 0 or vital[r, 1] >= 0 or vital[r, 2] >= 0 or vital[r, 3] >= 0
            if counts and touches_mortal(near, board, chain, colour, points[ends[r] : ends[r + 1]], eyes):
                changed = True
                for k in range(4):
                    if vital[r, k] >= 0:
                        eyes[vital[r, k]] -= 1
                        vital[r, k] = -1
    for row in range(1, len(bits) - 1):
        bits[row] = full & ~own[row] & ~bits[row]
    unpack(bits, cols, seen)
    regions = add_regions(near, seen, points, ends, regions)
    owner = 1 if colour == BLACK else -1
    for point in range(len(near)):
        if board[point] == colour and eyes[chain[point]] >= 2:
            out[point] = owner
    for r in range(regions):
        region = points[ends[r] : ends[r + 1]]
        if not has_room_for_two_eyes(near, board, colour, region) and not touches_mortal(
            near, board, chain, colour, region, eyes
        ):
            for point in region:
                out[point] = owner


@njit()
def pass_alive_games(t: Tables, s: State, cols: int, out: np.ndarray) -> None:
    """Fill out (games, num_points) int8: +1 Black's for good, -1 White's, 0 neither (yet)."""
    wall = len(t.neighbours)
    black, white, bits = np.zeros((3, wall // cols + 2), np.int64)
    seen = np.empty(wall + 1, np.bool_)
    points = np.empty(wall, np.int16)
    ends = np.zeros(wall + 1, np.int16)
    vital = np.empty((wall, 4), np.int16)
    eyes = np.empty(wall, np.int16)
    out[:] = 0
    for g in range(len(out)):
        pack(s.board[g], cols, black, white)
        for colour in (BLACK, WHITE):
            own, enemy = (black, white) if colour == BLACK else (white, black)
            mark_pass_alive(
                t.neighbours, s.board[g], s.chain[g], cols, t.suicide, colour,
                own, enemy, bits, seen, points, ends, vital, eyes, out[g],
            )  # fmt: skip
