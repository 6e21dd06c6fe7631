"""Positions that can be read: ko, superko, suicide, the end of the game, setup, and moves against the rules."""

import numpy as np
import pytest

from envs import BLACK, WHITE, IllegalMove, Position, Rules
from tests.envs.games import KO_RULES, play_vertices, random_positions

KO = """
. X O .
X . X O
. X O .
. . . .
"""


def show(position: Position) -> str:
    """The board as lines of symbols."""
    return "\n".join("".join(".XO"[stone] for stone in row) for row in position.board)


def why(position: Position, vertex: str) -> str | None:
    return position.why_illegal(position.rules.action(vertex))


@pytest.mark.parametrize("ko", KO_RULES)
def test_a_ko_may_not_be_retaken_at_once(ko):
    before = Position.from_diagram(KO, Rules.square(4, ko=ko), to_play=WHITE)
    taken = before.play(before.rules.action("B3"))
    assert show(taken).splitlines()[1] == "XO.O"
    sentence = "it would retake the ko at once" if ko == "simple" else "it would repeat an earlier position (superko)"
    assert why(taken, "C3") == f"Black may not play C3: {sentence}"
    elsewhere = taken.play(taken.rules.action("A1")).play(taken.rules.action("D1"))
    assert why(elsewhere, "C3") is None
    passed = taken.play(taken.rules.pass_action).play(taken.rules.action("D1"))
    assert why(passed, "C3") is None


def test_a_retake_of_more_than_one_stone_is_no_ko():
    game = Position.from_diagram("X.OX.", Rules(1, 5, ko="simple")).play(1)
    assert show(game) == "XX.X."
    assert show(game.play(2)) == "..OX."


@pytest.mark.parametrize(
    ("moves", "again", "forbidding"),
    [
        ("B1 D1 C1 A1", "B1", {"positional"}),  # two stones sent, one returned: the same board, the other side to move
        ("B1 D1 C1 A1 pass E1", "B1", set()),  # White has added a stone since
    ],
)
def test_superko_on_a_line_of_five(moves, again, forbidding):
    games = {ko: play_vertices(Rules(1, 5, ko=ko), moves) for ko in KO_RULES}
    assert {ko for ko, game in games.items() if why(game, again)} == forbidding


def test_superko_on_a_line_of_four():
    """Black's two stones are taken, his recapture takes two, and his first stone stands alone once more."""
    games = {ko: play_vertices(Rules(1, 4, ko=ko), "B1 D1 A1 C1") for ko in KO_RULES}
    assert {show(game) for game in games.values()} == {"..OO"}
    assert {ko for ko, game in games.items() if why(game, "B1")} == {"positional", "situational"}
    assert show(games["simple"].play(1)) == ".X.."


def test_a_pass_is_a_situation_of_its_own():
    """Under situational superko the empty board with White to move comes from a pass, and may come again with Black."""
    game = play_vertices(Rules(1, 2, ko="situational", suicide=True), "pass A1")
    assert show(game) == "O."
    assert why(game, "B1") is None  # takes A1: ".X" is new


@pytest.mark.parametrize("suicide", [False, True])
def test_suicide(suicide):
    rules = Rules(2, 3, suicide=suicide)
    two = Position.from_diagram("X.O\nOO.", rules)
    one = Position.from_diagram(".O.\nOO.", rules)
    assert why(one, "A2") == "Black may not play A2: it would be suicide"
    if suicide:
        assert show(two.play(1)) == "..O\nOO."
    else:
        assert why(two, "B2") == "Black may not play B2: it would be suicide"
    captures_first = Position.from_diagram("X.O", Rules(1, 3, suicide=suicide), to_play=WHITE)
    assert show(captures_first.play(1)) == ".OO"


def test_a_finished_game_refuses_moves():
    game = play_vertices(Rules(3, 3), "B2 pass pass")
    assert game.is_over and not game.truncated and not game.legal_mask().any()
    with pytest.raises(IllegalMove, match="White may not play A1: the game is over"):
        game.play(game.rules.action("A1"))
    assert game.score_black() == 9 - 0.5 and (game.ownership() == 1).all()


def test_the_move_limit_truncates():
    game = play_vertices(Rules(3, 3, max_moves=3), "B2 pass C3")
    assert game.is_over and game.truncated and not game.legal_mask().any()
    by_passes = play_vertices(Rules(3, 3, max_moves=3), "B2 pass pass")
    assert by_passes.is_over and not by_passes.truncated


def test_capture_go_ends_with_the_first_capture():
    game = play_vertices(Rules(3, 3, objective="capture"), "B1 A1 C3")
    assert game.score_black() == 0 and not game.is_over
    game = game.play(game.rules.action("pass")).play(game.rules.action("A2"))
    assert game.score_black() == 1 and game.is_over and not game.truncated
    assert play_vertices(Rules(3, 3, objective="capture"), "pass pass").score_black() == 0


@pytest.mark.parametrize(
    ("diagram", "owners", "score"),
    [
        ("...\n...\n...", "000/000/000", 0),
        ("X..\n...\n...", "+++/+++/+++", 9),
        ("X.O\n...\n...", "+0-/000/000", 0),
        (".X.\nXX.\nOO.", "++0/++0/--0", 2),
        (".XO\nX.O\nOO.", "++-/+0-/---", -2),
    ],
)
def test_area(diagram, owners, score):
    position = Position.from_diagram(diagram, Rules(3, 3, komi=0))
    assert ["".join("0+-"[owner] for owner in row) for row in position.ownership()] == owners.split("/")
    assert position.score_black() == score


