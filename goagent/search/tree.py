"""Search trees of many games as arrays, grown a batch of leaves at a time.

`Trees` is the data, a tree per game. `Forest` grows them: it plays the line to each new leaf on a copy of the root's
game, so that legality and superko know the whole history, asks `evaluate` about all leaves at once, and adds the
answers up along the lines. Which leaf comes next is the business of `gumbel.py` and `puct.py`.
"""

from typing import NamedTuple

import numpy as np

from envs import BLACK, GoBatch, Rules
from envs.jit import kernel, njit
from envs.state import SKIP
from goagent.search.evaluation import Evaluate, utility

ROOT = 0


class Trees(NamedTuple):
    """Nodes are numbered from the root, 0. Values are for the side to move at the node."""

    num_nodes: np.ndarray  # (trees,) int32
    parent: np.ndarray  # (trees, nodes) int32; -1 above the root
    action: np.ndarray  # (trees, nodes) int32: the move that leads here from the parent
    child: np.ndarray  # (trees, nodes, num_actions) int32; -1 where none is
    prior: np.ndarray  # (trees, nodes, num_actions) float32: the network's probability; 0 only where illegal
    raw: np.ndarray  # (trees, nodes) float32: the network's utility of the position itself, or the exact one at the end
    over: np.ndarray  # (trees, nodes) bool: the game ends here
    visits: np.ndarray  # (trees, nodes) int32; the first is the node's own evaluation
    utility: np.ndarray  # (trees, nodes) float64: sum over visits
    value: np.ndarray  # (trees, nodes) float64: sum over visits of the expected result
    score: np.ndarray  # (trees, nodes) float64: sum over visits of points


class SearchResult(NamedTuple):
    """What a search found, a row for each game; values are for the side to move."""

    actions: np.ndarray  # (games,) int64: what to play; SKIP (-1) where the game is over
    policy: np.ndarray  # (games, num_actions) float32: the improved policy (equation 10), a target to learn
    visits: np.ndarray  # (games, num_actions) int32
    value: np.ndarray  # (games,) float64 in [-1, 1]: mean expected result over all visits
    score: np.ndarray  # (games,) float64: mean points, komi included


def make_trees(num_trees: int, capacity: int, num_actions: int) -> Trees:
    """Room for `capacity` nodes in each tree; none is there yet."""

    def array(*shape: int, dtype: type, fill: float = 0) -> np.ndarray:
        return np.full((num_trees, *shape), fill, dtype)

    return Trees(
        num_nodes=array(dtype=np.int32),
        parent=array(capacity, dtype=np.int32, fill=-1),
        action=array(capacity, dtype=np.int32, fill=SKIP),
        child=array(capacity, num_actions, dtype=np.int32, fill=-1),
        prior=array(capacity, num_actions, dtype=np.float32),
        raw=array(capacity, dtype=np.float32),
        over=array(capacity, dtype=np.bool_),
        visits=array(capacity, dtype=np.int32),
        utility=array(capacity, dtype=np.float64),
        value=array(capacity, dtype=np.float64),
        score=array(capacity, dtype=np.float64),
    )


