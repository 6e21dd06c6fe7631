"""A trained network that thinks before it moves, and keeps of its thoughts what the next move has use for."""

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from envs import GoBatch, Position
from goagent.players.evaluator import evaluator
from goagent.players.player import Analysis, Interrupted, Line, Player
from goagent.players.policy import PolicyPlayer, load_network
from goagent.records import checkpoint
from goagent.search.cache import CachedEvaluator
from goagent.search.evaluation import Evaluate, Evaluation
from goagent.search.gumbel import gumbel_search
from goagent.search.puct import puct_search
from goagent.search.tree import ROOT, Forest, SearchResult, Trees

DEFAULT_VISITS = 64
_CACHE = 1 << 14  # positions
_FIRST_VISITS = 32  # visits before the speed is known
_MOST_VISITS = 200_000  # of one position, which is some hundred megabytes
_LONGEST_LINE = 12  # plies of a variation


def _gumbel(
    forest: Forest, visits: np.ndarray, rng: np.random.Generator, noise: float, allowed: np.ndarray | None = None
) -> SearchResult:
    return gumbel_search(forest, visits, rng, noise=noise, allowed=allowed)


def _puct(
    forest: Forest, visits: np.ndarray, rng: np.random.Generator, noise: float, allowed: np.ndarray | None = None
) -> SearchResult:
    return puct_search(forest, visits, rng, noise_fraction=min(1.0, 0.25 * noise), allowed=allowed)


_SEARCHES = {"gumbel": _gumbel, "puct": _puct}


class _OutOfTime(Exception):
    """The deadline has passed in the middle of a search."""


