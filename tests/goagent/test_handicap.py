"""Handicap stones: the fixed placement as GNU Go has it, and room for any other number."""

import subprocess

import numpy as np
import pytest

from envs import Position, Rules
from goagent.errors import UserError
from goagent.handicap import free_handicap_points, handicap_points
from tests.record_gnugo import PROGRAM

SIZES = ["3", "5", "7", "8", "9", "5x7", "7x9", "9x13", "12", "13", "19"]


def drawn(points, rules):
    return str(Position(rules).with_stones(black=points)).splitlines()[1 : rules.rows + 1]


def test_five_stones_on_9x9():
    rules = Rules.square(9)
    assert [rules.vertex(point) for point in handicap_points(rules, 5)] == ["C3", "G7", "C7", "G3", "E5"]


def test_a_rectangle_counts_each_side_by_itself():
    rules = Rules(rows=9, cols=13)
    assert [line[3:].split().count("X") for line in drawn(handicap_points(rules, 9), rules)] == [
        0,
        0,
        3,
        0,
        3,
        0,
        3,
        0,
        0,
    ]
    assert (
        rules.vertex(handicap_points(rules, 2)[0]) == "D3"
    )  # the fourth line of the long side, the third of the other


@pytest.mark.parametrize(("size", "most"), [("7", 4), ("8", 4), ("9", 9), ("12", 4), ("19", 9), ("7x9", 4)])
def test_how_many_there_can_be(size, most):
    rules = Rules.of_size(size)
    for stones in range(2, most + 1):
        assert len(set(handicap_points(rules, stones))) == stones
    for stones in (-1, 0, 1, most + 1):
        with pytest.raises(UserError, match=f"expected 2 to {most} on a {size} board"):
            handicap_points(rules, stones)


@pytest.mark.parametrize("size", ["1", "6", "5x9", "6x13"])
def test_small_boards_have_no_fixed_handicap(size):
    with pytest.raises(UserError, match="expected 7x7 or larger"):
        handicap_points(Rules.of_size(size), 2)


@pytest.mark.parametrize("size", SIZES)
def test_free_handicap_takes_any_number(size):
    rules = Rules.of_size(size)
    for stones in {2, 3, 7, 10, rules.num_points // 2, rules.num_points - 1}:
        if stones < rules.num_points:
            points = free_handicap_points(rules, stones)
            assert len(set(points)) == len(points) == stones
            Position(rules).with_stones(black=points)  # every chain has a liberty
    for stones in (1, rules.num_points):
        with pytest.raises(UserError, match="expected 2 to"):
            free_handicap_points(rules, stones)


@pytest.mark.parametrize("size", ["7", "9", "13", "19"])
def test_free_handicap_is_fixed_as_far_as_that_goes_and_then_off_the_edge(size):
    rules = Rules.of_size(size)
    assert free_handicap_points(rules, 4) == handicap_points(rules, 4)
    rows, cols = np.divmod(free_handicap_points(rules, 11), rules.cols)
    assert min(rows.min(), cols.min()) > 0 and max(rows.max(), cols.max()) < rules.rows - 1


@pytest.mark.skipif(PROGRAM is None, reason="GNU Go is not installed: its handicap stones were not compared")
def test_gnugo_places_the_same():
    asked = [(size, stones) for size in (7, 8, 9, 11, 12, 13, 19) for stones in range(2, 10)]
    commands = "".join(f"boardsize {size}\nfixed_handicap {stones}\n" for size, stones in asked)
    done = subprocess.run([PROGRAM, "--mode", "gtp"], input=commands, capture_output=True, text=True, check=True)
    answers = done.stdout.split("\n\n")[1::2]
    for (size, stones), answer in zip(asked, answers, strict=False):
        rules = Rules.square(size)
        try:
            ours = {rules.vertex(point) for point in handicap_points(rules, stones)}
        except UserError:
            ours = None
        assert ours == (None if answer.startswith("?") else set(answer[1:].split())), (size, stones)
