"""Gumbel AlphaZero search (Danihelka et al., Policy improvement by planning with Gumbel, ICLR 2022).

At the root, the candidates are the top of log prior + Gumbel noise, a sample without replacement, and sequential
halving gives the visits to the better half of them again and again. Below the root there is no noise: the move is
taken whose visits lag most behind the improved policy. Even few visits improve the policy that way, in expectation.

Candidates of a root have separate subtrees, so all of them get their next visit in one batch.
"""

import numpy as np

from envs.jit import kernel, njit
from envs.state import SKIP
from goagent.search.tree import ROOT, Forest, SearchResult, Trees, add_node, root_visits

_VISIT = 50.0  # c_visit and c_scale of the paper's equation 8: how much more the values count the more visits there are
_SCALE = 1.0


def gumbel_search(
    forest: Forest,
    visits: np.ndarray,
    rng: np.random.Generator,
    candidates: int = 16,
    noise: float = 1.0,
    allowed: np.ndarray | None = None,
) -> SearchResult:
    """Spend `visits` (num_trees,) int, at least 1 each, on the trees of `forest` and choose a move for each.

    A game that is over gets no visits, no policy, and the action SKIP (-1).
    Visits that a tree has from before count for its values and not against `visits`. candidates: how many moves the
    root considers at most. noise: what the Gumbel noise is multiplied by; with 0 the result has no chance in it.
    allowed (num_trees, num_actions) bool: where the choice at the root is narrower than what is legal.
    """
    every = np.arange(forest.roots.num_games)
    gumbel = noise * rng.gumbel(size=(len(every), forest.roots.rules.num_actions))
    legal = forest.roots.legal_mask() if allowed is None else forest.roots.legal_mask() & allowed
    visits = np.asarray(visits, np.int64)
    left = np.where(legal.any(axis=1), visits, 0)
    # Fewer candidates than visits, or none would be looked at twice.
    considered = np.minimum(np.minimum(candidates, np.maximum(2, visits // 2)), np.maximum(1, legal.sum(axis=1)))
    phases = np.maximum(1, np.ceil(np.log2(considered))).astype(np.int64)
    rounds = np.maximum(1, visits // (phases * considered))
    done = np.zeros_like(gumbel, np.int64)  # visits in this search
    order = _order(forest.trees, gumbel, legal, done)
    forest.make_room(int(left.max()))
    while left.any():
        lanes = np.minimum(considered, left)
        tree = np.repeat(every, lanes)
        action = order[tree, np.arange(len(tree)) - np.repeat(np.cumsum(lanes) - lanes, lanes)]
        forest.grow(tree, descend(forest.trees, tree, action))
        done[tree, action] += 1
        left -= lanes
        rounds -= 1
        ended = rounds == 0  # a phase has; the other trees keep their order, which their next visits may hang on
        if ended.any():
            halved = np.maximum(np.minimum(2, considered), considered // 2)
            considered = np.where(ended, halved, considered)
            rounds = np.where(ended, np.maximum(1, visits // (phases * considered)), rounds)
            order[ended] = _order(forest.trees, gumbel, legal, done)[ended]
    return _conclude(forest, gumbel, legal, done)


def _order(trees: Trees, gumbel: np.ndarray, legal: np.ndarray, done: np.ndarray) -> np.ndarray:
    """(trees, num_actions) int64: actions by visits in this search, and among equals by what speaks for them."""
    return np.lexsort((-(gumbel + improved_logits(trees, legal)), -done))


def _conclude(forest: Forest, gumbel: np.ndarray, legal: np.ndarray, done: np.ndarray) -> SearchResult:
    trees = forest.trees
    logits = improved_logits(trees, legal)
    playing = legal.any(axis=1)
    policy = np.zeros_like(logits)
    policy[playing] = np.exp(logits[playing] - logits[playing].max(axis=1, keepdims=True))
    policy[playing] /= policy[playing].sum(axis=1, keepdims=True)
    visits = np.maximum(1, trees.visits[:, ROOT])
    return SearchResult(
        actions=np.where(playing, np.lexsort((-(gumbel + logits), -done))[:, 0], SKIP),
        policy=policy.astype(np.float32),
        visits=root_visits(trees),
        value=trees.value[:, ROOT] / visits,
        score=trees.score[:, ROOT] / visits,
    )


@njit()
def descend(s: Trees, trees: np.ndarray, actions: np.ndarray) -> np.ndarray:
    """(leaves,) int64: from the root of `trees[i]` by `actions[i]` down to a new node, or to the end of the game.

    Below the root, equation 14: the action with the largest pi'(a) - N(a) / (1 + sum of N).
    """
    leaves = np.empty(len(trees), np.int64)
    weights = np.empty(s.prior.shape[2])
    for i in range(len(trees)):
        t, action, node = trees[i], actions[i], ROOT
        while True:
            child = s.child[t, node, action]
            if child < 0:
                node = add_node(s, t, node, action)
                break
            node = child
            if s.over[t, node]:
                break
            action = most_lagging(s, t, node, weights)
        leaves[i] = node
    return leaves


@kernel(forceinline=True)
def most_lagging(s: Trees, t: int, node: int, weights: np.ndarray) -> int:
    """The action whose share of the visits lags most behind the improved policy."""
    unvisited, slope = value_of_unvisited(s, t, node)
    highest = unvisited  # what the exponentials are relative to, or many visits would make them overflow
    for a in range(len(weights)):
        child = s.child[t, node, a]
        if child >= 0:
            highest = max(highest, -s.utility[t, child] / s.visits[t, child])
    gain_unvisited = np.exp(slope * (unvisited - highest))
    total = 0.0
    for a in range(len(weights)):
        child = s.child[t, node, a]
        gain = gain_unvisited
        if child >= 0:
            gain = np.exp(slope * (-s.utility[t, child] / s.visits[t, child] - highest))
        weights[a] = s.prior[t, node, a] * gain
        total += weights[a]
    best, most = -1, -np.inf
    for a in range(len(weights)):
        if s.prior[t, node, a] > 0:
            child = s.child[t, node, a]
            count = 0 if child < 0 else s.visits[t, child]
            lag = weights[a] / total - count / s.visits[t, node]
            if lag > most:
                best, most = a, lag
    return best


@kernel(forceinline=True)
def value_of_unvisited(s: Trees, t: int, node: int) -> tuple:
    """(v_mix, slope): the utility that unvisited actions are given (equation 33), and the factor on all utilities.

    v_mix averages the network's own utility with those of the visited actions, weighted by their priors. The factor
    is that of equation 8, halved, as utilities span 2 and not 1.
    """
    weight, weighted, most = 0.0, 0.0, 0
    for a in range(s.child.shape[2]):
        child = s.child[t, node, a]
        if child >= 0:
            prior = s.prior[t, node, a]
            weight += prior
            weighted -= prior * s.utility[t, child] / s.visits[t, child]
            most = max(most, s.visits[t, child])
    visits = s.visits[t, node] - 1
    mixed = s.raw[t, node]
    if weight > 0:  # none at the end of a game, which can have visits but no moves
        mixed = (mixed + visits * weighted / weight) / (1 + visits)
    return mixed, 0.5 * _SCALE * (_VISIT + most)


@njit()
def improved_logits(s: Trees, legal: np.ndarray) -> np.ndarray:
    """(trees, num_actions) float64: log prior + sigma(completed Q) at the roots; -inf where `legal` is not set."""
    logits = np.full(legal.shape, -np.inf)
    for t in range(len(legal)):
        unvisited, slope = value_of_unvisited(s, t, ROOT)
        for a in range(legal.shape[1]):
            if legal[t, a]:
                child = s.child[t, ROOT, a]
                gain = 0.0 if child < 0 else slope * (-s.utility[t, child] / s.visits[t, child] - unvisited)
                logits[t, a] = np.log(s.prior[t, ROOT, a]) + gain
    return logits
