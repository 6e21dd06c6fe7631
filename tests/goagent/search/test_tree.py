"""Laws of the trees, whatever search grows them, with an evaluator that only looks random."""

from functools import partial

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from envs import BLACK, EMPTY, WHITE, GoBatch, Position, Rules
from envs.state import SKIP
from envs.symmetry import action_table, transform
from goagent.search.evaluation import utility
from goagent.search.gumbel import gumbel_search
from goagent.search.puct import puct_search
from goagent.search.tree import ROOT, Forest
from tests.envs.games import draw_actions, random_positions
from tests.goagent.search.fakes import random, symmetric

RULES = [
    Rules(2, 2, ko="situational", suicide=True),
    Rules(1, 5, komi=0),
    Rules(2, 3, komi=1, suicide=True),
    Rules(3, 3, ko="simple"),
    Rules(3, 4, komi=2, max_moves=12),
    Rules(4, 4, objective="capture"),
    Rules(4, 5, komi=0.5, ko="situational"),
]
SEARCHES = {"gumbel": gumbel_search, "puct": puct_search}
QUIET = {"gumbel": partial(gumbel_search, noise=0), "puct": partial(puct_search, noise_fraction=0)}

both = pytest.mark.parametrize("name", SEARCHES)
any_rules = st.sampled_from(RULES)
any_seed = st.integers(0, 10**6)


def some_games(rules: Rules, rng: np.random.Generator, count: int) -> GoBatch:
    """Games of various ages, some of them over, each with a komi of its own."""
    most = 2 * rules.num_points
    ages = rng.integers(0, most, count)
    games = GoBatch(rules, count)
    if rules.objective == "area":
        games.komi[:] += rng.integers(-3, 4, count)
    for age in range(most):
        actions = draw_actions(games.legal_mask(), rng, 0.5)
        games.step(np.where(age < ages, actions, SKIP))
    return games


def planted(games: GoBatch, evaluate=random) -> Forest:
    forest = Forest(evaluate, games.rules, games.num_games)
    forest.plant(games)
    return forest


def line_to(trees, t: int, node: int) -> tuple[int, ...]:
    line = []
    while node != ROOT:
        line.append(int(trees.action[t, node]))
        node = trees.parent[t, node]
    return tuple(line[::-1])


def statistics(forest: Forest, t: int) -> dict[tuple[int, ...], list]:
    """What tree `t` knows, by the line of moves that leads there from the root."""
    s = forest.trees
    parts = (s.prior, s.raw, s.over, s.visits, s.utility, s.value, s.score)
    return {line_to(s, t, node): [np.array(part[t, node]) for part in parts] for node in range(s.num_nodes[t])}


def assert_same(one: dict, other: dict) -> None:
    assert one.keys() == other.keys()
    for line, known in one.items():
        assert all(np.array_equal(a, b) for a, b in zip(known, other[line], strict=True)), line


def check_tree(forest: Forest, t: int) -> int:
    """Replay every line with `Position`, and add every node up from its own evaluation; returns the number of nodes."""
    s, root = forest.trees, forest.roots.position(t)
    positions: dict[int, Position] = {}
    for node in range(s.num_nodes[t]):
        action, parent = int(s.action[t, node]), int(s.parent[t, node])
        position = root if node == ROOT else positions[parent].play(action)
        positions[node] = position
        assert (node == ROOT) == (parent < 0)
        assert node == ROOT or s.child[t, parent, action] == node
        assert s.over[t, node] == position.is_over
        assert np.array_equal(s.prior[t, node] > 0, position.legal_mask())
        children = s.child[t, node][s.child[t, node] >= 0]
        assert (s.parent[t, children] == node).all()
        sums = np.array([s.utility[t, node], s.value[t, node], s.score[t, node]])
        side = 1 if (root.to_play == BLACK) == (len(line_to(s, t, node)) % 2 == 0) else -1
        if position.is_over:
            score = np.float64(side * position.score_black())
            own = np.array([utility(np.sign(score), score, root.rules.num_points), np.sign(score), score])
            assert len(children) == 0
            assert sums == pytest.approx(s.visits[t, node] * own, rel=1e-5, abs=1e-5)
        else:
            answer = random(position.observe()[None])
            value, score = answer.value[0], answer.score[0]
            own = np.array([utility(value, score, root.rules.num_points), value, score])
            below = np.array([part[t, children].sum() for part in (s.utility, s.value, s.score)])
            assert s.visits[t, node] == 1 + s.visits[t, children].sum()
            assert sums == pytest.approx(own - below, abs=1e-4)
            weights = np.where(position.legal_mask(), np.exp(answer.logits[0]), 0)
            assert s.prior[t, node] == pytest.approx(weights / weights.sum(), abs=1e-6)
        assert s.visits[t, node] == 0 or s.raw[t, node] == pytest.approx(own[0], abs=1e-5)
    return len(positions)


