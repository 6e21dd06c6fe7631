"""Every problem's answer is proven here: the accepted moves win, and no other move does."""

import numpy as np
import pytest

from envs import BLACK, EMPTY, Position
from envs.symmetry import canonical
from goagent.arena.problems import CATEGORIES, load_problems, parse_problems
from goagent.arena.solver import Solver

PROBLEMS = load_problems()
TWO_EYES = """
name: two eyes
komi: 0.5
to play: black
moves: A1 pass
answer: B1
why: the middle
  A B C
2 X X X
1 . . .
"""


def of(category):
    return [problem for problem in PROBLEMS if problem.category == category]


def by_name(problem):
    return problem.name


@pytest.mark.parametrize("problem", PROBLEMS, ids=by_name)
def test_exactly_the_accepted_moves_win(problem, tally):
    position = problem.position()
    assert Solver(nodes=3_000_000).winning_moves(position) == problem.accepted, f"\n{position}"
    tally("moves of problems proven to win or not to", position.legal_mask().sum())


def test_there_are_enough_of_each_kind_and_none_twice():
    assert len(PROBLEMS) >= 40
    assert all(len(of(category)) >= 4 for category in CATEGORIES)
    assert {problem.rules.size for problem in PROBLEMS} == {"5", "6", "7", "9"}
    assert len({problem.name for problem in PROBLEMS}) == len(PROBLEMS)
    positions = [problem.position() for problem in PROBLEMS]
    assert len({(canonical(p.board), p.to_play, p.moves) for p in positions}) == len(PROBLEMS)
    assert {position.to_play for position in positions} == {1, 2}


def test_no_problem_is_solved_by_any_move():
    for problem in PROBLEMS:
        assert 0 < len(problem.accepted) < problem.position().legal_mask().sum(), problem.name
        assert problem.rules.komi % 1 == 0.5, f"{problem.name}: a draw would be possible"


@pytest.mark.parametrize("problem", of("snapback"), ids=by_name)
def test_a_snapback_gives_one_stone_and_takes_more(problem):
    position = problem.position()
    (throw,) = problem.accepted
    thrown = position.play(throw)
    stones = (position.board != EMPTY).sum()
    assert (thrown.board != EMPTY).sum() == stones + 1
    taking = [a for a in np.flatnonzero(thrown.legal_mask()[:-1]) if thrown.play(int(a)).board.flat[throw] == EMPTY]
    (take,) = taking
    back = thrown.play(int(take)).play(throw)
    assert (back.board != EMPTY).sum() <= stones - 1


@pytest.mark.parametrize("problem", [p for p in of("superko") if p.moves], ids=by_name)
def test_superko_forbids_what_the_board_alone_allows(problem):
    position = problem.position()
    without = Position.from_diagram(str(position), problem.rules, position.to_play)
    (forbidden,) = np.flatnonzero(without.legal_mask() & ~position.legal_mask())
    assert "superko" in str(position.why_illegal(int(forbidden)))
    assert int(forbidden) in Solver().winning_moves(without), "the history should make the difference"


@pytest.mark.parametrize("problem", of("seki"), ids=by_name)
def test_who_fills_a_seki_loses_a_chain(problem):
    position = problem.position()
    costly = set()
    for point in np.flatnonzero(position.legal_mask()[:-1] & (position.ownership().ravel() == 0)):
        filled = position.play(int(point))
        replies = [filled.play(int(a)) for a in np.flatnonzero(filled.legal_mask())]
        if min((reply.board != EMPTY).sum() for reply in replies) < (filled.board != EMPTY).sum() - 2:
            costly.add(int(point))
    assert len(costly) == 2
    assert not costly & problem.accepted


def test_the_format():
    (problem,) = parse_problems(TWO_EYES, "life and death")
    assert problem.rules.size == "2x3"
    assert problem.answer() == "B1"
    assert problem.position().to_play == BLACK
    assert problem.position().board.tolist() == [[1, 1, 1], [1, 0, 0]]
    with pytest.raises(ValueError, match="life and death, 'two eyes': 'komi'"):
        parse_problems(TWO_EYES.replace("komi: 0.5\n", ""), "life and death")
    with pytest.raises(ValueError, match=r"two eyes.*cannot read 'Z'"):
        parse_problems(TWO_EYES.replace("1 . . .", "1 . Z ."), "life and death")
