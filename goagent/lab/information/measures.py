"""Information in bits, from counts and by compressors. Start with `mutual_information`.

Estimates from counts are plug-in: frequencies stand in for probabilities. That makes an entropy too small, by about
(occupied cells - 1) / (2 n ln 2) bits for n samples (Miller 1955), and mutual information too large, by the same of
its three entropies. The correction of Miller and Madow takes that off; what is left is of order 1/n² while samples are
many to a cell. What bins hide is not made up for: binned variables have no more mutual information than the true ones.
"""

import bz2
import lzma
import math
import zlib
from collections.abc import Callable, Mapping

import numpy as np
from scipy import special

COMPRESSORS: Mapping[str, Callable[[bytes], bytes]] = {
    "zlib": lambda data: zlib.compress(data, 9),
    "bz2": lambda data: bz2.compress(data, 9),
    "lzma": lzma.compress,
}


def entropy(counts: np.ndarray, corrected: bool = True) -> float:
    """Bits, by plug-in from counts of any shape; corrected: after Miller and Madow. Raises ValueError of no counts."""
    occupied = counts[counts > 0].astype(float)
    samples = occupied.sum()
    if not samples:
        raise ValueError("entropy of no samples: expected at least one count above zero")
    plug_in = math.log2(samples) - float((occupied * np.log2(occupied)).sum()) / samples
    return plug_in + (len(occupied) - 1) / (2 * samples * math.log(2)) * corrected


def mutual_information(table: np.ndarray, corrected: bool = True) -> float:
    """Bits between row and column, by plug-in from a table of counts (rows, columns). Corrected, it can be below 0."""
    rows, columns = entropy(table.sum(axis=1), corrected), entropy(table.sum(axis=0), corrected)
    return rows + columns - entropy(table, corrected)


def tabulate(rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Counts (shape) of pairs of indices, both (n,) int."""
    return np.bincount(rows * shape[1] + columns, minlength=shape[0] * shape[1]).reshape(shape)


def density_entropy(*variables: np.ndarray, bins: tuple[int, ...]) -> float:
    """Differential entropy in bits of variables (n,) each, jointly: a histogram over their ranges, corrected.

    It is that of a density that is flat in each cell, so too large by what the cells smooth away.
    """
    indices = np.zeros(len(variables[0]), dtype=np.int64)
    cell = 0.0  # its size, log2
    for variable, number in zip(variables, bins, strict=True):
        low, high = float(variable.min()), float(variable.max())
        step = (high - low) / number
        indices = indices * number + np.minimum((variable - low) / step, number - 1).astype(np.int64)
        cell += math.log2(step)
    return entropy(np.bincount(indices)) + cell


def compressed_bits(text: str, compressor: str) -> float:
    """Bits for each character of an ASCII text, compressed, headers included."""
    return 8 * len(COMPRESSORS[compressor](text.encode("ascii"))) / len(text)


def uniformity(counts: np.ndarray) -> tuple[float, float]:
    """Pearson's chi-squared of counts (k,) against equal ones, and its p-value."""
    expected = counts.sum() / len(counts)
    statistic = float(((counts - expected) ** 2).sum() / expected)
    return statistic, float(special.chdtrc(len(counts) - 1, statistic))