@both
@given(any_rules, any_seed)
@settings(max_examples=12)
def test_searches_and_moves_in_any_order_keep_the_books(name, rules, seed):
    rng = np.random.default_rng(seed)
    forest = planted(some_games(rules, rng, 3))
    for _ in range(rng.integers(1, 4)):
        before = [statistics(forest, t) for t in range(3)]
        visited = forest.trees.visits[:, ROOT].copy()
        over, legal = forest.roots.is_over, forest.roots.legal_mask().copy()
        visits = rng.integers(1, 25, 3)
        allowed = rng.random(legal.shape) < rng.choice([0.5, 1.0])
        allowed[:, -1] |= ~(allowed & legal).any(axis=1)
        found = SEARCHES[name](forest, visits, rng, allowed=allowed)

        for t in range(3):
            check_tree(forest, t)
            assert statistics(forest, t).keys() >= before[t].keys()
        assert np.array_equal(forest.trees.visits[:, ROOT], visited + np.where(over, 0, visits))
        assert np.array_equal(found.visits.sum(axis=1), np.maximum(0, forest.trees.visits[:, ROOT] - 1) * ~over)
        assert ((found.actions == SKIP) == over).all()
        assert (legal & allowed)[~over, found.actions[~over]].all()
        assert (found.policy >= 0).all()
        assert (found.policy[~(legal & allowed)] == 0).all()
        assert found.policy.sum(axis=1) == pytest.approx(np.where(over, 0, 1), abs=1e-5)
        assert (np.abs(found.value) <= 1).all()

        random_moves = draw_actions(legal, rng)
        actions = np.where(rng.random(3) < 0.6, found.actions, np.where(rng.random(3) < 0.5, random_moves, SKIP))
        before = [statistics(forest, t) for t in range(3)]
        forest.advance(actions)
        for t, action in enumerate(actions):
            check_tree(forest, t)
            kept = {line[1:]: known for line, known in before[t].items() if line[:1] == (action,)}
            if action == SKIP:
                assert_same(statistics(forest, t), before[t])
            elif kept:
                assert_same(statistics(forest, t), kept)
            else:
                assert forest.trees.num_nodes[t] == 1