class TestUnchecked:
    """`play(action, check=False)` does what SGF asks of a move against the rules."""

    rules = Rules(3, 3)

    def play(self, diagram: str, vertex: str, to_play: int = BLACK) -> str:
        position = Position.from_diagram(diagram, self.rules, to_play)
        assert why(position, vertex) is not None
        return show(position.play(self.rules.action(vertex), check=False))

    def test_a_stone_in_the_way_is_replaced(self):
        assert self.play("OO.\n...\n..X", "B3") == "OX.\n...\n..X"

    def test_the_replacement_may_capture(self):
        assert self.play("OO.\nX..\n..X", "B3") == ".X.\nX..\n..X"

    def test_one_stone_of_suicide_vanishes(self):
        assert self.play(".O.\nO..\n...", "A3") == ".O.\nO..\n..."

    def test_more_stones_of_suicide_vanish(self):
        assert self.play("X.O\nOO.\n...", "B3") == "..O\nOO.\n..."

    def test_repetition_is_played(self):
        game = play_vertices(Rules(1, 4), "B1 D1 A1 C1")
        assert show(game.play(1, check=False)) == ".X.."

    def test_play_goes_on_after_the_end(self):
        game = play_vertices(self.rules, "pass pass").play(0, check=False)
        assert not game.is_over and game.legal_mask().any() and game.moves == (9, 9, 0)

    def test_passing_on_and_on_stays_the_end(self):
        game = Position(self.rules)
        for _ in range(300):
            game = game.play(self.rules.pass_action, check=False)
            assert game.is_over == (len(game.moves) > 1) and game.consecutive_passes == len(game.moves)

    def test_legal_moves_are_the_same_unchecked(self):
        for position in random_positions(Rules(4, 4, ko="situational", suicide=True), seed=3, plies=60):
            for action in np.flatnonzero(position.legal_mask()):
                assert position.play(action) == position.play(action, check=False)

    def test_what_is_no_action_is_still_refused(self):
        for action in (-1, 10, 1.0, "A1", None, True):
            with pytest.raises(IllegalMove, match="is not an action: expected a whole number from 0 to 9, the pass"):
                Position(self.rules).play(action, check=False)


class TestSetup:
    rules = Rules(3, 3)

    def test_stones_are_added_and_replaced(self):
        position = play_vertices(self.rules, "B2 A1").with_stones(black=[0, 6], white=(8,))
        assert show(position) == "X..\n.X.\nX.O"
        assert position.to_play == BLACK and position.moves == () and not position.is_over

    def test_the_history_begins_at_the_setup(self):
        game = play_vertices(Rules(1, 4), "B1 D1 A1 C1")
        assert why(game, "B1") is not None and why(game.with_stones(), "B1") is None

    def test_a_setup_ends_no_game_and_resumes_one(self):
        assert not play_vertices(self.rules, "pass pass").with_stones(black=[4]).is_over

    @pytest.mark.parametrize("stones", [{"black": [9]}, {"white": [-1]}, {"white": ["A1"]}, {"black": [0.5]}])
    def test_only_points_take_stones(self, stones):
        with pytest.raises(ValueError, match="expected"):
            Position(self.rules).with_stones(**stones)

    def test_a_chain_without_liberties_is_refused(self):
        with pytest.raises(ValueError, match="a chain on this board has no liberty"):
            Position(self.rules).with_stones(black=[1, 3], white=[0])
        with pytest.raises(ValueError, match="a chain on this board has no liberty"):
            Position.from_diagram("XX\nXX")

    def test_the_move_is_handed_over(self):
        game = play_vertices(self.rules, "B2")
        again = game.with_to_play(BLACK)
        assert again.to_play == BLACK and (again.board == game.board).all() and again.moves == game.moves
        assert game.to_play == WHITE and game.with_to_play(WHITE) is game
        with pytest.raises(ValueError, match="colour is 0: expected"):
            game.with_to_play(0)

    def test_superko_remembers_across_a_change_of_turn(self):
        game = play_vertices(Rules(1, 4), "B1 D1 A1 C1")
        assert why(game.with_to_play(WHITE).with_to_play(BLACK), "B1") is not None

    def test_handing_over_lifts_a_simple_ko(self):
        taken = Position.from_diagram(KO, Rules.square(4, ko="simple"), to_play=WHITE).play(5)
        assert why(taken, "C3") is not None
        assert why(taken.with_to_play(WHITE).with_to_play(BLACK), "C3") is None


def test_text_says_whose_turn_it_is_and_how_it_ended():
    assert str(play_vertices(Rules(2, 2), "A1 B2")) == "   A B\n 2 . O\n 1 X .\nBlack to play, move 3"
    assert str(play_vertices(Rules(2, 2), "A1 pass pass")).endswith("\ngame over, Black's score +3")
    assert str(play_vertices(Rules(2, 2, max_moves=1), "A1")).endswith("\ngame over, truncated, Black's score +3")


def test_in_capture_go_the_first_capture_stands_whatever_is_played_after_it():
    rules = Rules.square(3, objective="capture")
    position = Position.from_diagram(
        """
        O X .
        . . .
        . . .
        """,
        rules,
    )
    position = position.play(rules.action("A2"))  # Black captures A3
    assert position.is_over and position.score_black() == 1
    for vertex in ("C2", "pass", "C1", "pass"):
        position = position.play(rules.action(vertex), check=False)
        assert position.is_over and position.score_black() == 1


def test_a_printed_position_can_be_read_back():
    position = Position(Rules.square(5)).play(7).play(12)
    assert (Position.from_diagram(str(position)).board == position.board).all()
    assert (Position.from_diagram(str(position.play(25).play(25))).board == position.board).all()
