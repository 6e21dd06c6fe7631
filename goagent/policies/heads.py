"""How a policy answers. Heads differ only here: the same trunk below, the same `MoveDistribution` above.

| name | the network says | what is played |
|---|---|---|
| categorical | a logit for every move and the pass | a move drawn from the softmax |
| regression | one (row, col) and a logit for the pass | always the same move: the nearest legal point |
"""

import torch
from torch import Tensor, nn

from goagent.policies.distributions import CategoricalMoves, MoveDistribution, PointMoves
from goagent.policies.trunk import GlobalPool

SCORE_UNIT = 10.0  # points; what the network's score is a multiple of


class CategoricalHead(nn.Module):
    """A logit for every point from its own features, one for the pass from the pooled board."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.points = nn.Conv2d(channels, 1, 1)
        self.pool = GlobalPool()
        self.passing = nn.Linear(3 * channels, 1)

    def forward(self, features: Tensor, legal: Tensor) -> MoveDistribution:
        """features (batch, channels, rows, cols), legal (batch, num_actions) bool."""
        return CategoricalMoves(self.logits(features), legal)

    def logits(self, features: Tensor) -> Tensor:
        """(batch, num_actions)"""
        return torch.cat([self.points(features).flatten(1), self.passing(self.pool(features))], dim=1)


class RegressionHead(nn.Module):
    """The deterministic baseline: one point, trained by squared error, and a logit for the pass.

    The point is the centre of mass of a learned attention over the board (soft-argmax), which lets the head name any
    point of any board size. Squared error alone decides what it learns: the mean of the moves it was shown.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.attention = nn.Conv2d(channels, 1, 1)
        self.pool = GlobalPool()
        self.passing = nn.Linear(3 * channels, 1)

    def forward(self, features: Tensor, legal: Tensor) -> MoveDistribution:
        """features (batch, channels, rows, cols), legal (batch, num_actions) bool."""
        rows, cols = features.shape[2:]
        weights = self.attention(features).flatten(1).softmax(dim=1)
        points = torch.arange(rows * cols, device=features.device)
        row = (weights * (points // cols)).sum(dim=1, keepdim=True)
        col = (weights * (points % cols)).sum(dim=1, keepdim=True)
        raw = torch.cat([row, col, self.passing(self.pool(features))], dim=1)
        return PointMoves(raw, legal, rows, cols)


class OutcomeHead(nn.Module):
    """How the game will end, for the side to move: the result, the score in points, and who owns which point.

    Score and ownership tell a network far more of a finished game than its result alone does (Wu 2019,
    arXiv:1902.10565, section 3.4).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.hidden = nn.Sequential(GlobalPool(), nn.Linear(3 * channels, 64), nn.ReLU())
        self.value = nn.Linear(64, 1)
        self.score = nn.Linear(64, 1)
        self.ownership = nn.Conv2d(channels, 1, 1)
        for layer in (self.score, self.ownership):  # an algorithm that does not train them leaves them silent
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """value (batch,) in (-1, 1), score (batch,) in points, ownership (batch, rows, cols) in (-1, 1)."""
        hidden = self.hidden(features)
        value, score = self.value(hidden).squeeze(1), self.score(hidden).squeeze(1)
        return torch.tanh(value), SCORE_UNIT * score, torch.tanh(self.ownership(features)).squeeze(1)


HEADS: dict[str, type[nn.Module]] = {"categorical": CategoricalHead, "regression": RegressionHead}
