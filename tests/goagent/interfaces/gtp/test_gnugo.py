"""GNU Go and the engine play each other, each side once with either colour."""

import sys

import numpy as np
import pytest

from envs import Rules
from goagent.arena.match import play_game
from goagent.players.external import ExternalPlayer
from goagent.records.sgf import result_of
from tests.record_gnugo import PROGRAM

OURS = f"{sys.executable} -c 'import sys; from goagent.cli import main; sys.exit(main())' gtp --seed 1 --size 5"
GNUGO = f"{PROGRAM} --mode gtp --level 1 --chinese-rules --capture-all-dead --positional-superko --seed 1"


@pytest.mark.skipif(PROGRAM is None, reason="GNU Go is not installed: it did not play against the engine")
def test_games_against_gnugo():
    rules = Rules.square(5, komi=7.5)
    ours, gnugo = ExternalPlayer(f"{OURS} --agent rollout?playouts=30"), ExternalPlayer(GNUGO)
    try:
        for black, white in ((ours, gnugo), (gnugo, ours)):
            record = play_game(black, white, rules, np.random.default_rng(0))
            assert record.ending in ("passes", "resignation"), record.problem
            if record.ending == "passes":
                for engine in (ours, gnugo):  # both boards are the arena's, to the end
                    assert engine._engine.ask("final_score").removesuffix(".0") == result_of(record.score_black)
    finally:
        ours.close()
        gnugo.close()