@both
@given(any_rules, any_seed)
@settings(max_examples=8)
def test_a_row_of_a_batch_is_what_the_game_alone_gives(name, rules, seed):
    """Whatever the other games are, and however many visits they get; in a second search on the same trees too."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 7))
    games = some_games(rules, rng, count)
    forest = planted(games)
    alone = [planted(one(games, t)) for t in range(count)]
    for _ in range(2):
        visits = rng.integers(1, 40, count)
        together = QUIET[name](forest, visits, rng)
        for t in range(count):
            single = QUIET[name](alone[t], visits[t : t + 1], rng)
            for part, row in zip(single, together, strict=True):
                assert np.array_equal(part[0], row[t])
            assert_same(statistics(alone[t], 0), statistics(forest, t))
            alone[t].advance(together.actions[t : t + 1])
        forest.advance(together.actions)


def one(games: GoBatch, t: int) -> GoBatch:
    single = GoBatch(games.rules, 1)
    single.copy_games(games, np.array([t]), np.array([0]))
    return single


@both
def test_the_generator_decides_everything(name):
    games = some_games(RULES[-1], np.random.default_rng(3), 4)
    visits = np.array([9, 30, 1, 17])
    runs = []
    for seed in (1, 1, 2):
        forest = planted(games)
        runs.append((SEARCHES[name](forest, visits, np.random.default_rng(seed)), statistics(forest, 1)))
    assert all(np.array_equal(a, b) for a, b in zip(runs[0][0], runs[1][0], strict=True))
    assert_same(runs[0][1], runs[1][1])
    assert not np.array_equal(runs[0][0].visits, runs[2][0].visits)


@both
@given(st.sampled_from([Rules(3, 3, komi=0), Rules(3, 4, ko="simple", komi=0), Rules(4, 4, komi=0)]), any_seed)
@settings(max_examples=6)
def test_symmetric_positions_are_searched_alike(name, rules, seed):
    moves = [p for p in random_positions(rules, seed, 8) if not p.is_over][-1].moves
    table = action_table(rules.rows, rules.cols)
    copies = [Position(rules) for _ in table]
    for move in moves:
        copies = [copy.play(int(places[move])) for copy, places in zip(copies, table, strict=True)]
    assume(len({copy.observe().tobytes() for copy in copies}) == len(copies))  # or equals would be told by number
    found = QUIET[name](planted(GoBatch.from_positions(copies), symmetric), np.full(len(copies), 30), _none())
    for k in range(len(copies)):
        assert found.policy[k] == pytest.approx(transform(found.policy[0], k, rules.rows, rules.cols), abs=1e-4)
        assert np.array_equal(found.visits[k], transform(found.visits[0], k, rules.rows, rules.cols))
        assert found.value[k] == pytest.approx(found.value[0])


@both
@pytest.mark.parametrize("rules", [rules for rules in RULES if rules.objective == "area"], ids=str)
def test_colours_do_not_matter(name, rules):
    """The same stones and moves with the colours swapped, and the komi given to Black."""
    for seed in range(3):
        *_, position = random_positions(rules, seed, 9)
        board = position.board
        swapped = np.array([EMPTY, WHITE, BLACK])[board]
        twins = [
            Position.from_diagram(_diagram(stones), rules, colour)
            for stones, colour in ((board, BLACK), (swapped, WHITE))
        ]
        games = GoBatch.from_positions(twins)
        games.komi[1] *= -1
        found = QUIET[name](planted(games), np.full(2, 40), _none())
        assert all(np.array_equal(part[0], part[1]) for part in found)


def _diagram(board: np.ndarray) -> str:
    return "\n".join(" ".join(".XO"[stone] for stone in row) for row in board)


def _none() -> np.random.Generator:
    return np.random.default_rng(0)


@both
def test_finished_games_are_left_alone(name):
    """One that was over when its tree was planted, and one that ended by moves which its tree had visited often."""
    rules = Rules(2, 2, komi=1)
    over = Position(rules).play(4).play(4)
    forest = planted(GoBatch.from_positions([over, Position(rules).play(4), Position(rules)]))
    only_pass = np.zeros((3, 5), np.bool_)
    only_pass[:, 4] = True
    SEARCHES[name](forest, np.full(3, 6), _none(), allowed=only_pass)
    forest.advance(np.array([SKIP, 4, 0]))
    assert forest.trees.visits[1, ROOT] == 6
    found = SEARCHES[name](forest, np.full(3, 7), _none())
    assert found.actions[:2].tolist() == [SKIP, SKIP]
    assert not found.policy[:2].any()
    assert not found.visits[:2].any()
    assert forest.trees.visits[:2, ROOT].tolist() == [0, 6]
    assert found.value[1] == -1  # for Black, who would be next; the komi makes him lose
    assert found.actions[2] != SKIP


@both
def test_a_failure_of_the_evaluator_is_raised(name):
    def broken(planes):
        raise RuntimeError("out of memory")

    forest = planted(GoBatch(Rules.square(3), 1))
    forest.evaluate = broken
    with pytest.raises(RuntimeError, match="out of memory"):
        SEARCHES[name](forest, np.array([4]), _none())
