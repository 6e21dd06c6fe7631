"""What a policy answers: a distribution over moves, whatever the network computed to get there.

Every head ends in a `MoveDistribution`, so a player, a loss or an experiment takes any of them. The legal mask is
applied here; what the network said before it is kept in `raw`.
"""

from abc import ABC, abstractmethod

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
    def imitation_loss(self, actions: Tensor) -> Tensor:
        """(batch,) what to minimise so that the answer becomes `actions` (batch,), an expert's moves."""

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
        # Shifted first, so that dividing by a small temperature cannot overflow.
        shifted = (logits - logits.amax(dim=1, keepdim=True)).clamp(min=lowest / 2) / max(temperature, 1e-3)
        return Categorical(logits=shifted.clamp(min=lowest / 2), validate_args=False)

    def imitation_loss(self, actions: Tensor) -> Tensor:
        """Cross-entropy in nats, before the mask: what is illegal has to be learned as well."""
        return functional.cross_entropy(self.raw, actions, reduction="none")


class PointMoves(MoveDistribution):
    """One point of the plane, and whether to pass: the deterministic regressor's answer.

    raw: (batch, 3): row, column (0 at the upper left point, 1 a step of the grid), and the logit of the pass. What is
    played is a single move: the pass when its logit is positive, else the legal point nearest to (row, column).
    """

    def __init__(self, raw: Tensor, legal: Tensor, rows: int, cols: int) -> None:
        self.raw = raw
        self.legal = legal
        self.rows = rows
        self.cols = cols

    def rounded(self) -> Tensor:
        """(batch,) the action it names before the mask: the nearest point of the board, or the pass."""
        return self._nearest(torch.ones_like(self.legal))

    def categorical(self, temperature: float = 1.0) -> Categorical:
        """All on one move, at any temperature: there is nothing to sample."""
        return Categorical(probs=functional.one_hot(self._nearest(self.legal), self.legal.shape[1]).to(self.raw.dtype))

    def imitation_loss(self, actions: Tensor) -> Tensor:
        """Squared error of the point, in squared grid steps (none for a pass), plus cross-entropy of the pass."""
        passed = actions == self.rows * self.cols
        row, col = actions // self.cols, actions % self.cols
        distance = (self.raw[:, 0] - row) ** 2 + (self.raw[:, 1] - col) ** 2
        pass_loss = functional.binary_cross_entropy_with_logits(
            self.raw[:, 2], passed.to(self.raw.dtype), reduction="none"
        )
        return distance.masked_fill(passed, 0.0) + pass_loss

    def _nearest(self, allowed: Tensor) -> Tensor:
        points = torch.arange(self.rows * self.cols, device=self.raw.device)
        row, col = points // self.cols, points % self.cols
        distance = (self.raw[:, :1] - row) ** 2 + (self.raw[:, 1:2] - col) ** 2
        distance = distance.masked_fill(~allowed[:, :-1], torch.inf)
        passes = (self.raw[:, 2] > 0) | ~allowed[:, :-1].any(dim=1)
        return torch.where(passes & allowed[:, -1], self.rows * self.cols, distance.argmin(dim=1))
