"""What a policy answers: a distribution over moves, whatever the network computed to get there.

Every head ends in a `MoveDistribution`, so a player, a loss or an experiment takes any of them. The legal mask is
applied here; what the network said before it is kept in `raw`.
"""

import copy
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property
from typing import Self

import torch
from torch import Tensor
from torch.distributions import Categorical
from torch.nn import functional


class MoveDistribution(ABC):
    """A batch of distributions over actions; an illegal action has probability zero.

    legal: (batch, num_actions) bool, at least one legal action a row. raw: the head's answer before the mask.
    """

    raw: Tensor
    legal: Tensor

    @abstractmethod
    def categorical(self, temperature: float = 1.0) -> Categorical:
        """The distribution that is played. As temperature goes to 0 it tends to the mode, which 0 itself gives."""

    @abstractmethod
    def imitation_loss(self, actions: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """(batch,) what to minimise so that the answer becomes `actions` (batch,), an expert's moves.

        generator: for a loss that is estimated by drawing; None uses torch's own.
        """

    @property
    def unmasked(self) -> Self:
        """The same answer as if every action were legal: what the network would do by itself."""
        answer = copy.copy(self)
        answer.legal = torch.ones_like(self.legal)
        return answer

    @property
    def probs(self) -> Tensor:
        """(batch, num_actions)"""
        return self.categorical().probs

    def sample(self, temperature: float = 1.0, generator: torch.Generator | None = None) -> Tensor:
        """(batch,) int64"""
        return torch.multinomial(self.categorical(temperature).probs, 1, generator=generator).squeeze(1)

    def log_prob(self, actions: Tensor) -> Tensor:
        """(batch,) nats"""
        return self.categorical().log_prob(actions)

    def entropy(self) -> Tensor:
        """(batch,) nats"""
        return self.categorical().entropy()

    def mode(self) -> Tensor:
        """(batch,) the most probable action; the first of equals."""
        return self.probs.argmax(dim=1)


class CategoricalMoves(MoveDistribution):
    """A probability for every move. raw: (batch, num_actions) logits."""

    def __init__(self, logits: Tensor, legal: Tensor) -> None:
        self.raw = logits
        self.legal = legal

    def categorical(self, temperature: float = 1.0) -> Categorical:
        lowest = torch.finfo(self.raw.dtype).min
        logits = self.raw.masked_fill(~self.legal, lowest)
        if temperature <= 0:
            return Categorical(probs=functional.one_hot(logits.argmax(dim=1), logits.shape[1]).to(logits.dtype))
        # Shifted first, so that dividing by a small temperature cannot overflow; masked last, so that a large one
        # cannot bring back what is illegal.
        shifted = (logits - logits.amax(dim=1, keepdim=True)).clamp(min=lowest / 2) / max(temperature, 1e-3)
        return Categorical(
            logits=shifted.clamp(min=lowest / 2).masked_fill(~self.legal, lowest / 2), validate_args=False
        )

    def imitation_loss(self, actions: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Cross-entropy in nats, before the mask: what is illegal has to be learned as well."""
        return functional.cross_entropy(self.raw, actions, reduction="none")


class PlaneMoves(MoveDistribution):
    """An answer in the plane of a board: row 0, column 0 is its upper left point, and 1 a step of the grid."""

    def __init__(self, raw: Tensor, legal: Tensor, rows: int, cols: int) -> None:
        self.raw = raw
        self.legal = legal
        self.rows = rows
        self.cols = cols


class PointMoves(PlaneMoves):
    """One point of the plane, and whether to pass: the deterministic regressor's answer.

    raw: (batch, 3): row, column, and the logit of the pass. What is played is a single move: the pass when its logit is
    positive, else the legal point nearest to (row, column).
    """

    def categorical(self, temperature: float = 1.0) -> Categorical:
        """All on one move, at any temperature: there is nothing to sample."""
        passes = (self.raw[:, 2] > 0) | ~self.legal[:, :-1].any(dim=1)
        points = nearest_points(self.raw[:, None, :2], self.legal[:, :-1], self.cols).squeeze(1)
        moves = torch.where(passes & self.legal[:, -1], self.rows * self.cols, points)
        return Categorical(probs=functional.one_hot(moves, self.legal.shape[1]).to(self.raw.dtype))

    def imitation_loss(self, actions: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Squared error of the point, in squared grid steps (none for a pass), plus cross-entropy of the pass."""
        return self.distance(actions).masked_fill(actions == self.rows * self.cols, 0.0) + pass_loss(
            self.raw[:, 2], actions == self.rows * self.cols
        )

    def distance(self, actions: Tensor) -> Tensor:
        """(batch,) squared grid steps from the point to `actions` (batch,), which are points."""
        return (self.raw[:, :2] - coordinates(actions, self.cols)).square().sum(dim=1)


class MixtureMoves(PlaneMoves):
    """Round bumps on the plane, each with a weight: a mixture density (Bishop 1994, "Mixture density networks").

    raw: (batch, 4 * bumps + 1): the logits of the weights, rows, columns, logarithms of the standard deviations (grid
    steps), then the logit of the pass. A point's probability is the density over its unit square, what falls off the
    board or on illegal points left out.
    """

    NARROWEST = 0.15  # grid steps; a bump on one move alone would else grow narrower without end

    def categorical(self, temperature: float = 1.0) -> Categorical:
        return CategoricalMoves(self.logits(), self.legal).categorical(temperature)

    def logits(self) -> Tensor:
        """(batch, num_actions) logarithms of the probabilities before the mask."""
        weights, centres, width = self._bumps()
        rows = _log_mass(torch.arange(self.rows, device=self.raw.device), centres[:, :, :1], width)
        cols = _log_mass(torch.arange(self.cols, device=self.raw.device), centres[:, :, 1:], width)
        points = torch.logsumexp(weights[:, :, None, None] + rows[..., None] + cols[:, :, None], dim=1)
        passing = self.raw[:, -1:]
        return torch.cat([points.flatten(1) + functional.logsigmoid(-passing), functional.logsigmoid(passing)], dim=1)

    def imitation_loss(self, actions: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Negative logarithm of the density at the point (none for a pass), plus cross-entropy of the pass."""
        weights, centres, width = self._bumps()
        squared = (coordinates(actions, self.cols)[:, None] - centres).square().sum(dim=2)
        log_density = -squared / (2 * width.squeeze(2) ** 2) - 2 * width.squeeze(2).log() - math.log(2 * math.pi)
        passed = actions == self.rows * self.cols
        away = -torch.logsumexp(weights + log_density, dim=1)
        return away.masked_fill(passed, 0.0) + pass_loss(self.raw[:, -1], passed)

    def _bumps(self) -> tuple[Tensor, Tensor, Tensor]:
        """(batch, bumps) log weights, (batch, bumps, 2) centres, (batch, bumps, 1) standard deviations."""
        logits, rows, cols, log_widths = self.raw[:, :-1].chunk(4, dim=1)
        widths = self.NARROWEST + log_widths.clamp(max=5.0).exp()
        return logits.log_softmax(dim=1), torch.stack([rows, cols], dim=2), widths[:, :, None]


class DrawnMoves(MoveDistribution):
    """Points that a network drew: how often they fall nearest to each point of the board is the distribution.

    raw: (batch, draws * 2 + 1): the rows, the columns, then the logit of the pass; drawn when first looked at, as
    learning does not need it. Draws nearest to an illegal point are left out; where none is left, each counts for the
    legal point nearest to it. draw: returns raw. loss: what `imitation_loss` calls.
    """

    def __init__(
        self, draw: Callable[[], Tensor], legal: Tensor, rows: int, cols: int, loss: Callable[..., Tensor]
    ) -> None:
        self.draw = draw
        self.legal = legal
        self.rows = rows
        self.cols = cols
        self.loss = loss

    @cached_property
    def raw(self) -> Tensor:  # type: ignore[override]
        return self.draw()

    def categorical(self, temperature: float = 1.0) -> Categorical:
        on_board = self.legal[:, :-1]
        shares = self._shares(torch.ones_like(on_board)) * on_board
        nothing_left = shares.sum(dim=1, keepdim=True) == 0
        shares = torch.where(nothing_left, self._shares(on_board), shares)
        shares = shares / shares.sum(dim=1, keepdim=True)
        passing = torch.sigmoid(self.raw[:, -1:])
        logits = torch.cat([shares * (1 - passing), passing], dim=1).clamp(min=1e-30).log()
        seen = self.legal & (torch.cat([shares, torch.ones_like(passing)], dim=1) > 0)
        return CategoricalMoves(logits, seen).categorical(temperature)

    def imitation_loss(self, actions: Tensor, generator: torch.Generator | None = None) -> Tensor:
        return self.loss(actions, generator)

    def _shares(self, allowed: Tensor) -> Tensor:
        """(batch, points) of the draws, each on the nearest allowed point."""
        rows, cols = self.raw[:, :-1].chunk(2, dim=1)
        nearest = nearest_points(torch.stack([rows, cols], dim=2), allowed, self.cols)
        counts = torch.zeros_like(allowed, dtype=self.raw.dtype)
        return counts.scatter_add_(1, nearest, torch.ones_like(rows)) / rows.shape[1]


def coordinates(actions: Tensor, cols: int) -> Tensor:
    """(batch, 2) row and column of points (batch,)."""
    return torch.stack([actions // cols, actions % cols], dim=1)


def pass_loss(logit: Tensor, passed: Tensor) -> Tensor:
    """(batch,) cross-entropy in nats of the pass's logit (batch,) with whether it was played."""
    return functional.binary_cross_entropy_with_logits(logit, passed.to(logit.dtype), reduction="none")


def nearest_points(places: Tensor, allowed: Tensor, cols: int) -> Tensor:
    """(batch, n) the allowed point (batch, points) nearest to each of places (batch, n, 2); 0 where none is allowed."""
    points = torch.arange(allowed.shape[1], device=places.device)
    distance = (places[:, :, :1] - points // cols) ** 2 + (places[:, :, 1:] - points % cols) ** 2
    return distance.masked_fill(~allowed[:, None], torch.inf).argmin(dim=2)


def _log_mass(cells: Tensor, centre: Tensor, width: Tensor) -> Tensor:
    """Logarithm of a normal distribution's mass over [cell - 1/2, cell + 1/2]; far cells keep full precision."""
    far = (cells - centre).abs()  # by symmetry, the side where the tail is on the left
    low, high = (-far - 0.5) / width, (-far + 0.5) / width
    log_low, log_high = torch.special.log_ndtr(low), torch.special.log_ndtr(high)
    return log_high + torch.log(-torch.expm1((log_low - log_high).clamp(max=-1e-7)))
