"""Players: what they promise (legal moves, honest distributions), and engines that break their promises."""

import gc
import os
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest

from envs import BLACK, WHITE, Position, Rules
from goagent.players.external import EngineError, ExternalPlayer
from goagent.players.player import Resigned
from goagent.players.random import RandomPlayer
from goagent.players.rollout import RolloutPlayer
from tests.record_gnugo import PROGRAM

FAKE = Path(__file__).parent.parent / "fake_gtp.py"
PASS = 25


def engine(fault, *log, timeout=20.0):
    return ExternalPlayer(shlex.join([sys.executable, str(FAKE), fault, *map(str, log)]), timeout)


def positions(rules, count, seed=0):
    """Unfinished positions from random games."""
    rng = np.random.default_rng(seed)
    found = []
    while len(found) < count:
        position = Position(rules)
        for _ in range(rng.integers(40)):
            after = position.play(int(rng.choice(np.flatnonzero(position.legal_mask()))))
            position = position if after.is_over else after
        found.append(position)
    return found


@pytest.mark.parametrize("player", [RandomPlayer(), RolloutPlayer(30)], ids=lambda player: player.name)
@pytest.mark.parametrize("rules", [Rules.square(5), Rules(1, 2), Rules(3, 4, objective="capture")], ids=str)
def test_moves_are_legal_and_the_distribution_covers_them(player, rules):
    for position in positions(rules, 15):
        chances = player.distribution(position)
        assert chances.shape == (rules.num_actions,)
        assert chances.sum() == pytest.approx(1)
        assert not chances[~position.legal_mask()].any()
        assert position.why_illegal(player.choose(position, np.random.default_rng(1))) is None
        lines = player.analyze(position).lines
        assert [line.probability for line in lines] == pytest.approx([chances[line.action] for line in lines])
        assert sum(line.probability for line in lines) == pytest.approx(1)


def test_random_is_uniform_and_passes_after_a_pass_or_when_it_must():
    player = RandomPlayer()
    start = Position.from_diagram(". X .\nX X .\n. X .")
    assert player.distribution(start) == pytest.approx(np.array([1, 0, 1, 0, 0, 1, 1, 0, 1, 0]) / 5)
    assert player.distribution(start.play(9))[9] == 1
    assert player.distribution(Position.from_diagram(". X . X .", to_play=WHITE))[5] == 1
    rng = np.random.default_rng(0)
    assert {player.choose(start, rng) for _ in range(100)} == {0, 2, 5, 6, 8}


def test_an_engine_is_told_what_it_does_not_know(tmp_path):
    log = tmp_path / "log"
    player = engine("none", log)

    def told(position):
        before = len(log.read_text().splitlines()) if log.exists() else 1
        action = player.choose(position, np.random.default_rng(0))
        return position.rules.vertex(action), log.read_text().splitlines()[before:]

    rules = Rules.square(5)
    start = Position(rules)
    new = ["boardsize 5", "komi 0.5", "clear_board"]
    assert told(start) == ("A1", [*new, "genmove black"])
    one = start.play(rules.action("A1")).play(rules.action("C3"))
    assert told(one) == ("B1", ["play white C3", "genmove black"])
    undone = start.play(PASS)
    assert told(undone) == ("A1", [*new, "play black pass", "genmove white"])
    set_up = Position.from_diagram(". . . . .\n. X . . .\n. . O . .\n. . . . .\n. . . . .", rules)
    assert told(set_up) == ("A1", [*new, "play black B4", "play white C3", "genmove black"])
    assert told(Position(Rules(2, 3, komi=1)))[1][0] == "rectangular_boardsize 3 2"
    player.reset()
    assert told(Position(Rules(2, 3, komi=1)))[1][0] == "rectangular_boardsize 3 2"


def test_an_engine_is_stopped_when_nobody_uses_it(tmp_path):
    player = engine("none", tmp_path / "log")
    assert player.distribution(Position(Rules.square(3)))[6] == 1
    pid = int((tmp_path / "log").read_text().split()[1])
    os.kill(pid, 0)
    del player
    gc.collect()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert "quit" in (tmp_path / "log").read_text()


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("crash", "ended at 'genmove black' (exit status 1): the weights are gone"),
        ("silent", "gave no answer to 'genmove black' within 0.5 s"),
        ("garbage", "answered 'genmove black' with 'Thinking...': expected '=' or '?'"),
        ("flood", "answered 'genmove black' without end"),
        ("nonsense", "answered genmove with 'z99': expected a move"),
        ("illegal", "played an illegal move: Black may not play C3: the point is occupied"),
        ("refuse", "refused 'komi 0.5': komi is out of fashion"),
    ],
)
def test_a_faulty_engine_is_an_error_in_one_line_and_starts_again(fault, says, tmp_path):
    position = Position(Rules.square(5)).with_to_play(WHITE).play(12)
    player = engine(fault, tmp_path / "log", timeout=0.5 if fault == "silent" else 20.0)
    for _ in range(1 if fault == "silent" else 2):
        with pytest.raises(EngineError) as error:
            player.choose(position, np.random.default_rng(0))
        assert says in str(error.value)
        assert "\n" not in str(error.value)
    pids = [line for line in (tmp_path / "log").read_text().splitlines() if line.startswith("pid")]
    assert len(set(pids)) == (1 if fault == "silent" else 2)


def test_an_engine_that_is_not_there():
    with pytest.raises(EngineError, match="cannot be started: No such file"):
        ExternalPlayer("/no/such/engine --gtp").choose(Position(Rules.square(5)), np.random.default_rng(0))


def test_an_engine_may_resign():
    player = engine("resign")
    position = Position(Rules.square(5))
    for _ in range(2):
        with pytest.raises(Resigned):
            player.choose(position, np.random.default_rng(0))
    assert player.distribution(position)[PASS] == 1


@pytest.mark.skipif(PROGRAM is None, reason="GNU Go is not installed")
def test_gnu_go_plays_a_game():
    player = ExternalPlayer(f"{PROGRAM} --mode gtp --level 1 --chinese-rules --capture-all-dead")
    rng = np.random.default_rng(0)
    position = Position(Rules.square(5))
    while not position.is_over:
        mover = player if position.to_play == BLACK else RandomPlayer()
        position = position.play(mover.choose(position, rng))
    assert position.score_black() > 0
