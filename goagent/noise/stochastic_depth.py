"""Residual blocks that a mini-batch goes through or passes by.

Huang et al. 2016, arXiv:1603.09382. In training block l is x + b f(x) with b ~ Bernoulli(p_l), one draw for the whole
mini-batch and not rescaled; where b is 0, f is not even computed. At evaluation it is x + p_l f(x), the expectation
(eq. 5). Survival falls linearly with depth, p_l = 1 - l / L (1 - p_L) (eq. 4), with p_L = 0.5, for which 3 / 4 of the
blocks are there on average: (3 L - 1) / 4.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from goagent.noise.checks import probability
from goagent.noise.taxonomy import Place, Source

SOURCES = {"stochastic-depth": Source(Place.ARCHITECTURE, "Huang et al. 2016, arXiv:1603.09382")}


def survival_schedule(blocks: int, last: float = 0.5) -> tuple[float, ...]:
    """p_1, ..., p_L of the blocks, the first one first. Raises ValueError if `last` is no probability."""
    probability("last", last)
    return tuple(1 - block / blocks * (1 - last) for block in range(1, blocks + 1))


class StochasticDepth(nn.Module):
    """A residual connection, x + f(x), whose branch f survives a mini-batch with probability `survival`.

    It is called with x and the branch, so a block keeps its weights and their names: `join(x, self.branch)`. Raises
    ValueError if `survival` is no probability.
    """

    def __init__(self, survival: float, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.survival = probability("survival", survival)
        self.generator = generator

    def forward(self, x: Tensor, branch: Callable[[Tensor], Tensor]) -> Tensor:
        """x and branch(x) of one shape, any."""
        if not self.training:
            return x + self.survival * branch(x)
        device = self.generator.device if self.generator else "cpu"
        survives = torch.empty((), device=device).bernoulli_(self.survival, generator=self.generator)
        return x + branch(x) if survives else x
