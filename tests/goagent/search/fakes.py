"""Evaluators without a network, each a function of the planes alone; a slow tree; positions with known answers."""

import zlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from envs import BLACK, WHITE, Position, Rules
from envs.planes import KOMI_SCALE, OFFSETS
from envs.symmetry import action_table, transform_board
from goagent.search.evaluation import SCORE_WEIGHT, Evaluate, Evaluation


def uniform(planes: np.ndarray) -> Evaluation:
    """Every move alike, every position even."""
    batch, _, rows, cols = planes.shape
    nothing = np.zeros(batch, np.float32)
    return Evaluation(
        np.zeros((batch, rows * cols + 1), np.float32), nothing, nothing, np.zeros((batch, rows, cols), np.float32)
    )


def counting(planes: np.ndarray) -> Evaluation:
    """Every move alike; a position is worth its area score as it stands, no stone being taken for dead."""
    own, enemy = planes[:, OFFSETS["own stones"]] > 0, planes[:, OFFSETS["enemy stones"]] > 0
    empty = ~own & ~enemy
    own, enemy = _reach(own, empty), _reach(enemy, empty)
    ownership = (own & ~enemy).astype(np.float32) - (enemy & ~own)
    score = ownership.sum(axis=(1, 2)) + np.round(planes[:, OFFSETS["komi"], 0, 0] * KOMI_SCALE * 2) / 2
    return uniform(planes)._replace(value=np.sign(score), score=score, ownership=ownership)


def _reach(stones: np.ndarray, empty: np.ndarray) -> np.ndarray:
    """The stones (batch, rows, cols) and the empty points that are joined to them."""
    while True:
        padded = np.pad(stones, ((0, 0), (1, 1), (1, 1)))
        beside = padded[:, :-2, 1:-1] | padded[:, 2:, 1:-1] | padded[:, 1:-1, :-2] | padded[:, 1:-1, 2:]
        grown = stones | (beside & empty)
        if (grown == stones).all():
            return stones
        stones = grown


def random(planes: np.ndarray) -> Evaluation:
    """Opinions that a checksum of the planes decides."""
    return _opinions(np.stack([_numbers(position) for position in planes]) / 2**20, planes)


def symmetric(planes: np.ndarray) -> Evaluation:
    """`random`, made the same for all symmetric copies of a position; in whole numbers, so that it is exact."""
    rows, cols = planes.shape[2:]
    totals = np.zeros((len(planes), 2 * rows * cols + 3), np.int64)
    for k, places in enumerate(action_table(rows, cols)):
        numbers = np.stack([_numbers(transform_board(position, k)) for position in planes])
        totals += numbers[:, np.concatenate([places, [len(places), len(places) + 1], len(places) + 2 + places[:-1]])]
    return _opinions(totals / (2**20 * np.sqrt(len(action_table(rows, cols)))), planes)


def _numbers(position: np.ndarray) -> np.ndarray:
    """(2 * points + 3,) integers around 0, two to the power of 20 being a lot."""
    size = 2 * position[0].size + 3
    return np.random.default_rng(zlib.crc32(position.tobytes())).integers(-(2**20), 2**20, size, dtype=np.int64)


def _opinions(numbers: np.ndarray, planes: np.ndarray) -> Evaluation:
    """From (batch, 2 * points + 3) numbers in about [-1, 1]."""
    points = (numbers.shape[1] - 3) // 2
    logits, value, score, ownership = np.split(numbers, [points + 1, points + 2, points + 3], axis=1)
    return Evaluation(
        (3 * logits).astype(np.float32),
        np.tanh(value[:, 0]).astype(np.float32),
        (3 * score[:, 0]).astype(np.float32),
        np.tanh(ownership).astype(np.float32).reshape(len(planes), *planes.shape[2:]),
    )


class Node:
    """A node of a search tree, for one game at a time, by the book. Values are for the side to move."""

    def __init__(self, position: Position, evaluate: Evaluate) -> None:
        self.position = position
        self.evaluate = evaluate
        self.children: dict[int, Node] = {}
        points = position.rules.num_points
        if position.is_over:
            score = position.score_black() * (1 if position.to_play == BLACK else -1)
            self.prior, value = np.zeros(points + 1), np.sign(score)
        else:
            answer = evaluate(position.observe()[None])
            weights = np.where(position.legal_mask(), np.exp(answer.logits[0].astype(float)), 0)
            self.prior, value, score = weights / weights.sum(), answer.value[0], answer.score[0]
        self.own = np.array([(1 - SCORE_WEIGHT) * value + SCORE_WEIGHT * np.tanh(score / points**0.5), value, score])
        self.visits, self.sums = 1, self.own.copy()  # of utility, value and score

    @property
    def utility(self) -> float:
        return float(self.sums[0] / self.visits)

    def visit(self, choose: Callable[["Node"], int], action: int | None = None) -> np.ndarray:
        """One more visit, by `action` and then as `choose` says; returns what to add to the sums of this node."""
        if self.position.is_over:
            gain = self.own
        else:
            action = choose(self) if action is None else action
            if action in self.children:
                gain = -self.children[action].visit(choose)
            else:
                self.children[action] = Node(self.position.play(action), self.evaluate)
                gain = -self.children[action].own
        self.visits += 1
        self.sums += gain
        return gain

    def counts(self) -> np.ndarray:
        """(num_actions,) int: the visits of each action."""
        counts = np.zeros(len(self.prior), int)
        for action, child in self.children.items():
            counts[action] = child.visits
        return counts

    def q(self, unvisited: float) -> np.ndarray:
        """(num_actions,): the utility of each action for the side to move here."""
        q = np.full(len(self.prior), unvisited, float)
        for action, child in self.children.items():
            q[action] = -child.utility
        return q


