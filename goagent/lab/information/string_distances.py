"""Distances between strings: by compression, and by counts of their runs. Start with `distances`.

Cilibrasi and Vitányi 2005, arXiv:cs/0312044: two strings are near if together they compress to little more than one.
"""

import bz2
import zlib

import numpy as np
from scipy.optimize import minimize
from scipy.special import gammaln, log_softmax

ZLIB, BZ2, ADAPTIVE, COSINE = "zlib", "bz2", "adaptive", "cosine"
CODERS = (ZLIB, BZ2, ADAPTIVE)
FOLDS = 4
PENALTY = 1e-3  # on the squared weights of the logistic regression


def distances(records: list[np.ndarray], alphabet: int, run: int) -> dict[str, np.ndarray]:
    """By name, (records, records): NCD of CODERS, as `... size` that of their sizes, and 1 - cosine of run counts."""
    counts = run_counts(records, alphabet, run)
    unit = counts / np.linalg.norm(counts, axis=1, keepdims=True)
    found = {COSINE: 1 - unit @ unit.T}
    texts = [record.tobytes() for record in records]
    sizes = {
        name: (np.array([size(text) for text in texts]), np.array([[size(x + y) for y in texts] for x in texts]))
        for name, size in ((ZLIB, deflated), (BZ2, lambda text: len(bz2.compress(text))))
    }
    together = np.stack([adaptive_bits(counts + one, alphabet) for one in counts])
    sizes[ADAPTIVE] = (adaptive_bits(counts, alphabet), together)  # of the seam between two nothing is counted
    for name, (own, joint) in sizes.items():
        found |= {name: normalised(own, joint), f"{name} size": np.abs(own[:, None] - own)}
    return found


def normalised(own: np.ndarray, joint: np.ndarray) -> np.ndarray:
    """Compression distances NCD (records, records), from sizes alone (records,) and joined (records, records)."""
    return (joint - np.minimum(own[:, None], own)) / np.maximum(own[:, None], own)


def deflated(text: bytes) -> int:
    """Bytes without header and checksum."""
    coder = zlib.compressobj(9, zlib.DEFLATED, -15)
    return len(coder.compress(text) + coder.flush())


def run_counts(records: list[np.ndarray], alphabet: int, run: int) -> np.ndarray:
    """(records, alphabet ** run) int64: how often each run of symbols occurs, the last symbol counting fastest."""
    windows = [np.lib.stride_tricks.sliding_window_view(record.astype(np.int64), run) for record in records]
    places = alphabet ** np.arange(run - 1, -1, -1)
    return np.stack([np.bincount(window @ places, minlength=alphabet**run) for window in windows])


def adaptive_bits(counts: np.ndarray, alphabet: int) -> np.ndarray:
    """(...,) bits of run counts (..., alphabet ** run): the last symbol of each run, coded after those before it.

    The coder begins with 1 / alphabet of an occurrence of each symbol after each context, and adds what it has coded;
    whatever the order, -log2 of the product of its probabilities is this function of the counts.
    """
    logs = gammaln(np.arange(counts.sum(axis=-1).max() + 1)[:, None] + (1 / alphabet, 1.0)) / np.log(2)
    symbols, contexts = (logs - logs[0]).T
    before = counts.reshape(*counts.shape[:-1], -1, alphabet).sum(axis=-1)
    return contexts[before].sum(axis=-1) - symbols[counts].sum(axis=-1)


def nearest(distance: np.ndarray, labels: np.ndarray) -> float:
    """Share of records whose nearest one outside their fold has their label; of equals, their mean."""
    fold = np.arange(len(labels)) % FOLDS
    outside = np.where(fold[:, None] == fold, np.inf, distance)
    equals = outside == outside.min(axis=1, keepdims=True)
    same = labels[:, None] == labels
    return float(((equals & same).sum(axis=1) / equals.sum(axis=1)).mean())


def logistic(kernel: np.ndarray, labels: np.ndarray) -> float:
    """Share right of a penalised regression on vectors with these products (records, records), by cross-validation."""
    fold, answers = np.arange(len(labels)) % FOLDS, np.eye(labels.max() + 1)[labels]
    right = 0
    for held in range(FOLDS):
        seen = fold != held
        outputs = kernel[~seen][:, seen] @ fit(kernel[seen][:, seen], answers[seen])
        right += int((outputs.argmax(axis=1) == labels[~seen]).sum())
    return right / len(labels)


def fit(kernel: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """(records, labels): what each record that is learned from counts for each label."""

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = flat.reshape(answers.shape)
        outputs = kernel @ weights
        logs = log_softmax(outputs, axis=1)
        value = -(answers * logs).sum() / len(answers) + PENALTY * (weights * outputs).sum()
        return value, (kernel @ ((np.exp(logs) - answers) / len(answers) + 2 * PENALTY * weights)).ravel()

    return minimize(loss, np.zeros(answers.size), jac=True, method="L-BFGS-B").x.reshape(answers.shape)
