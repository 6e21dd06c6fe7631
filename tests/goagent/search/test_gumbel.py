"""Gumbel search: against a slow tree that follows the paper, then what it promises, and positions with known answers.

What all searches have in common is in `test_tree.py`.
"""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envs import BLACK, GoBatch, Position, Rules
from goagent.search.evaluation import Evaluation
from goagent.search.gumbel import descend, gumbel_search, improved_logits
from goagent.search.tree import ROOT, Forest, make_trees
from tests.envs.games import random_positions
from tests.goagent.search.fakes import LADDER, NO_SUPERKO, PROBLEMS, SUPERKO, Node, counting, random

RULES = [Rules(2, 2, ko="situational", suicide=True), Rules(1, 5), Rules(3, 4, max_moves=14), Rules(4, 4)]


def planted(position: Position, evaluate=random) -> Forest:
    forest = Forest(evaluate, position.rules, 1)
    forest.plant(GoBatch.from_positions([position]))
    return forest


def ongoing(rules: Rules, seed: int) -> Position:
    return [p for p in random_positions(rules, seed, seed % 12, 0.3) if not p.is_over][-1]


def considered_visits(candidates: int, visits: int) -> list[int]:
    """Sequential halving as Karnin et al. (2013) state it: how often the action of each visit was visited before."""
    sequence: list[int] = []
    rounds = math.ceil(math.log2(candidates)) if candidates > 1 else 1
    left, done = candidates, 0
    while len(sequence) < visits:
        for _ in range(max(1, visits // (rounds * left))):
            sequence += [done] * left
            done += 1
        left = max(left // 2, min(2, candidates))
    return sequence[:visits]


def test_the_sequence_of_visits_by_hand():
    """Sixteen visits on four candidates: two each, then four each for the better two."""
    assert considered_visits(4, 16) == [0] * 4 + [1] * 4 + [2, 2, 3, 3, 4, 4, 5, 5]
    assert considered_visits(1, 3) == [0, 1, 2]
    assert considered_visits(3, 7) == [0, 0, 0, 1, 1, 2, 2]


@given(st.sampled_from(RULES), st.integers(0, 10**6), st.integers(1, 20), st.integers(1, 90))
@settings(max_examples=40)
def test_sequential_halving_spends_the_visits(rules, seed, candidates, visits):
    position = ongoing(rules, seed)
    forest = planted(position)
    found = gumbel_search(forest, np.array([visits]), np.random.default_rng(seed), candidates)
    considered = min(candidates, max(2, visits // 2), position.legal_mask().sum())
    # An action with n visits was chosen once at each of 0, ..., n - 1 earlier visits.
    earlier = sorted(count for total in found.visits[0] for count in range(total))
    assert earlier == sorted(considered_visits(considered, visits))
    assert (found.visits[0] > 0).sum() == min(considered, visits)
    assert found.visits[0, found.actions[0]] == found.visits.max()


# The search once more, for one game, slowly: equations are those of Danihelka et al. (ICLR 2022).


def completed_q(node: Node) -> np.ndarray:
    """Equation 10, with the value of equation 33 for what was not visited."""
    counts = node.counts()
    seen = counts > 0
    mixed = node.own[0]
    if seen.any():
        weighted = (node.prior * node.q(0))[seen].sum() / node.prior[seen].sum()
        mixed = (mixed + counts.sum() * weighted) / (1 + counts.sum())
    return node.q(mixed)


def logits(node: Node) -> np.ndarray:
    """log prior + sigma(q), equation 8 with c_visit 50 and c_scale 1 for a q in [0, 1]."""
    with np.errstate(divide="ignore"):
        return np.log(node.prior) + (50 + node.counts().max()) * 0.5 * (completed_q(node) + 1)


def softmax(values: np.ndarray) -> np.ndarray:
    weights = np.exp(values - values.max())
    return weights / weights.sum()


def below_the_root(node: Node) -> int:
    """Equation 14."""
    lag = softmax(logits(node)) - node.counts() / (1 + node.counts().sum())
    return int(np.where(node.prior > 0, lag, -np.inf).argmax())


def slow_search(root: Node, visits: int, gumbel: np.ndarray, candidates: int) -> int:
    counts = np.zeros(len(root.prior), int)
    considered = min(candidates, max(2, visits // 2), (root.prior > 0).sum())
    phases = math.ceil(math.log2(considered)) if considered > 1 else 1
    while counts.sum() < visits:
        chosen = sorted(np.flatnonzero(root.prior), key=lambda a: (-counts[a], -(gumbel + logits(root))[a]))
        for _ in range(max(1, visits // (phases * considered))):
            for action in chosen[: min(considered, visits - counts.sum())]:
                root.visit(below_the_root, action)
                counts[action] += 1
        considered = max(considered // 2, min(2, considered))
    return max(np.flatnonzero(counts == counts.max()), key=lambda a: (gumbel + logits(root))[a])


@given(st.sampled_from(RULES), st.integers(0, 10**6), st.integers(1, 17), st.integers(1, 60))
@settings(max_examples=20)
def test_it_is_the_search_of_the_paper(rules, seed, candidates, visits):
    """Two searches in a row, the second on the tree of the first."""
    position = ongoing(rules, seed)
    forest, root = planted(position), Node(position, random)
    for noise in (1.0, 0.5):
        gumbel = noise * np.random.default_rng(seed).gumbel(size=rules.num_actions)
        found = gumbel_search(forest, np.array([visits]), np.random.default_rng(seed), candidates, noise)
        assert found.actions[0] == slow_search(root, visits, gumbel, candidates)
        assert np.array_equal(found.visits[0], root.counts())
        assert found.policy[0] == pytest.approx(softmax(logits(root)), abs=1e-3)
        assert found.value[0] == pytest.approx(root.sums[1] / root.visits, abs=1e-5)
        assert found.score[0] == pytest.approx(root.sums[2] / root.visits, abs=1e-4)


def bandit(values: np.ndarray, prior: np.ndarray):
    """An evaluator for the empty board: its logits are log `prior`, and the move at a point is worth `values` to it."""

    def evaluate(planes: np.ndarray) -> Evaluation:
        batch, _, rows, cols = planes.shape
        nothing = np.zeros((batch, rows, cols), np.float32)
        logits = np.tile(np.log(prior).astype(np.float32), (batch, 1))
        stones = planes[:, 1].reshape(batch, -1)  # the enemy's: who has just played
        value = np.where(stones.any(axis=1), -(stones @ values[:-1]), -values[-1]).astype(np.float32)
        return Evaluation(logits, value, np.zeros(batch, np.float32), nothing)

    return evaluate


@given(st.integers(0, 10**6))
@settings(max_examples=20)
def test_the_policy_is_improved(seed):
    """Every move visited once, its value exact: the new policy earns more than the prior (section 4)."""
    rng = np.random.default_rng(seed)
    rules = Rules(3, 3)
    prior = rng.dirichlet(np.full(rules.num_actions, 0.5)) + 1e-6
    prior /= prior.sum()
    values = rng.uniform(-1, 1, rules.num_actions).astype(np.float32)
    forest = planted(Position(rules), bandit(values, prior))
    for action in rng.permutation(rules.num_actions):
        only = np.arange(rules.num_actions)[None] == action
        gumbel_search(forest, np.array([1]), rng, allowed=only)
    logits = improved_logits(forest.trees, forest.roots.legal_mask())[0]
    assert softmax(logits) @ values > prior @ values
    assert softmax(logits) == pytest.approx(softmax(np.log(prior) + 51 * 0.45 * values), abs=1e-4)


def test_few_visits_improve_the_policy_on_average():
    """Two visits choose the better of two draws from the prior, so what is played earns more than the prior does."""
    rng = np.random.default_rng(5)
    rules = Rules(3, 5)
    prior = rng.dirichlet(np.ones(rules.num_actions))
    values = rng.uniform(-1, 1, rules.num_actions).astype(np.float32)
    forest = Forest(bandit(values, prior), rules, 2000)
    forest.plant(GoBatch(rules, 2000))
    earned = values[gumbel_search(forest, np.full(2000, 2), rng).actions]
    firsts, seconds = rng.choice(len(prior), (2, 10**5), p=prior)
    better = np.maximum(values[firsts], values[seconds])[firsts != seconds].mean()
    assert earned.mean() == pytest.approx(better, abs=0.1)
    assert better > prior @ values + 0.2
    forest.plant(GoBatch(rules, 2000))
    drawn = gumbel_search(forest, np.full(2000, 1), rng).actions  # one visit is a draw from the prior itself
    assert np.bincount(drawn, minlength=len(prior)) / 2000 == pytest.approx(prior, abs=0.05)


def test_thousands_of_visits_to_an_unlikely_move_do_not_overflow():
    """A node whose second move, prior 1%, wins and has had all visits but ten: it gets the next one as well."""
    trees = make_trees(1, 8, 3)
    trees.num_nodes[:] = 4
    trees.parent[0, :4] = [-1, 0, 1, 1]
    trees.child[0, ROOT, 0] = 1
    trees.child[0, 1, :2] = [2, 3]
    trees.prior[0, 1] = [0.98, 0.01, 0.01]
    trees.visits[0, :4] = [3012, 3011, 10, 3000]
    trees.utility[0, 2:4] = [10, -3000]  # for the side to move there
    trees.over[0, 3] = True
    assert descend(trees, np.array([0]), np.array([0])) == 3


@pytest.mark.parametrize("name", PROBLEMS)
def test_it_solves(name):
    problem = PROBLEMS[name]
    rules = problem.position.rules
    forest = planted(problem.position, counting)
    found = gumbel_search(forest, np.array([problem.visits]), np.random.default_rng(0), rules.num_actions, noise=0)
    answers = list(problem.answers)
    assert found.actions[0] in answers, f"plays {rules.vertex(int(found.actions[0]))}\n{problem.position}"
    assert found.policy[0, answers].sum() > 0.95
    if not problem.wins:
        assert found.value[0] < -0.9
    elif problem is not LADDER:  # which takes more visits to be sure of
        best = forest.trees.child[0, ROOT, found.actions[0]]
        assert -forest.trees.value[0, best] / forest.trees.visits[0, best] > 0.8


def test_it_reads_the_ladder_to_its_end_and_keeps_what_it_has_read():
    rules = LADDER.position.rules
    forest = planted(LADDER.position, counting)
    for visits, black, white in ((1500, "D2", "C1"), (600, "D1", "B1"), (300, "A1", "pass")):
        before = forest.trees.visits[0, ROOT]
        found = gumbel_search(forest, np.array([visits]), np.random.default_rng(0), rules.num_actions, noise=0)
        assert forest.trees.visits[0, ROOT] == before + visits
        assert rules.vertex(int(found.actions[0])) == black
        forest.advance(np.array([rules.action(black)]))
        forest.advance(np.array([rules.action(white)]))
        assert forest.trees.visits[0, ROOT] > 1
    assert forest.roots.position(0).score_black() > 0


def test_superko_is_known_below_the_root():
    """The same board and side to move; only the history forbids Black to take back."""
    rules = SUPERKO.position.rules
    take, take_back = rules.action("C1"), rules.action("B1")
    possible = []
    for problem in (SUPERKO, NO_SUPERKO):
        forest = planted(problem.position, counting)
        gumbel_search(forest, np.array([20]), np.random.default_rng(0))
        taken = forest.trees.child[0, ROOT, take]
        possible.append(forest.trees.prior[0, taken, take_back] > 0)
    assert np.array_equal(SUPERKO.position.board, NO_SUPERKO.position.board)
    assert SUPERKO.position.to_play == NO_SUPERKO.position.to_play != BLACK
    assert np.array_equal(SUPERKO.position.legal_mask(), NO_SUPERKO.position.legal_mask())
    assert possible == [False, True]
