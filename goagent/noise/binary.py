"""Weights and activations of one bit, learned through gradients that pretend otherwise.

Hubara et al. 2016, arXiv:1602.02830. Forward, x becomes sign(x), with sign(0) = +1; or in training, at random, +1 with
probability clip((x + 1) / 2, 0, 1) (eq. 1 to 3). Backward, the sign is taken for the identity where |x| <= 1 and for a
constant elsewhere (eq. 4): the derivative of hard tanh. Weights have real-valued accumulators, which the optimiser
moves and `clip_weights` holds in [-1, 1] after each step. The accumulators are for training alone: what a trained layer
computes with fits into a bit a weight (`pack`).

A sum of n such products is of the size of sqrt(n), beyond the window in which the next sign has a gradient. The paper
normalises over the batch; here a layer divides by sqrt(n), which is the same in training and in play. The zeros of a
convolution's padding are a third value.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from goagent.noise.taxonomy import Place, Source

SOURCES = {"binary": Source(Place.ARCHITECTURE, "Hubara et al. 2016, arXiv:1602.02830")}


class _Step(torch.autograd.Function):
    """+1 from the threshold on, else -1, with the straight-through gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, threshold: Tensor | float) -> Tensor:
        ctx.save_for_backward(x)
        return torch.where(x >= threshold, torch.ones_like(x), -torch.ones_like(x))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        (x,) = ctx.saved_tensors
        return gradient * (x.abs() <= 1), None


def binarize(x: Tensor, stochastic: bool = False, generator: torch.Generator | None = None) -> Tensor:
    """+1 or -1 for each number of x, of any shape; stochastic: of mean x where |x| <= 1."""
    return _Step.apply(x, torch.empty_like(x).uniform_(-1, 1, generator=generator) if stochastic else 0.0)


class BinaryActivation(nn.Module):
    """sign(x), any shape; if `stochastic`, drawn in training and sign(x) at evaluation."""

    def __init__(self, stochastic: bool = False, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.stochastic = stochastic
        self.generator = generator

    def forward(self, x: Tensor) -> Tensor:
        return binarize(x, self.stochastic and self.training, self.generator)


class BinaryLinear(nn.Linear):
    """`nn.Linear` with the signs of its weights, over sqrt(n) for n inputs of a unit.

    The bias is real, and so may the input be: it comes as it is.
    """

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x, _scaled_signs(self.weight), self.bias)


class BinaryConv2d(nn.Conv2d):
    """`nn.Conv2d` with the signs of its weights, over sqrt(n) for n inputs of a unit."""

    def forward(self, x: Tensor) -> Tensor:
        return self._conv_forward(x, _scaled_signs(self.weight), self.bias)


def _scaled_signs(weight: Tensor) -> Tensor:
    return binarize(weight) / weight[0].numel() ** 0.5


@torch.no_grad()
def clip_weights(network: nn.Module) -> None:
    """Bring the accumulators of all binary layers back into [-1, 1]; for after each step of the optimiser."""
    for layer in network.modules():
        if isinstance(layer, BinaryLinear | BinaryConv2d):
            layer.weight.clamp_(-1, 1)


def pack(weight: Tensor) -> Tensor:
    """The signs of n numbers, of any shape, as (ceil(n / 8),) uint8: 1/32 of the size of float32."""
    return torch.from_numpy(np.packbits(weight.detach().cpu().numpy().ravel() >= 0))


def unpack(packed: Tensor, shape: torch.Size) -> Tensor:
    """The inverse of `pack`, for signs: float32 +1 and -1 of this shape. Raises ValueError if it is another one's."""
    if packed.dtype != torch.uint8 or packed.shape != ((shape.numel() + 7) // 8,):
        raise ValueError(
            f"packed is {packed.dtype} {tuple(packed.shape)}: expected uint8 ({(shape.numel() + 7) // 8},)"
            f" for weights {tuple(shape)}"
        )
    bits = np.unpackbits(packed.numpy(), count=shape.numel()).astype(np.float32)
    return torch.from_numpy(2 * bits - 1).view(shape)
