"""How the player comes to its moves: with manners, and within what the clock has."""

import pytest

from envs import BLACK, WHITE
from goagent.interfaces.gtp.clock import AT_ONCE, SLACK, Clock, canadian, kgs
from goagent.players.player import Analysis, Line
from goagent.players.random import RandomPlayer
from tests.goagent.interfaces.gtp.fakes import Hopeless, Quitter, Timed, ask, engine


def test_cleanup_captures_what_is_dead():
    mine = engine(size=5)
    for vertex in ("B5", "A4", "B4", "C4", "B3", "C3", "D3", "E3", "A2", "B2", "D2", "B1", "C1", "D1", "E1"):
        ask(mine, f"play b {vertex}")
    ask(mine, "play w d5", "play w e5", "play w e4", "play w pass", "play b pass", "play w pass")
    for _ in range(5):
        (answer,) = ask(mine, "kgs-genmove_cleanup b")
        if answer == "= pass":
            break
    assert answer == "= pass" and not (mine.game.position.board == WHITE).any()
    assert ask(mine, "kgs-game_over") == ["= "]


def test_it_resigns_only_when_it_has_been_hopeless_for_long():
    wall = [f"play w {column}{row}" for column in "ABC" for row in (1, 2, 3, 4, 5) if (column, row) != ("A", 1)]

    def answers(**settings):
        mine = engine(Hopeless(), size=5, **settings)
        ask(mine, *wall)
        return ask(mine, *["genmove b"] * 4), len(mine.game.moves) - len(wall)

    assert answers() == (["= D5", "= E5", "= resign", "= resign"], 2)
    assert answers(resigns=False) == (["= D5", "= E5", "= D4", "= E4"], 4)
    assert ask(engine(Hopeless(), size=5), *["genmove b"] * 3) == ["= A5", "= B5", "= C5"]  # early
    mine = engine(Hopeless(), size=5)
    ask(mine, *wall)
    assert "= resign" not in ask(mine, *["kgs-genmove_cleanup b"] * 4)


def test_a_player_that_resigns_is_heard_and_nothing_is_played():
    mine = engine(Quitter())
    assert ask(mine, "genmove b", "reg_genmove b", "lz-genmove_analyze b") == [
        "= resign", "= resign", "=\nplay resign"]  # fmt: skip
    assert mine.game.is_empty


def test_reg_genmove_plays_nothing_and_repeats_itself():
    mine = engine(RandomPlayer(), size=9)
    first = ask(mine, "reg_genmove b")
    assert ask(mine, "reg_genmove b") == first and mine.game.is_empty


def on_the_clock(player):
    made = engine(player, size=9, now=lambda: player.time)
    player.allowed.clear()
    return made


def test_without_a_clock_there_is_no_limit():
    player = Timed()
    mine = on_the_clock(player)
    mine.genmove(["b"])
    assert player.allowed == [None] and player.seconds is None
    for clock in (Clock(), kgs(["none"]), canadian(100, 10, 0)):
        assert clock.allowed(BLACK, 10) is None


def test_a_players_own_seconds_stay_the_most():
    player = Timed(0.25)
    mine = on_the_clock(player)
    mine.time_settings(["1000", "0", "0"])
    mine.genmove(["b"])
    assert player.allowed == [0.25] and player.seconds == 0.25


@pytest.mark.parametrize("told", [False, True])
@pytest.mark.parametrize("main", [0.3, 1, 10, 300])
def test_absolute_time_is_never_used_up(main, told):
    player = Timed()
    mine = on_the_clock(player)
    mine.time_settings([str(main), "0", "0"])
    left = float(main)
    for _ in range(200):
        if told:
            mine.time_left(["b", str(int(left)), "0"])
        begun = player.time
        mine.genmove(["b"])
        left -= player.time - begun
        if left <= SLACK + 1:
            assert player.allowed[-1] <= 0.1
    if main >= 10:
        assert left + 200 * 0.04 >= SLACK  # what a move costs beside thought is not the clock's to plan
        assert max(player.allowed) > main / 100


def test_when_nothing_is_left_it_answers_at_once():
    player = Timed()
    mine = on_the_clock(player)
    mine.time_settings(["100", "0", "0"])
    for left in ("0", "-3", "0.4"):
        mine.time_left(["w", left, "0"])
        mine.genmove(["w"])
    assert player.allowed == [AT_ONCE] * 3


@pytest.mark.parametrize(("settings", "periods"), [("byoyomi 0 5 3", "3"), ("canadian 0 5 1", "1")])
def test_a_move_in_overtime_fits_its_period(settings, periods):
    player = Timed()
    mine = on_the_clock(player)
    mine.kgs_time_settings(settings.split())
    for told in (False, True):
        if told:
            mine.time_left(["b", "5", periods])
        begun = player.time
        mine.genmove(["b"])
        assert 1 < player.time - begun < 5 - SLACK


class Slow(Timed):
    """Is no thinker: each opinion takes as long as a move. It always passes, and thinks that it loses."""

    interrupt = None

    def __init__(self):
        super().__init__()
        self.visits = 100_000

    def choose(self, position, rng):
        self.use()
        return position.rules.pass_action

    def analyze(self, position):
        self.use()
        return Analysis(0.1, None, None, [Line(0, 1.0, 0.1, 1, (0,))])

    def distribution(self, position):
        self.use()
        return super().distribution(position)


def test_a_move_and_two_opinions_about_it_fit_a_period():
    player = Slow()
    mine = on_the_clock(player)
    mine.kgs_time_settings(["byoyomi", "0", "5", "3"])
    mine.game.play(WHITE, 0)  # the board as it stands is lost, so that the pass is thought over
    begun = player.time
    mine.genmove(["b"])
    assert len(player.allowed) == 3
    assert 1 < player.time - begun < 5 - SLACK


def test_what_an_earlier_thought_needs_to_its_end_is_taken_from_the_move():
    class Thought:
        """Cannot be interrupted."""

        def wait(self):
            player.time += 3.0

    player = Timed()
    mine = on_the_clock(player)
    mine.kgs_time_settings(["byoyomi", "0", "5", "3"])
    for _ in range(2):
        mine.mover.thoughts = Thought()
        begun = player.time
        mine.genmove(["b"])
        assert 3 < player.time - begun < 5 - SLACK


def test_in_the_last_need_there_is_a_move_and_no_opinion():
    player = Slow()
    mine = on_the_clock(player)
    said = []
    mine.say = said.append
    mine.time_settings(["100", "0", "0"])
    mine.time_left(["b", "0", "0"])
    for command in (mine.lz_genmove_analyze, mine.cgos_genmove_analyze):
        command(["b", "1"])
    assert said == ["play pass"] * 2 and set(player.allowed) == {AT_ONCE}
    mine.time_left(["b", "50", "0"])
    mine.lz_genmove_analyze(["b", "1"])
    assert said[2].startswith("info move A9 ") and said[3] == "play pass"


@pytest.mark.parametrize("command", ["policy", "ownership", "value"])
def test_an_opinion_that_no_clock_limits_comes_soon(command):
    player = Slow()
    mine = on_the_clock(player)
    getattr(mine, command)([])
    assert len(player.allowed) == 1 and 0 < player.allowed[0] <= 2
    assert (player.seconds, player.visits) == (None, 100_000)
