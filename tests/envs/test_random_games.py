"""`play_random_games` draws each move uniformly from the legal mask, the pass included; the seed alone decides."""

from collections import Counter

import numba
import numpy as np
import pytest
from scipy import stats

from envs import Position, Rules, play_random_games
from tests.envs.games import KO_RULES, draw_actions
from tests.oracle import referee


def exact_outcomes(rules: Rules) -> dict[tuple[float, int], float]:
    """The probability of each (score, length) of a uniformly random game, from the whole tree by the referee."""
    outcomes: Counter[tuple[float, int]] = Counter()
    lines: list[tuple[list[int], float]] = [([], 1.0)]
    while lines:
        line, probability = lines.pop()
        game = referee(rules, line)
        legal = [action for action, verdict in enumerate(game.verdicts()) if verdict == "legal"]
        if not legal:
            outcomes[game.score_black(), len(line)] += probability
        lines += [([*line, action], probability / len(legal)) for action in legal]
    return outcomes


@pytest.mark.parametrize(
    "rules",
    [
        Rules(1, 2, ko="situational"),
        Rules(1, 3),
        Rules(1, 4, suicide=True, max_moves=6),
        Rules(2, 2, ko="simple", max_moves=7),
        Rules(2, 2, max_moves=7),
        Rules(2, 2, objective="capture", max_moves=7),
        Rules(3, 3, max_moves=3),
    ],
    ids=str,
)
def test_outcomes_follow_the_exact_distribution(rules):
    num_games = 40_000
    expected = exact_outcomes(rules)
    assert sum(expected.values()) == pytest.approx(1)
    seen = Counter(zip(*(values.tolist() for values in play_random_games(rules, num_games, seed=5)), strict=True))
    assert set(seen) <= set(expected)
    assert chi_squared([(seen[o], num_games * p) for o, p in expected.items()]) > 1e-3


def chi_squared(pairs: list[tuple[float, float]]) -> float:
    """The p-value of observed against expected counts; the outcomes that are too rare to judge count as one."""
    common = [pair for pair in pairs if pair[1] >= 5]
    rare = [pair for pair in pairs if pair[1] < 5]
    observed, expected = zip(*common, *([np.sum(rare, axis=0)] if rare else []), strict=True)
    return stats.chisquare(observed, expected).pvalue


@pytest.mark.parametrize("ko", KO_RULES)
def test_results_and_lengths_are_those_of_uniform_play_on_position(ko):
    rules = Rules(3, 3, ko=ko, suicide=True)
    scores, lengths = play_random_games(rules, 1500, seed=1)
    slow_scores, slow_lengths = zip(
        *(play_one(rules, np.random.default_rng(seed)) for seed in range(1500)), strict=True
    )
    for fast, slow, edges in [
        (scores, slow_scores, [-99, -9, -4, 0, 4, 9, 99]),
        (lengths, slow_lengths, [0, 5, 10, 15, 20, 30, 40, 60, 999]),
    ]:
        counts = np.array([np.histogram(values, edges)[0] for values in (fast, slow)])
        assert stats.chi2_contingency(counts[:, counts.sum(axis=0) > 0]).pvalue > 1e-3


def play_one(rules: Rules, rng: np.random.Generator) -> tuple[float, int]:
    position = Position(rules)
    while not position.is_over:
        position = position.play(int(draw_actions(position.legal_mask()[None], rng)[0]))
    return position.score_black(), len(position.moves)


@pytest.mark.parametrize("rules", [Rules(5, 5), Rules(3, 4, ko="situational", suicide=True), Rules(2, 2)], ids=str)
def test_the_seed_alone_decides(rules):
    """On any number of threads, and however many games are asked for."""
    scores, lengths = play_random_games(rules, 300, seed=9)
    numba.set_num_threads(2)
    for games in (300, 100, 1):
        again = play_random_games(rules, games, seed=9)
        assert (again[0] == scores[:games]).all() and (again[1] == lengths[:games]).all()
    assert (play_random_games(rules, 300, seed=10)[1] != lengths).any()


def test_a_move_limit_only_cuts():
    """Also the few games that outgrow the room for their history, which are played again with more."""
    without, limit = Rules(7, 7, max_moves=10**6), 300
    scores, lengths = play_random_games(without, 20_000, seed=3)
    assert 4 * without.num_points + 64 < limit < lengths.max()
    cut_scores, cut_lengths = play_random_games(Rules(7, 7, max_moves=limit), 20_000, seed=3)
    assert (cut_lengths == np.minimum(lengths, limit)).all()
    assert (cut_scores == scores)[lengths <= limit].all()
    assert set(play_random_games(Rules(7, 7, max_moves=1), 10, seed=0)[1]) == {1}


def test_shapes_and_bad_arguments():
    scores, lengths = play_random_games(Rules(9, 9), 3, seed=2**64 - 1)
    assert scores.shape == lengths.shape == (3,)
    assert (scores.dtype, lengths.dtype) == (np.float32, np.int32)
    assert [len(values) for values in play_random_games(Rules(9, 9), 0, seed=0)] == [0, 0]
    for games, seed in ((-1, 0), (1, -1), (1, 2**64)):
        with pytest.raises(ValueError, match="expected both at least 0"):
            play_random_games(Rules(9, 9), games, seed)
