"""Information where it is known: of dice, of copies, of strangers."""

import math

import numpy as np
import pytest

from goagent.lab.information.measures import (
    COMPRESSORS,
    compressed_bits,
    density_entropy,
    entropy,
    mutual_information,
    tabulate,
    uniformity,
)


def test_entropy_of_dice() -> None:
    assert entropy(np.full(6, 100), corrected=False) == pytest.approx(math.log2(6))
    assert entropy(np.array([0, 7, 0]), corrected=True) == 0
    assert entropy(np.array([3, 1]), corrected=False) == pytest.approx(0.8112781)
    with pytest.raises(ValueError, match="no samples"):
        entropy(np.zeros(3, dtype=int))


def test_the_correction_takes_off_most_of_the_bias() -> None:
    rng = np.random.default_rng(0)
    throws = rng.multinomial(500, np.full(60, 1 / 60), size=400)
    plain, corrected = (np.mean([entropy(counts, c) for counts in throws]) for c in (False, True))
    assert plain - math.log2(60) == pytest.approx(-59 / (1000 * math.log(2)), rel=0.1)
    assert abs(corrected - math.log2(60)) < 0.005


def test_a_variable_says_all_of_itself_and_nothing_of_an_independent_one() -> None:
    assert mutual_information(np.diag([5, 5, 5, 5]), corrected=False) == pytest.approx(2)
    assert mutual_information(np.outer([1, 2, 3], [4, 5]), corrected=False) == pytest.approx(0)
    rng = np.random.default_rng(0)
    tables = [tabulate(rng.integers(10, size=4000), rng.integers(20, size=4000), (10, 20)) for _ in range(50)]
    assert np.mean([mutual_information(t, False) for t in tables]) == pytest.approx(
        9 * 19 / (8000 * math.log(2)), rel=0.1
    )
    assert abs(np.mean([mutual_information(t) for t in tables])) < 0.002


def test_mutual_information_is_symmetric_and_no_more_than_either_entropy() -> None:
    table = np.random.default_rng(0).integers(1, 50, size=(5, 8))
    information = mutual_information(table, corrected=False)
    assert information == pytest.approx(mutual_information(table.T, corrected=False))
    assert 0 <= information <= min(entropy(table.sum(axis=k), corrected=False) for k in (0, 1))


def test_a_table_counts_pairs() -> None:
    table = tabulate(np.array([0, 1, 1]), np.array([2, 0, 0]), (2, 3))
    assert table.tolist() == [[0, 0, 1], [2, 0, 0]]


def test_differential_entropy_of_uniform_and_normal_variables() -> None:
    rng = np.random.default_rng(0)
    x, y, z = rng.uniform(0, 8, 100_000), rng.uniform(0, 0.25, 100_000), rng.normal(size=100_000)
    assert density_entropy(x, bins=(200,)) == pytest.approx(3, abs=0.01)
    assert density_entropy(x, y, bins=(30, 30)) == pytest.approx(1, abs=0.01)
    assert density_entropy(z, bins=(200,)) == pytest.approx(0.5 * math.log2(2 * math.pi * math.e), abs=0.01)


@pytest.mark.parametrize("name", COMPRESSORS)
def test_no_compressor_beats_the_entropy_of_dice_and_all_find_a_repetition(name: str) -> None:
    digits = "".join(map(str, np.random.default_rng(0).integers(10, size=4000)))
    assert math.log2(10) < compressed_bits(digits, name) < 5
    assert compressed_bits("0123456789" * 400, name) < 0.3


def test_chi_squared_of_even_and_of_loaded_dice() -> None:
    assert uniformity(np.full(10, 50)) == (0, 1)
    statistic, p_value = uniformity(np.array([60, 40]))
    assert statistic == pytest.approx(4) and p_value == pytest.approx(0.0455, abs=1e-4)
