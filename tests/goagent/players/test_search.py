"""A player that searches: legal, varied as asked, and it keeps of its tree what the game left of use."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from itertools import islice

import numpy as np
import pytest

from envs import WHITE, GoBatch, Position, Rules
from goagent.players.player import Interrupted
from goagent.players.search import SearchPlayer
from tests.goagent.search import fakes

RULES = Rules.square(4)


def counted(visits=40, **options):
    """A player, and the list of how many positions its evaluator was asked for."""
    asked = []

    def evaluate(planes):
        asked.append(len(planes))
        return fakes.random(planes)

    return SearchPlayer(evaluate, "test", visits, **options), asked


@pytest.mark.parametrize(
    "options", [{}, {"visits": 2}, {"seconds": 0.01}, {"temperature": 0.0}, {"search": "puct"}], ids=str
)
def test_it_plays_legal_games_to_the_end(options):
    player, _ = counted(**options)
    rng, position = np.random.default_rng(0), Position(Rules(3, 3))
    while not position.is_over:
        assert (position.legal_mask() | (player.distribution(position) == 0)).all()
        position = position.play(player.choose(position, rng))


@pytest.mark.parametrize("search", ["gumbel", "puct"])
def test_without_temperature_there_is_no_chance_and_with_it_there_is(search):
    choices = []
    for temperature in (0.0, 1.0):
        player, _ = counted(visits=8, temperature=temperature, search=search)
        moves = set()
        for seed in range(20):
            player.reset()
            moves.add(player.choose(Position(RULES), np.random.default_rng(seed)))
        choices.append(len(moves))
    assert choices[0] == 1 < choices[1]


def test_the_tree_is_kept_while_the_game_goes_on_and_dropped_when_it_is_another():
    player, _ = counted(visits=200, temperature=0.0)
    rng = np.random.default_rng(0)
    position = Position(RULES)
    position = position.play(player.choose(position, rng))
    reply = player.analyze(position).lines[0].action
    forest = player._forest
    player.choose(position.play(reply), rng)
    assert player._forest is forest and forest.roots.position(0) == position.play(reply)
    assert forest.trees.visits[0, 0] > 201  # the visits of before, and 200 new ones
    other = position.with_to_play(WHITE).play(0)
    player.choose(other, rng)
    assert player._forest is not forest and player._forest.roots.position(0) == other
    player.reset()
    assert player._forest is None


def test_going_back_in_a_game_starts_a_new_tree():
    player, _ = counted(temperature=0.0)
    first = Position(RULES).play(5)
    player.choose(first.play(6), np.random.default_rng(0))
    player.choose(first, np.random.default_rng(0))
    assert player._forest.roots.position(0) == first and player._forest.trees.visits[0, 0] == 41


@pytest.mark.parametrize("search", ["gumbel", "puct"])
def test_an_analysis_is_the_search_said_aloud(search):
    player, _ = counted(visits=100, search=search)
    position = Position(RULES).play(5)
    said = player.analyze(position)
    assert 0 <= said.win_probability <= 1 and said.ownership.shape == (4, 4)
    assert sum(line.visits for line in said.lines) == 100
    assert said.lines == sorted(said.lines, key=lambda line: (-line.visits, -line.probability))
    for line in said.lines:
        after = position
        for action in line.variation:
            after = after.play(action)
        assert line.variation[0] == line.action


def test_an_interrupted_search_is_forgotten():
    player, _ = counted()
    player.choose(Position(RULES), np.random.default_rng(0))

    def fails(planes):
        raise KeyboardInterrupt

    player._forest.evaluate = fails
    with pytest.raises(KeyboardInterrupt):
        player.choose(Position(RULES).play(3), np.random.default_rng(0))
    assert player._forest is None


@pytest.mark.parametrize("options", [{}, {"seconds": 0.01}, {"search": "puct"}], ids=str)
def test_games_against_itself_are_played_out_from_where_they_stand(options):
    player, asked = counted(visits=4, **options)
    games = GoBatch(Rules(3, 3, max_moves=30), 5)
    games.follow(np.array([[0], [1], [2], [3], [4]]))
    finished = player.play_itself(games, np.random.default_rng(0))
    assert finished.is_over.all() and finished.moves[:, 0].tolist() == [0, 1, 2, 3, 4]
    assert games.num_moves.tolist() == [1] * 5  # what it was given is left alone
    assert max(asked) > 1  # several games at once


def test_a_game_among_others_without_chance_is_the_game_that_it_plays_alone():
    player, _ = counted(visits=8, temperature=0.0)
    together = player.play_itself(GoBatch(RULES, 3), np.random.default_rng(0))
    position = Position(RULES)
    player.reset()
    while not position.is_over:
        position = position.play(player.choose(position, np.random.default_rng(0)))
    for i in range(3):
        assert together.position(i).moves == position.moves


@pytest.mark.parametrize("search", ["gumbel", "puct"])
def test_thoughts_grow_and_serve_the_move(search):
    player, _ = counted(search=search, temperature=0.0)
    position = Position(RULES).play(5)
    seen = [sum(line.visits for line in said.lines) for said in islice(player.think(position), 5)]
    assert seen == [16, 48, 112, 240, 496]
    player.choose(position, np.random.default_rng(0))
    assert player._forest.trees.visits[0, 0] == 1 + 496 + 40


@pytest.mark.parametrize("search", ["gumbel", "puct"])
def test_thoughts_can_be_kept_to_some_moves(search):
    player, _ = counted(search=search)
    position = Position(RULES).play(5)
    player.analyze(position)  # of all moves: what the tree knows of others is not said
    allowed = np.isin(np.arange(RULES.num_actions), [0, 5, 6])  # the second is not legal
    for said in islice(player.think(position, allowed), 4):
        assert {line.action for line in said.lines} <= {0, 6}
        assert sum(line.probability for line in said.lines) == pytest.approx(1)
    visits = player._forest.trees.visits[0, 0]
    assert {line.action for line in player.analyze(position).lines} > {0, 6}
    assert visits == 1 + 40 + 16 + 32 + 64 + 128


@pytest.mark.parametrize("options", [{"visits": 300}, {"visits": 60, "search": "puct"}], ids=str)
def test_who_listens_hears_its_opinion_grow_and_changes_nothing(options):
    heard = []
    for hear in (None, heard.append):
        player, _ = counted(**options)
        rng, position = np.random.default_rng(0), Position(RULES)
        with nullcontext() if hear is None else player.aloud(hear, 0.0):
            moves = []
            while len(moves) < 4:
                moves.append(player.choose(position, rng))
                position = position.play(moves[-1])
        if hear is None:
            alone = moves
    assert moves == alone
    heard_before = len(heard)
    player.choose(position, rng)
    assert len(heard) == heard_before > 40
    for said in heard:
        assert all(line.visits and 0 <= line.win_probability <= 1 for line in said.lines)
        assert said.lines and 0 <= said.win_probability <= 1 and said.ownership.shape == (4, 4)


def test_who_listens_hears_no_more_than_he_asked_for():
    now, heard = [0.0], []

    def evaluate(planes):
        now[0] += 0.1
        return fakes.random(planes)

    player = SearchPlayer(evaluate, "test", visits=300)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("goagent.players.search.time.monotonic", lambda: now[0])
        with player.aloud(lambda said: heard.append(now[0]), 1.0):
            player.choose(Position(RULES), np.random.default_rng(0))
    assert len(heard) >= 2 and np.diff([0.0, *heard]).min() >= 1


def test_whatever_it_thinks_about_can_be_stopped_from_another_thread():
    begun = threading.Event()

    def evaluate(planes):
        begun.set()
        return fakes.random(planes)

    player = SearchPlayer(evaluate, "test", seconds=3600)
    player.interrupt()  # at rest: nothing to stop
    with ThreadPoolExecutor() as pool:
        choice = pool.submit(player.choose, Position(RULES), np.random.default_rng(0))
        assert begun.wait(60)
        player.interrupt()
        with pytest.raises(Interrupted):
            choice.result(60)
    thoughts = player.think(Position(RULES))
    next(thoughts)
    player.interrupt()  # between two thoughts
    with pytest.raises(Interrupted):
        next(thoughts)
    assert next(player.think(Position(RULES))).lines  # and it can think again


def test_visits_end_a_search_that_still_has_time():
    player, _ = counted(visits=50, seconds=3600, temperature=0.0)
    player.choose(Position(RULES), np.random.default_rng(0))
    assert player._forest.trees.visits[0, 0] == 1 + 50


def test_the_opinion_of_a_position_is_that_of_the_moves_it_would_play():
    """Who takes the first point wins, however many other moves a search looks at."""

    def evaluate(planes):
        found = fakes.random(planes)
        owner = planes[:, 0, 0, 0] - planes[:, 1, 0, 0]
        return found._replace(logits=np.zeros_like(found.logits), value=0.9 * owner, score=10 * owner)

    said = SearchPlayer(evaluate, "test", visits=64).analyze(Position(RULES))
    assert said.lines[0].action == 0
    assert said.win_probability == pytest.approx(said.lines[0].win_probability, abs=0.02)
    assert said.score > 8


def test_a_search_that_goes_slower_than_expected_ends_in_time():
    """Until the deadline every answer comes at once; the first one after it would come when all is lost."""
    now = [0.0]
    asked = []

    def evaluate(planes):
        asked.append(len(planes))
        now[0] += 0.001 if sum(asked) < 40 else 1.0
        return fakes.random(planes)

    player = SearchPlayer(evaluate, "test", seconds=5.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("goagent.players.search.time.monotonic", lambda: now[0])
        action = player.choose(Position(RULES), np.random.default_rng(0))
    assert Position(RULES).legal_mask()[action]
    assert 5.0 <= now[0] < 6.5  # at most one answer too late
    trees = player._forest.trees  # all that was thought before is kept, and nothing half done
    nodes = int(trees.num_nodes[0])
    assert nodes > 32 and (trees.visits[0, :nodes] > 0).all() and trees.child[0, :nodes].max() == nodes - 1
    forest, player.seconds = player._forest, 0.01
    player.choose(Position(RULES).play(action), np.random.default_rng(0))
    assert player._forest is forest
