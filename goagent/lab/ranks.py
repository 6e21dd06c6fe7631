"""Whether two figures rise together, whatever their scales. Start with `rank_correlation`."""

import math

import numpy as np


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's, of (n,) and (n,), equals sharing their ranks; 0 where there is nothing to rank."""
    if len(a) < 3:
        return 0.0
    ranks = np.stack([_ranks(values) for values in (a, b)])
    ranks -= ranks.mean(axis=1, keepdims=True)
    spreads = math.sqrt((ranks**2).sum(axis=1).prod())
    return float(ranks[0] @ ranks[1]) / spreads if spreads else 0.0


def _ranks(values: np.ndarray) -> np.ndarray:
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts + 1) / 2)[places]


def order(values: np.ndarray) -> float:
    """Kendall's: of all pairs, those that rise less those that fall; 1 for a sequence that always rises."""
    later, earlier = np.tril_indices(len(values), -1)
    return float(np.sign(values[later] - values[earlier]).mean())
