"""What the trunk is built of: plain layers, or those of the noise that a network is given (`goagent/noise`).

At evaluation each of them is deterministic, so a trained network plays as any other; the noise belongs to what it is
because some layers have weights of their own, and some answer otherwise for having been trained so.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from goagent.noise.binary import BinaryConv2d
from goagent.noise.bottleneck import NoisyBottleneck, VariationalBottleneck
from goagent.noise.dropout import GaussianDropout, VariationalConv2d
from goagent.noise.inputs import InputNoise
from goagent.noise.noisy_linear import NoisyLinear
from goagent.noise.stochastic_depth import StochasticDepth, survival_schedule
from goagent.noise.swapout import Swapout


class Layers:
    """Makes the layers of a trunk. noise: as `noise.settings.read_noise` returns it; none for plain layers."""

    def __init__(self, noise: Mapping[str, float]) -> None:
        self._noise = noise

    def input(self) -> nn.Module:
        """Planes -> planes."""
        return InputNoise(self._noise["input"]) if "input" in self._noise else nn.Identity()

    def convolution(self, channels: int, silent: bool = False) -> nn.Conv2d:
        """3x3, as many channels out as in; silent: its output begins as zero."""
        shape: dict[str, Any] = dict(in_channels=channels, out_channels=channels, kernel_size=3, padding=1)
        if "binary" in self._noise:
            return _ScaledBinaryConv2d(0.0 if silent else 1.0, **shape)
        if "variational-dropout" in self._noise:
            layer: nn.Conv2d = VariationalConv2d(**shape, alpha=self._noise["variational-dropout"])
        else:
            layer = nn.Conv2d(**shape)
        return _silenced(layer) if silent else layer

    def linear(self, inputs: int, outputs: int) -> nn.Linear:
        """Its output begins as zero, apart from noise."""
        return _silenced((NoisyLinear if "noisy-linear" in self._noise else nn.Linear)(inputs, outputs))

    def units(self) -> nn.Module:
        """What lies on the features in the middle of a block."""
        found: list[nn.Module] = []
        if "dropout" in self._noise:
            found.append(nn.Dropout2d(self._noise["dropout"]))
        if "gaussian-dropout" in self._noise:
            found.append(GaussianDropout(self._noise["gaussian-dropout"]))
        return nn.Sequential(*found)

    def join(self, block: int, blocks: int) -> nn.Module:
        """What joins input and branch of a block; the first one is 0. Called with x and the branch."""
        if "stochastic-depth" in self._noise:
            return StochasticDepth(survival_schedule(blocks, self._noise["stochastic-depth"])[block])
        if "swapout" in self._noise:
            keep = survival_schedule(blocks, self._noise["swapout"])[block]
            return Swapout(keep, keep)
        return Residual()

    def bottleneck(self, channels: int) -> nn.Module:
        """What the features pass before the heads see them."""
        if "bottleneck" in self._noise:
            return NoisyBottleneck(self._noise["bottleneck"])
        if "variational-bottleneck" in self._noise or "rate" in self._noise:
            return nn.Sequential(nn.Conv2d(channels, 2 * channels, 1), VariationalBottleneck())
        return nn.Identity()


class Residual(nn.Module):
    """x + branch(x)"""

    def forward(self, x: Tensor, branch: Callable[[Tensor], Tensor]) -> Tensor:
        return x + branch(x)


class _ScaledBinaryConv2d(BinaryConv2d):
    """A binary convolution times a learned factor that begins as `scale`; its weights cannot begin as zero."""

    def __init__(self, scale: float, **shape: Any) -> None:
        super().__init__(**shape)
        nn.init.uniform_(self.weight, -1, 1)
        self.scale = nn.Parameter(torch.tensor(scale))

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * super().forward(x)


def _silenced(layer: Any) -> Any:
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