class SearchPlayer:
    """Spends `visits` on a move, or about `seconds`, or of both what is over first.

    temperature: how much chance there is in the choice among moves that look alike: what the noise at the root is
    multiplied by; 0 for none, 1 as in training.
    search: "gumbel" or "puct".
    """

    def __init__(
        self,
        evaluate: Evaluate,
        name: str,
        visits: int | None = None,
        seconds: float | None = None,
        temperature: float = 1.0,
        search: str = "gumbel",
    ) -> None:
        self.name = name
        self.visits = visits or (DEFAULT_VISITS if seconds is None else _MOST_VISITS)
        self.seconds = seconds
        self.temperature = temperature
        self.search = _SEARCHES[search]
        self._known = CachedEvaluator(evaluate, _CACHE)
        self._interrupted = threading.Event()
        self._deadline = math.inf  # on the monotonic clock
        self._due = math.inf  # on the same clock: when whoever listens is told the next opinion
        self._forest: Forest | None = None
        self._root: Position | None = None

    def reset(self) -> None:
        self._forest = self._root = None

    def choose(self, position: Position, rng: np.random.Generator) -> int:
        return int(self._search(position, rng, self.temperature)[1].actions[0])

    def play_itself(self, games: GoBatch, rng: np.random.Generator) -> GoBatch:
        """These games, played to their ends by it on both sides, each as if it were alone.

        All at once, as the network answers many positions in much less time than one after another.
        """
        self._interrupted.clear()
        forest = Forest(self._evaluate, games.rules, games.num_games, parallel=False)
        forest.plant(games)
        while not forest.roots.is_over.all():
            forest.advance(self._think(forest, rng, self.temperature).actions)
        return forest.roots

    def distribution(self, position: Position) -> np.ndarray:
        """The improved policy of a search, sharpened by the temperature; a close estimate of what `choose` would do."""
        policy = self._search(position, np.random.default_rng(0), 0.0)[1].policy[0].astype(np.float64)
        if self.temperature == 0:
            policy = (policy == policy.max()).astype(np.float64)
        else:
            policy = np.where(policy > 0, (policy / policy.max()) ** (1 / max(self.temperature, 1e-3)), 0)
        return policy / policy.sum()

    def analyze(self, position: Position) -> Analysis:
        return _said(*self._search(position, np.random.default_rng(0), 0.0))

    def think(self, position: Position, allowed: np.ndarray | None = None) -> Iterator[Analysis]:
        """One search after the other on the same tree, the first ones short."""
        self._interrupted.clear()
        rng, spent, visits = np.random.default_rng(0), 0, _FIRST_VISITS // 2

        def deepen(forest: Forest) -> SearchResult:
            return self.search(forest, np.array([visits]), rng, 0.0, None if allowed is None else allowed[None])

        while spent < _MOST_VISITS:
            yield _said(*self._on_tree(position, deepen), allowed)
            spent, visits = spent + visits, min(2 * visits, 8 * _FIRST_VISITS)

    def interrupt(self) -> None:
        self._interrupted.set()

    @contextmanager
    def aloud(self, hear: Callable[[Analysis], None], interval: float) -> Iterator[None]:
        self._hear, self._interval = hear, interval
        self._due = time.monotonic() + interval
        try:
            yield
        finally:
            self._due = math.inf

    def _evaluate(self, planes: np.ndarray) -> Evaluation:
        if self._interrupted.is_set():
            raise Interrupted
        now = time.monotonic()
        if now > self._deadline:
            raise _OutOfTime
        if now >= self._due:
            self._tell()
        return self._known(planes)

    def _tell(self) -> None:
        """Say what the tree holds in the midst of a search, unless a move at its root has not been looked at yet."""
        assert self._forest is not None
        trees = self._forest.trees
        tried = trees.child[0, ROOT][trees.child[0, ROOT] >= 0]
        if len(tried) and trees.visits[0, tried].all():
            self._due = math.inf  # the opinion needs an evaluation as well
            nothing_more = np.array([0])
            self._hear(_said(self._forest, self.search(self._forest, nothing_more, np.random.default_rng(0), 0.0)))
            self._due = time.monotonic() + self._interval

    def _search(self, position: Position, rng: np.random.Generator, noise: float) -> tuple[Forest, SearchResult]:
        self._interrupted.clear()
        return self._on_tree(position, lambda forest: self._think(forest, rng, noise))

    def _on_tree(self, position: Position, search: Callable[[Forest], SearchResult]) -> tuple[Forest, SearchResult]:
        try:
            forest = self._forest_at(position)
            return forest, search(forest)
        except BaseException:
            self.reset()  # an interrupted search leaves a leaf that nobody has evaluated
            raise

    def _think(self, forest: Forest, rng: np.random.Generator, noise: float) -> SearchResult:
        games = forest.roots.num_games
        if self.seconds is None:
            return self.search(forest, np.full(games, self.visits), rng, noise)
        # Searches of growing length, each on the tree of the one before; the last one decides.
        end, left = time.monotonic() + games * self.seconds, self.visits
        visits = min(_FIRST_VISITS, left)
        while True:
            begun = time.monotonic()
            try:
                found = self.search(forest, np.full(games, visits), rng, noise)
            except _OutOfTime:  # it went slower than the searches before, which may have known the answers
                _drop_unvisited(forest.trees)
                return found
            finally:
                self._deadline = math.inf
            now = time.monotonic()
            left -= visits
            fitting = min(left, int(visits * (end - now) / max(now - begun, 1e-6)))
            if fitting < max(2, visits // 4):
                return found
            visits = fitting if fitting == left else min(fitting, 2 * visits)
            if games == 1:  # many games at once are nobody's clock
                self._deadline = end

    def _forest_at(self, position: Position) -> Forest:
        """The tree of this position: what is left of the last one where the game has gone on from it, or a new one."""
        root, forest = self._root, self._forest
        self._root = position
        if forest is not None and root is not None and root.rules == position.rules:
            for action in position.moves[len(root.moves) :]:
                if root.is_over:
                    break
                root = root.play(action, check=False)
            if root == position:
                for action in position.moves[len(forest.roots.position(0).moves) :]:
                    forest.advance(np.array([action]))
                return forest
        self._forest = Forest(self._evaluate, position.rules, 1, parallel=False)
        self._forest.plant(GoBatch.from_positions([position]))
        return self._forest


def load_trained_player(
    path: Path,
    visits: int | None = None,
    seconds: float | None = None,
    temperature: float = 1.0,
    search: str = "gumbel",
) -> Player:
    """The agent of a checkpoint or run: its bare policy at one visit, else with search; for every size and rule.

    What learned by search searches by default, with `DEFAULT_VISITS`; other policies play as they are. Raises
    CheckpointError, and UserError for a search with a policy that has no logits.
    """
    network = load_network(path)
    training = checkpoint.read_json(checkpoint.newest(path) / "agent.json").get("training")
    if visits is None and seconds is None:
        visits = DEFAULT_VISITS if isinstance(training, dict) and training.get("algorithm") == "gumbel" else 1
    if visits == 1:
        return PolicyPlayer(network, path.name, temperature)
    return SearchPlayer(evaluator(network), path.name, visits, seconds, temperature, search)


def _said(forest: Forest, found: SearchResult, allowed: np.ndarray | None = None) -> Analysis:
    """What a search of one tree found, most visited moves first; of those `allowed` (num_actions,) bool, if given.

    Win probability and score are what its policy may expect. The mean of all visits would count bad moves that were
    only looked at.
    """
    trees = forest.trees
    lines = []
    weight = wins = points = 0.0
    for action in np.lexsort((-found.policy[0], -found.visits[0])):
        child = trees.child[0, ROOT, action]
        visits = int(trees.visits[0, child]) if child >= 0 else 0
        if not visits or (allowed is not None and not allowed[action]):
            continue
        win = float(1 - trees.value[0, child] / visits) / 2
        probability = float(found.policy[0, action])
        lines.append(Line(int(action), probability, win, visits, _line(trees, child)))
        weight += probability
        wins += probability * win
        points -= probability * float(trees.score[0, child]) / visits
    if not weight:  # none of the moves looked at is worth playing
        weight, wins, points = 1.0, float(1 + found.value[0]) / 2, float(found.score[0])
    return Analysis(wins / weight, points / weight, forest.ownership()[0], lines)


def _drop_unvisited(trees: Trees) -> None:
    """Take the leaves off one tree that a search has added last and not evaluated."""
    while trees.visits[0, trees.num_nodes[0] - 1] == 0:
        trees.num_nodes[0] -= 1
        node = trees.num_nodes[0]
        trees.child[0, trees.parent[0, node], trees.action[0, node]] = -1


def _line(trees: Trees, node: int) -> tuple[int, ...]:
    """The moves to this node and on by the most visited child."""
    line = [int(trees.action[0, node])]
    while len(line) < _LONGEST_LINE:
        children = trees.child[0, node][trees.child[0, node] >= 0]
        if trees.over[0, node] or not len(children):
            break
        node = children[trees.visits[0, children].argmax()]
        line.append(int(trees.action[0, node]))
    return tuple(line)
