"""Tree search without a network: a new leaf is judged by a random game from it.

UCT (Kocsis and Szepesvári 2006) whose young nodes also learn from the moves that came later in a playout, the
all-moves-as-first statistic (RAVE: Gelly and Silver, Artificial Intelligence 175, 2011). A round sends many leaves
down the tree, kept apart by virtual losses, and plays them out in one `GoBatch`: legality and superko know the whole
history of every leaf, the game's end is scored exactly, and the result does not depend on the number of threads.

Start with `rollout_search`.
"""

import time
from typing import NamedTuple

import numpy as np

from envs import BLACK, GoBatch, Position
from envs.jit import kernel, njit
from envs.lockstep import GOLDEN, below, mix, stream
from envs.state import SKIP
from goagent.search.evaluation import utility

VERSION = 2  # of the search as an opponent: it goes up when the strength at a number of playouts changes

ROOT = 0
_EXPLORATION = 0.2  # what UCB1's square root is multiplied by; utilities span 2
_AMAF_BIAS = 0.001  # the larger, the sooner a move's own results count for more than all-moves-as-first
_EXPAND_AT = 2  # visits with which a leaf gets children, and one more for each 10,000 playouts, to save memory
_SMALLEST_ROUND, _LARGEST_ROUND = 16, 256  # leaves


class RolloutResult(NamedTuple):
    """What a search found, for the side to move; the moves visited at least once, best (most visited) first."""

    actions: np.ndarray  # (moves,) int64
    visits: np.ndarray  # (moves,) int64: playouts
    win_rates: np.ndarray  # (moves,) float64 in [0, 1]; a draw is half
    scores: np.ndarray  # (moves,) float64: mean points, komi included
    ownership: np.ndarray  # (rows, cols) float64 in [-1, 1]: mean over all playouts
    variations: list[tuple[int, ...]]  # each move and the most visited continuation


class Tree(NamedTuple):
    """Nodes are numbered from the root, 0; the children of a node are next to each other. Capacity grows.

    Utilities are for the side that moved to the node, its parent's side to move.
    """

    num_nodes: np.ndarray  # (1,) int32
    parent: np.ndarray  # (nodes,) int32; -1 above the root
    action: np.ndarray  # (nodes,) int16: the move that leads here from the parent
    first_child: np.ndarray  # (nodes,) int32
    num_children: np.ndarray  # (nodes,) int16; 0 for a leaf, and where the game is over
    visits: np.ndarray  # (nodes,) int32: playouts through this node, those under way included
    utility: np.ndarray  # (nodes,) float64: their sum, -1 for each under way
    amaf_visits: (
        np.ndarray
    )  # (nodes,) int32: playouts through the parent in which its side to move got to this point first
    amaf_utility: np.ndarray  # (nodes,) float64: their sum


