"""Dropout: units multiplied by noise of mean 1. Three kinds of noise.

Bernoulli (Srivastava et al. 2014, JMLR 15) is torch's: `nn.Dropout(p)` for single units and `nn.Dropout2d(p)` for whole
feature planes, whose points are too alike to miss one. They multiply by 0 or 1 / (1 - p), of variance p / (1 - p), do
nothing at evaluation, and draw from torch's own generator only. A usual p is 0.5, for convolutions 0.1 to 0.2.

Gaussian (Srivastava et al. 2014, section 10): by N(1, alpha); alpha = p / (1 - p) has the variance of Bernoulli's.

Variational (Kingma, Salimans and Welling 2015, arXiv:1506.02557): Gaussian noise on the weights, w ~ N(theta,
alpha theta^2), whose alpha is learned against its price, the divergence from a log-uniform prior. The noise is drawn
not for the weights but for the sums that they make (section 2.3), apart for each example.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from goagent.noise.checks import not_negative
from goagent.noise.taxonomy import Place, Source

SOURCES = {
    "dropout": Source(Place.ARCHITECTURE, "Srivastava et al. 2014, JMLR 15"),
    "gaussian-dropout": Source(Place.ARCHITECTURE, "Srivastava et al. 2014, JMLR 15, section 10"),
    "variational-dropout": Source(Place.REGULARISATION, "Kingma et al. 2015, arXiv:1506.02557"),
}

_KL = (1.16145124, -1.50204118, 0.58629921)  # Kingma et al. 2015, section 3.3


class GaussianDropout(nn.Module):
    """Every number of x, of any shape, times its own N(1, alpha); x itself at evaluation.

    Raises ValueError for a negative alpha.
    """

    def __init__(self, alpha: float = 1.0, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.alpha = not_negative("alpha", alpha)
        self.generator = generator

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        return x * (1 + self.alpha**0.5 * torch.empty_like(x).normal_(generator=self.generator))


def matching_alpha(p: float) -> float:
    """The variance of `nn.Dropout(p)`. Raises ValueError unless 0 <= p < 1."""
    if not 0 <= p < 1:
        raise ValueError(f"p is {p!r}: expected a number from 0 to below 1")
    return p / (1 - p)


def dropout_kl(alpha: Tensor) -> Tensor:
    """Nats by which N(theta, alpha theta^2) differs from the log-uniform prior, up to a constant; any shape.

    The third-degree fit of Kingma et al. 2015, section 3.3, for alpha <= 1. It falls as the noise grows.
    """
    a, b, c = _KL
    return -(0.5 * alpha.log() + a * alpha + b * alpha**2 + c * alpha**3)


class _LearnedAlpha(nn.Module):
    """What the layers below share: one alpha in (0, 1), a sigmoid, since the fit of its price ends at 1."""

    weight: Tensor
    generator: torch.Generator | None

    def _begin(self, alpha: float, generator: torch.Generator | None) -> None:
        if not 0 < alpha < 1:
            raise ValueError(f"alpha is {alpha!r}: expected a number between 0 and 1")
        self.logit_alpha = nn.Parameter(torch.tensor(alpha).logit())
        self.generator = generator

    @property
    def alpha(self) -> Tensor:
        """() the variance of the weights' noise, relative to their squares."""
        return self.logit_alpha.sigmoid()

    def kl(self) -> Tensor:
        """() nats for all weights. Divide by the number of training examples to add it to a mean over examples."""
        return self.weight.numel() * dropout_kl(self.alpha)

    def _noise(self, variance: Tensor) -> Tensor:
        drawn = torch.empty_like(variance).normal_(generator=self.generator)
        return (self.alpha * variance + 1e-12).sqrt() * drawn  # the slope of a root at 0 is no number


class VariationalLinear(nn.Linear, _LearnedAlpha):
    """x (..., in_features) -> (..., out_features) ~ N(theta x + b, alpha theta^2 x^2); the mean at evaluation.

    Raises ValueError unless 0 < alpha < 1, which is where learning starts.
    """

    def __init__(
        self, in_features: int, out_features: int, alpha: float = 0.1, generator: torch.Generator | None = None
    ) -> None:
        super().__init__(in_features, out_features)
        self._begin(alpha, generator)

    def forward(self, x: Tensor) -> Tensor:
        mean = super().forward(x)
        if not self.training:
            return mean
        return mean + self._noise(functional.linear(x.square(), self.weight.square()))


class VariationalConv2d(nn.Conv2d, _LearnedAlpha):
    """The same for `nn.Conv2d`, the noise drawn apart for every point of the board.

    Raises ValueError unless 0 < alpha < 1, which is where learning starts.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        padding: int = 0,
        alpha: float = 0.1,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, padding=padding)
        self._begin(alpha, generator)

    def forward(self, x: Tensor) -> Tensor:
        mean = super().forward(x)
        if not self.training:
            return mean
        return mean + self._noise(self._conv_forward(x.square(), self.weight.square(), None))
