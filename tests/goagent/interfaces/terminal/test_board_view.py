"""The board on the screen, without a screen."""

import numpy as np
import pytest

from envs import Position
from goagent.interfaces.terminal.board_view import SCALES, Picture, Scale, best_scale, board_size, paint, star_points
from goagent.interfaces.terminal.panel import curve

BOARD = Position.from_diagram("X O . .\n. X . .\n. . . O").board


def text(**settings):
    return [line.plain.rstrip() for line in paint(Picture(BOARD, plain=True, **settings), Scale(2, 1))]


def test_a_board_of_characters():
    assert text(last=1) == [
        "    A B C D",
        " 3  ● ◎─┬─┐  3",
        " 2  ├─●─┼─┤  2",
        " 1  └─┴─┴─○  1",
        "    A B C D",
    ]


def test_cursor_heat_owners_and_marks():
    heat = np.array([0, 0, 0.07, 0.12, 0.5, 0, 0, 0, 0, 0, 0.003, 0, 0.3])
    assert text(heat=heat)[1:3] == [" 3  ● ○─712  3", " 2 50─●─┼─┤  2"]
    assert text(cursor=6)[2] == " 2  ├─●[┼]┤  2"
    assert text(marks={7: "◆"})[2] == " 2  ├─●─┼─◆  2"
    owners = np.zeros((3, 4), np.int8)
    owners[1, 0], owners[0, 3] = 1, -1
    assert text(owners=owners)[1:3] == [" 3  ● ○─┬─□  3", " 2  ■─●─┼─┤  2"]


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("plain", [True, False])
def test_every_scale_fills_its_size(scale, plain):
    columns, lines = board_size(3, 4, scale)
    painted = paint(Picture(BOARD, last=1, cursor=0, heat=np.full(13, 1 / 13), plain=plain), scale)
    assert len(painted) == lines and {line.cell_len for line in painted} == {columns}


def test_the_largest_scale_that_fits():
    assert best_scale(19, 19, 52, 23) == Scale(2, 1) and best_scale(9, 9, 52, 23) == Scale(5, 2)
    assert best_scale(19, 19, 10, 10) == Scale(2, 1)


def test_star_points():
    assert star_points(9, 9) == {20, 24, 40, 56, 60}
    assert len(star_points(19, 19)) == 9 and len(star_points(13, 13)) == 9
    assert star_points(5, 7) == {17} and star_points(4, 4) == set() and len(star_points(8, 8)) == 4


def test_a_curve():
    assert curve([0, 0.5, None, 1], 0, 1, 10) == "▁▅ █"
    assert curve([k / 99 for k in range(100)], 0, 1, 8) == "▁▂▃▄▅▆▇█"
