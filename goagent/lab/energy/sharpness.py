"""How sharp a place of the loss is. Start with `sharpness`.

The largest eigenvalue of the Hessian belongs to the weights, not to the function: Dinh et al. 2017, arXiv:1703.04933,
rescale the layers around a ReLU, and it becomes as large as one likes. Kwon et al. 2021, arXiv:2102.11600, scale by the
weights themselves, |w|, which undoes that.
"""

import copy
from collections.abc import Callable

import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator, eigsh
from torch import Tensor, nn

Loss = Callable[[nn.Module], Tensor]  # of a network


def sharpness(network: nn.Module, loss: Loss, invariant: bool = False) -> float:
    """Largest eigenvalue of the loss's Hessian H in the weights, by Lanczos to 1 %; invariant: of diag|w| H diag|w|."""
    parameters = list(network.parameters())
    gradient = nn.utils.parameters_to_vector(torch.autograd.grad(loss(network), parameters, create_graph=True))
    size = nn.utils.parameters_to_vector(parameters).detach().abs() if invariant else torch.ones_like(gradient).detach()

    def product(v: np.ndarray) -> np.ndarray:
        scaled = size * torch.from_numpy(v.ravel()).to(size)
        along = torch.autograd.grad(gradient @ scaled, parameters, retain_graph=True)
        return (size * nn.utils.parameters_to_vector(along)).numpy()

    operator = LinearOperator((len(gradient), len(gradient)), matvec=product, dtype=size.numpy().dtype)
    start = np.random.default_rng(0).standard_normal(len(gradient))
    return float(eigsh(operator, k=1, which="LA", v0=start, tol=0.01, return_eigenvectors=False)[0])


def rescale(network: nn.Sequential, factor: float) -> nn.Sequential:
    """The same function of a network with one hidden ReLU layer: what goes in times `factor`, what comes out by it."""
    other = copy.deepcopy(network)
    first, _, second = other
    with torch.no_grad():
        for parameter in first.parameters():
            parameter.mul_(factor)
        second.get_parameter("weight").div_(factor)
    return other


@torch.no_grad()
def along_line(one: nn.Module, other: nn.Module, loss: Loss, points: int = 21) -> list[float]:
    """Loss on the straight line from the weights of one to those of the other, both ends included."""
    ends = [nn.utils.parameters_to_vector(network.parameters()) for network in (one, other)]
    between, losses = copy.deepcopy(one), []
    for share in np.linspace(0, 1, points):
        nn.utils.vector_to_parameters(torch.lerp(ends[0], ends[1], float(share)), between.parameters())
        losses.append(float(loss(between)))
    return losses