def rollout_search(
    position: Position,
    playouts: int,
    rng: np.random.Generator,
    seconds: float | None = None,
    until_settled: bool = False,
) -> RolloutResult:
    """Search an unfinished position with `playouts` random games, at least 1.

    seconds: stop when they are over; the result then depends on the clock. until_settled: stop when the playouts left
    cannot change the most visited move.

    No playout and no node of the tree fills an eye of one point (`GoBatch.own_eyes`). The pass is tried only where the
    board as it stands does not lose for the side that passes, as the opponent could end the game there, or where
    nothing else is left. Where the opponent has just passed and the board wins, it is the only move.
    """
    deadline = None if seconds is None else time.perf_counter() + seconds
    rules = position.rules
    side = 1 if position.to_play == BLACK else -1
    root = GoBatch.from_positions([position])
    tree = with_room(make_tree(), rules.num_actions)
    expand(tree, np.zeros(1, np.int64), candidates(root), 0, rng.integers(2**64, dtype=np.uint64))
    wins, points = np.zeros(rules.num_actions + 1), np.zeros(rules.num_actions + 1)  # by child of the root: 1, 2, ...
    ownership = np.zeros((rules.rows, rules.cols))
    games, done = root, 0
    while done < playouts and (deadline is None or done == 0 or time.perf_counter() < deadline):
        leaves = min(_round(done), playouts - done)
        if games.num_games != leaves or games is root:
            games = GoBatch(rules, leaves)
        nodes = descend(tree, leaves)
        games.copy_games(root, np.zeros(leaves, np.int64), np.arange(leaves))
        games.follow(lines_to(tree, nodes))
        tree = with_room(tree, leaves * rules.num_actions)
        expand(tree, nodes, candidates(games), _EXPAND_AT + done // 10_000, rng.integers(2**64, dtype=np.uint64))
        scores = side * games.play_out(rng)
        results = np.sign(scores)
        utilities = utility(results, scores, rules.num_points)
        moves = games.moves[:, len(position.moves) :]
        add_playouts(tree, nodes, moves, utilities, (results + 1) / 2, scores, wins, points)
        ownership += side * games.ownership().sum(axis=0)
        done += leaves
        if until_settled and _lead(tree) > playouts - done:
            break
    return _conclude(tree, wins, points, ownership / done)


def candidates(games: GoBatch) -> np.ndarray:
    """(num_games, num_actions) bool: the moves that a node has children for; none when the game is over."""
    moves = games.legal_mask() & ~games.own_eyes()
    standing = games.score_black() * np.where(games.to_play == BLACK, 1, -1)
    moves[:, -1] &= (standing >= 0) | ~moves[:, :-1].any(axis=1)
    moves[(standing > 0) & (games.consecutive_passes > 0), :-1] = False
    return moves


def _round(done: int) -> int:
    """How many leaves the next round has: a power of two that is small beside the visits so far."""
    return min(max(_SMALLEST_ROUND, 1 << max(done // 8, 1).bit_length() - 1), _LARGEST_ROUND)


def _lead(tree: Tree) -> int:
    """Visits of the root's most visited child above the second."""
    visits = np.sort(tree.visits[1 : 1 + tree.num_children[ROOT]])
    return int(visits[-1] - visits[-2]) if len(visits) > 1 else int(visits[-1])


def _conclude(tree: Tree, wins: np.ndarray, points: np.ndarray, ownership: np.ndarray) -> RolloutResult:
    nodes = np.arange(1, 1 + tree.num_children[ROOT])
    nodes = nodes[tree.visits[nodes] > 0]
    nodes = nodes[np.lexsort((tree.utility[nodes] / tree.visits[nodes], tree.visits[nodes]))[::-1]]
    visits = tree.visits[nodes].astype(np.int64)
    return RolloutResult(
        actions=tree.action[nodes].astype(np.int64),
        visits=visits,
        win_rates=wins[nodes] / visits,
        scores=points[nodes] / visits,
        ownership=ownership,
        variations=[_variation(tree, node) for node in nodes],
    )


def _variation(tree: Tree, node: int) -> tuple[int, ...]:
    line = [int(tree.action[node])]
    while tree.num_children[node]:
        children = tree.first_child[node] + np.arange(tree.num_children[node])
        node = children[tree.visits[children].argmax()]
        if not tree.visits[node]:
            break
        line.append(int(tree.action[node]))
    return tuple(line)


def make_tree() -> Tree:
    """A tree that is a root without children."""
    return Tree(
        num_nodes=np.ones(1, np.int32),
        parent=np.full(1, -1, np.int32),
        action=np.full(1, SKIP, np.int16),
        first_child=np.zeros(1, np.int32),
        num_children=np.zeros(1, np.int16),
        visits=np.zeros(1, np.int32),
        utility=np.zeros(1),
        amaf_visits=np.zeros(1, np.int32),
        amaf_utility=np.zeros(1),
    )


def with_room(tree: Tree, nodes: int) -> Tree:
    """The same tree with room for `nodes` more; twice as large when it has to grow."""
    used, capacity = int(tree.num_nodes[0]), len(tree.parent)
    if used + nodes <= capacity:
        return tree
    more = max(used + nodes, 2 * capacity) - capacity
    grown = (np.concatenate([array, np.zeros(more, array.dtype)]) for array in tree[1:])
    return Tree(tree.num_nodes, *grown)


@njit()
def descend(tree: Tree, leaves: int) -> np.ndarray:
    """(leaves,) int64: nodes without children, each reached by the best child again and again, a loss on its way."""
    nodes = np.empty(leaves, np.int64)
    for i in range(leaves):
        node = ROOT
        count(tree, node)
        while tree.num_children[node] > 0:
            node = best_child(tree, node)
            count(tree, node)
        nodes[i] = node
    return nodes


@kernel(forceinline=True)
def count(tree: Tree, node: int) -> None:
    """A visit whose result is not known yet counts as a loss."""
    tree.visits[node] += 1
    tree.utility[node] -= 1


@kernel(forceinline=True)
def best_child(tree: Tree, node: int) -> int:
    """The child with the largest (1 - beta) Q + beta Q_amaf + c sqrt(log N / (1 + n)).

    beta = n_amaf / (n + n_amaf + b n n_amaf), Silver's minimum-mean-square-error schedule with a bias term b.
    """
    log_visits = np.log(tree.visits[node])
    best, most = -1, -np.inf
    for child in range(tree.first_child[node], tree.first_child[node] + tree.num_children[node]):
        n, m = float(tree.visits[child]), float(tree.amaf_visits[child])
        value = _EXPLORATION * np.sqrt(log_visits / (1 + n))
        weight = n + m + _AMAF_BIAS * n * m
        if weight > 0:
            beta = m / weight
            value += (1 - beta) * tree.utility[child] / max(n, 1) + beta * tree.amaf_utility[child] / max(m, 1)
        if value > most:
            best, most = child, value
    return best


@njit()
def lines_to(tree: Tree, nodes: np.ndarray) -> np.ndarray:
    """(leaves, plies) int64: the moves from the root to each of `nodes` (leaves,), then SKIP."""
    longest = 0
    for node in nodes:
        longest = max(longest, depth(tree, node))
    lines = np.full((len(nodes), longest), SKIP, np.int64)
    for i in range(len(nodes)):
        node = nodes[i]
        for ply in range(depth(tree, node) - 1, -1, -1):
            lines[i, ply] = tree.action[node]
            node = tree.parent[node]
    return lines


@kernel(forceinline=True)
def depth(tree: Tree, node: int) -> int:
    plies = 0
    while node != ROOT:
        plies += 1
        node = tree.parent[node]
    return plies


@njit()
def expand(tree: Tree, nodes: np.ndarray, moves: np.ndarray, visits: int, seed: np.uint64) -> None:
    """Give those of `nodes` (leaves,) that have `visits` or more and no children yet one for each of `moves`.

    moves (leaves, num_actions) bool. The children come in random order, which breaks ties.
    """
    for i in range(len(nodes)):
        node = nodes[i]
        if tree.num_children[node] > 0 or tree.visits[node] < visits:
            continue
        random = stream(seed, i)
        first = tree.num_nodes[0]
        children = 0
        for action in range(moves.shape[1]):
            if not moves[i, action]:
                continue
            random += GOLDEN
            child, other = first + children, first + below(mix(random), children + 1)
            tree.action[child] = tree.action[other]
            tree.action[other] = action
            tree.parent[child] = node
            tree.first_child[child] = 0
            tree.num_children[child] = 0
            tree.visits[child] = 0
            tree.utility[child] = 0
            tree.amaf_visits[child] = 0
            tree.amaf_utility[child] = 0
            children += 1
        tree.first_child[node] = first
        tree.num_children[node] = children
        tree.num_nodes[0] += children


@njit()
def add_playouts(
    tree: Tree,
    nodes: np.ndarray,
    moves: np.ndarray,
    utilities: np.ndarray,
    results: np.ndarray,
    scores: np.ndarray,
    wins: np.ndarray,
    points: np.ndarray,
) -> None:
    """Add the playouts from `nodes` (leaves,) up to the root, in place of the losses that stood for them.

    moves (leaves, plies): from the root to the end of the playout, then SKIP. utilities, results, scores (leaves,):
    for the side to move at the root. The latter two are added to `wins` and `points`, by child of the root.
    """
    num_points = len(wins) - 2
    first = np.empty(
        num_points + 1, np.int8
    )  # whose stone came first on a point: 0 the root's side to move, 1 the other
    for i in range(len(nodes)):
        first[:] = -1
        node = nodes[i]
        plies = depth(tree, node)
        for ply in range(moves.shape[1] - 1, plies - 1, -1):
            if moves[i, ply] != SKIP:
                first[moves[i, ply]] = ply & 1
        while True:
            ours = plies & 1 == 0
            u = utilities[i] if ours else -utilities[i]  # for the side to move here
            tree.utility[node] += 1 - u
            for child in range(tree.first_child[node], tree.first_child[node] + tree.num_children[node]):
                action = tree.action[child]
                if action != num_points and first[action] == plies & 1:
                    tree.amaf_visits[child] += 1
                    tree.amaf_utility[child] += u
            if node == ROOT:
                break
            if plies == 1:
                wins[node] += results[i]
                points[node] += scores[i]
            plies -= 1
            first[tree.action[node]] = plies & 1
            node = tree.parent[node]
