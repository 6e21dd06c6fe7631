"""Noise at evaluation: a network as a random function, and the mean of its answers.

The layers here, as torch's dropout, are noisy in training mode only, and then answer as one deterministic network. To
draw from the network instead (stochastic inference, Singh et al. 2016, arXiv:1605.06465; Monte Carlo dropout, Gal and
Ghahramani 2016, arXiv:1506.02142), switch the noise on.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


@contextmanager
def noisy(network: nn.Module) -> Iterator[None]:
    """Every layer as in training until the end of the block, but for batch normalisation, which would learn from it."""
    before = {module: module.training for module in network.modules()}
    for module in before:
        if not isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d):
            module.training = True
    try:
        yield
    finally:
        for module, training in before.items():
            module.training = training


def sample_mean(network: nn.Module, *inputs: Tensor, samples: int = 30) -> Tensor:
    """The mean of what the network answers in `samples` draws; it has to answer with a tensor."""
    with noisy(network):
        return torch.stack([network(*inputs) for _ in range(samples)]).mean(dim=0)
