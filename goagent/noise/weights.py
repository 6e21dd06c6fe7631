"""Gaussian noise on the weights, for as long as a loss is computed.

Murray and Edwards 1993, NIPS; An 1996, Neural Computation 8: the gradient is taken at w + std * n, n ~ N(0, 1), and
moves w. In expectation and to second order this adds std^2 / 2 times the trace of the loss's Hessian: flat minima cost
less.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from goagent.noise.checks import not_negative
from goagent.noise.taxonomy import Place, Source

SOURCES = {"weight": Source(Place.ARCHITECTURE, "Murray and Edwards 1993, NIPS; An 1996, Neural Computation 8")}


@contextmanager
def weight_noise(network: nn.Module, std: float, generator: torch.Generator | None = None) -> Iterator[None]:
    """Inside the block every layer computes with noisy weights; each gradient goes to the parameter itself.

    The parameters are not touched: a noisy tensor stands before each, under its name in the layer, so `parameters()`
    and `state_dict()` never see the noise. Backward works inside the block and after it. One draw serves the whole
    block, and is shared where layers share a parameter. Raises ValueError for a negative std.
    """
    not_negative("std", std)
    drawn: dict[Tensor, Tensor] = {}
    layers = list(network.modules())
    try:
        for layer in layers:
            for name, parameter in layer.named_parameters(recurse=False):
                if parameter not in drawn:
                    noise = torch.empty_like(parameter).normal_(generator=generator)
                    drawn[parameter] = parameter + std * noise
                layer.__dict__[name] = drawn[parameter]  # found before the parameter of that name
        yield
    finally:
        for layer in layers:
            for name, _ in layer.named_parameters(recurse=False):
                layer.__dict__.pop(name, None)
