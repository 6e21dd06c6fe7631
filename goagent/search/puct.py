"""PUCT search, as AlphaZero plays (Silver et al., A general reinforcement learning algorithm ..., Science 2018).

Each visit goes down by the action with the largest mean utility plus bonus, the bonus being large for a high prior and
few visits; the root's prior has Dirichlet noise in it. It needs many more visits than `gumbel.py` to improve a policy,
and one leaf must be known before the next is chosen: a batch has one leaf from each tree.
"""

import numpy as np

from envs.jit import kernel, njit
from envs.state import SKIP
from goagent.search.tree import ROOT, Forest, SearchResult, Trees, add_node, root_visits

_REDUCTION = 0.2  # c_FPU of Wu 2019; none at the root, which is to be broad


def puct_search(
    forest: Forest,
    visits: np.ndarray,
    rng: np.random.Generator,
    *,
    exploration: float = 1.1,
    dirichlet_alpha: float = 10.83,
    noise_fraction: float = 0.25,
    allowed: np.ndarray | None = None,
) -> SearchResult:
    """Spend `visits` (num_trees,) int, at least 1 each, on the trees of `forest`; the policy is the share of visits.

    The action is the most visited one; who wants variety draws from the policy. A game that is over gets no visits, no
    policy, and the action SKIP (-1). Visits that a tree has from before count for its values and its policy, and not
    against `visits`.
    exploration: c_puct, 1.1 as in Wu 2019 (arXiv:1902.10565, section 2), whose utilities span 2 as well.
    dirichlet_alpha: the sum of the noise's parameters, shared evenly by the legal moves, so that it suits every size:
    0.03 for each of 361 points, as AlphaZero has it. noise_fraction: how much of the root's prior is noise; with 0 the
    result has no chance in it.
    allowed (num_trees, num_actions) bool: where the choice at the root is narrower than what is legal.
    """
    legal = forest.roots.legal_mask() if allowed is None else forest.roots.legal_mask() & allowed
    alpha = np.where(legal, dirichlet_alpha / np.maximum(1, legal.sum(axis=1, keepdims=True)), 0)
    noise = _shares(rng.standard_gamma(alpha))  # gamma variates as shares are a Dirichlet variate
    prior = (1 - noise_fraction) * _shares(np.where(legal, forest.trees.prior[:, ROOT], 0)) + noise_fraction * noise
    prior = np.where(legal, np.maximum(prior, 1e-30), 0).astype(np.float32)
    playing = legal.any(axis=1)
    left = np.where(playing, visits, 0)
    forest.make_room(int(left.max()))
    while left.any():
        trees = np.flatnonzero(left)
        forest.grow(trees, select_leaves(forest.trees, trees, prior, exploration))
        left[trees] -= 1
    found = root_visits(forest.trees)
    counts = np.where(legal, found, 0)
    total = np.maximum(1, forest.trees.visits[:, ROOT])
    return SearchResult(
        actions=np.where(playing, np.lexsort((-prior, -counts))[:, 0], SKIP),
        policy=_shares(counts).astype(np.float32),
        visits=found,
        value=forest.trees.value[:, ROOT] / total,
        score=forest.trees.score[:, ROOT] / total,
    )


def _shares(weights: np.ndarray) -> np.ndarray:
    """Rows that sum to 1, or to 0 where there is no weight."""
    return weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-30)


@njit()
def select_leaves(s: Trees, trees: np.ndarray, root_prior: np.ndarray, exploration: float) -> np.ndarray:
    """(leaves,) int64: from the root of each of `trees` down to a new node, or to the end of the game.

    root_prior (all trees, num_actions) float32 stands for the prior of the roots; 0 only for what may not be chosen.
    """
    leaves = np.empty(len(trees), np.int64)
    for i in range(len(trees)):
        t, node = trees[i], ROOT
        while not s.over[t, node]:
            if node == ROOT:
                action = most_promising(s, t, node, root_prior[t], exploration, 0.0)
            else:
                action = most_promising(s, t, node, s.prior[t, node], exploration, _REDUCTION)
            child = s.child[t, node, action]
            if child < 0:
                node = add_node(s, t, node, action)
                break
            node = child
        leaves[i] = node
    return leaves


@kernel(forceinline=True)
def most_promising(s: Trees, t: int, node: int, prior: np.ndarray, exploration: float, reduction: float) -> int:
    """The action with the largest Q(a) + c_puct * P(a) * sqrt(N) / (1 + N(a)), N being the visits of the node itself.

    An unvisited action has the node's own mean less `reduction` * sqrt(prior of the visited): the more of the prior
    has been tried, the less the rest is worth trying (first-play urgency; Leela Zero, and Wu 2019, section 2).
    """
    explored = 0.0
    for a in range(len(prior)):
        if s.child[t, node, a] >= 0:
            explored += prior[a]
    unvisited = s.utility[t, node] / s.visits[t, node] - reduction * np.sqrt(explored)
    bonus = exploration * np.sqrt(s.visits[t, node])
    best, most = -1, -np.inf
    for a in range(len(prior)):
        if prior[a] > 0:
            child = s.child[t, node, a]
            if child < 0:
                promise = unvisited + bonus * prior[a]
            else:
                count = s.visits[t, child]
                promise = -s.utility[t, child] / count + bonus * prior[a] / (1 + count)
            if promise > most:
                best, most = a, promise
    return best
