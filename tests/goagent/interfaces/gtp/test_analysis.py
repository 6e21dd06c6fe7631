"""Analysis: the formats, an end as soon as the next line is there, and an engine that lives through faults."""

import json
import re
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs import BLACK, WHITE, Position, Rules
from goagent.interfaces.gtp import analysis
from goagent.interfaces.gtp.analysis import Request, read_request
from goagent.interfaces.gtp.game import Terms
from goagent.players.player import Analysis, Line
from goagent.players.random import RandomPlayer
from goagent.players.search import SearchPlayer
from tests.goagent.interfaces.gtp.fakes import FOUND, Quitter, Thinker, ask, engine, session
from tests.goagent.search.fakes import random as random_evaluator

RULES = Rules(rows=2, cols=3, komi=0)
POSITION = Position(RULES)


@pytest.mark.parametrize("stuck", [False, True])
@pytest.mark.parametrize("line", ["", "name", "5 protocol_version", "# a comment"])
def test_any_line_ends_an_analysis(line, stuck):
    player = Thinker(stuck=stuck)

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
        ("b 10 avoid b A2,C1 1", Request(BLACK, 0.1, allowed=frozenset({1, 2, 3, 4, 6}))),
        ("b 10 avoid b A2 1 avoid b B2,pass 30 interval 5", Request(BLACK, 0.05, allowed=frozenset({2, 3, 4, 5}))),
        ("w allow w a2,PASS 0 ownership true", Request(WHITE, ownership=True, allowed=frozenset({0, 6}))),
        ("allow white A2,B2 2 avoid white B2 1", Request(WHITE, allowed=frozenset({0}))),
        ("w avoid b A2 1 allow b B2 1", Request(WHITE)),  # the opponent's moves come later
    ],
)
def test_arguments(words, request_):
    assert read_request(words.split(), RULES, WHITE, kata=True) == request_


def test_restrictions_are_checked():
    for words in ("avoid", "avoid b", "avoid b A1", "allow b A1 x", "avoid A1 b 1", "avoid b A1,,B1 1", "allow b A3 1"):
        with pytest.raises(ValueError):
            read_request(words.split(), RULES, BLACK, kata=False)


WORDS = ["b", "w", "5", "x", "interval", "maxmoves", "rootInfo", "true", "false", "avoid", "A1", "nan", "1e400", "-3"]


@given(st.lists(st.sampled_from(WORDS), max_size=6))
def test_no_argument_breaks_the_reader(words):
    try:
        found = read_request(words, RULES, BLACK, kata=True)
    except ValueError:
        return
    assert 0.01 <= found.interval <= 1e6


def test_an_analysis_of_some_moves():
    def script(screen):
        yield "lz-analyze b 1 avoid b A2,B2 1"
        screen.wait_for("info move C2")
        yield "kata-analyze w 1 allow w B1,pass 1"
        screen.wait_for("info move B1")

    assert "A2" not in session(Thinker(), script)
    played = engine(Thinker(), size=2)
    assert ask(played, "play b a2", "lz-analyze w 1 allow w A2 1", "lz-genmove_analyze w 1 avoid w A1 1") == [
        "= ", "? no legal move is left", "? avoid and allow are not supported for a move that is played"]  # fmt: skip
    assert ask(None, "lz-analyze b 1 avoid b A1 1") == ["? avoid and allow are not supported by this player"]


def test_a_trained_agents_analysis_of_some_moves():
    def script(screen):
        yield "kata-analyze b 1 allow b A2,B1 1"
        screen.wait_for("info move A2", 3)
        screen.wait_for("info move B1", 3)
        yield "quit"

    said = session(SearchPlayer(random_evaluator, "test"), script)
    moves = said.split("info move ")[1:]
    assert {move.split()[0] for move in moves} == {"A2", "B1"}


@pytest.mark.parametrize("kind", ["lz", "kata"])
def test_a_move_is_thought_about_aloud_and_no_line_prevents_it(kind):
    player = Thinker()
    player.let.clear()

    def script(screen):
        yield f"3 {kind}-genmove_analyze b 20"
        screen.wait_for("info move A2")  # while it thinks
        yield ""
        yield "4 name"
        player.let.set()

    answers = session(player, script).split("\n\n")
    first, *info, play = answers[0].split("\n")
    assert first == "=3" and len(info) == 3 and play == "play A2"
    assert all(line.startswith("info move A2 visits ") for line in info)
    assert answers[1] == "=4 goagent" and player.intervals == [0.2]


def test_cgos_gets_one_line():
    player = Thinker()
    first, info, play = session(player, lambda _: iter(["cgos-genmove_analyze b"])).removesuffix("\n\n").split("\n")
    assert (first, play) == ("=", "play A2") and json.loads(info)["winrate"] == 0.625
    assert player.intervals == [float("inf")]


def test_who_does_not_think_aloud_says_its_opinion_once():
    lz, kata, cgos = ask(None, "lz-genmove_analyze b 1", "kata-genmove_analyze w 1", "cgos-genmove_analyze b")
    for answer, start in ((lz, "info move A3"), (kata, "info move B3"), (cgos, '{"winrate":0.75')):
        first, info, play = answer.split("\n")
        assert first == "=" and info.startswith(start) and play.startswith("play ")
    (answer,) = ask(RandomPlayer(), "lz-genmove_analyze b 1")
    assert "winrate 5000" in answer  # without an opinion
    assert ask(Quitter(), "lz-genmove_analyze b") == ["=\nplay resign"]


def test_the_move_is_the_one_that_genmove_plays():
    games = []
    for command in ("genmove {}", "lz-genmove_analyze {} 1"):
        mine = engine(SearchPlayer(random_evaluator, "test", visits=100), terms=Terms(3, 3, 0.0))
        answers = ask(mine, *(command.format(colour) for colour in "bwbwbwbw"))
        games.append([answer.split()[-1] for answer in answers])
    assert games[0] == games[1]


def test_a_fault_before_the_first_line_is_an_answer_and_a_later_one_ends_it(capsys):
    assert ask(Thinker(), "play b a3", "lz-genmove_analyze")[1].startswith("=\ninfo move ")
    player = Thinker(fault=ValueError("out of memory"))

    def script(screen):
        yield "1 kata-genmove_analyze b 10"
        yield "2 name"

    said = session(player, script)
    assert re.fullmatch(r"=1\ninfo move A2 .*\n\n=2 goagent\n\n", said)
    assert "internal error: ValueError: out of memory" in capsys.readouterr().err
    player = Thinker()
    player.aloud = None
    assert session(player, script).startswith("?1 internal error: TypeError")


def test_no_number_makes_an_analysis_end_too_soon():
    for line in ("lz-analyze b 10 maxmoves 0", "kata-analyze b 10 maxmoves -24", "kata-analyze b interval 1e300"):
        assert len(ask(engine(), line, "name")) == 2, line
    assert ask(engine(), "kata-analyze b interval nan") == ["? syntax error"]
