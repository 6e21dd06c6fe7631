"""How a policy answers. Heads differ only here: the same trunk below, the same `MoveDistribution` above.

| name | the network says | what is played |
|---|---|---|
| categorical | a logit for every move and the pass | a move drawn from the softmax |
| regression | one (row, col) and a logit for the pass | always the same move: the nearest legal point |
| mixture | bumps of density on the plane, and a logit for the pass | a move drawn from the mass over each point |
| latent | a (row, col) for each draw of noise, and a logit for the pass | the point nearest to a random draw |
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from goagent.policies.distributions import (
    CategoricalMoves,
    DrawnMoves,
    MixtureMoves,
    MoveDistribution,
    PointMoves,
    coordinates,
    pass_loss,
)
from goagent.policies.trunk import GlobalPool

Loss = Callable[[Tensor, torch.Generator | None], Tensor]  # moves (batch,) -> (batch,)

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

    Squared error alone decides what it learns: the mean of the moves it was shown.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.attention = nn.Conv2d(channels, 1, 1)
        sharpen(self.attention)
        self.pool = GlobalPool()
        self.passing = nn.Linear(3 * channels, 1)

    def forward(self, features: Tensor, legal: Tensor) -> MoveDistribution:
        """features (batch, channels, rows, cols), legal (batch, num_actions) bool."""
        point = attended(self.attention(features)).squeeze(1)
        raw = torch.cat([point, self.passing(self.pool(features))], dim=1)
        return PointMoves(raw, legal, *features.shape[2:])


class MixtureHead(nn.Module):
    """A mixture density (Bishop 1994): each bump's centre is attended to as the regressor's point is."""

    def __init__(self, channels: int, bumps: int = 16) -> None:
        super().__init__()
        self.bumps = bumps
        self.attention = nn.Conv2d(channels, bumps, 1)
        self.pool = GlobalPool()
        self.rest = nn.Linear(3 * channels, 2 * bumps + 1)  # weights, widths, the pass
        sharpen(self.attention)
        nn.init.zeros_(self.rest.weight)
        with torch.no_grad():  # narrow at first: wide bumps on the same moves never part
            self.rest.bias.copy_(torch.cat([torch.zeros(bumps), -torch.ones(bumps), torch.zeros(1)]))

    def forward(self, features: Tensor, legal: Tensor) -> MoveDistribution:
        """features (batch, channels, rows, cols), legal (batch, num_actions) bool."""
        centres = attended(self.attention(features))
        weights, widths, passing = self.rest(self.pool(features)).split([self.bumps, self.bumps, 1], dim=1)
        raw = torch.cat([weights, centres[:, :, 0], centres[:, :, 1], widths, passing], dim=1)
        return MixtureMoves(raw, legal, *features.shape[2:])


class LatentHead(nn.Module):
    """A conditional variational autoencoder (Kingma and Welling 2014; Sohn et al. 2015): noise in, a point out.

    While learning, an encoder that sees the expert's move chooses the noise; it pays `price` for every nat by which
    its choice differs from the standard normal noise of play. Squared error is in grid steps, so a price above the
    variance of the expert's moves along an axis buys nothing and the points collapse to their mean (see the lab's
    centre-collapse). The distribution is that of a fixed sample of draws, so one position has one distribution.
    """

    draws: Tensor

    def __init__(self, channels: int, noise: int = 4, price: float = 0.05, draws: int = 128) -> None:
        super().__init__()
        self.price = price
        self.attention = NoisyAttention(channels, noise)
        self.encoder = nn.Sequential(nn.Linear(channels + 2, channels), nn.ReLU(), nn.Linear(channels, 2 * noise))
        self.pool = GlobalPool()
        self.passing = nn.Linear(3 * channels, 1)
        self.register_buffer("draws", torch.randn(draws, noise, generator=torch.Generator().manual_seed(0)))

    def forward(self, features: Tensor, legal: Tensor) -> MoveDistribution:
        """features (batch, channels, rows, cols), legal (batch, num_actions) bool."""
        passing = self.passing(self.pool(features))

        def loss(actions: Tensor, generator: torch.Generator | None) -> Tensor:
            said = passing.expand(-1, len(actions) // len(features)).flatten()
            return self.bound(features, actions, generator) + pass_loss(said, actions == legal.shape[1] - 1)

        return self.attention.answer(features, self.draws, passing, legal, loss)

    def bound(self, features: Tensor, actions: Tensor, generator: torch.Generator | None) -> Tensor:
        """(moves,) squared error plus twice the price of the noise's information; none for a pass.

        actions: (moves,), for each position as many in a row as for any other.
        With a Gaussian decoder of variance s^2 and a weight b on the information this is the negative evidence bound
        times 2 s^2, and price = b s^2.
        """
        rows, cols = features.shape[2:]
        passed = actions == rows * cols
        points = actions.masked_fill(passed, 0)
        mean, log_variance = self.encode(features, points)
        given = mean + (log_variance / 2).exp() * torch.randn(mean.shape, generator=generator).to(mean)
        reached = self.attention(features, given.unflatten(0, (len(features), -1))).flatten(0, 1)
        error = (reached - coordinates(points, cols)).square().sum(dim=1)
        return (error + 2 * self.price * information(mean, log_variance)).masked_fill(passed, 0.0)

    def encode(self, features: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
        """(moves, noise) mean and logarithm of the variance of the noise chosen for these points (moves,)."""
        rows, cols = features.shape[2:]
        position = torch.arange(len(points)) // (len(points) // len(features))
        at_move = features.flatten(2)[position, :, points]
        middle = torch.tensor([rows - 1, cols - 1]) / 2
        offsets = (coordinates(points, cols) - middle) / max(rows, cols)
        mean, log_variance = self.encoder(torch.cat([at_move, offsets.to(features)], dim=1)).chunk(2, dim=1)
        return mean, log_variance.clamp(-10.0, 5.0)


class NoisyAttention(nn.Module):
    """A point for each draw of noise: the noise asks, the points of the board answer, and one point is attended to."""

    def __init__(self, channels: int, noise: int) -> None:
        super().__init__()
        self.keys = nn.Conv2d(channels, channels, 1)
        sharpen(self.keys)
        self.query = nn.Sequential(nn.Linear(noise, channels), nn.ReLU(), nn.Linear(channels, channels))

    def forward(self, features: Tensor, draws: Tensor) -> Tensor:
        """features (batch, channels, rows, cols), draws (batch, n, noise) -> (batch, n, 2) row and column."""
        maps = self.query(draws) @ self.keys(features).flatten(2)
        return attended(maps.unflatten(2, features.shape[2:]))

    def answer(self, features: Tensor, draws: Tensor, passing: Tensor, legal: Tensor, loss: Loss) -> DrawnMoves:
        """The points for each of draws (n, noise) in every position, as a policy; passing: (batch, 1) logit."""

        def draw() -> Tensor:
            points = self(features, draws.expand(len(features), -1, -1))
            return torch.cat([points[:, :, 0], points[:, :, 1], passing], dim=1)

        rows, cols = features.shape[2:]
        return DrawnMoves(draw, legal, rows, cols, loss)


def attended(maps: Tensor) -> Tensor:
    """(batch, n, rows, cols) -> (batch, n, 2): where each map points, as row and column.

    The centre of mass of its softmax, which can be any point of a board of any size.
    """
    rows, cols = maps.shape[2:]
    weights = maps.flatten(2).softmax(dim=2)
    points = torch.arange(rows * cols, device=maps.device)
    return weights @ coordinates(points, cols).to(weights)


def sharpen(attention: nn.Conv2d) -> None:
    """Let an attention begin with a preference: a flat one hardly learns, and several of them stay alike for long."""
    nn.init.normal_(attention.weight, std=3 / attention.in_channels**0.5)


def information(mean: Tensor, log_variance: Tensor) -> Tensor:
    """(batch,) nats by which normal noise (batch, n) differs from the standard one (Kullback and Leibler)."""
    return 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(dim=1)


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


HEADS: dict[str, type[nn.Module]] = {
    "categorical": CategoricalHead,
    "regression": RegressionHead,
    "mixture": MixtureHead,
    "latent": LatentHead,
}
