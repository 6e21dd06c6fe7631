"""Legality as GNU Go sees it: 5 000 recorded answers, and the engine itself where it is installed."""

import gzip
import json
import random

import numpy as np
import pytest

from envs import BLACK, SKIP, WHITE, GoBatch, Position, Rules
from tests.record_gnugo import PROGRAM, RECORD, SIZES, GnuGo, random_game


def read_record():
    with gzip.open(RECORD, "rt") as file:
        next(file)  # names the engine
        return [json.loads(line) for line in file]


def legal_vertices(position: Position, colour: int) -> set[str]:
    """Without the pass, which GNU Go does not list."""
    mask = position.with_to_play(colour).legal_mask()
    return {position.rules.vertex(action) for action in np.flatnonzero(mask[:-1])}


@pytest.mark.parametrize("ko", ["simple", "positional"])
@pytest.mark.parametrize("size", SIZES)
def test_recorded_answers(size, ko, tally):
    rules = Rules.square(size, ko=ko, max_moves=10**6)
    games = [game for game in read_record() if (game["size"], game["ko"]) == (size, ko)]
    moves = [[rules.action(vertex) for vertex in game["moves"].split()] for game in games]
    answers = {(g, ply): (black, white) for g, game in enumerate(games) for ply, black, white in game["answers"]}
    batch = GoBatch(rules, len(games))
    compared = 0
    for ply in range(max(len(line) for line in moves) + 1):
        for g in range(len(games)):
            if (g, ply) in answers:
                for colour, answer in zip((BLACK, WHITE), answers[g, ply], strict=True):
                    position = batch.position(g)
                    assert legal_vertices(position, colour) == set(answer.split()), f"{colour} to play\n{position}"
                    compared += 1
        batch.step(np.array([line[ply] if ply < len(line) else SKIP for line in moves]))
    assert compared == 500
    tally("recorded GNU Go answers", compared)


def test_the_record_knows_superko():
    """At some of its positions superko forbids what simple ko allows."""
    forbidden = 0
    for game in read_record():
        if game["ko"] == "positional":
            simple = Position(Rules.square(game["size"], ko="simple", max_moves=10**6))
            answers = {ply: (black, white) for ply, black, white in game["answers"]}
            for ply, vertex in enumerate([*game["moves"].split(), "pass"]):
                if ply in answers:
                    answer = answers[ply][simple.to_play == WHITE]
                    forbidden += legal_vertices(simple, simple.to_play) > set(answer.split())
                simple = simple.play(simple.rules.action(vertex))
    assert forbidden >= 50


@pytest.mark.skipif(PROGRAM is None, reason="GNU Go is not installed: only its recorded answers were compared")
@pytest.mark.parametrize("ko", ["simple", "positional"])
def test_live_answers(ko, tally):
    engine = GnuGo(ko)
    rng = random.Random(77)
    compared = 0
    try:
        for size in SIZES:
            rules = Rules.square(size, ko=ko, max_moves=10**6)
            engine.start(size)
            position = Position(rules)
            for action in random_game(size, ko, rng)[0].moves[:80]:
                engine.ask(f"play {('black', 'white')[position.to_play == WHITE]} {rules.vertex(action)}")
                position = position.play(action)
                if position.is_over:  # GNU Go goes on
                    break
                for colour, answer in zip((BLACK, WHITE), engine.all_legal(), strict=True):
                    assert legal_vertices(position, colour) == set(answer.split()), f"{colour} to play\n{position}"
                    compared += 1
    finally:
        engine.close()
    tally("live GNU Go answers", compared)
