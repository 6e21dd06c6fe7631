"""Every unit reports nothing, its input, its branch, or the sum of both.

Singh, Hoiem and Forsyth 2016, arXiv:1605.06465: Y = Theta1 * X + Theta2 * F(X), the Thetas tensors of independent
Bernoulli draws, not rescaled. At evaluation they are replaced by their means, which is not the mean of the network's
answers: the paper prefers to average over some 30 draws (`sampling.sample_mean`). A schedule of theirs lets both means
fall linearly with depth, from 1 to 0.5.

    keep_input  keep_branch   what it is
    1           1             a residual connection
    0           1             a plain layer
    0           p             dropout of the layer's units (torch's `nn.Dropout(1 - p)` times p)
    1           p, whole      stochastic depth
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from goagent.noise.checks import probability
from goagent.noise.taxonomy import Place, Source

SOURCES = {"swapout": Source(Place.ARCHITECTURE, "Singh et al. 2016, arXiv:1605.06465")}


class Swapout(nn.Module):
    """A residual connection that keeps each unit of x with probability `keep_input`, of the branch with `keep_branch`.

    whole: one draw for all units of a mini-batch, not one for each. Called as `StochasticDepth` is. Raises ValueError
    if a number is no probability.
    """

    def __init__(
        self,
        keep_input: float = 0.5,
        keep_branch: float = 0.5,
        whole: bool = False,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.keep_input = probability("keep_input", keep_input)
        self.keep_branch = probability("keep_branch", keep_branch)
        self.whole = whole
        self.generator = generator

    def forward(self, x: Tensor, branch: Callable[[Tensor], Tensor]) -> Tensor:
        """x and branch(x) of one shape, any."""
        y = branch(x)
        if not self.training:
            return self.keep_input * x + self.keep_branch * y
        return self._theta(self.keep_input, x) * x + self._theta(self.keep_branch, y) * y

    def _theta(self, mean: float, like: Tensor) -> Tensor | float:
        if mean in (0, 1):
            return mean  # no draw where there is no choice
        theta = torch.empty_like(like[(slice(1),) * like.ndim] if self.whole else like)
        return theta.bernoulli_(mean, generator=self.generator)
