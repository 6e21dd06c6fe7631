"""Correlations of ranks: what they say of orders, of equals and of hardly anything."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from goagent.lab.ranks import order, rank_correlation

some_numbers = st.lists(st.floats(-100, 100).map(lambda v: round(v, 1)), min_size=3, max_size=12)


@given(some_numbers)
def test_rank_correlation_knows_order_only(values: list[float]) -> None:
    a = np.array(values)
    if len(set(values)) == 1:
        assert rank_correlation(a, a) == 0
        return
    assert rank_correlation(a, np.arctan(a / 50)) == pytest.approx(1)
    assert rank_correlation(a, -a) == pytest.approx(-1)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=3, max_size=12))
def test_rank_correlation_is_spearmans(pairs: list[tuple[int, int]]) -> None:
    a, b = np.array(pairs).T
    if len(set(a)) > 1 and len(set(b)) > 1:
        assert rank_correlation(a, b) == pytest.approx(spearmanr(a, b).statistic)


def test_rank_correlation_of_hardly_anything() -> None:
    assert rank_correlation(np.array([1, 2]), np.array([1, 2])) == 0


def test_order_counts_pairs() -> None:
    assert order(np.array([1, 2, 5])) == 1 and order(np.array([3, 1, 0])) == -1
    assert order(np.array([0, 2, 1])) == pytest.approx(1 / 3) and order(np.ones(4)) == 0
