"""Are stated probabilities kept by draws, by the limits of temperature, and by the expert? Three measurements."""

import numpy as np
import torch
from scipy import special

from goagent.lab.capture_go import Boards
from goagent.lab.core import Figures
from goagent.policies.distributions import MoveDistribution

SIGNIFICANT = 0.01  # a smaller p-value is a difference
HOT = 1e6  # as good as an infinite temperature
BINS = 15  # of stated probabilities, equally wide


def share_passed(answer: MoveDistribution, draws: int, seed: int) -> float:
    """The share of positions whose draws do not differ from the stated probabilities (chi-squared)."""
    generator = torch.Generator().manual_seed(seed)
    moves = torch.stack([answer.sample(generator=generator) for _ in range(draws)], dim=1)
    probs = answer.probs.double().numpy()
    counts = np.stack([np.bincount(row, minlength=probs.shape[1]) for row in moves.numpy()])
    passed = [fit_of(count, stated) > SIGNIFICANT for count, stated in zip(counts, probs, strict=True)]
    return float(np.mean(passed))


def fit_of(counts: np.ndarray, probs: np.ndarray) -> float:
    """The p-value of counts (moves,) for probabilities (moves,); moves expected less than five times are pooled."""
    expected = probs / probs.sum() * counts.sum()
    if counts[expected == 0].any():
        return 0.0
    rare = expected < 5
    if expected[rare].sum() < 5:  # even together: the least likely of the others joins them
        rare[np.where(rare, np.inf, expected).argmin()] = True
    if rare.all():
        return 1.0  # one cell, whose count is certain
    cells = [np.append(values[~rare], values[rare].sum()) for values in (counts, expected)]
    return chi_squared(*cells)


def chi_squared(counts: np.ndarray, expected: np.ndarray) -> float:
    """Pearson's p-value of counts (cells,) where so many were expected; both have the same sum."""
    return float(special.chdtrc(len(counts) - 1, ((counts - expected) ** 2 / expected).sum()))


def bits(probs: np.ndarray) -> np.ndarray:
    """Entropy of probabilities (..., moves), which add up to 1: (...)."""
    return special.entr(probs).sum(axis=-1) / np.log(2)


def limits(answer: MoveDistribution) -> Figures:
    """cold, cool: at temperatures 0 and 0.001, the mass on moves as likely as any, or 99 % so; least of all positions.
    hot: the largest difference from a uniform choice among the legal moves."""
    probs = answer.probs
    best = probs.amax(dim=1, keepdim=True)
    uniform = answer.legal / answer.legal.sum(dim=1, keepdim=True)
    return {
        "cold": float((answer.categorical(0.0).probs * (probs == best)).sum(dim=1).min()),
        "cool": float((answer.categorical(0.001).probs * (probs >= 0.99 * best)).sum(dim=1).min()),
        "hot": float((answer.categorical(HOT).probs - uniform).abs().max()),
    }


def calibration(answer: MoveDistribution, suite: Boards) -> Figures:
    """calibration error: of the likeliest move. bins: of all legal moves, stated and expert's mean and how many."""
    expert = suite.answers / suite.answers.sum(axis=1, keepdims=True)
    probs = answer.probs[:, :-1].double().numpy()
    likeliest = probs.argmax(axis=1)[:, None]
    error = sum(
        count * abs(stated - true)
        for stated, true, count in binned(
            np.take_along_axis(probs, likeliest, axis=1), np.take_along_axis(expert, likeliest, axis=1)
        )
    )
    legal = answer.legal[:, :-1].numpy()
    return {"calibration error": float(error / len(probs)), "bins": binned(probs[legal], expert[legal])}


def binned(stated: np.ndarray, true: np.ndarray) -> list[tuple[float, float, int]]:
    """Means of both and the number, for each bin of stated probabilities that has any."""
    stated, true = stated.ravel(), true.ravel()
    bins = np.minimum((stated * BINS).astype(int), BINS - 1)
    return [
        (float(stated[bins == b].mean()), float(true[bins == b].mean()), int((bins == b).sum()))
        for b in np.unique(bins)
    ]
