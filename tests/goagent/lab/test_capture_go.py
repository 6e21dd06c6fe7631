"""The oracle for whole arrays is the rules of Capture-Go, and boards are what they are said to be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envs import Position, Rules
from envs.symmetry import action_table, transform, transform_board
from goagent.lab.capture_go import (
    ENEMY,
    OWN,
    Boards,
    Group,
    capturing_points,
    group_elements,
    judge_moves,
    legal_points,
    liberties,
    observe,
    random_boards,
)

GROUPS: dict[Group, int] = {"none": 1, "D1": 2, "C2": 2, "D4": 8}


@st.composite
def boards(draw: st.DrawFn) -> np.ndarray:
    """(1, size, size): stones at random, those of chains without a liberty taken off again."""
    size = draw(st.integers(2, 6))
    stones = draw(st.lists(st.sampled_from([0, 0, OWN, ENEMY]), min_size=size**2, max_size=size**2))
    board = np.array(stones, np.int8).reshape(1, size, size)
    while ((board != 0) & (liberties(board)[1] < 0)).any():
        board[(board != 0) & (liberties(board)[1] < 0)] = 0
    return board


def position(board: np.ndarray) -> Position:
    """Black is the mover."""
    rules = Rules.square(len(board), objective="capture")
    own, enemy = (np.flatnonzero(board == colour).tolist() for colour in (OWN, ENEMY))
    return Position(rules).with_stones(black=own, white=enemy)


def captures(before: Position, move: int) -> bool:
    """The first capture ends the game, so a legal point ends it exactly if it captures."""
    return before.play(move).is_over


@settings(deadline=None, max_examples=60)
@given(boards())
def test_the_oracle_is_the_rules(board: np.ndarray) -> None:
    start, points = position(board[0]), board.size
    legal = start.legal_mask()[:points]
    assert legal_points(board)[0].tolist() == legal.tolist()
    wins = [bool(legal[move]) and captures(start, move) for move in range(points)]
    assert capturing_points(board, ENEMY)[0].tolist() == wins
    assert judge_moves(board.repeat(points, axis=0), np.arange(points)).wins.tolist() == wins


@settings(deadline=None, max_examples=60)
@given(boards(), st.data())
def test_a_move_is_judged_as_the_game_goes_on(board: np.ndarray, data: st.DataObject) -> None:
    move = data.draw(st.integers(0, board.size))
    start = position(board[0])
    illegal, wins, loses = (bool(verdict[0]) for verdict in judge_moves(board, np.array([move])))
    assert illegal == (not start.legal_mask()[move])
    if illegal:
        assert not wins and not loses
        return
    after = start.play(move)
    assert wins == after.is_over
    replies = np.flatnonzero(after.legal_mask()[: board.size])  # none once the game is over
    assert loses == any(captures(after, reply) for reply in replies.tolist())


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("size", [5, 7])
def test_boards_of_a_group_are_fixed_by_it_and_every_answer_wins(group: Group, size: int) -> None:
    found = random_boards(size, 40, np.random.default_rng(0), group, (2, 6))
    assert found.boards.shape == (40, size, size) and found.answers.shape == (40, size * size)
    number = found.answers.sum(axis=1)
    assert number.min() >= 2 and number.max() <= 6
    game, move = np.nonzero(found.answers)
    assert judge_moves(found.boards[game], move).wins.all()
    threats = capturing_points(found.boards, OWN)
    assert threats.any(axis=1).all(), "the other side could capture as well"
    symmetries = [k for k in range(8) if fixed(found.boards, k).all()]
    fixes = np.array([sum(fixed(board[None], k)[0] for k in range(8)) for board in found.boards])
    assert (fixes >= GROUPS[group]).all()
    if group in ("C2", "D4"):  # of D1 each batch has a mirror of its own
        assert len(symmetries) == GROUPS[group]


def fixed(boards: np.ndarray, k: int) -> np.ndarray:
    return (transform_board(boards, k) == boards).all(axis=(1, 2))


@pytest.mark.parametrize(("group", "order"), GROUPS.items())
def test_group_elements_are_a_group(group: Group, order: int) -> None:
    for seed in range(8):
        elements = group_elements(5, group, np.random.default_rng(seed))
        every = {tuple(element) for element in elements.tolist()}
        assert len(elements) == len(every) == order
        assert {tuple(a[b]) for a in elements for b in elements} == every
        if group == "D1":  # a mirror: it leaves a line of points, a half turn only the centre
            assert (elements[1] == np.arange(25)).sum() == 5


@pytest.mark.parametrize(("group", "rotation"), [("C2", True), ("D4", True), ("D1", False)])
def test_the_mean_of_the_answers_is_as_symmetric_as_the_board(group: Group, rotation: bool) -> None:
    """Lemma 1: a rotation leaves nothing but the centre; under a mirror the spread is symmetric all the same."""
    size = 7
    found = random_boards(size, 60, np.random.default_rng(1), group)
    points = np.arange(size * size)
    offsets = np.stack([points // size, points % size], axis=1) - (size - 1) / 2
    means = found.answers @ offsets / found.answers.sum(axis=1, keepdims=True)
    if rotation:
        assert np.allclose(means, 0)
    if group == "D4":  # lemma 6 rests on this: the covariance of a D4 orbit is the same along every axis
        for mean, answers in zip(means, found.answers, strict=True):
            spread = offsets[answers] - mean
            covariance = spread.T @ spread / len(spread)
            assert np.allclose(covariance, np.eye(2) * (spread**2).sum(axis=1).mean() / 2)
    for board, answers, mean in zip(found.boards, found.answers, means, strict=True):
        for k in range(8):
            if fixed(board[None], k)[0]:
                assert (transform(answers, k, size, size) == answers).all()
                moved = offsets[action_table(size, size)[k, :-1]]
                assert np.allclose(answers @ moved / answers.sum(), mean)


@settings(deadline=None, max_examples=25)
@given(boards(), st.integers(0, 7))
def test_everything_said_of_a_board_turns_with_it(board: np.ndarray, k: int) -> None:
    size = board.shape[1]
    other = transform_board(board, k)
    for said in (legal_points, lambda boards: capturing_points(boards, ENEMY)):
        assert (said(other) == transform(said(board), k, size, size)).all()
    assert (observe(other)[:, :5] == transform_board(observe(board)[:, :5], k)).all()


def test_the_planes_show_the_stones_and_which_are_in_atari() -> None:
    board = np.zeros((1, 5, 5), np.int8)
    board[0, 0, 0], board[0, 0, 1], board[0, 4, 4] = ENEMY, OWN, OWN
    planes = observe(board)[0]
    assert np.argwhere(planes[0]).tolist() == [[0, 1], [4, 4]]
    assert np.argwhere(planes[1]).tolist() == np.argwhere(planes[3]).tolist() == [[0, 0]]
    assert not planes[2].any() and planes[4].all()
    assert planes[5, :, 0].tolist() == planes[6, 0].tolist() == [-1, -0.5, 0, 0.5, 1]
    assert capturing_points(board, ENEMY)[0].nonzero()[0].tolist() == [5]


def test_boards_are_those_of_the_generator_and_can_be_chosen_from() -> None:
    once, again = (random_boards(5, 10, np.random.default_rng(3), "C2") for _ in range(2))
    assert (once.boards == again.boards).all() and (once.answers == again.answers).all()
    chosen = once.where(once.answers.sum(axis=1) == 2)
    assert isinstance(chosen, Boards) and (chosen.answers.sum(axis=1) == 2).all()