class Forest:
    """A tree for each of `num_trees` games. `plant` starts anew, `advance` keeps what the moves played left of use.

    batch_size: how many leaves `evaluate` is given at once, at most; more leave a processor's cache, a GPU wants them.
    """

    def __init__(
        self, evaluate: Evaluate, rules: Rules, num_trees: int, parallel: bool = True, batch_size: int = 64
    ) -> None:
        self.evaluate = evaluate
        self.batch_size = batch_size
        self.roots = GoBatch(rules, num_trees, parallel)
        self.trees = make_trees(num_trees, 16, rules.num_actions)
        self._leaves: dict[int, GoBatch] = {}  # by number of slots, powers of two

    def plant(self, games: GoBatch) -> None:
        """Trees with nothing but a root, for the games of this batch."""
        every = np.arange(self.roots.num_games)
        self.roots.copy_games(games, every, every)
        self._plant(every)

    def advance(self, actions: np.ndarray) -> None:
        """Play `actions` (num_trees,) int, or SKIP (-1), at the roots and keep the subtrees below them."""
        self.roots.step(actions)
        keep_subtrees(self.trees, np.asarray(actions, np.int64))
        self._plant(np.flatnonzero(self.trees.num_nodes == 0))

    def ownership(self) -> np.ndarray:
        """(num_trees, rows, cols) float32 in [-1, 1]: what the network expects of the roots, for the side to move."""
        return self.evaluate(self.roots.observe()).ownership

    def make_room(self, nodes: int) -> None:
        """Let every tree grow by `nodes` nodes."""
        needed = int(self.trees.num_nodes.max()) + nodes
        if needed > self.trees.parent.shape[1]:
            trees, actions = len(self.trees.num_nodes), self.roots.rules.num_actions
            grown = make_trees(trees, needed + needed // 4, actions)
            for old, new in zip(self.trees, grown, strict=True):
                if old.ndim == 1:
                    new[:] = old
                else:
                    new[:, : old.shape[1]] = old
            self.trees = grown

    def grow(self, trees: np.ndarray, nodes: np.ndarray) -> None:
        """Evaluate the leaves `nodes` (leaves,) of `trees` (leaves,) and add the answers up to their roots.

        A leaf where the game is over is scored exactly.
        """
        for start in range(0, len(trees), self.batch_size):
            part = slice(start, start + self.batch_size)
            self._grow(trees[part], nodes[part])

    def _plant(self, trees: np.ndarray) -> None:
        """Make the root of these trees, and evaluate it where the game goes on."""
        clear_roots(self.trees, trees)
        self.trees.over[trees, ROOT] = self.roots.is_over[trees]
        trees = trees[~self.roots.is_over[trees]]
        self.grow(trees, np.full(len(trees), ROOT))

    def _grow(self, trees: np.ndarray, nodes: np.ndarray) -> None:
        count = len(trees)
        slots = 1 << (count - 1).bit_length()
        if slots not in self._leaves:
            self._leaves[slots] = GoBatch(self.roots.rules, slots, self.roots.parallel)
        leaves = self._leaves[slots]
        spare = slots - count  # these slots hold a root, unasked
        leaves.copy_games(self.roots, np.pad(trees, (0, spare), "edge"), np.arange(slots))
        leaves.follow(np.pad(lines_to(self.trees, trees, nodes), ((0, spare), (0, 0)), constant_values=SKIP))
        over = leaves.is_over[:count]
        legal = leaves.legal_mask()[:count]
        planes = leaves.observe()[:count]
        num_points = leaves.rules.num_points
        if over.any():
            sides = np.where(leaves.to_play == BLACK, 1, -1)[:count].astype(np.float32)
            scores = leaves.score_black()[:count] * sides
            logits, values = np.zeros((count, num_points + 1), np.float32), np.sign(scores)
            if not over.all():
                answer = self.evaluate(planes[~over])
                logits[~over], values[~over], scores[~over] = answer.logits, answer.value, answer.score
        else:
            answer = self.evaluate(planes)
            logits, values, scores = answer.logits, answer.value, answer.score
        utilities = utility(values, scores, num_points)
        add_leaves(self.trees, trees, nodes, over, legal, logits, values, scores, utilities)


@njit()
def clear_roots(s: Trees, trees: np.ndarray) -> None:
    """Give each of these trees one node, the root, not evaluated yet."""
    for t in trees:
        s.num_nodes[t] = ROOT
        add_node(s, t, -1, SKIP)


@kernel(forceinline=True)
def add_node(s: Trees, t: int, parent: int, action: int) -> int:
    """A new node below `parent`, or the root below -1; not evaluated yet."""
    node = s.num_nodes[t]
    s.num_nodes[t] += 1
    s.parent[t, node] = parent
    s.action[t, node] = action
    if parent >= 0:
        s.child[t, parent, action] = node
    for a in range(s.child.shape[2]):
        s.child[t, node, a] = -1
        s.prior[t, node, a] = 0
    s.raw[t, node] = 0
    s.over[t, node] = False
    s.visits[t, node] = 0
    s.utility[t, node] = 0
    s.value[t, node] = 0
    s.score[t, node] = 0
    return node


@njit()
def lines_to(s: Trees, trees: np.ndarray, nodes: np.ndarray) -> np.ndarray:
    """(leaves, plies) int64: the moves from the root of `trees[i]` to its node `nodes[i]`, then SKIP."""
    longest = 0
    depths = np.zeros(len(nodes), np.int64)
    for i in range(len(nodes)):
        node = nodes[i]
        while node != ROOT:
            depths[i] += 1
            node = s.parent[trees[i], node]
        longest = max(longest, depths[i])
    lines = np.full((len(nodes), longest), SKIP, np.int64)
    for i in range(len(nodes)):
        node = nodes[i]
        for ply in range(depths[i] - 1, -1, -1):
            lines[i, ply] = s.action[trees[i], node]
            node = s.parent[trees[i], node]
    return lines


@njit()
def add_leaves(
    s: Trees,
    trees: np.ndarray,
    nodes: np.ndarray,
    over: np.ndarray,
    legal: np.ndarray,
    logits: np.ndarray,
    values: np.ndarray,
    scores: np.ndarray,
    utilities: np.ndarray,
) -> None:
    """Write what was found out about each leaf into it, and add it up along the line to the root."""
    for i in range(len(trees)):
        t, node = trees[i], nodes[i]
        if s.visits[t, node] == 0:
            s.raw[t, node] = utilities[i]
            s.over[t, node] = over[i]
            if not over[i]:
                set_prior(s, t, node, legal, logits, i)
        u, v, points = utilities[i], values[i], scores[i]
        while node >= 0:
            s.visits[t, node] += 1
            s.utility[t, node] += u
            s.value[t, node] += v
            s.score[t, node] += points
            u, v, points = -u, -v, -points
            node = s.parent[t, node]


@kernel(forceinline=True)
def set_prior(s: Trees, t: int, node: int, legal: np.ndarray, logits: np.ndarray, i: int) -> None:
    """The softmax of the legal logits."""
    actions = s.prior.shape[2]
    most = -np.inf
    for a in range(actions):
        if legal[i, a] and logits[i, a] > most:
            most = logits[i, a]
    total = 0.0
    for a in range(actions):
        weight = np.exp(logits[i, a] - most) if legal[i, a] else 0.0
        s.prior[t, node, a] = max(weight, 1e-30) if legal[i, a] else 0.0
        total += weight
    for a in range(actions):
        s.prior[t, node, a] /= total


@njit()
def root_visits(s: Trees) -> np.ndarray:
    """(trees, num_actions) int32: visits of each action at the root."""
    visits = np.zeros((s.prior.shape[0], s.prior.shape[2]), np.int32)
    for t in range(visits.shape[0]):
        for a in range(visits.shape[1]):
            child = s.child[t, ROOT, a]
            visits[t, a] = 0 if child < 0 else s.visits[t, child]
    return visits


@njit()
def keep_subtrees(s: Trees, actions: np.ndarray) -> None:
    """Make the child of the root by `actions[t]` the root of tree `t`, and forget all but what is below it."""
    new_name = np.empty(s.parent.shape[1], np.int32)
    for t in range(len(actions)):
        if actions[t] < 0:
            continue
        root = s.child[t, ROOT, actions[t]] if s.num_nodes[t] else -1
        if root < 0:
            s.num_nodes[t] = 0
            continue
        kept = 0  # a child's number is above its parent's, so one pass from the front moves every node into place
        for node in range(s.num_nodes[t]):
            above = s.parent[t, node]
            if node != root and (node < root or new_name[above] < 0):
                new_name[node] = -1
                continue
            new_name[node] = kept
            s.parent[t, kept] = -1 if node == root else new_name[above]
            s.action[t, kept] = s.action[t, node]
            s.child[t, kept] = s.child[t, node]
            s.prior[t, kept] = s.prior[t, node]
            s.raw[t, kept] = s.raw[t, node]
            s.over[t, kept] = s.over[t, node]
            s.visits[t, kept] = s.visits[t, node]
            s.utility[t, kept] = s.utility[t, node]
            s.value[t, kept] = s.value[t, node]
            s.score[t, kept] = s.score[t, node]
            kept += 1
        s.num_nodes[t] = kept
        for node in range(kept):
            for action in range(s.child.shape[2]):
                if s.child[t, node, action] >= 0:
                    s.child[t, node, action] = new_name[s.child[t, node, action]]
