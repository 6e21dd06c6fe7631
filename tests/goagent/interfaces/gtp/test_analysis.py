"""Analysis: the formats, an end as soon as the next line is there, and an engine that lives through faults."""

import io
import json
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs import BLACK, WHITE, Position, Rules
from goagent.interfaces.gtp import analysis
from goagent.interfaces.gtp.analysis import Request, read_request
from goagent.interfaces.gtp.engine import Engine
from goagent.interfaces.gtp.game import Terms
from goagent.interfaces.gtp.mover import Mover
from goagent.interfaces.gtp.protocol import Lines, serve
from goagent.players.player import Analysis, Interrupted, Line
from goagent.players.random import RandomPlayer

RULES = Rules(rows=2, cols=3, komi=0)
OWNERS = np.array([[1.0, 0.5, 0.0], [-0.25, -1.0, 0.125]])
FOUND = Analysis(
    0.625, 1.5, OWNERS, [Line(0, 0.75, 0.64, 30, (0, 4, 6)), Line(4, 0.25, 0.5, 10, (4,)), Line(6, 0.0, None, 0, (6,))]
)
POSITION = Position(RULES)


class Thinker(RandomPlayer):
    """Thinks for ever: without end inside one thought, unless it is interrupted; counts its thoughts."""

    name = "thinker"

    def __init__(self, stuck=False, fault=None):
        self.seconds = None
        self.stuck, self.fault = stuck, fault
        self.thoughts = 0
        self.told = threading.Event()

    def think(self, position):
        self.told.clear()
        while True:
            if self.fault and self.thoughts:
                raise self.fault
            self.thoughts += 1
            yield FOUND._replace(lines=[Line(0, 1.0, 0.5, self.thoughts, (0,))])
            if self.stuck:
                self.told.wait()
            if self.told.wait(0.001):
                raise Interrupted

    def interrupt(self):
        self.told.set()


class Screen(io.StringIO):
    """Output that can be waited for."""

    def __init__(self):
        super().__init__()
        self.news = threading.Condition()

    def write(self, text):
        with self.news:
            self.news.notify_all()
            return super().write(text)

    def wait_for(self, text, times=1):
        with self.news:
            assert self.news.wait_for(lambda: self.getvalue().count(text) >= times, timeout=60), self.getvalue()


def session(player, script):
    """What is answered to the lines that `script` gives, a generator over the lines which gets the screen."""
    screen = Screen()
    lines = Lines(script(screen))
    engine = Engine(Mover(lambda rules: player, lambda rules: None, Terms(2, 3, 0.0), 0), lines.waits)
    serve(engine, lines, screen)
    return screen.getvalue()


@pytest.mark.parametrize("stuck", [False, True])
@pytest.mark.parametrize("line", ["", "name", "5 protocol_version", "# a comment"])
def test_any_line_ends_an_analysis(line, stuck):
    player = Thinker(stuck)

    def script(screen):
        yield "7 lz-analyze b interval 1"
        screen.wait_for("info move", 1 if stuck else 3)
        yield line
        yield "genmove b"
        yield "quit"

    answers = session(player, script)
    analysis, _, rest = answers.partition("\n\n")
    first, *info = analysis.split("\n")
    assert first == "=7"
    assert info[0].startswith("info move A2 visits ")
    assert all(text.startswith("info move A2 visits ") for text in info)
    expected = {"name": "= goagent\n\n", "5 protocol_version": "=5 2\n\n"}.get(line, "")
    assert rest.startswith(expected + "= ") and rest.endswith("\n\n= \n\n")


def test_an_analysis_ends_with_the_input():
    def script(screen):
        yield "kata-analyze 1"
        screen.wait_for("info move")

    assert session(Thinker(), script).endswith("\n\n")


def test_a_player_that_does_not_think_says_it_once_and_is_waited_for_only_when_needed():
    slow = threading.Event()

    class Slow(RandomPlayer):
        asked = 0

        def analyze(self, position):
            Slow.asked += 1
            if Slow.asked == 3:  # the first was the warm-up
                slow.wait()
            return FOUND

    def script(screen):
        yield "lz-analyze 1"
        screen.wait_for("info move")
        yield "lz-analyze 1"
        yield "name"
        screen.wait_for("goagent")  # although it has not finished
        slow.set()
        yield "genmove b"

    answers = session(Slow(), script)
    assert answers.count("order 0") == 1
    assert answers.count("\n\n") == 4


def test_a_fault_ends_an_analysis_and_not_the_session(capsys):
    player = Thinker()

    def script(screen):
        player.fault = ValueError("out of\n\nmemory")
        yield "lz-analyze b 1"
        yield "name"

    player.thoughts = 0
    assert session(player, script).endswith("= goagent\n\n")


