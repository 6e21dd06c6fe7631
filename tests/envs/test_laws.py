"""Laws of any game: symmetry, colour swap, values that never change, copies that are the same game."""

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs import BLACK, EMPTY, WHITE, IllegalMove, Position, Rules
from envs.symmetry import action_table, canonical, transform, transform_board
from tests.envs.games import KO_RULES, random_positions

seeds = st.integers(0, 2**32 - 1)
rules_of_any_kind = st.builds(
    Rules,
    rows=st.integers(1, 6),
    cols=st.integers(1, 6),
    komi=st.sampled_from([0.0, 0.5, -3.0]),
    ko=st.sampled_from(KO_RULES),
    suicide=st.booleans(),
)


@given(rules_of_any_kind, seeds)
def test_symmetric_games_stay_symmetric(rules, seed):
    *_, last = random_positions(rules, seed, plies=50)
    for k, table in enumerate(action_table(rules.rows, rules.cols)):
        original, image = Position(rules), Position(rules)
        for action in last.moves:
            original, image = original.play(action), image.play(int(table[action]))
        assert (image.board == transform_board(original.board, k)).all()
        assert (image.legal_mask() == transform(original.legal_mask(), k, rules.rows, rules.cols)).all()
        assert (image.observe() == transform_board(original.observe(), k)).all()
        assert (image.ownership() == transform_board(original.ownership(), k)).all()
        assert image.score_black() == original.score_black()
        assert canonical(image.board) == canonical(original.board)


@pytest.mark.parametrize(("rows", "cols"), [(1, 1), (3, 3), (5, 5), (1, 4), (4, 1), (5, 7)])
def test_symmetries_are_a_group(rows, cols):
    table = action_table(rows, cols)
    assert len(table) == (8 if rows == cols else 4)
    assert (table[0] == np.arange(rows * cols + 1)).all()
    assert (np.sort(table) == table[0]).all() and (table[:, -1] == rows * cols).all()
    if rows * cols > 4:
        assert len({row.tobytes() for row in table}) == len(table)
        assert {row[other].tobytes() for row in table for other in table} == {row.tobytes() for row in table}
    for row in table:
        assert any((other[row] == table[0]).all() for other in table)  # each has its inverse


@given(rules_of_any_kind, seeds)
def test_swapping_the_colours_swaps_the_result(rules, seed):
    rules = replace(rules, komi=0)
    empty = np.zeros((rules.rows, rules.cols), np.int8)
    swapped = Position.from_diagram("\n".join("." * rules.cols for _ in empty), rules, to_play=WHITE)
    for position in random_positions(rules, seed, plies=60):
        if position.moves:
            swapped = swapped.play(position.moves[-1])
        assert (swapped.board == np.array([EMPTY, WHITE, BLACK], np.int8)[position.board]).all()
        assert (swapped.legal_mask() == position.legal_mask()).all()
        assert (swapped.observe() == position.observe()).all()
        assert (swapped.ownership() == -position.ownership()).all()
        assert swapped.score_black() == -position.score_black()
        assert swapped.to_play == 3 - position.to_play


@given(rules_of_any_kind, seeds)
def test_a_position_never_changes(rules, seed):
    """Playing on, looking, and writing into what was returned leave it equal to its copy."""
    for position in random_positions(rules, seed, plies=30):
        before = pickle.dumps(position)
        for action in range(rules.num_actions):
            position.play(action, check=False)
            position.why_illegal(action)
        position.with_to_play(3 - position.to_play)
        position.with_stones()
        position.board[:] = WHITE
        position.ownership()[:] = 9
        position.legal_mask()[:] = False
        position.observe()[:] = 9
        assert position == pickle.loads(before)
        assert (position.ownership() == pickle.loads(before).ownership()).all()


@pytest.mark.parametrize("twin", [copy.copy, copy.deepcopy, lambda position: pickle.loads(pickle.dumps(position))])
@given(rules=rules_of_any_kind, seed=seeds, plies=st.integers(0, 40))
def test_a_copy_is_the_same_game(twin, rules, seed, plies):
    *_, position = random_positions(rules, seed, plies)
    same = twin(position)
    assert same == position and hash(same) == hash(position) and str(same) == str(position)
    for other in random_positions(rules, seed + 1, plies=20):
        for action in other.moves[-1:]:
            if same.legal_mask()[action]:
                same, position = same.play(action), position.play(action)
        assert same == position and (same.legal_mask() == position.legal_mask()).all()


@given(rules_of_any_kind, seeds)
def test_the_mask_is_what_play_accepts(rules, seed):
    *_, position = random_positions(rules, seed, plies=25)
    for action, legal in enumerate(position.legal_mask()):
        assert (position.why_illegal(action) is None) == legal
        if not legal:
            with pytest.raises(IllegalMove, match=rules.vertex(action)):
                position.play(action)


def test_positions_differ_where_their_future_does():
    rules = Rules.square(5)
    around = Position(rules).play(0).play(1).play(2)
    also = Position(rules).play(2).play(1).play(0)
    assert (around.board == also.board).all() and around != also  # superko will tell them apart
    assert Position(rules) != Position(Rules.square(5, komi=3))
    assert Position(rules) != "a position"


def test_two_sizes_in_one_process():
    """Games taken in turns are the games played alone."""
    rules = [Rules(5, 5), Rules(4, 7, ko="situational"), Rules(9, 9, ko="simple"), Rules(1, 2)]
    alone = [list(random_positions(r, seed=4, plies=40)) for r in rules]
    games = [random_positions(r, seed=4, plies=40) for r in rules]
    for ply in range(41):
        for game, expected in zip(games, alone, strict=True):
            if ply < len(expected):
                assert next(game) == expected[ply]
