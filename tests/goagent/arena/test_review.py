"""A review: every move is judged by what the player itself thinks, once for each position, and nothing stops it."""

from itertools import islice

import numpy as np
import pytest

from envs import BLACK, WHITE, Rules
from goagent.arena.review import MISTAKE, Remark, Tally, mistakes, review
from goagent.players.player import Analysis, Line
from goagent.players.spec import load_agent
from goagent.records.sgf import Game, parse_sgf

THREE = Rules.square(3, komi=0)


class Oracle:
    """Says for each position, named by its moves, what it is told to: (win probability, score, lines)."""

    name = "oracle"

    def __init__(self, rules, **said):
        self.rules = rules
        self.said = said
        self.asked = []

    def reset(self):
        self.asked.append("reset")

    def distribution(self, position):
        self.asked.append("distribution")
        return position.legal_mask() / position.legal_mask().sum()

    def analyze(self, position):
        name = "_".join(map(self.rules.vertex, position.moves))
        self.asked.append(name)
        win, score, lines = self.said.get(name, (None, None, []))
        return Analysis(win, score, None, [line(self.rules, *given) for given in lines])


def line(rules, vertices, probability, win, visits):
    actions = tuple(rules.action(vertex) for vertex in vertices.split())
    return Line(actions[0], probability, win, visits, actions)


def played(vertices, rules=THREE):
    return Game.from_moves(rules, [rules.action(vertex) for vertex in vertices.split()])


def test_a_move_is_seen_by_its_mover():
    player = Oracle(THREE)
    player.said[""] = (0.6, 2.0, [("B2 B1", 0.5, 0.7, 10), ("A1", 0.25, 0.3, 6), ("C3", 0.25, 0.2, 2)])
    player.said["A1"] = (0.8, 3.5, [("B2", 0.9, 0.85, 9), ("C2", 0.1, 0.1, 9)])
    player.said["A1_C3"] = (0.75, 1.0, [])
    first, second = review(played("A1 C3"), player)
    assert (first.number, first.colour, THREE.vertex(first.action), first.problem) == (1, BLACK, "A1", "")
    assert (first.probability, first.rank, THREE.vertex(first.choice)) == (0.25, 2, "B2")
    assert first.analysis.win_probability == 0.6
    assert first.win_probability == first.win_probability_black == 0.3  # its line got more than half the best one's
    assert first.loss == pytest.approx(0.4)  # from the best line's 0.7
    assert (first.score, first.score_black, first.score_loss) == (-3.5, -3.5, 5.5)
    assert second.colour == second.position.to_play == WHITE
    assert (second.probability, second.rank) == (0, 3)
    assert second.win_probability == 0.25 and second.win_probability_black == 0.75  # what is said of the position after
    assert second.loss == pytest.approx(0.6)
    assert (second.score, second.score_black, second.score_loss) == (-1, 1, 4.5)


def test_a_line_that_got_little_thought_is_no_judgement():
    player = Oracle(THREE)
    player.said[""] = (0.6, None, [("B2", 0.9, 0.7, 10), ("A1", 0.1, 0.1, 4)])
    player.said["A1"] = (0.5, None, [])
    (remark,) = review(played("A1"), player)
    assert (remark.win_probability, remark.loss, remark.score_loss) == (0.5, pytest.approx(0.2), None)


def test_the_first_choice_gives_nothing_away():
    player = Oracle(THREE)
    player.said[""] = (0.9, 5.0, [("B2", 0.3, 0.9, 10), ("C3", 0.7, 0.8, 1)])
    player.said["B2"] = player.said["C3"] = (0.9, 5.0, [])
    for vertex in ("B2", "C3"):  # the best line, and the most probable move
        (remark,) = review(played(vertex), player)
        assert (remark.loss, remark.score_loss) == (0, 0)


def test_better_than_expected_is_no_loss():
    player = Oracle(THREE)
    player.said[""] = (0.2, -3.0, [("B2", 1.0, 0.2, 10)])
    player.said["C3"] = (0.3, -2.0, [])
    (remark,) = review(played("C3"), player)
    assert (remark.win_probability, remark.loss, remark.score_loss) == (0.7, 0, 0)


def test_without_an_opinion_there_is_no_loss():
    (remark,) = review(played("B2"), load_agent("random", THREE))
    assert (remark.win_probability, remark.score, remark.loss, remark.score_loss) == (None,) * 4
    assert remark.win_probability_black is None and remark.score_black is None
    assert (remark.probability, remark.rank) == (pytest.approx(1 / 9), 1)  # all points are equal


