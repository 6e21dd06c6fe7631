"""Means and variances of draws, held against what they should be."""

from torch import Tensor


def assert_mean(draws: Tensor, expected: float | Tensor, errors: float = 5) -> None:
    """The mean over the first axis is `expected`, give or take so many of its standard errors."""
    standard_error = draws.double().std(dim=0) / len(draws) ** 0.5
    off = (draws.double().mean(dim=0) - expected).abs()
    assert (off <= errors * standard_error + 1e-7).all(), f"off by {(off / standard_error).max():.1f} standard errors"


def assert_variance(draws: Tensor, expected: float | Tensor, errors: float = 5) -> None:
    """The variance over the first axis is `expected`: the mean of the squares, whose own spread gives the error."""
    centred = draws.double() - draws.double().mean(dim=0)
    assert_mean(centred.square(), expected, errors)
