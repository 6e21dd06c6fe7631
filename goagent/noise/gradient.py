"""Annealed Gaussian noise on the gradient.

Neelakantan et al. 2015, arXiv:1511.06807, eq. 1: g_t + N(0, s_t^2) with s_t^2 = eta / (1 + t)^gamma, which is the
variance, not the standard deviation. gamma is 0.55, eta one of 0.01, 0.3 and 1.

The noise of n parameters has norm s_t sqrt(n): 100,000 of them at eta = 0.01 make it 32 at first, whatever the
gradient's is. It counts whether a gradient is clipped before or after this.
"""

from collections.abc import Iterable

import torch
from torch import Tensor

from goagent.noise.checks import not_negative
from goagent.noise.taxonomy import Place, Source

SOURCES = {"gradient": Source(Place.OPTIMISATION, "Neelakantan et al. 2015, arXiv:1511.06807")}


def gradient_noise_variance(step: int, eta: float = 0.01, gamma: float = 0.55) -> float:
    """s_t^2, of each number of the gradient; the first step is 0. Raises ValueError for a negative number."""
    return not_negative("eta", eta) / (1 + not_negative("step", step)) ** not_negative("gamma", gamma)


@torch.no_grad()
def add_gradient_noise(
    parameters: Iterable[Tensor],
    step: int,
    eta: float = 0.01,
    gamma: float = 0.55,
    generator: torch.Generator | None = None,
) -> None:
    """Add the noise of this step to the `.grad` of each parameter that has one: after backward, before the optimiser.

    Raises ValueError for a negative number.
    """
    std = gradient_noise_variance(step, eta, gamma) ** 0.5
    for parameter in parameters:
        if parameter.grad is not None:
            parameter.grad.add_(torch.empty_like(parameter.grad).normal_(generator=generator), alpha=std)
