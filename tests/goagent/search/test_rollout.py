"""The rollout search: laws on random positions and rules, then tiny boards that are solved outright."""

from functools import partial

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envs import BLACK, WHITE, GoBatch, Position, Rules
from envs.state import SKIP
from goagent.search.rollout import (
    ROOT,
    add_playouts,
    candidates,
    descend,
    expand,
    lines_to,
    make_tree,
    rollout_search,
    with_room,
)
from tests.envs.games import random_batch, random_positions

RULES = [
    Rules.square(5),
    Rules(1, 5),
    Rules(2, 2, ko="situational", suicide=True),
    Rules(3, 4, komi=2, max_moves=30),
    Rules.square(3, ko="simple"),
    Rules.square(4, objective="capture"),
]

rules_and_positions = st.builds(
    lambda rules, seed, plies: [p for p in random_positions(rules, seed, plies, 0.3) if not p.is_over][-1],
    st.sampled_from(RULES),
    st.integers(0, 10**6),
    st.integers(0, 40),
)


def standing(position):
    """The score of the board as it is, for the side to move."""
    return position.score_black() * (1 if position.to_play == BLACK else -1)


def expected_candidates(position):
    if position.is_over:
        return set()
    eyes = GoBatch.from_positions([position]).own_eyes()[0]
    points = set(np.flatnonzero((position.legal_mask() & ~eyes)[:-1]))
    pass_action = position.rules.pass_action
    if standing(position) > 0 and position.consecutive_passes:
        return {pass_action}
    return points | {pass_action} if standing(position) >= 0 or not points else points


@pytest.mark.parametrize("rules", RULES, ids=str)
def test_candidates_are_sensible_moves_and_a_pass_that_cannot_lose_at_once(rules, tally):
    for plies in (0, 3, 9, 20, 40):
        batch = random_batch(rules, 40, plies, plies, pass_weight=1.0)
        for i, row in enumerate(candidates(batch)):
            assert set(np.flatnonzero(row)) == expected_candidates(batch.position(i))
            tally("candidate sets", 1)


@given(rules_and_positions, st.integers(1, 70), st.integers(0, 99))
@settings(max_examples=60)
def test_a_search_accounts_for_every_playout_and_its_lines_are_legal(position, playouts, seed):
    result = rollout_search(position, playouts, np.random.default_rng(seed))
    rules, side = position.rules, 1 if position.to_play == BLACK else -1
    assert set(result.actions) <= expected_candidates(position)
    assert result.visits.sum() == playouts
    assert (result.visits > 0).all()
    assert (np.diff(result.visits) <= 0).all()
    assert ((result.win_rates >= 0) & (result.win_rates <= 1)).all()
    assert result.ownership.shape == (rules.rows, rules.cols)
    for action, variation in zip(result.actions, result.variations, strict=True):
        assert action == variation[0]
        after = position
        for move in variation:
            after = after.play(move)  # raises where superko forbids it
    if rules.objective == "area":  # the score is the sum of the points' owners, less the komi
        mean = (result.visits * result.scores).sum() / playouts
        assert mean == pytest.approx(result.ownership.sum() - side * rules.komi)


@given(rules_and_positions, st.integers(0, 99))
@settings(max_examples=20)
def test_the_same_seed_gives_the_same_search_and_stopping_early_the_same_move(position, seed):
    search = partial(rollout_search, position, 300)
    first, second, early = (
        search(np.random.default_rng(seed), until_settled=until_settled) for until_settled in (False, False, True)
    )
    for one, other in zip(first, second, strict=True):
        assert np.array_equal(one, other) if isinstance(one, np.ndarray) else one == other
    assert early.actions[0] == first.actions[0]
    assert early.visits.sum() <= 300


@pytest.mark.parametrize("rules", [Rules.square(5), Rules.square(4, objective="capture")], ids=str)
def test_the_number_of_threads_does_not_matter(rules):
    results = []
    for threads in (1, 2):
        numba.set_num_threads(threads)
        results.append(rollout_search(Position(rules), 3000, np.random.default_rng(3)))
    assert results[0].variations == results[1].variations
    assert np.array_equal(results[0].visits, results[1].visits)
    assert np.array_equal(results[0].scores, results[1].scores)
    assert np.array_equal(results[0].ownership, results[1].ownership)


