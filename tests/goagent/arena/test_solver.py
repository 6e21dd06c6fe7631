"""The solver against plain minimax, and against what is published about small boards."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envs import BLACK, WHITE, Position, Rules
from goagent.arena.solver import Solver, Unsolved, sure_points

LAST = 9  # plies of the games that are tried to the end


def minimax(position):
    """Black's best score without komi by trying every line to its end: no cut-off, nothing assumed."""
    if position.is_over:
        return position.score_black()
    choose = max if position.to_play == BLACK else min
    return choose(minimax(position.play(int(a))) for a in np.flatnonzero(position.legal_mask()))


def after(rules, choices):
    """The position after legal moves picked by `choices`; stops before the end."""
    position = Position(rules)
    for choice in choices:
        legal = np.flatnonzero(position.legal_mask())
        following = position.play(int(legal[choice % len(legal)]))
        if following.is_over:
            break
        position = following
    return position


@pytest.mark.parametrize(
    ("size", "ko"), [("1x3", "positional"), ("1x4", "situational"), ("1x4", "simple"), ("2x2", "positional")]
)
@settings(max_examples=15)
@given(choices=st.lists(st.integers(0, 99), min_size=3, max_size=6))
def test_the_solver_agrees_with_plain_minimax(size, ko, choices):
    position = after(Rules.of_size(size, komi=0, ko=ko, max_moves=LAST), choices)
    exact = minimax(position)
    assert Solver().value(position) == exact
    position = after(Rules.of_size(size, komi=0.5, ko=ko, max_moves=LAST), choices)
    scores = {int(a): minimax(position.play(int(a))) for a in np.flatnonzero(position.legal_mask())}
    wins = {a for a, score in scores.items() if (score > 0) == (position.to_play == BLACK)}
    assert Solver().winning_moves(position) == wins


@pytest.mark.parametrize(("size", "value"), [("1x3", 3), ("1x4", 4), ("2x2", 1)])
def test_solved_boards(size, value):
    assert Solver().value(Position(Rules.of_size(size, komi=0))) == value


@pytest.mark.parametrize(("first", "value"), [("B2", 9), ("A1", -9)])
def test_three_by_three(first, value):
    position = Position(Rules.square(3, komi=0))
    assert Solver().value(position.play(position.rules.action(first))) == value


def test_draws_do_not_count_as_wins():
    position = Position(Rules.square(2, komi=1))
    assert Solver().winning_moves(position) == frozenset()
    assert len(Solver().winning_moves(Position(Rules.square(2, komi=0.5)))) == 4


def test_the_history_counts():
    rules = Rules.square(5, komi=5.5)
    position = Position.from_diagram(". X X O .\nX X X O O\nX X . X O\nX X X O O\n. X X O .", rules, WHITE)
    taken = position.play(rules.action("C3"))
    assert rules.action("D3") not in np.flatnonzero(taken.legal_mask())
    assert Solver().winning_moves(taken) == frozenset()
    fresh = Position.from_diagram(str(taken), rules, BLACK)
    assert Solver().winning_moves(fresh) == {rules.action("D3")}


def test_sure_points_are_stones_that_live_and_their_one_point_eyes():
    position = Position.from_diagram(". X . X O\nX X X X O\nO O O O O\nO O O O O\n. . O . .")
    state, tables = position._state, position.rules.tables
    assert sure_points(tables, state, 0, 5, BLACK) == 6 + 2
    assert sure_points(tables, state, 0, 5, WHITE) == 13  # its eyes of two points are left out


def test_it_says_when_it_does_not_know():
    with pytest.raises(Unsolved, match="no proof with 1000 nodes"):
        Solver(nodes=1000).winning_moves(Position(Rules.square(5)))
    with pytest.raises(ValueError, match="counts area"):
        Solver().value(Position(Rules.square(3, objective="capture")))