def test_every_position_is_looked_at_once_and_only_when_needed():
    player = Oracle(THREE)
    moves = review(played("B2 A1 C3"), player)
    assert player.asked == []
    next(moves)
    assert player.asked == ["reset", "", "distribution", "B2"]
    list(moves)
    assert player.asked[4:] == ["distribution", "B2_A1", "distribution", "B2_A1_C3"]


def test_lines_that_name_all_moves_are_the_distribution():
    player = Oracle(THREE)
    player.said[""] = (0.5, 0.0, [("B2", 0.75, None, 0), ("A1", 0.25, None, 0)])
    remark = next(review(played("B2"), player))
    assert "distribution" not in player.asked
    assert remark.distribution.tolist() == [0, 0, 0, 0, 0.75, 0, 0.25, 0, 0, 0]


def test_the_end_of_a_game_is_counted_not_guessed():
    player = Oracle(THREE)
    remarks = list(review(played("B2 pass pass"), player))
    assert (remarks[-1].win_probability, remarks[-1].score) == (1, 9)
    assert remarks[-1].win_probability_black == 1
    assert player.asked[-1] == "distribution"  # nobody is asked about the finished game
    tie = list(review(played("pass pass"), player))
    assert (tie[-1].win_probability, tie[-1].score) == (0.5, 0)


@pytest.mark.parametrize(
    ("record", "forbidden"),
    [
        ("(;SZ[3];B[bb];W[bb];B[aa])", {2: "White may not play B2: the point is occupied"}),
        ("(;SZ[5];B[];W[];B[cc];W[dd])", {3: "Black may not play C3: the game is over"}),
        ("(;SZ[3];B[aa];B[bb];B[cc];W[];B[])", {}),  # out of turn
        ("(;SZ[2];B[aa];W[bb];B[ab];W[ba];B[aa];W[ab];B[ab])", {7: "Black may not play A1: the point is occupied"}),
        ("(;SZ[1];B[aa];W[];B[])", {1: "Black may not play A1: it would be suicide"}),
        ("(;SZ[5:3]AB[aa][bb]AW[ec]PL[W];W[tt];W[cc];B[])", {}),
        ("(;SZ[3])", {}),
    ],
)
@pytest.mark.parametrize("spec", ["random", "rollout?playouts=20", "shipped?visits=1", "shipped?visits=4"])
def test_whatever_a_record_holds_is_reviewed(record, forbidden, spec):
    game = parse_sgf(record)
    remarks = list(review(game, load_agent(spec, game.rules)))
    assert [(remark.colour, remark.action) for remark in remarks] == game.moves
    assert [remark.number for remark in remarks] == list(range(1, len(game.moves) + 1))
    assert {remark.number: remark.problem for remark in remarks if remark.problem} == forbidden
    for remark in remarks:
        assert remark.position.to_play == remark.colour
        assert remark.distribution.sum() == pytest.approx(0 if remark.position.is_over else 1)
        assert (remark.choice is None) == remark.position.is_over
        assert 1 <= remark.rank <= game.rules.num_actions
        if remark.problem:
            assert (remark.probability, remark.loss, remark.score_loss) == (0, None, None)
            assert remark.rank == game.rules.num_actions
        elif remark.loss is not None:
            assert 0 <= remark.loss <= 1


def test_it_is_the_same_every_time():
    game = played("C3 C4 D3 B4 B3", Rules.square(5))

    def told():
        return [
            (remark[5].win_probability, *remark[7:])
            for remark in review(game, load_agent("shipped?visits=8", game.rules))
        ]

    assert told() == told()


def remark(number, loss, colour=BLACK, rank=2, problem=""):
    position = next(played("B2").positions())[0]
    said = Analysis(None, None, None, [])
    return Remark(number, position, colour, 0, problem, said, np.ones(10) / 10, 0.1, rank, None, None, loss, None)


def test_the_worst_mistakes_come_first():
    losses = [0.1, None, 0.3, 0.0, MISTAKE, 0.2, 0.3, 0.9 * MISTAKE, 0.15]
    remarks = [remark(number, loss) for number, loss in enumerate(losses, 1)]
    assert [bad.number for bad in mistakes(remarks)] == [3, 7, 6, 9, 1]
    assert [bad.number for bad in mistakes(remarks, 2)] == [3, 7]
    assert [bad.number for bad in mistakes(remarks, 9)] == [3, 7, 6, 9, 1, 5]
    assert mistakes([]) == []


def test_tallies_add_up():
    remarks = [remark(1, 0.0, rank=1), remark(2, 0.25), remark(3, None), remark(4, None, problem="no"), remark(5, 0.01)]
    whole = Tally.of(remarks)
    assert whole == Tally(moves=4, agreed=1, judged=3, loss=pytest.approx(0.26), mistakes=1)
    assert Tally.of(islice(remarks, 2)) + Tally.of(remarks[2:]) + Tally() == whole
