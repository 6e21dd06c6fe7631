"""Layers through which only so many bits pass, because noise covers the rest. Each reports its rate in bits.

Fixed noise, `NoisyBottleneck`: a Gaussian channel (Shannon 1948, theorem 17). A unit of power P under noise of variance
s^2 carries at most 0.5 log2(1 + P / s^2) bits.

Learned noise, `VariationalBottleneck` (Alemi et al. 2017, arXiv:1612.00410): the network chooses mean and spread of
z ~ N(mean(x), std(x)^2) and pays beta for its rate, the divergence of z's distribution from a standard normal. Averaged
over the inputs this is an upper bound of the information that z has about x (their eq. 14), and tight only if z as a
whole is standard normal. Their beta is 1e-3 to 1e-2, in nats; `rate.py` finds the price for a number of bits instead.

At evaluation both pass the mean: nothing is covered then, and the limit no longer holds. Measure what passes with the
noise switched on (`sampling.noisy`).
"""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Normal, kl_divergence
from torch.nn import functional

from goagent.noise.checks import positive
from goagent.noise.taxonomy import Place, Source

SOURCES = {
    "bottleneck": Source(Place.ARCHITECTURE, "Shannon 1948, Bell System Technical Journal 27"),
    "variational-bottleneck": Source(Place.REGULARISATION, "Alemi et al. 2017, arXiv:1612.00410"),
}


def capacity_bits(power: Tensor, std: float) -> Tensor:
    """Bits that a unit of this power (variance), of any shape, carries at most under Gaussian noise of this std."""
    return 0.5 * torch.log2(1 + power / std**2)


class Bottleneck(nn.Module):
    """A layer with a rate. bits: of the last input, with a gradient, so that it can be a penalty; None before."""

    bits: Tensor | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "bits": None}  # a copy of a layer has seen nothing; the graph has no copy


class NoisyBottleneck(Bottleneck):
    """tanh(x) + std * n with n ~ N(0, 1); tanh(x) at evaluation. x: (batch, units, ...).

    tanh holds the power of a unit at 1, or the network would drown the noise by turning itself up. `bits`: () for all
    units together, a bound from their variance in the batch, never above units * capacity. Raises ValueError unless
    std is above 0.
    """

    def __init__(self, std: float, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.std = positive("std", std)
        self.generator = generator

    @property
    def capacity(self) -> float:
        """Bits a unit, at most, whatever the network does."""
        return 0.5 * math.log2(1 + 1 / self.std**2)

    def forward(self, x: Tensor) -> Tensor:
        sent = x.tanh()
        self.bits = capacity_bits(sent.var(dim=0, correction=0), self.std).sum()
        if not self.training:
            return sent
        return sent + self.std * torch.empty_like(sent).normal_(generator=self.generator)


class VariationalBottleneck(Bottleneck):
    """x (batch, 2 * units, ...) -> z (batch, units, ...): half of x is the mean, softplus(the rest - 5) the std.

    It has no weights: put the layer before it that says both. z is drawn in training and the mean at evaluation.
    `bits`: (batch,) rate of each example, summed over units and places. Raises ValueError for an odd number of units.
    """

    def __init__(self, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, x: Tensor) -> Tensor:
        mean, std = mean_and_std(x)
        self.bits = rate_bits(mean, std)
        if not self.training:
            return mean
        return mean + std * torch.empty_like(mean).normal_(generator=self.generator)


def mean_and_std(x: Tensor) -> tuple[Tensor, Tensor]:
    """Both (batch, units, ...), as a `VariationalBottleneck` reads its input (batch, 2 * units, ...)."""
    if x.shape[1] % 2:
        raise ValueError(f"x has {x.shape[1]} units: expected a mean and a spread for each, an even number")
    mean, spread = x.chunk(2, dim=1)
    return mean, functional.softplus(spread - 5) + 1e-6  # Alemi et al.'s: almost without noise at first


def rate_bits(mean: Tensor, std: Tensor) -> Tensor:
    """Bits by which N(mean, std^2) differs from N(0, 1); (batch, ...) -> (batch,)."""
    sent = Normal(mean, std, validate_args=False)
    nats = kl_divergence(sent, Normal(torch.zeros_like(mean), torch.ones_like(std), validate_args=False))
    return nats.flatten(1).sum(dim=1) / math.log(2)
