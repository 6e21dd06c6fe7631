"""The game that GTP plays: no end, either side at any time, undo to the beginning, komi and rules that may change."""

import numpy as np

from goagent.interfaces.gtp.game import GtpGame, Terms
from goagent.players.random import RandomPlayer
from tests.goagent.interfaces.gtp.fakes import ask, engine


def test_superko_outlives_passes_and_simple_ko_does_not():
    ko = ["boardsize 4 1", "play w b1", "play b c1", "play b a1", "play w b1"]
    after_passes = [*ko[:-1], "play w pass", "play b pass", "play w b1"]
    assert ask(None, "kata-set-rules tromp-taylor", *ko)[-1] == "? illegal move"
    assert ask(None, "kata-set-rules chinese", *ko)[-1] == "? illegal move"
    assert ask(None, "kata-set-rules tromp-taylor", *after_passes)[-1] == "? illegal move"
    assert ask(None, "kata-set-rules chinese", *after_passes)[-1] == "= "


def test_play_goes_on_after_two_passes_and_either_side_may_move():
    mine = engine()
    assert ask(mine, *["play b pass"] * 5, "genmove b", "genmove b", "play w pass", "play w pass", "genmove w") == [
        *["= "] * 5, "= pass", "= pass", "= ", "= ", "= pass"]  # fmt: skip
    assert ask(mine, "play b b2", "play b a1", "genmove w", "genmove w") == ["= ", "= ", "= A3", "= B3"]
    assert not mine.game.position.is_over
    assert ask(mine, *["undo"] * 14, "undo") == [*["= "] * 14, "? cannot undo"]


def test_no_number_of_moves_ends_a_game():
    mine = engine(RandomPlayer(), size=2)
    ask(mine, "kata-set-rules chinese", *["genmove b", "genmove w"] * 80)
    assert len(mine.game.moves) == 160


def test_undo_restores_every_position_and_superko_with_it():
    game = GtpGame(Terms(3, 3))
    seen = [game.position]
    rng = np.random.default_rng(0)
    for _ in range(30):
        colour = int(rng.integers(1, 3))
        legal = np.flatnonzero(game.turn_of(colour).legal_mask())
        game.play(colour, int(rng.choice(legal)))
        assert not game.position.is_over
        seen.append(game.position)
    while game.moves:
        assert game.position == seen.pop()
        game.undo()
    assert game.position == seen.pop()


def test_komi_belongs_to_the_size_until_it_is_set():
    assert ask(None, "get_komi", "boardsize 9", "get_komi", "komi 6.5", "boardsize 5", "get_komi") == [
        "= 0.5", "= ", "= 7", "= ", "= ", "= 6.5"]  # fmt: skip
    assert ask(None, "komi 0.3", "get_komi", "komi -1000", "get_komi", "komi 1e3", "get_komi") == [
        "= ", "= 0.5", "= ", "= -361", "= ", "= 361"]  # fmt: skip
    assert ask(None, "play b b2", "komi 3", "showboard", "final_score")[2:] == [
        "=\n   A B C\n 3 . . .\n 2 . X .\n 1 . . .\nkomi 3, White to play, 1 moves", "= B+6"]  # fmt: skip


def test_rules():
    said = '"friendlyPassOk":false,"hasButton":false,"ko":"%s","scoring":"AREA","suicide":%s,"tax":"NONE"'
    assert ask(None, "kata-get-rules", "kata-set-rules tromp-taylor", "kata-get-rules") == [
        "= {" + said % ("POSITIONAL", "false") + ',"whiteHandicapBonus":"0"}',
        "= ",
        "= {" + said % ("POSITIONAL", "true") + ',"whiteHandicapBonus":"0"}',
    ]
    for name in ("cgos", "chinese", "chinese-kgs", "aga", "new_zealand"):
        mine = engine()
        assert ask(mine, f"kata-set-rules {name}") == ["= "]
        rules = ask(mine, "kata-get-rules")[0].removeprefix("= ")
        assert ask(mine, f"kata-set-rules {rules}", "kata-get-rules") == ["= ", f"= {rules}"]  # what it says it takes
    assert "chinese-kgs" in ask(None, "kgs-rules japanese")[0]
    assert ask(None, "kgs-rules chinese", "kata-get-rules")[1].startswith("= {" + said % ("POSITIONAL", "false"))
    for bad, why in (
        ("japanese", "unsupported rules japanese"),
        ('{"scoring": "TERRITORY"}', "unsupported scoring TERRITORY: expected AREA"),
        ('{"ko": "long"}', "ko is 'long'"),
        ('{"colour": 1}', "unknown rule colour"),
        ('{"suicide": 3}', "suicide is 3"),
        ('{"whiteHandicapBonus": "M"}', "unsupported whiteHandicapBonus M"),
        ("{", "Expecting property name"),
        ("{}", None),
    ):
        (answer,) = ask(None, f"kata-set-rules {bad}")
        assert answer == "= " if why is None else answer.startswith(f"? {why}")
