"""The first randomness of all, its absence, and how to tell.

Random: He et al. 2015, arXiv:1502.01852, torch's own `nn.init.kaiming_normal_`: a variance of 2 / inputs keeps the size
of what passes through ReLUs. Constant: all units of a layer begin alike, get equal gradients, and stay alike under
gradient descent, whatever the mini-batches (Rumelhart, Hinton and Williams 1986, on symmetry breaking); only noise that
treats units differently parts them. Rounding does so too, if little: a matrix product sums in another order in some
columns, and long training can make a difference of 1e-8 a large one.
"""

import torch
from torch import Tensor, nn

from goagent.noise.taxonomy import Place, Source

SOURCES = {"initialisation": Source(Place.OPTIMISATION, "He et al. 2015, arXiv:1502.01852")}


def initialise_randomly(network: nn.Module, generator: torch.Generator | None = None) -> None:
    """He's weights and no biases in every linear layer and convolution."""
    for layer in network.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def initialise_alike(network: nn.Module, value: float) -> None:
    """The same number in every weight and no biases, in every linear layer and convolution."""
    for layer in network.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            nn.init.constant_(layer.weight, value)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def unit_rank(weight: Tensor) -> int:
    """Of a layer's weight (units, ...): how many of its units are linearly independent. 1 where all are alike."""
    return int(torch.linalg.matrix_rank(weight.detach().flatten(1)))


def unit_deviation(weight: Tensor) -> float:
    """Of a layer's weight (units, ...): the largest difference between two units in an input. 0 where all are alike."""
    units = weight.detach().flatten(1)
    return float((units.amax(dim=0) - units.amin(dim=0)).max())
