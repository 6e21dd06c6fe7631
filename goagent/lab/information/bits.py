"""Vectors that carry a known number of bits, and the bits that an answer about them carries. Start with `all_codes`.

k bits are k signs; `expand` writes them into more dimensions, so that each of the 2^k vectors is met as one point of a
curved k-dimensional surface and still says exactly k bits.
"""

import math

import torch
from torch import Tensor


def all_codes(bits: int) -> Tensor:
    """(2 ** bits, bits) float32 of -1 and +1: each code once, in the order of the binary numbers."""
    numbers = torch.arange(2**bits)
    return 2.0 * (numbers[:, None] >> torch.arange(bits - 1, -1, -1) & 1) - 1


def expand(factors: Tensor, dimensions: int, generator: torch.Generator) -> Tensor:
    """factors (n, k) -> (n, dimensions) in (-1, 1): tanh of a random linear map. Its weights are all that is drawn."""
    count = factors.shape[1]
    return torch.tanh(factors @ torch.randn(count, dimensions, generator=generator) * (1.5 / math.sqrt(count)))


def nearest(answers: Tensor, words: Tensor) -> Tensor:
    """(n,) int64: for each of answers (n, dimensions) the index of the closest of words (N, dimensions)."""
    return torch.cdist(answers, words).argmin(dim=1)


def information_read(right: float, words: int) -> float:
    """Bits that guesses carry about which of `words` equally likely ones it was, if `right` of them are right.

    Fano's inequality: I >= log2 N - h(e) - e log2(N - 1). Equal where wrong guesses are spread evenly, otherwise the
    guesses carry more: it is a lower bound, 0 at chance. Raises ValueError of a share that is none.
    """
    if words < 2 or not 0 <= right <= 1:
        raise ValueError(f"{right} of {words} words right: expected a share from 0 to 1, of two words or more")
    if right <= 1 / words:
        return 0.0
    wrong = 1 - right
    doubt = sum(-p * math.log2(p) for p in (right, wrong) if p > 0)
    return math.log2(words) - doubt - wrong * math.log2(words - 1)
