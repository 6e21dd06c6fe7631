"""What can pass and be stored at most, against cases known by hand; and that no decoder reads more than there is."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from goagent.lab.information.capacity import (
    dichotomies,
    erasure_bound,
    information,
    peak_capacity,
    separable,
    share_separable,
)
from goagent.lab.information.measures import mutual_information


def every_draw(table: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """Of a table of counts (words, answers): the word and the answer of each draw, (n,) both."""
    words, answers = np.indices(table.shape)
    return torch.from_numpy(np.repeat(words.ravel(), table.ravel())), torch.from_numpy(
        np.repeat(answers.ravel(), table.ravel())
    )


@given(st.integers(0, 2**32 - 1), st.integers(2, 6), st.integers(2, 6))
def test_the_true_likelihood_gives_the_information_and_no_other_gives_more(seed: int, words: int, answers: int) -> None:
    rng = np.random.default_rng(seed)
    table = np.stack([rng.multinomial(30, rng.dirichlet(np.ones(answers))) for _ in range(words)])
    sent, received = every_draw(table)
    truth = torch.from_numpy(table / 30).log().T[received]
    exact = mutual_information(table, corrected=False)
    assert information(truth, sent) == pytest.approx(exact, abs=1e-9)
    other = torch.from_numpy(rng.dirichlet(np.ones(answers), words)).log().T[received]
    assert information(other, sent) <= exact + 1e-9


def test_information_by_hand() -> None:
    sent = torch.arange(8)
    assert information(torch.eye(8).log(), sent) == pytest.approx(3)
    assert information(torch.zeros(8, 8), sent) == pytest.approx(0)
    pairs = torch.eye(4).repeat_interleave(2, 0).repeat_interleave(2, 1)  # all but the last of three signs
    assert information(pairs.log(), sent) == pytest.approx(2)
    flips = torch.tensor([[0.89, 0.11], [0.11, 0.89]]).log()[[0] * 89 + [1] * 11 + [1] * 89 + [0] * 11]
    assert information(flips, torch.tensor([0] * 100 + [1] * 100)) == pytest.approx(0.5, abs=1e-3)
    sure_and_wrong = 20 * (1 - torch.eye(8))
    assert information(sure_and_wrong, sent) < -5, "a decoder may be worse than none"


@pytest.mark.parametrize(("bits", "units", "lost"), [(3, 5, 0.5), (2, 4, 0.2), (8, 3, 0.5)])
def test_signs_that_are_left(bits: int, units: int, lost: float) -> None:
    expected = 0.0
    for kept in itertools.product((0, 1), repeat=units):
        chance = math.prod(1 - lost if k else lost for k in kept)
        expected += chance * min(bits, sum(kept))
    assert erasure_bound(bits, units, lost) == pytest.approx(expected)
    assert erasure_bound(bits, units, 0) == min(bits, units)
    assert erasure_bound(100, units, lost) == pytest.approx(units * (1 - lost))


@pytest.mark.parametrize("std", [0.2, 0.5, 1.0, 2.0])
def test_a_bounded_number_passes_more_than_a_sign_and_less_than_a_gaussian(std: float) -> None:
    low, high = peak_capacity(std)
    assert 0 <= high - low < 0.01
    y = np.linspace(-1 - 8 * std, 1 + 8 * std, 20_001)
    each = np.exp(-0.5 * ((y - np.array([[-1], [1]])) / std) ** 2) / (std * math.sqrt(2 * math.pi))
    ratio = each / each.mean(axis=0)
    sign = float((each * np.log2(np.clip(ratio, 1e-300, None))).sum(axis=1).mean() * (y[1] - y[0]))
    assert sign - 0.001 < high < 0.5 * math.log2(1 + 1 / std**2)
    if std >= 1:
        assert high == pytest.approx(sign, abs=0.002), "the best inputs are two where noise is large (Smith 1971)"
    else:
        assert low > sign


def test_covers_count() -> None:
    assert dichotomies(7, 2) == pytest.approx(math.log2(14)), "a line through the origin parts n points in 2n ways"
    assert dichotomies(4, 3) == pytest.approx(math.log2(14)), "all but two: XOR and its inverse, with a bias"
    assert [dichotomies(n, 5) for n in (1, 4, 5)] == [1, 4, 5]
    for weights in (1, 4, 40):
        assert separable(2 * weights, weights) == pytest.approx(0.5)
    assert separable(60, 40) > 0.99 and separable(100, 40) < 0.03
    assert separable(600, 300) == pytest.approx(0.5) and separable(720, 300) < 1e-4


def test_trials_agree_with_cover() -> None:
    rng = np.random.default_rng(0)
    assert share_separable(5, 5, 20, rng) == 1
    assert share_separable(60, 5, 20, rng) == 0
    assert share_separable(12, 5, 100, rng) == pytest.approx(separable(12, 5), abs=0.18)  # four standard deviations
