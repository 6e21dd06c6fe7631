"""Codes are all there once, their vectors can be told apart, and what guesses carry is what Fano allows."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from goagent.lab.information.bits import all_codes, expand, information_read, nearest


@pytest.mark.parametrize("bits", [1, 4, 8])
def test_every_code_is_there_once_and_can_be_told(bits: int) -> None:
    codes = all_codes(bits)
    assert codes.shape == (2**bits, bits) and len(codes.unique(dim=0)) == 2**bits
    assert set(codes.flatten().tolist()) == {-1.0, 1.0}
    words = expand(codes, 32, torch.Generator().manual_seed(0))
    assert torch.equal(nearest(words, words), torch.arange(2**bits))
    assert float(words.abs().max()) < 1
    assert not torch.equal(words, expand(codes, 32, torch.Generator().manual_seed(1)))


def test_codes_count_in_binary() -> None:
    assert all_codes(2).tolist() == [[-1, -1], [-1, 1], [1, -1], [1, 1]]


@given(st.floats(0, 1), st.integers(2, 4096))
def test_guesses_carry_something_between_nothing_and_everything(right: float, words: int) -> None:
    assert information_read(right, words) + 1e-12 >= 0
    assert information_read(right, words) <= math.log2(words)


def test_known_cases() -> None:
    assert information_read(1, 64) == 6
    assert information_read(1 / 64, 64) == information_read(0, 64) == 0
    assert information_read(0.89, 2) == pytest.approx(0.5, abs=1e-3)  # a channel that flips 11 % of its bits
    with pytest.raises(ValueError, match="expected"):
        information_read(1.1, 4)


@given(st.floats(0.5, 0.99), st.integers(2, 512))
def test_it_is_the_information_of_evenly_spread_errors(right: float, words: int) -> None:
    table = torch.full((words, words), (1 - right) / (words - 1), dtype=torch.float64)
    table.fill_diagonal_(right)
    exact = math.log2(words) + float((table * table.log2()).nansum()) / words
    assert information_read(right, words) == pytest.approx(exact, abs=1e-9)
