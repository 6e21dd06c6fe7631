"""The planes are what their table says."""

import re

import numpy as np
import pytest

from envs import BLACK, GoBatch, Position, Rules, planes
from envs.planes import KOMI_SCALE, NUM_PLANES, OFFSETS, PLANES
from tests.envs.games import play_vertices, random_positions
from tests.oracle import referee

HOW_MANY = {"": 1, "1, 2": 2, "1, 2, 3+": 3, "1 to 4": 4}


def test_the_table_lists_the_planes():
    rows = re.findall(r"^\| ([a-z ]+?) ?(\d[^|]*)? \|", planes.__doc__, re.MULTILINE)
    assert tuple((name, HOW_MANY[numbers]) for name, numbers in rows if name != "planes") == PLANES
    assert NUM_PLANES == sum(count for _, count in PLANES) == len(Position(Rules(2, 2)).observe())
    assert {PLANES[i][0]: sum(n for _, n in PLANES[:i]) for i in range(len(PLANES))} == OFFSETS


def recomputed(position: Position) -> np.ndarray:
    """The planes of a position, written down from the table with the referee's liberties."""
    rules = position.rules
    game = referee(rules, position.moves)
    named = {name: np.zeros((count, rules.num_points), np.float32) for name, count in PLANES}
    for point, verdict in enumerate(game.verdicts()[:-1]):
        stone = game.board[point]
        if stone:
            whose = "own" if stone == game.to_play else "enemy"
            named[f"{whose} stones"][0, point] = 1
            named[f"{whose} liberties"][min(3, len(game.liberties(game.board, point))) - 1, point] = 1
        named["illegal"][0, point] = not stone and verdict != "legal"
    for back, move in enumerate(reversed(game.moves[-4:])):
        if move != game.pass_action:
            named["last moves"][back, move] = 1
        elif back < 2:
            named["passes"][back] = 1
    named["komi"][:] = (-game.komi if game.to_play == BLACK else game.komi) / KOMI_SCALE
    named["board"][:] = 1
    return np.concatenate(list(named.values())).reshape(NUM_PLANES, rules.rows, rules.cols)


@pytest.mark.parametrize(
    "rules",
    [
        Rules(5, 5, suicide=True),
        Rules(3, 7, ko="situational", komi=-2.5),
        Rules(9, 9, ko="simple"),
        Rules(1, 4),
        Rules(4, 4, objective="capture"),
        Rules(3, 3, max_moves=9),
    ],
    ids=str,
)
def test_planes_are_what_the_table_says(rules):
    for seed in range(5):
        positions = list(random_positions(rules, seed, plies=60, pass_weight=0.5))
        rows = GoBatch.from_positions(positions).observe()
        assert rows.dtype == np.float32
        for position, row in zip(positions, rows, strict=True):
            assert (position.observe() == recomputed(position)).all(), f"{position}"
            assert (row == position.observe()).all()


def test_a_position_to_read():
    position = play_vertices(Rules(3, 3, komi=6), "B2 A1 pass A2")
    seen = {name: position.observe()[OFFSETS[name] : OFFSETS[name] + count].tolist() for name, count in PLANES}
    assert seen["own stones"] == [[[0, 0, 0], [0, 1, 0], [0, 0, 0]]]
    assert seen["enemy stones"] == [[[0, 0, 0], [1, 0, 0], [1, 0, 0]]]
    assert seen["own liberties"][2] == [[0, 0, 0], [0, 1, 0], [0, 0, 0]]
    assert seen["enemy liberties"][1] == [[0, 0, 0], [1, 0, 0], [1, 0, 0]]
    assert seen["last moves"][0] == [[0, 0, 0], [1, 0, 0], [0, 0, 0]]
    assert seen["last moves"][1] == [[0, 0, 0]] * 3 and seen["passes"] == [[[0] * 3] * 3, [[1] * 3] * 3]
    assert np.array(seen["komi"]) == pytest.approx(-0.4)