def test_lz_line():
    assert analysis.lz_line(POSITION, FOUND, Request(BLACK)) == (
        "info move A2 visits 30 winrate 6400 prior 7500 lcb 4682 order 0 pv A2 B1 pass"
        " info move B1 visits 10 winrate 5000 prior 2500 lcb 1901 order 1 pv B1"
        " info move pass visits 1 winrate 6250 prior 0 lcb 0 order 2 pv pass"
    )
    assert analysis.lz_line(POSITION, FOUND, Request(BLACK, most=1)).count("info") == 1


def test_kata_line():
    assert analysis.kata_line(POSITION, FOUND, Request(BLACK, most=2, root=True, ownership=True)) == (
        "info move A2 visits 30 utility 0.280000 winrate 0.640000 scoreMean 1.500 scoreLead 1.500 scoreSelfplay 1.500"
        " prior 0.750000 lcb 0.468234 utilityLcb -0.063532 order 0 pv A2 B1 pass"
        " info move B1 visits 10 utility 0.000000 winrate 0.500000 prior 0.250000 lcb 0.190097 utilityLcb -0.619806"
        " order 1 pv B1"
        " rootInfo visits 41 utility 0.250000 winrate 0.625000 scoreMean 1.500 scoreLead 1.500 scoreSelfplay 1.500"
        " ownership 1.0000 0.5000 0.0000 -0.2500 -1.0000 0.1250"
    )


def test_cgos_line():
    said = json.loads(analysis.cgos_line(POSITION, FOUND))
    assert (said["winrate"], said["score"], said["visits"], said["ownership"]) == (0.625, 1.5, 41, "+ufXAj")
    assert said["moves"][0] == {
        "move": "A2", "winrate": 0.64, "prior": 0.75, "visits": 30, "pv": "B1 pass", "score": 1.5
    }  # fmt: skip
    assert "score" not in said["moves"][1]


def test_a_player_without_an_opinion_has_even_chances():
    nothing = Analysis(None, None, None, [Line(0, 1.0, None, 0, (0,))])
    request = Request(BLACK, root=True, ownership=True)
    assert "winrate 5000" in analysis.lz_line(POSITION, nothing, request)
    line = analysis.kata_line(POSITION, nothing, request)
    assert "winrate 0.500000" in line and "score" not in line and "ownership" not in line
    assert json.loads(analysis.cgos_line(POSITION, nothing))["moves"][0]["move"] == "A2"
    assert analysis.value_text(POSITION, nothing) == "no opinion"
    assert analysis.owners_board(POSITION, nothing) == "0.00 0.00 0.00\n0.00 0.00 0.00"


def test_gogui_sees_it_from_blacks_side():
    white = POSITION.with_to_play(WHITE)
    assert analysis.value_text(POSITION, FOUND) == "Black wins with 62.5 %, by 1.5 points"
    assert analysis.value_text(white, FOUND) == "Black wins with 37.5 %, by -1.5 points"
    assert analysis.owners_board(white, FOUND) == "-1.00 -0.50 0.00\n0.25 1.00 -0.12"
    assert analysis.policy_graphics(RULES, np.array([0.8, 0, 0, 0, 0.2, 0, 0])) == (
        "COLOR #ff0000 A2\nCOLOR #ff7373 B1\nLABEL A2 80 B1 20\nTEXT pass 0.0 %"
    )
    assert analysis.policy_graphics(RULES, np.eye(7)[6]) == "TEXT pass 100.0 %"


@pytest.mark.parametrize(
    ("words", "request_"),
    [
        ("", Request(WHITE)),
        ("b", Request(BLACK)),
        ("W 50", Request(WHITE, 0.5)),
        ("100", Request(WHITE)),
        ("0", Request(WHITE, 0.01)),
        ("black interval 20 maxmoves 3", Request(BLACK, 0.2, 3)),
        ("b 10 minmoves 2 rootInfo true ownership true pvVisits true", Request(BLACK, 0.1, None, True, True)),
        ("b 10 movesOwnership false ownership false", Request(BLACK, 0.1)),
    ],
)
def test_arguments(words, request_):
    assert read_request(words.split(), WHITE, kata=True) == request_


WORDS = ["b", "w", "5", "x", "interval", "maxmoves", "rootInfo", "true", "false", "avoid", "nan", "1e400", "-3"]


@given(st.lists(st.sampled_from(WORDS), max_size=6))
def test_no_argument_breaks_the_reader(words):
    try:
        found = read_request(words, BLACK, kata=True)
    except ValueError:
        return
    assert 0.01 <= found.interval <= 1e6


def test_genmove_analyze_ends_with_the_move():
    def script(screen):
        yield "lz-genmove_analyze b 10"
        yield "kata-genmove_analyze w 10 rootInfo true"
        yield "cgos-genmove_analyze b"

    lz, kata, cgos, _ = session(Thinker(), script).split("\n\n")
    for answer, start in ((lz, "info move A2"), (kata, "info move A2"), (cgos, '{"winrate":0.625')):
        first, info, play = answer.split("\n")
        assert first == "=" and info.startswith(start) and play.startswith("play ")
