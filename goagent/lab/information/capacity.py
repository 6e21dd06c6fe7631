"""How much a channel can pass and a unit can store, from theory; and how much does pass. Start with `information`.

What is known exactly here is what networks are measured against. All in bits.
"""

import math

import numpy as np
from scipy import special
from torch import Tensor


def information(log_likelihood: Tensor, sent: Tensor) -> float:
    """Bits that what was received tells of which of N equally likely words was sent.

    log_likelihood: (draws, N) nats of what was received at each draw, given each word. sent: (draws,) int64, the word.
    The mean over the draws of log2 p(received | sent) / p(received). With the channel's own likelihood that is the
    mutual information, without bias. With any other, as a decoder's, it is what that decoder makes of it: in
    expectation a lower bound (Barber and Agakov 2003, NIPS), which may fall below 0.
    """
    chance = log_likelihood.double().log_softmax(dim=1).gather(1, sent[:, None])
    return math.log2(log_likelihood.shape[1]) + float(chance.mean()) / math.log(2)


def erasure_bound(bits: int, units: int, lost: float) -> float:
    """Bits of `bits` that `units` signs pass at most, each lost with this chance: E min(bits, units that are left)."""
    left = np.arange(units + 1)
    chance = special.binom(units, left) * (1 - lost) ** left * lost ** (units - left)
    return float((chance * np.minimum(left, bits)).sum())


def peak_capacity(std: float, levels: int = 161, steps: int = 200) -> tuple[float, float]:
    """Bits between which the capacity lies of a number in [-1, 1] under Gaussian noise of this std.

    That of tanh units with noise: below 0.5 log2(1 + 1 / std^2), which a Gaussian of that power would reach, for it
    would have to leave the interval. Smith 1971, Information and Control 18: the best inputs are a few levels; found by
    the algorithm of Blahut and Arimoto (1972) on a grid of them. The grid's own error is of order (2 / levels)^2.
    """
    x = np.linspace(-1, 1, levels)
    y = np.linspace(-1 - 6 * std, 1 + 6 * std, 801)
    channel = np.exp(-0.5 * ((y - x[:, None]) / std) ** 2)
    channel /= channel.sum(axis=1, keepdims=True)
    negentropy = special.xlogy(channel, channel).sum(axis=1)
    share = np.full(levels, 1 / levels)
    for _ in range(steps):
        gain = (negentropy - channel @ np.log(share @ channel)) / math.log(2)  # of each level: its divergence
        share *= 2**gain
        total = share.sum()
        share /= total
    return math.log2(total), float(gain.max())


def dichotomies(points: int, weights: int) -> float:
    """log2 of the number of ways in which a unit with so many weights, no bias, parts points in general position.

    2 times the sum over k < weights of C(points - 1, k), Cover 1965, IEEE Transactions on Electronic Computers 14. No
    unit stores more bits of the points' labels; up to as many points as weights these are all.
    """
    return math.log2(2 * sum(math.comb(points - 1, k) for k in range(min(weights, points))))


def separable(points: int, weights: int) -> float:
    """The share of all labellings that such a unit can learn: a half at 2 points a weight, whatever their number."""
    return 2.0 ** (dichotomies(points, weights) - points)


def share_separable(points: int, weights: int, trials: int, rng: np.random.Generator) -> float:
    """The same by trial: labels and points at random, a constant among their coordinates, weights sought by a linear
    program."""
    from scipy.optimize import linprog  # late: it takes a while to import

    found = 0
    for _ in range(trials):
        x = np.concatenate([rng.standard_normal((points, weights - 1)), np.ones((points, 1))], axis=1)
        wrong = -rng.choice((-1.0, 1.0), points)[:, None] * x
        found += linprog(np.zeros(weights), wrong, -np.ones(points), bounds=(None, None)).status == 0
    return found / trials
