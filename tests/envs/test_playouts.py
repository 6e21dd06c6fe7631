"""Playouts: whole games by random moves that leave one-point eyes alone."""

import numpy as np
import pytest
from scipy.stats import chisquare

from envs import EMPTY, WHITE, GoBatch, Position, Rules

RULES = [
    Rules.square(5),
    Rules(3, 6, ko="situational", suicide=True),
    Rules(1, 7),
    Rules.square(4, objective="capture"),
    Rules.square(9, max_moves=50),
]


def is_own_eye(position, point):
    """Own stones on all sides, at most one enemy on the diagonals, none of them at the edge."""
    board = np.pad(position.board, 1, constant_values=3)
    row, col = divmod(point, position.rules.cols)
    window = board[row : row + 3, col : col + 3]
    sides, corners = window.ravel()[[1, 3, 5, 7]], window.ravel()[[0, 2, 6, 8]]
    enemies = (corners == 3 - position.to_play).sum()
    return window[1, 1] == EMPTY and np.isin(sides, [position.to_play, 3]).all() and enemies <= int(3 not in sides)


def sensible(position):
    """The moves of a playout."""
    moves = [a for a in np.flatnonzero(position.legal_mask()[:-1]) if not is_own_eye(position, a)]
    return moves or [position.rules.pass_action]


@pytest.mark.parametrize(
    ("diagram", "eyes"),
    [
        (". X . \n X X . \n . . .", "A3"),
        (". X . \n X O . \n . . .", ""),  # a corner has one diagonal point, and it is the enemy's
        (". . . . \n . X X X \n . X . X", "C1"),
        (". . . . \n . O X X \n . X . X", ""),
        (". X . . . \n X . X . . \n . X O . . \n . . . . . \n . . . . .", "A5 B4"),  # one enemy of four will do
        (". . . . . \n . O X . . \n . X . X . \n . . X O . \n . . . . .", ""),
    ],
)
def test_own_eyes(diagram, eyes):
    position = Position.from_diagram(diagram)
    batch = GoBatch.from_positions([position, position.with_to_play(WHITE)])
    assert [[position.rules.vertex(a) for a in np.flatnonzero(row)] for row in batch.own_eyes()] == [eyes.split(), []]


@pytest.mark.parametrize("rules", RULES, ids=str)
def test_a_playout_plays_only_sensible_moves_to_the_end(rules):
    batch = GoBatch(rules, 8)
    scores = batch.play_out(np.random.default_rng(1))
    assert batch.is_over.all()
    for i in range(batch.num_games):
        position = Position(rules)
        for action in batch.position(i).moves:
            assert action in sensible(position)
            position = position.play(action)
        assert position == batch.position(i)
        assert position.score_black() == scores[i]


def test_every_sensible_move_is_equally_likely():
    start = Position.from_diagram(". X . O\nX X O .\n. X O O\n. . . .")
    moves = sensible(start)
    assert len(moves) == 6
    batch = GoBatch.from_positions([start] * 6000)
    batch.play_out(np.random.default_rng(3))
    first = np.bincount([batch.position(i).moves[0] for i in range(6000)], minlength=17)
    assert first[moves].sum() == 6000
    assert chisquare(first[moves]).pvalue > 1e-3


def test_playouts_do_not_depend_on_threads_and_leave_finished_games_alone():
    rules = Rules.square(5)
    done = Position(rules).play(25).play(25)
    batches = [GoBatch(rules, 100, parallel=parallel) for parallel in (True, False)]
    for batch in batches:
        batch.copy_games(GoBatch.from_positions([done]), np.zeros(1, int), np.array([7]))
    scores = [batch.play_out(np.random.default_rng(2)) for batch in batches]
    assert np.array_equal(*scores)
    assert scores[0][7] == -0.5
    assert batches[0].position(7) == done


def test_a_playout_of_a_game_without_a_cap_stops():
    batch = GoBatch(Rules.square(2, ko="simple", max_moves=2**31 - 1), 64)
    batch.play_out(np.random.default_rng(0))
    assert (batch.num_moves <= 3 * 4 + 64).all()
