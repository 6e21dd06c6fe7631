"""Disturbed labels are, on average, smoothed ones."""

import pytest
import torch
from torch.nn import functional

from goagent.noise.labels import disturb_labels
from tests.goagent.noise.measure import assert_mean


def disturbed(label, allowed, rate, count=100_000):
    return disturb_labels(
        torch.full((count,), label), torch.tensor(allowed).expand(count, -1), rate, torch.Generator().manual_seed(0)
    )


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_expected_cross_entropy_is_that_of_label_smoothing(rate):
    logits = torch.tensor([2.0, -1.0, 0.5, 0.0])
    labels = disturbed(2, [True] * 4, rate)
    drawn = functional.cross_entropy(logits.expand(len(labels), 4), labels, reduction="none")
    smoothed = functional.cross_entropy(logits[None], torch.tensor([2]), label_smoothing=rate)
    plain = functional.cross_entropy(logits[None], torch.tensor([2]))
    assert_mean(drawn, smoothed)
    with pytest.raises(AssertionError):
        assert_mean(drawn, plain)


def test_a_label_is_replaced_by_an_allowed_one():
    labels = disturbed(0, [True, False, True, True], 0.3)
    shares = functional.one_hot(labels, 4).float()
    assert_mean(shares, torch.tensor([0.8, 0.0, 0.1, 0.1]))
    assert (labels != 1).all()


def test_rate_zero_and_one():
    assert (disturbed(3, [True, True, True, True], 0.0) == 3).all()
    assert_mean(
        functional.one_hot(disturbed(3, [True, True, False, False], 1.0), 4).float(), torch.tensor([0.5, 0.5, 0, 0])
    )