def test_a_node_has_the_sum_of_its_childrens_results_and_no_loss_stays_behind():
    """A tree grown by hand, every playout a win for the root's side to move: no result can hide."""
    rules = Rules.square(3)
    root = GoBatch.from_positions([Position(rules)])
    tree = with_room(make_tree(), 1000)
    expand(tree, np.zeros(1, np.int64), candidates(root), 0, np.uint64(0))
    wins, points = np.zeros(rules.num_actions + 1), np.zeros(rules.num_actions + 1)
    for i in range(5):
        nodes = descend(tree, 8)
        games = GoBatch(rules, 8)
        games.follow(lines_to(tree, nodes))
        expand(tree, nodes, candidates(games), 2, np.uint64(i))
        games.play_out(np.random.default_rng(i))
        add_playouts(tree, nodes, games.moves, np.ones(8), np.ones(8), np.full(8, 3.0), wins, points)
    used = np.arange(tree.num_nodes[0])
    depths = np.zeros(len(used), int)
    for node in used[1:]:
        depths[node] = depths[tree.parent[node]] + 1
    assert depths.max() > 1
    assert np.array_equal(tree.utility[used], np.where(depths % 2 == 1, 1.0, -1.0) * tree.visits[used])
    assert tree.visits[ROOT] == 40 == tree.visits[used][depths == 1].sum()
    assert wins.sum() == 40
    assert points.sum() == 120
    assert (np.sign(tree.amaf_utility[used]) * np.where(depths % 2 == 1, 1, -1) >= 0).all()
    assert (np.abs(tree.amaf_utility[used]) == tree.amaf_visits[used]).all()
    assert (tree.amaf_visits[used][1:] >= tree.visits[used][1:])[tree.action[used][1:] < rules.pass_action].all()


def test_all_moves_as_first_counts_a_point_for_the_side_that_got_there_first():
    tree = with_room(make_tree(), 100)
    expand(tree, np.zeros(1, np.int64), np.ones((1, 5), np.bool_), 0, np.uint64(0))
    nodes = descend(tree, 1)
    tree.action[1:6] = np.roll([1, 0, 2, 3, 4], nodes[0] - 1)  # whichever it was, it is now 1
    moves = np.array([[1, 2, 3, 4, 1, 0, 2, SKIP]])  # ours, theirs, ours, ...; 4 is the pass
    add_playouts(tree, nodes, moves, np.ones(1), np.ones(1), np.ones(1), np.zeros(6), np.zeros(6))
    counted = {int(tree.action[node]): int(tree.amaf_visits[node]) for node in range(1, 6)}
    assert counted == {0: 0, 1: 1, 2: 0, 3: 1, 4: 0}


def best_result(position, alpha=-1, beta=1):
    """Win 1, draw 0 or loss -1 for the side to move under perfect play that fills no own eye but may always pass."""
    if position.is_over:
        return int(np.sign(standing(position)))
    best = -1
    eyes = GoBatch.from_positions([position]).own_eyes()[0]
    for action in np.flatnonzero(position.legal_mask() & ~eyes)[::-1]:
        best = max(best, -best_result(position.play(action), -beta, -max(alpha, best)))
        if best >= beta:
            break
    return best


@pytest.mark.parametrize("rules", [Rules(2, 2, komi=1), Rules(1, 4, komi=0), Rules(1, 5, komi=0)], ids=str)
def test_it_keeps_the_result_of_solved_boards(rules, tally):
    """Superko decides many of these, and passing at the right moment others."""
    for seed in range(5):
        for position in random_positions(rules, seed, 8):
            if not position.is_over:
                action = rollout_search(position, 1500, np.random.default_rng(seed)).actions[0]
                assert -best_result(position.play(action)) == best_result(position), f"{position}\nplays {action}"
                tally("solved positions", 1)


def test_an_end_of_the_game_is_exact():
    rules = Rules.square(4, objective="capture")
    position = Position.from_diagram(". . . .\n. X . .\nX O . .\n. X . .", rules)
    result = rollout_search(position, 300, np.random.default_rng(0))
    assert result.actions[0] == rules.action("C2")
    assert result.win_rates[0] == result.scores[0] == 1
    ahead = Position.from_diagram(". X .\nX X X\n. X .").with_to_play(WHITE).play(9)
    result = rollout_search(ahead, 20, np.random.default_rng(0))
    assert result.variations == [(9,)]
    assert (result.visits[0], result.win_rates[0], result.scores[0]) == (20, 1, 8.5)


@pytest.mark.parametrize("to_play", [BLACK, WHITE])
def test_it_finds_the_vital_point(to_play):
    """Black lives with B5 and White kills there; the komi makes it decide the game."""
    rules = Rules.square(5, komi=-12)
    position = Position.from_diagram(". . . X O\nX X X X O\nO O O O O\n. . O . .\n. . O . .", rules, to_play)
    result = rollout_search(position, 1000, np.random.default_rng(0))
    assert result.actions[0] == rules.action("B5")
    assert result.win_rates[0] > 0.9
    assert result.ownership[0, :3].mean() > 0.7


def test_seconds_stop_it():
    result = rollout_search(Position(Rules.square(5)), 10**6, np.random.default_rng(0), seconds=0.01)
    assert 0 < result.visits.sum() < 10**6
    result = rollout_search(Position(Rules.square(5)), 10, np.random.default_rng(0), seconds=1000)
    assert result.visits.sum() == 10


def test_moves_of_a_batch():
    rules = Rules.square(3)
    batch = random_batch(rules, 20, 5, 30, pass_weight=1.0)
    assert batch.is_over.any()
    assert not batch.is_over.all()
    for i, row in enumerate(batch.moves):
        played = batch.position(i).moves
        assert row.tolist() == [*played, *[SKIP] * (batch.num_moves.max() - len(played))]
