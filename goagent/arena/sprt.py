"""Stop a match as soon as it has decided: a sequential test on the pairs of games. Start with `Sprt.judge`.

Wald's test (1945) compares H1, "a is `elo1` stronger than b", with H0, "by `elo0` only", after each pair, and stops
when the log-likelihood ratio leaves (log(beta / (1 - alpha)), log((1 - beta) / alpha)). A score alone fixes no
likelihood, so each hypothesis gets the best one that has its score: the generalised test of Li, Liu, Ying & Xu
(Sequential Analysis 33, 2014). The unit is the pair, which scores 0, 1/4, 1/2, 3/4 or 1 for `a` ("pentanomial"): its
two games share an opening and are not independent, two pairs are. alpha and beta hold approximately.
"""

import math
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from rich.text import Text
from scipy.optimize import brentq

from goagent.errors import UserError

_SCORES = np.arange(5) / 4  # of a pair
_UNSEEN = 1e-3  # pairs: what a score that did not occur counts as, so that every likelihood exists
_LARGEST = 1000  # Elo


def expected_score(elo: float) -> float:
    """The score that a player expects who is `elo` stronger: 1 / (1 + 10^(-elo / 400))."""
    return 1 / (1 + 10 ** (-elo / 400))


class Verdict(NamedTuple):
    """Where a test stands."""

    accepted: Literal["H0", "H1"] | None  # None: undecided
    llr: float  # log-likelihood ratio of H1 to H0
    bounds: tuple[float, float]  # H0 is accepted at the lower one, H1 at the upper one
    elo: tuple[float, float]  # of H0 and H1
    pairs: int

    def summary(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return self._asdict() | {"bounds": list(self.bounds), "elo": list(self.elo)}

    def __rich__(self) -> Text:
        h0, h1 = (f"{name} ({elo:g} Elo)" for name, elo in zip(("H0", "H1"), self.elo, strict=True))
        words, colour = {
            "H1": (f"{h1} accepted over {h0}", "green"),
            "H0": (f"{h0} accepted over {h1}", "red"),
            None: (f"undecided between {h0} and {h1}", "yellow"),
        }[self.accepted]
        low, high = self.bounds
        reached = f"log-likelihood ratio {self.llr:+.2f}, bounds {low:.2f} and {high:+.2f}, {self.pairs} pairs"
        return Text.assemble("SPRT: ", (words, colour), f"\n      {reached}")


@dataclass(frozen=True)
class Sprt:
    """The test of H1, `elo1`, against H0, `elo0`. alpha, beta: the chance to accept H1, H0 where the other is true.

    Raises UserError.
    """

    elo0: float
    elo1: float
    alpha: float = 0.05
    beta: float = 0.05

    def __post_init__(self) -> None:
        if not -_LARGEST <= self.elo0 < self.elo1 <= _LARGEST:
            raise UserError(
                f"sprt is {self.elo0:g} {self.elo1:g}: expected two Elo differences, the smaller first,"
                f" from -{_LARGEST} to {_LARGEST}"
            )
        for name in ("alpha", "beta"):
            if not 0 < getattr(self, name) < 0.5:
                raise UserError(f"{name} is {getattr(self, name):g}: expected a number between 0 and 0.5")

    @property
    def bounds(self) -> tuple[float, float]:
        """The log-likelihood ratios at which H0 and H1 are accepted (Wald 1945)."""
        return math.log(self.beta / (1 - self.alpha)), math.log((1 - self.beta) / self.alpha)

    def judge(self, points: np.ndarray) -> Verdict:
        """points: (games,) float, what `a` took of each, the games of a pair one after the other; half a pair waits."""
        pairs = len(points) // 2
        scores = points[: 2 * pairs].reshape(pairs, 2).sum(axis=1)
        counts = np.bincount(np.rint(2 * scores).astype(int), minlength=5)
        llr = log_likelihood_ratio(counts, expected_score(self.elo0), expected_score(self.elo1)) if pairs else 0.0
        low, high = self.bounds
        accepted: Literal["H0", "H1"] | None = "H1" if llr >= high else "H0" if llr <= low else None
        return Verdict(accepted, llr, (low, high), (self.elo0, self.elo1), pairs)


def log_likelihood_ratio(counts: np.ndarray, score0: float, score1: float) -> float:
    """That of mean `score1` to `score0`, each with its likeliest distribution. counts: (5,) pairs that scored 0 ... 1.

    sum_i counts_i log(p1_i / p0_i), the p from `likeliest`.
    """
    seen = np.where(counts == 0, _UNSEEN, counts)
    frequencies = seen / seen.sum()
    return float(seen @ np.log(likeliest(frequencies, score1) / likeliest(frequencies, score0)))


def likeliest(frequencies: np.ndarray, score: float) -> np.ndarray:
    """(5,) float: among the distributions with mean `score`, the one that makes the (5,) `frequencies` likeliest.

    p_i = f_i / (1 + t (a_i - score)) with the t that gives p that mean (Lagrange; Van den Bergh, "The maximum
    likelihood estimator for a multinomial distribution with a given expectation value"). No frequency may be 0.
    """
    distance = _SCORES - score
    # At the ends a p is infinite, between them all are positive, and the mean falls as t grows.
    ends = -1 / distance[-1], -1 / distance[0]
    inside = 1e-9 * (ends[1] - ends[0])
    t = brentq(lambda t: frequencies @ (distance / (1 + t * distance)), ends[0] + inside, ends[1] - inside, xtol=1e-14)
    return frequencies / (1 + t * distance)
