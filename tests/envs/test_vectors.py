"""Published and independently recomputed numbers: legal positions, perft, perfect play on tiny boards."""

from itertools import product

import numpy as np
import pytest

from envs import BLACK, GoBatch, Position, Rules
from tests.envs.games import KO_RULES
from tests.oracle import referee

# Tromp, "Number of legal Go positions"
LEGAL_POSITIONS = {(1, 1): 1, (1, 2): 5, (1, 3): 15, (1, 4): 41, (1, 5): 113, (2, 2): 57, (2, 3): 489, (3, 3): 12675}

BOTH = (False, True)
# (rows, cols), ko rules, suicide: the number of move sequences of 0, 1, 2, ... plies, the passes counted
PERFT = [
    ((1, 2), KO_RULES, (False,), [1, 3, 7, 8, 6, 2, 0]),
    ((1, 2), ("positional",), (True,), [1, 3, 7, 8, 6, 2, 0]),
    ((1, 3), ("positional",), BOTH, [1, 4, 11, 22, 41, 58, 78, 98, 110]),
    ((1, 4), ("positional",), (True,), [1, 5, 19, 58, 142, 288]),
    ((1, 4), ("positional",), (False,), [1, 5, 19, 54, 120, 224]),
    ((2, 2), ("positional",), BOTH, [1, 5, 21, 68, 156, 316, 604, 1088, 2184, 4184, 8024]),
    ((2, 2), ("situational",), (False,), [1, 5, 21, 68, 156, 316, 604, 1112, 2312, 4544]),
    ((2, 2), ("simple",), (False,), [1, 5, 21, 68, 156, 316, 604, 1168, 2592, 5768]),
    ((5, 5), KO_RULES, BOTH, [1, 26, 651, 15650, 361041]),
    ((9, 9), KO_RULES, BOTH, [1, 82, 6643, 531522]),
]
PERFT_CASES = [
    pytest.param(
        Rules(*size, ko=ko, suicide=suicide, max_moves=10**6), counts, id=f"{size[0]}x{size[1]}-{ko}-{suicide}"
    )
    for size, ko_rules, suicides, counts in PERFT
    for ko in ko_rules
    for suicide in suicides
]


@pytest.mark.parametrize("size", LEGAL_POSITIONS)
def test_legal_positions(size):
    rows, cols = size
    diagrams = ("\n".join(map("".join, lines)) for lines in product(product(".XO", repeat=cols), repeat=rows))
    assert sum(map(is_position, diagrams)) == LEGAL_POSITIONS[size]


def is_position(diagram: str) -> bool:
    try:
        Position.from_diagram(diagram)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(("rules", "counts"), PERFT_CASES)
def test_perft(rules, counts):
    games = GoBatch(rules, 1)
    for expected in counts[1:]:
        parents, actions = np.nonzero(games.legal_mask())
        assert len(actions) == expected
        if expected != counts[-1]:
            children = GoBatch(rules, len(parents))
            children.copy_games(games, parents, np.arange(len(parents)))
            children.step(actions)
            games = children


@pytest.mark.parametrize(("rules", "counts"), [case for case in PERFT_CASES if case.values[0].num_points <= 4])
def test_perft_of_the_referee(rules, counts):
    lines = [[]]
    for expected in counts[1:7]:
        lines = [[*line, action] for line in lines for action in legal_actions(rules, line)]
        assert len(lines) == expected


def legal_actions(rules: Rules, line: list[int]) -> list[int]:
    return [action for action, verdict in enumerate(referee(rules, line).verdicts()) if verdict == "legal"]


@pytest.mark.parametrize("suicide", BOTH)
@pytest.mark.parametrize("ko", ["positional", "situational"])
@pytest.mark.parametrize(
    ("rows", "cols", "value", "best"), [(1, 3, 3, {1}), (1, 4, 4, {1, 2}), (2, 2, 1, {0, 1, 2, 3})]
)
def test_perfect_play(rows, cols, value, best, ko, suicide):
    """Black's area score without komi under perfect play, and the first moves that reach it."""
    start = Position(Rules(rows, cols, komi=0, ko=ko, suicide=suicide, max_moves=10**6))
    firsts = np.flatnonzero(start.legal_mask()).tolist()
    reached = {action: solve(start.play(action), value - 1, value + 1) for action in firsts}
    assert max(reached.values()) == value
    assert {action for action in firsts if reached[action] == value} == best


def solve(position: Position, low: float, high: float) -> float:
    """Black's best score by alpha-beta, as far as it lies between `low` and `high`.

    The history is part of the state, so nothing is remembered between branches.
    """
    if position.is_over:
        return position.score_black()
    actions = np.flatnonzero(position.legal_mask()).tolist()
    if position.consecutive_passes:
        actions.reverse()  # the pass, which ends the game, cuts most
    for action in actions:
        reached = solve(position.play(action), low, high)
        if position.to_play == BLACK:
            low = max(low, reached)
        else:
            high = min(high, reached)
        if low >= high:
            break
    return low if position.to_play == BLACK else high
