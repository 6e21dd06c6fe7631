"""Gaussian noise on what a network is shown.

Bishop 1995, Training with Noise is Equivalent to Tikhonov Regularization, Neural Computation 7: in the limit of little
noise the expected squared error is the error plus std^2 times the mean squared gradient of the output by the input. For
a linear output it is so exactly: ridge regression with the penalty std^2 |w|^2. A usual std is a tenth of the inputs'
own.
"""

import torch
from torch import Tensor, nn

from goagent.noise.checks import not_negative
from goagent.noise.taxonomy import Place, Source

SOURCES = {"input": Source(Place.DATA, "Bishop 1995, Neural Computation 7")}


class InputNoise(nn.Module):
    """x + std * n with n ~ N(0, 1) for every number of x, of any shape; x itself at evaluation.

    Raises ValueError for a negative std.
    """

    def __init__(self, std: float = 0.1, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.std = not_negative("std", std)
        self.generator = generator

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        return x + self.std * torch.empty_like(x).normal_(generator=self.generator)