class Problem(NamedTuple):
    """A position that `counting` misjudges, or that it may be tempted by."""

    position: Position
    answers: set[int]  # the moves that keep the result
    visits: int  # that every search finds one of them with
    wins: bool  # the side to move


def _problem(
    diagram: str, answers: str, visits: int, *, komi: float, to_play: int = BLACK, wins: bool = True
) -> Problem:
    rows = diagram.split("\n")
    rules = Rules(len(rows), len(rows[0].split()), komi=komi)
    position = Position.from_diagram(diagram, rules, to_play)
    return Problem(position, {rules.action(vertex) for vertex in answers.split()}, visits, wins)


# Two White stones, cut off, run along the edge from one atari to the next; their friends stand on the right.
LADDER = _problem(
    ". X X . X O .\n"
    "X X X X X O O\n"
    "X O O X O O .\n"
    ". X O . O O O\n"
    ". . . . O O O",
    "D2",  # and C1, D1, B1, A1 takes five stones
    1500,
    komi=2,
)  # fmt: skip
# The same, but C1 is in the way: D2, D1 and White is through.
BROKEN_LADDER = _problem(
    ". X X . X O .\n"
    "X X X X X O O\n"
    "X O O X O O .\n"
    ". X O . O O O\n"
    ". . O . O O O",
    "A1 A2 B1 D1 D2 A5 D5 pass",  # nothing helps
    300,
    komi=2,
    wins=False,
)  # fmt: skip
# C1-C2 and D1-D2 have two liberties each, and no way out: who is first takes the other, and with it the game.
_RACE = (
    ". O . O X . X\n"
    "O O O O X X .\n"
    "O O O X X X X\n"
    "O . X O . X X\n"
    "O . X O . X X"
)  # fmt: skip
# Who plays A1 or B2 puts his own stones in atari. The side that is ahead must not fill an eye either.
_SEKI = (
    ". O . O X X\n"
    "O O O O X X\n"
    "O O O O X .\n"
    "X X X O X X\n"
    "X . X O X .\n"
    ". O O X X X"
)  # fmt: skip
# Nothing but eyes is left.
_FINISHED = (
    ". X X O O\n"
    "X X X O .\n"
    ". X X O O\n"
    "X X O O O\n"
    "X X O O ."
)  # fmt: skip
# And here one neutral point, which is worth the game: after White's pass, another ends it lost.
_LAST_POINT = (
    ". X X O O\n"
    "X X X O .\n"
    "X X . O O\n"
    ". X O O O\n"
    "X X O O ."
)  # fmt: skip


def _after_a_pass(problem: Problem) -> Problem:
    waiting = problem.position.rules.pass_action
    opponent = problem.position.with_to_play(BLACK + WHITE - problem.position.to_play)
    return problem._replace(position=opponent.play(waiting))


def _superko(*, with_history: bool) -> Problem:
    """White to play at C1 takes two stones, and Black's B1 would take back; that repeats the board, if it was there."""
    rules = Rules(1, 5, komi=0)
    position = Position(rules)
    for vertex in ("D1", "A1", "B1", "pass", "A1"):  # with the fourth move, the board was . X . X .
        position = position.play(rules.action(vertex))
    if not with_history:
        position = Position.from_diagram("X X . X .", rules, WHITE)
    answers = {rules.action("C1")} if with_history else {rules.action("C1"), rules.pass_action}
    return Problem(position, answers, 200, wins=with_history)


SUPERKO, NO_SUPERKO = _superko(with_history=True), _superko(with_history=False)

PROBLEMS = {
    "ladder": LADDER,
    "broken ladder": BROKEN_LADDER,
    "race, Black first": _problem(_RACE, "E1 E2", 300, komi=1.5),
    "race, White first": _problem(_RACE, "B1 B2", 300, komi=0.5, to_play=WHITE),
    "superko": SUPERKO,
    "no superko": NO_SUPERKO,
    "seki, Black ahead": _problem(_SEKI, "pass", 300, komi=1),
    "seki, White ahead": _problem(_SEKI, "pass", 300, komi=3, to_play=WHITE),
    "a pass wins": _problem(_FINISHED, "pass", 100, komi=0.5),
    "a pass loses": _after_a_pass(_problem(_LAST_POINT, "C3", 100, komi=0.5)),
}
