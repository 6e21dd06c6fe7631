"""The body that every policy shares: a small residual tower with global pooling, for any board size."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from goagent.policies.layers import Layers


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

    def __init__(self, channels: int, layers: Layers, block: int, blocks: int) -> None:
        super().__init__()
        self.first = layers.convolution(channels)
        self.pool = GlobalPool()
        self.spread = layers.linear(3 * channels, channels)
        self.units = layers.units()
        self.second = layers.convolution(channels, silent=True)
        self.join = layers.join(block, blocks)

    def forward(self, x: Tensor) -> Tensor:
        return self.join(x, self.branch)

    def branch(self, x: Tensor) -> Tensor:
        """f(x)"""
        y = self.first(torch.relu(x))
        y = y + self.spread(self.pool(torch.relu(y)))[:, :, None, None]
        return self.second(self.units(torch.relu(y)))


class Trunk(nn.Module):
    """Planes (batch, planes, rows, cols) -> features (batch, channels, rows, cols). noise: as `Layers` takes it."""

    def __init__(self, planes: int, channels: int, blocks: int, noise: Mapping[str, float]) -> None:
        super().__init__()
        layers = Layers(noise)
        self.input = layers.input()
        self.stem = nn.Conv2d(planes, channels, 3, padding=1)
        self.blocks = nn.Sequential(*(Block(channels, layers, block, blocks) for block in range(blocks)))
        self.bottleneck = layers.bottleneck(channels)

    def forward(self, planes: Tensor) -> Tensor:
        return self.bottleneck(torch.relu(self.blocks(self.stem(self.input(planes)))))
