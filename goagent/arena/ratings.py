"""Elo ratings of any number of players from any set of results. Start with `rate`.

The model (Bradley & Terry 1952; Elo): a player rated `d` above another expects the score 1 / (1 + 10^(-d / 400)), a
draw being half a win. The ratings are the likeliest ones after one drawn game more in every pairing that met: a weak
prior that keeps 100-0 finite. For two players it is Jeffreys' (Firth 1993), and the answer is
d = 400 log10((points + 1/2) / (lost points + 1/2)).
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from rich.markup import escape
from rich.table import Table
from scipy.optimize import minimize
from scipy.sparse.csgraph import connected_components
from scipy.special import expit

from goagent.arena.result import Z95
from goagent.errors import UserError

_NAT = 400 / math.log(10)  # Elo


class Pairing(NamedTuple):
    """What `a` and `b` made of their games. The same two may meet in several of them."""

    a: str
    b: str
    points: float  # of `a`; a draw is half
    games: int


@dataclass(frozen=True)
class Ratings:
    """Players and their ratings in Elo.

    elo: (players,) float. covariance: (players, players) float, Elo squared; zero for an anchored player.
    Without an anchor the mean rating is 0, and the intervals are about that mean.
    """

    players: tuple[str, ...]
    elo: np.ndarray
    covariance: np.ndarray
    anchors: Mapping[str, float]

    def __getitem__(self, player: str) -> float:
        return float(self.elo[self.players.index(player)])

    def interval(self, player: str) -> tuple[float, float]:
        """The 95 % interval of a rating."""
        i = self.players.index(player)
        reach = Z95 * math.sqrt(self.covariance[i, i])
        return float(self.elo[i] - reach), float(self.elo[i] + reach)

    def difference(self, a: str, b: str) -> tuple[float, tuple[float, float]]:
        """By how much `a` is stronger than `b`, and the 95 % interval of that; anchored ones differ by decree."""
        i, j = self.players.index(a), self.players.index(b)
        difference = float(self.elo[i] - self.elo[j])
        variance = self.covariance[i, i] + self.covariance[j, j] - 2 * self.covariance[i, j]
        reach = Z95 * math.sqrt(max(0.0, variance))
        return difference, (difference - reach, difference + reach)

    def __rich__(self) -> Table:
        table = Table("player", title="Ratings")
        table.add_column("Elo", justify="right")
        table.add_column("95 % interval", justify="right")
        for i in np.argsort(-self.elo, kind="stable"):
            player = self.players[i]
            low, high = self.interval(player)
            table.add_row(
                escape(player),
                f"{self.elo[i]:.0f}",
                "anchored" if player in self.anchors else f"{low:.0f} to {high:.0f}",
            )
        return table


def rate(pairings: Iterable[Pairing], anchors: Mapping[str, float] | None = None) -> Ratings:
    """The ratings of everyone in `pairings`; those of `anchors` are given (Elo).

    Intervals are from the curvature of the log-posterior at its top (Laplace), and take all games as independent.
    Raises UserError where nothing compares two players: no games join them, directly or through others or anchors.
    """
    pairings, anchors = list(pairings), dict(anchors or {})
    _check(pairings, anchors)
    players = tuple(dict.fromkeys(name for pairing in pairings for name in pairing[:2]))
    index = {player: i for i, player in enumerate(players)}
    points, games = np.zeros((2, len(players), len(players)))  # of the row's player against the column's
    for a, b, won, played in pairings:
        points[index[a], index[b]] += won
        points[index[b], index[a]] += played - won
        games[index[a], index[b]] += played
        games[index[b], index[a]] += played
    _check_connected(players, games > 0, [index[player] for player in anchors])
    points += (games > 0) / 2
    games += games > 0

    fixed = np.array([index[player] for player in anchors] or [0])
    free = np.setdiff1d(np.arange(len(players)), fixed)
    nats = np.zeros(len(players))  # the first player's is 0 where there is no anchor
    nats[fixed] = np.array([*anchors.values()] or [0.0]) / _NAT

    def expand(x: np.ndarray) -> np.ndarray:
        full = nats.copy()
        full[free] = x
        return full

    def loss(x: np.ndarray) -> float:
        gap = np.subtract.outer(expand(x), expand(x))
        return float((points * np.logaddexp(0, -gap)).sum())

    def gradient(x: np.ndarray) -> np.ndarray:
        gap = np.subtract.outer(expand(x), expand(x))
        return (games * expit(gap) - points).sum(axis=1)[free]

    def hessian(x: np.ndarray) -> np.ndarray:
        gap = np.subtract.outer(expand(x), expand(x))
        information = games * expit(gap) * expit(-gap)
        return (np.diag(information.sum(axis=1)) - information)[np.ix_(free, free)]

    covariance = np.zeros((len(players), len(players)))
    if len(free):
        start = np.full(len(free), nats[fixed].mean())
        best = minimize(loss, start, jac=gradient, hess=hessian, method="trust-exact", options={"gtol": 1e-7}).x
        nats[free] = best
        covariance[np.ix_(free, free)] = np.linalg.inv(hessian(best))
    if not anchors:
        centre = np.eye(len(players)) - 1 / len(players)
        nats, covariance = centre @ nats, centre @ covariance @ centre
    elo = nats * _NAT
    elo[[index[player] for player in anchors]] = list(anchors.values())  # to the last digit
    return Ratings(players, elo, covariance * _NAT**2, anchors)


def _check(pairings: list[Pairing], anchors: dict[str, float]) -> None:
    if not pairings:
        raise UserError("there are no results to rate: expected at least one pairing")
    for a, b, points, games in pairings:
        if a == b:
            raise UserError(f"{a!r} played itself: expected two different players in a pairing")
        if games < 1 or not 0 <= points <= games:
            raise UserError(
                f"{a!r} took {points:g} points in {games} games against {b!r}: expected at least one game,"
                " and from 0 to that many points"
            )
    known = {name for pairing in pairings for name in pairing[:2]}
    for player, elo in anchors.items():
        if player not in known:
            raise UserError(f"{player!r} is anchored but played no game: expected one of {', '.join(sorted(known))}")
        if not math.isfinite(elo):
            raise UserError(f"{player!r} is anchored at {elo}: expected a finite rating")


def _check_connected(players: tuple[str, ...], met: np.ndarray, anchored: list[int]) -> None:
    """met: (players, players) bool. Raises UserError."""
    joined = met.copy()
    joined[np.ix_(anchored, anchored)] = True
    groups, label = connected_components(joined, directed=False)
    if groups > 1:
        one, other = (players[int(np.flatnonzero(label == group)[0])] for group in (0, 1))
        raise UserError(
            f"nothing compares {one!r} with {other!r}: the players fall into {groups} groups that never met;"
            " expected games between them, or an anchor in each"
        )
