"""PUCT search: against a slow tree that follows the formula, its noise, and positions with known answers.

What all searches have in common is in `test_tree.py`.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envs import GoBatch, Position, Rules
from goagent.search.puct import puct_search
from goagent.search.tree import ROOT, Forest
from tests.goagent.search.fakes import LADDER, PROBLEMS, Node, counting, random, uniform
from tests.goagent.search.test_gumbel import RULES, ongoing, planted


def promise(node: Node, prior: np.ndarray, reduction: float) -> np.ndarray:
    """Q + c P sqrt(N) / (1 + N(a)); the unvisited with the node's mean, reduced."""
    counts = node.counts()
    unvisited = node.utility - reduction * np.sqrt(prior[counts > 0].sum())
    scores = node.q(unvisited) + 1.1 * prior * np.sqrt(node.visits) / (1 + counts)
    return np.where(prior > 0, scores, -np.inf)


@given(st.sampled_from(RULES), st.integers(0, 10**6), st.integers(1, 60))
@settings(max_examples=20)
def test_it_is_the_search_of_the_formula(rules, seed, visits):
    """Two searches in a row, the second on the tree of the first, and not every move allowed in it."""
    position = ongoing(rules, seed)
    forest, root = planted(position), Node(position, random)
    rng = np.random.default_rng(seed)
    for allowed in (np.ones(rules.num_actions, np.bool_), np.arange(rules.num_actions) % 3 == rules.num_points % 3):
        found = puct_search(forest, np.array([visits]), rng, noise_fraction=0, allowed=allowed[None])
        prior = np.where(allowed, root.prior, 0)
        prior /= prior.sum()
        for _ in range(visits):
            root.visit(lambda node: int(promise(node, node.prior, 0.2).argmax()), int(promise(root, prior, 0).argmax()))
        assert np.array_equal(found.visits[0], root.counts())
        counts = np.where(allowed, root.counts(), 0)
        assert found.policy[0] == pytest.approx(counts / counts.sum())
        assert counts[found.actions[0]] == counts.max()
        assert found.value[0] == pytest.approx(root.sums[1] / root.visits, abs=1e-5)
        assert found.score[0] == pytest.approx(root.sums[2] / root.visits, abs=1e-4)


def test_noise_alone_explores_as_a_dirichlet_variate_does():
    """All noise and no opinion: the visits follow the noise, whose variance is that of the Dirichlet distribution."""
    rules, games = Rules(2, 2), 200
    forest = Forest(uniform, rules, games)
    forest.plant(GoBatch(rules, games))
    rng = np.random.default_rng(1)
    policy = puct_search(
        forest, np.full(games, 100), rng, exploration=1000, dirichlet_alpha=2.0, noise_fraction=1
    ).policy
    mean = 1 / rules.num_actions
    assert policy.mean(axis=0) == pytest.approx(mean, abs=0.06)
    assert policy.var(axis=0).mean() == pytest.approx(mean * (1 - mean) / (2.0 + 1), rel=0.2)


def test_noise_is_only_at_the_root():
    """Of all that is below, the first visit to a node goes to its likeliest move, whatever the noise."""
    forest = planted(Position(Rules(3, 4)))
    puct_search(forest, np.array([200]), np.random.default_rng(0), noise_fraction=0.9)
    s = forest.trees
    firsts = 0
    for node in range(1, s.num_nodes[0]):
        children = s.child[0, node][s.child[0, node] >= 0]
        if len(children):
            firsts += 1
            assert s.prior[0, node].argmax() == s.action[0, children.min()]
    assert firsts > 20
    assert s.prior[0, ROOT].argmax() != s.action[0, 1]


@pytest.mark.parametrize("name", PROBLEMS)
def test_it_solves(name):
    problem = PROBLEMS[name]
    forest = planted(problem.position, counting)
    found = puct_search(forest, np.array([problem.visits]), np.random.default_rng(0), noise_fraction=0)
    played = problem.position.rules.vertex(int(found.actions[0]))
    assert found.actions[0] in problem.answers, f"plays {played}\n{problem.position}"
    if not problem.wins:
        assert found.value[0] < -0.85
    elif problem is not LADDER:  # which takes more visits to be sure of
        assert found.value[0] > 0.6
        assert found.policy[0, list(problem.answers)].sum() > 0.85
