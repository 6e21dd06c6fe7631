"""A regressor with a channel of noise, and what makes it use the noise: the loss. Start with `NoiseChannel`."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from goagent.lab.one_to_many.models import DRAWS
from goagent.policies.distributions import DrawnMoves, MoveDistribution, coordinates, pass_loss
from goagent.policies.heads import attended, sharpen
from goagent.policies.trunk import GlobalPool

Loss = Callable[[Tensor, Tensor], Tensor]  # points (batch, draws, 2), move (batch, 1, 2) -> (batch,)


def squared_error(points: Tensor, move: Tensor) -> Tensor:
    """Of every draw, whatever the noise was."""
    return (points - move).square().sum(dim=2).mean(dim=1)


def nearest_draw(points: Tensor, move: Tensor) -> Tensor:
    """Of the nearest draw alone: implicit maximum likelihood (Li and Malik 2018)."""
    return (points - move).square().sum(dim=2).amin(dim=1)


def energy_score(points: Tensor, move: Tensor) -> Tensor:
    """Distance to the move less half of the distance between draws (Gneiting and Raftery 2007).

    It is least for draws from the distribution of the moves, and only for those.
    """
    draws = points.shape[1]
    near = _length(points - move).mean(dim=1)
    return near - _length(points[:, :, None] - points[:, None]).sum(dim=(1, 2)) / (2 * draws * (draws - 1))


def _length(vectors: Tensor) -> Tensor:
    return (vectors.square().sum(dim=-1) + 1e-4).sqrt()  # smooth where draws meet


class NoiseChannel(nn.Module):
    """The regressor's head with a plane of standard normal noise; how much it counts at a point, the features say.

    Turn the board and the noise, and the answer turns with them: the noise alone is without symmetry.
    """

    def __init__(self, channels: int, loss: Loss, draws: int = 8) -> None:
        super().__init__()
        self.loss = loss
        self.draws = draws  # compared by the loss
        self.maps = nn.Conv2d(channels, 2, 1)
        self.pool = GlobalPool()
        self.passing = nn.Linear(3 * channels, 1)
        sharpen(self.maps)

    def points(self, features: Tensor, noise: Tensor) -> Tensor:
        """noise (batch, draws, rows, cols) -> (batch, draws, 2) row and column."""
        attention, weight = self.maps(features).split(1, dim=1)
        return attended(attention + weight * noise)

    def forward(self, features: Tensor, legal: Tensor) -> MoveDistribution:
        """One position has one distribution, that of fixed draws."""
        batch, _, rows, cols = features.shape
        passing = self.passing(self.pool(features))

        def draw() -> Tensor:
            noise = torch.randn(1, DRAWS, rows, cols, generator=torch.Generator().manual_seed(0)).to(features)
            return torch.cat([self.points(features, noise).transpose(1, 2).flatten(1), passing], dim=1)

        def loss(moves: Tensor, generator: torch.Generator | None) -> Tensor:
            noise = torch.randn(batch, self.draws, rows, cols, generator=generator)
            points = self.points(features, noise)
            return self.loss(points, coordinates(moves, cols)[:, None]) + pass_loss(passing[:, 0], moves < 0)

        return DrawnMoves(draw, legal, rows, cols, loss)
