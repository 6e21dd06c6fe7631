"""Manners at the end of a game: passing, cleaning up, resigning, and which stones are dead."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envs import BLACK, WHITE, Position, Rules
from goagent.players.manners import chains, dead_stones, hopeless, polite_move, settled_points, without
from goagent.players.player import Analysis, Line, Resigned
from goagent.players.random import RandomPlayer
from goagent.players.rollout import RolloutPlayer

RULES = Rules.square(5, komi=0.5)
PASS = RULES.pass_action

# Black's area is settled, and so is White's; three dead stones.
SETTLED = """
. X O O .
X X O . O
X . X O O
O X X O .
. X X O O
"""


class Fixed(RandomPlayer):
    """Plays a given vertex, and has a given opinion."""

    def __init__(self, vertex="pass", win=None, ownership=None, *others):
        self.vertex, self.win, self.ownership, self.others = vertex, win, ownership, others
        self.asked = 0

    def choose(self, position, rng):
        self.asked += 1
        if self.vertex == "resign":
            raise Resigned
        return position.rules.action(self.vertex)

    def analyze(self, position):
        moves = [position.rules.action(vertex) for vertex in (self.vertex, *self.others)]
        lines = [Line(action, 1 / (1 + i), None, 0, (action,)) for i, action in enumerate(moves)]
        return Analysis(self.win, None, self.ownership, lines)


def board(text, to_play=BLACK, komi=0.5, **settings):
    rows = text.split("\n")
    rows = [row for row in rows if row.strip()]
    rules = Rules(rows=len(rows), cols=len(rows[0].split()), komi=komi, **settings)
    return Position.from_diagram("\n".join(rows), rules, to_play)


def polite(player, position, cleanup=False):
    return position.rules.vertex(polite_move(player, position, np.random.default_rng(0), cleanup))


WON = """
. X . . .
X X X X X
. X . . .
. . . . .
. . . . .
"""


def test_it_takes_a_win_that_the_opponent_passes_it():
    player = Fixed("C1")
    assert polite(player, board(WON)) == "C1"
    assert polite(player, board(WON, WHITE).play(PASS)) == "pass"
    assert player.asked == 1  # no thought was needed
    assert polite(player, board(WON, WHITE).play(PASS), cleanup=True) == "C1"


def test_it_does_not_pass_into_a_loss_that_playing_on_could_avoid():
    lost = board(WON, WHITE, komi=-5)
    assert lost.score_black() > 0
    assert polite(Fixed("pass", 0.4, None, "C1", "D1"), lost) == "C1"
    assert polite(Fixed("pass", 0.4, None, "A3", "D1"), lost) == "A3"
    assert polite(Fixed("pass", 0.001, None, "C1"), lost) == "pass"  # it knows
    assert polite(Fixed("pass"), lost) == "pass"  # it has no opinion


def test_a_player_that_searched_the_pass_is_believed():
    class Searcher(Fixed):
        def analyze(self, position):
            found = super().analyze(position)
            return found._replace(lines=[line._replace(win_probability=0.3) for line in found.lines])

    assert polite(Searcher("pass", 0.4, None, "C1"), board(WON, WHITE)) == "pass"


def test_it_captures_dead_stones_when_the_board_as_it_stands_is_lost():
    text = ". X . O O\nX X X . O\n. X X X X\nX X . X .\n. X X X X"
    lost = board(text, komi=17.5)
    assert lost.score_black() < 0 < settled_points(lost).sum() - 17.5
    assert polite(Fixed("pass"), lost) in ("C5", "D4")
    assert polite(Fixed("pass"), lost.with_to_play(WHITE)) == "pass"
    won = board(text, komi=1)
    assert polite(Fixed("pass"), won) == "pass"
    assert polite(Fixed("pass"), won, cleanup=True) in ("C5", "D4")


def test_cleaning_up_ends_when_nothing_dead_is_left():
    text = ". X . O O\nX X X . O\n. X X X X\nX X . X .\n. X X X X"
    position, moves = board(text, komi=1), 0
    while (vertex := polite(RandomPlayer(), position, cleanup=True)) != "pass":
        position = position.play(position.rules.action(vertex)).with_to_play(BLACK)
        moves += 1
    assert not (position.board == WHITE).any()
    assert (settled_points(position) == 1).all()
    assert moves <= 4


def test_when_cleaning_up_an_estimate_finds_what_is_not_settled():
    position = board(". . X . O\n. . X . .\nX X X . .\n. . . . .\n. O . . .", komi=0.5)
    owners = np.ones((5, 5))
    owners[0, 4] = 0.2
    assert polite(Fixed("pass", 0.9, owners), position, cleanup=True) in ("A1", "C1", "B2")
    owners[4, 1] = 0.2
    assert polite(Fixed("pass", 0.9, owners), position, cleanup=True) == "pass"


def test_nothing_left_is_a_pass_without_a_thought():
    text = ". X O O .\nX X O O O\nX . X O O\nX X X O .\n. X X O O"
    for colour in (BLACK, WHITE):
        player = Fixed("C1")
        position = board(text, colour)
        assert settled_points(position).all()
        assert polite(player, position) == "pass"
        assert polite(player, position, cleanup=True) == "pass"
        assert not player.asked


def test_a_won_game_is_not_prolonged_inside_settled_areas():
    eyes = "X X . X X\n. X X X .\nX X . X X\nX X X X X\n"
    position = board(eyes + ". . . . .\n" * 3)
    inside, outside = "C7", "C2"
    assert settled_points(position)[0, 2] == 1 and settled_points(position)[5, 2] == 0
    assert polite(Fixed(inside), position) == "pass"
    assert polite(Fixed(outside), position) == "C2"


def test_resignation_comes_through():
    with pytest.raises(Resigned):
        polite(Fixed("resign"), board(WON, WHITE))


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(0, 60), st.booleans())
def test_its_move_is_always_legal(seed, plies, cleanup):
    rng = np.random.default_rng(seed)
    position = Position(RULES)
    for _ in range(plies):
        after = position.play(RandomPlayer().choose(position, rng))
        if not after.is_over:
            position = after
    action = polite_move(RolloutPlayer(5), position, rng, cleanup)
    assert position.why_illegal(action) is None


def test_polite_games_end():
    for seed in range(3):
        rng = np.random.default_rng(seed)
        position = Position(RULES)
        while not position.is_over:
            position = position.play(polite_move(RolloutPlayer(10), position, rng))
        assert not position.truncated


def test_hopeless_is_patient():
    lost = board("O O O O O\n. O . O .\nO O O O O\n. . . . .\n. . . . X")
    for action in (15, 17, 16, 18, 20, 19, 21, 22, PASS):  # past the opening
        lost = lost.play(action, check=False)
    lost = lost.with_to_play(BLACK)
    assert lost.score_black() < 0
    assert hopeless(lost, [0.5, 0.01, 0.001, 0.0])
    assert not hopeless(lost, [0.01, 0.01])
    assert not hopeless(lost, [0.01, 0.03, 0.01])
    assert not hopeless(lost, [0.01, None, 0.01])
    assert not hopeless(lost.with_to_play(WHITE), [0, 0, 0])  # the board as it stands is won
    assert not hopeless(Position(RULES).with_to_play(WHITE).with_to_play(BLACK), [0, 0, 0])  # early


def test_dead_stones():
    position = board(SETTLED)
    assert not dead_stones(position)[0, 2]
    owners = np.where(position.board == WHITE, -1.0, 1.0)
    owners[3:, 0] = 1.0  # A2 is held to be Black's
    dead = dead_stones(position, owners)
    assert [position.rules.vertex(5 * row + col) for row, col in np.argwhere(dead)] == ["A2"]
    assert without(position, dead).score_black() == position.score_black() + 3


def test_chains():
    position = board("X X . O\n. X O O\nX . . .\n. . . .")
    assert sorted(map(len, chains(position.board))) == [1, 3, 3]
