"""Diagrams and coordinates: what is drawn can be read, and every system names the same point."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from envs import Position, Rules, coordinates, diagram
from envs.coordinates import action_to_sgf, action_to_vertex, parse_size, sgf_to_action, vertex_to_action

sizes = st.tuples(st.integers(1, 19), st.integers(1, 19))


@given(arrays.arrays(np.int8, sizes, elements=st.integers(0, 2)))
def test_a_drawn_board_is_read_back(board):
    drawn = diagram.draw(board)
    assert (diagram.read(drawn) == board).all()
    bare = "\n".join("".join(line.split()[1:]) for line in drawn.splitlines()[1:])
    assert (diagram.read(bare) == board).all() and (diagram.read(bare.lower()) == board).all()


def test_a_diagram_to_read():
    assert diagram.draw(np.array([[0, 1], [2, 0], [0, 0]])) == "   A B\n 3 . X\n 2 O .\n 1 . ."
    assert diagram.draw(np.zeros((1, 3)), marks={1: "a", 2: "+"}) == "   A B C\n 1 . a +"
    both_sides = "  A B\n2 + X 2\n1 # O 1\n  A B"
    assert diagram.read(both_sides).tolist() == [[0, 1], [1, 2]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the diagram is empty"),
        ("   A B C", "the diagram is empty"),
        (". X\n. ? .", r"cannot read '\?' in the diagram line '. \? .'"),
        (". X\n. . .", "rows differ in length: 2, 3"),
    ],
)
def test_a_bad_diagram_says_what_is_wrong(text, message):
    with pytest.raises(ValueError, match=message):
        diagram.read(text)


def test_a_diagram_must_fit_the_rules():
    with pytest.raises(ValueError, match="the diagram is 1x2, the rules say 9x9"):
        Position.from_diagram(". .", Rules())
    with pytest.raises(ValueError, match="colour is 0"):
        Position.from_diagram(". .", to_play=0)


@given(sizes, st.data())
def test_every_action_has_one_name_in_each_system(size, data):
    rows, cols = size
    action = data.draw(st.integers(0, rows * cols))
    vertex, sgf = action_to_vertex(action, rows, cols), action_to_sgf(action, rows, cols)
    assert vertex_to_action(vertex, rows, cols) == vertex_to_action(vertex.lower(), rows, cols) == action
    assert sgf_to_action(sgf, rows, cols) == action
    if action < rows * cols:
        row, col = divmod(action, cols)
        assert vertex == f"{'ABCDEFGHJKLMNOPQRST'[col]}{rows - row}"
        assert sgf == "abcdefghijklmnopqrs"[col] + "abcdefghijklmnopqrs"[row]
    assert "I" not in vertex


def test_the_table_of_coordinates_is_true():
    """It names three points of a 9x9 board in each system."""
    rows = re.findall(
        r"^\| (\S+|\(row, col\)|vertex \(GTP\)) +\| (.+?) +\| (.+?) +\| (.+?) +\|", coordinates.__doc__, re.M
    )
    table = {name: columns for name, *columns in rows}
    actions = [int(action) for action in table["action"]]
    assert actions == [0, 56, 81]
    assert [action_to_vertex(action, 9, 9) for action in actions] == table["vertex (GTP)"]
    assert [action_to_sgf(action, 9, 9) or "(empty)" for action in actions] == table["SGF"]
    assert [str(divmod(action, 9)) for action in actions[:2]] == table["(row, col)"][:2]


@pytest.mark.parametrize(
    "vertex", ["", "A", "I5", "A0", "A10", "K1", "5A", "A-1", "A1 B2", "passe", "A²", "Å1", "A1.0"]
)
def test_what_is_no_vertex_is_refused(vertex):
    with pytest.raises(ValueError, match="is not a point of a 9x9 board: expected A1 to J9, or pass"):
        vertex_to_action(vertex, 9, 9)


@pytest.mark.parametrize("action", [-1, 26, 10**9])
def test_what_is_no_action_is_refused(action):
    with pytest.raises(ValueError, match="is not on a 5x5 board: expected 0 to 25, the last is the pass"):
        Rules(5, 5).vertex(action)


@pytest.mark.parametrize("point", ["a", "aaa", "fa", "af", "AA", "zz", "  ", "??"])
def test_what_is_no_sgf_point_is_refused(point):
    with pytest.raises(ValueError, match="is not an SGF point of a 5x5 board"):
        sgf_to_action(point, 5, 5)
    assert sgf_to_action("tt", 5, 5) == sgf_to_action("", 5, 5) == 25


def test_sizes_as_people_write_them():
    assert parse_size(9) == parse_size("9") == parse_size("9x9") == (9, 9)
    assert parse_size("5x7") == parse_size("5X7") == (5, 7)
    assert Rules.of_size("5x7").size == "5x7" and Rules.of_size("7x7").size == "7"
    for bad in ("", "x", "9x", "x9", "5x7x3", "-5", "5.0", 5.0, "five", None, True, "５"):
        with pytest.raises(ValueError, match="is not a board size"):
            parse_size(bad)
