"""Where handicap stones go: `handicap_points` for the fixed placement of GTP 2, `free_handicap_points` for any."""

import numpy as np

from envs import Rules
from goagent.errors import UserError


def handicap_points(rules: Rules, stones: int) -> list[int]:
    """The points of the fixed placement, GTP 2 section 4.1.1: corners, then sides, the centre where they are odd.

    Boards from 7x7 take up to 4 stones, boards of two odd sides from 9 up to 9, the sides of a rectangle each by their
    own length. Raises UserError for another board or number.
    """
    if min(rules.rows, rules.cols) < 7:
        raise UserError(f"there is no fixed handicap on a {rules.size} board: expected 7x7 or larger")
    odd = all(side >= 9 and side % 2 for side in (rules.rows, rules.cols))
    most = 9 if odd else 4
    if not 2 <= stones <= most:
        raise UserError(f"handicap is {stones}: expected 2 to {most} on a {rules.size} board")
    (top, middle, bottom), (left, centre, right) = _lines(rules.rows), _lines(rules.cols)
    corners = [(bottom, left), (top, right), (top, left), (bottom, right)]
    sides = [(middle, left), (middle, right), (bottom, centre), (top, centre)]
    spots = corners[:stones] + (sides[: (stones - 4) // 2 * 2] if stones > 4 else [])
    if stones > 4 and stones % 2:
        spots.append((middle, centre))
    return [row * rules.cols + col for row, col in spots]


def free_handicap_points(rules: Rules, stones: int) -> list[int]:
    """The points for any number of stones from 2 to all but one: fixed as far as they go, then wherever most is free.

    Raises UserError for another number.
    """
    if not 2 <= stones < rules.num_points:
        raise UserError(f"handicap is {stones}: expected 2 to {rules.num_points - 1} on a {rules.size} board")
    try:
        return handicap_points(rules, stones)
    except UserError:
        pass
    try:
        points = handicap_points(rules, min(stones, 9))
    except UserError:
        points = []
    rows, cols = np.indices((rules.rows, rules.cols))
    line = 1 + np.minimum.reduce([rows, cols, rules.rows - 1 - rows, rules.cols - 1 - cols])
    room = line**2  # of each point: the distance to the nearest stone or its line from the edge, squared
    for number in range(stones):
        if number == len(points):
            points.append(int((room * 100 + line).argmax()))
        row, col = divmod(points[number], rules.cols)
        room = np.minimum(room, (rows - row) ** 2 + (cols - col) ** 2)
    return points


def _lines(side: int) -> tuple[int, int, int]:
    """The lines of a side that carry handicap stones: the third from the edge, or the fourth from 12 on."""
    line = 3 if side > 11 else 2
    return line, side // 2, side - 1 - line
