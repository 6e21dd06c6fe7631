"""The adaptive coder's bits are those of coding symbol by symbol, distances keep their laws, games no orientation."""

import math
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envs.symmetry import action_table
from goagent.lab.core import Result
from goagent.lab.information.compression_distance import (
    ALPHABET,
    EXPERIMENT,
    GAMES,
    LETTERS,
    MOVES,
    PLAYERS,
    PLIES,
    SIZE,
    Settings,
    join,
    play_games,
    write,
)
from goagent.lab.information.string_distances import (
    CODERS,
    COSINE,
    adaptive_bits,
    deflated,
    distances,
    fit,
    logistic,
    nearest,
    normalised,
    run_counts,
)
from goagent.lab.runner import run_experiment
from tests.goagent.lab.laws import assert_a_function_of_its_arguments

TEST = EXPERIMENT.settings["test"]


@pytest.fixture(scope="module")
def result() -> Result:
    return run_experiment(EXPERIMENT, "test", [0])


@given(st.lists(st.integers(0, 3), min_size=3, max_size=30), st.sampled_from([1, 2, 3]))
@settings(max_examples=40, deadline=None)
def test_adaptive_bits_are_those_of_coding_symbol_by_symbol(symbols: list[int], run: int) -> None:
    seen: dict[tuple[int, ...], list[float]] = {}
    bits = 0.0
    for end in range(run - 1, len(symbols)):
        counts = seen.setdefault(tuple(symbols[end - run + 1 : end]), [0.25] * 4)
        bits -= math.log2(counts[symbols[end]] / sum(counts))
        counts[symbols[end]] += 1
    assert adaptive_bits(run_counts([np.array(symbols)], 4, run), 4)[0] == pytest.approx(bits)


def test_run_counts_by_hand() -> None:
    counts = run_counts([np.array([0, 1, 0, 1, 1], np.uint8)], alphabet=2, run=2)
    assert counts.tolist() == [[0, 2, 1, 1]]  # 00, 01, 10, 11


def test_deflated_is_zlib_without_its_frame() -> None:
    text = b"abcabcabcabcabcxyz" * 3
    assert deflated(text) == len(zlib.compress(text, 9)) - 6


def test_normalised_distance_at_its_ends() -> None:
    """Nothing in common: 1. One tells all of the other: what the larger adds, by its size."""
    own = np.array([100.0, 60.0])
    assert normalised(own, np.array([[100.0, 160.0], [160.0, 60.0]])).tolist() == [[0, 1], [1, 0]]
    assert normalised(own, np.full((2, 2), 100.0))[0, 1] == pytest.approx(0.4)


def test_distances_of_a_record_from_itself_are_the_least() -> None:
    rng = np.random.default_rng(0)
    records = [rng.integers(0, 50, 120).astype(np.uint8) for _ in range(6)]
    near = distances(records, 50, 2)
    for name in (*CODERS, COSINE):
        assert (near[name].argmin(axis=1) == np.arange(6)).all()
    assert np.diag(near[COSINE]) == pytest.approx(0)
    for name in CODERS:
        assert near[f"{name} size"] == pytest.approx(near[f"{name} size"].T)
    np.testing.assert_allclose(near["adaptive"], near["adaptive"].T)


def test_nearest_asks_other_folds_only() -> None:
    """Records 0 and 4 are in one fold: without it, the nearest of each has the other label."""
    places = np.array([0.0, 5.0, 6.0, 7.0, 0.1, 5.1, 6.1, 7.1])
    distance = np.abs(places[:, None] - places)
    assert nearest(distance, np.array([0, 1, 1, 1, 0, 1, 1, 1])) == 0.75
    assert nearest(distance, np.zeros(8, np.int64)) == 1


def test_equally_near_records_count_by_their_share() -> None:
    """All six outside a record's fold are: three with its label; then four for six records, none for two."""
    assert nearest(np.ones((8, 8)), np.repeat([0, 1], 4)) == pytest.approx(0.5)
    assert nearest(np.ones((8, 8)), np.array([0, 0, 0, 1, 0, 0, 0, 1])) == pytest.approx((6 * 4 / 6 + 2 * 0) / 8)


def test_logistic_regression_tells_what_a_line_can_and_no_more() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(4), 10)
    vectors = np.eye(4)[labels] + 0.1 * rng.standard_normal((40, 4))
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    assert logistic(unit @ unit.T, labels) == 1
    noise = rng.standard_normal((400, 4))
    assert logistic(noise @ noise.T, np.tile(np.repeat(np.arange(4), 4), 25)) == pytest.approx(0.25, abs=0.08)


def test_fit_is_at_the_bottom_of_its_loss() -> None:
    """Two records of two labels, products 1 and 0: the weights are a and -a, where sigmoid(-2 a) = 4 PENALTY a."""
    a = fit(np.eye(2), np.eye(2))
    assert a == pytest.approx(a[0, 0] * np.array([[1, -1], [-1, 1]]), rel=1e-3)
    assert 1 / (1 + math.exp(2 * a[0, 0])) == pytest.approx(4e-3 * a[0, 0], rel=0.02)


def test_games_are_cut_and_have_no_orientation() -> None:
    games = play_games(3, np.random.default_rng(0))
    assert len(games) == 3 * len(PLAYERS)
    assert max(map(len, games)) == PLIES
    for game in games:
        assert game == min(tuple(table[list(game)].tolist()) for table in action_table(SIZE, SIZE))


def test_written_moves_can_be_read() -> None:
    game = (0, 8, 48, 49, 6)
    assert write(game, MOVES).tolist() == list(game)
    assert write(game, LETTERS).tolist() == [0, 0, 1, 1, 6, 6, 7, 7, 6, 0]
    assert all(write(game, writing).max() < ALPHABET[writing] for writing in (MOVES, LETTERS))


def test_records_are_of_one_player_and_as_many_whatever_their_length() -> None:
    two = Settings(records=2, lengths=(1, 3))
    texts = [np.array([game]) for game in range(2 * 3 * len(PLAYERS))]
    assert [record.tolist() for record in join(texts, two, 1)][:4] == [[0], [1], [6], [7]]
    assert [record.tolist() for record in join(texts, two, 3)][:3] == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]


def test_it_runs_and_its_figures_are_finite(result: Result) -> None:
    assert {criterion.figure for criterion in EXPERIMENT.criteria} <= set(result.estimates)
    assert all(math.isfinite(estimate.mean) for estimate in result.estimates.values())
    assert result.mean("one: zlib") == result.first(f"{GAMES}: zlib")[0]
    assert result.mean("many: zlib ahead") == pytest.approx(result.mean("many: zlib") - result.mean("many: cosine"))
    told = [result.mean(f"many: {prefix}{name}") for prefix in ("", "letters ") for name in CODERS]
    assert result.mean("many: choice") == pytest.approx(max(told) - min(told))
    assert f"{result.mean('many: adaptive'):.0%}" in EXPERIMENT.conclude(result)
    assert EXPERIMENT.draw(result).axes


def test_a_cell_is_a_function_of_its_arguments(result: Result) -> None:
    assert_a_function_of_its_arguments(result, GAMES)
