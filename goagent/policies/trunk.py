"""The body that every policy shares: a small residual tower with global pooling, for any board size."""

import torch
from torch import Tensor, nn


class GlobalPool(nn.Module):
    """(batch, channels, rows, cols) -> (batch, 3 * channels): mean, mean scaled by the board's width, and maximum.

    The scaled mean tells sizes apart; KataGo pools the same way (Wu 2019, arXiv:1902.10565, section 3.3).
    """

    def forward(self, x: Tensor) -> Tensor:
        mean = x.mean(dim=(2, 3))
        width = (x.shape[2] * x.shape[3]) ** 0.5
        return torch.cat([mean, mean * ((width - 9) / 10), x.amax(dim=(2, 3))], dim=1)


class Block(nn.Module):
    """x + f(x), f two 3x3 convolutions, with the pooled board added between them. f starts at zero.

    There is no normalisation: starting as the identity makes it needless at this depth (Zhang et al. 2019, Fixup,
    arXiv:1901.09321), and the network then says the same in training as in play.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.pool = GlobalPool()
        self.spread = nn.Linear(3 * channels, channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        for layer in (self.second, self.spread):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        y = self.first(torch.relu(x))
        y = y + self.spread(self.pool(torch.relu(y)))[:, :, None, None]
        return x + self.second(torch.relu(y))


class Trunk(nn.Module):
    """Planes (batch, planes, rows, cols) -> features (batch, channels, rows, cols)."""

    def __init__(self, planes: int, channels: int, blocks: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(planes, channels, 3, padding=1)
        self.blocks = nn.Sequential(*(Block(channels) for _ in range(blocks)))

    def forward(self, planes: Tensor) -> Tensor:
        return torch.relu(self.blocks(self.stem(planes)))
