"""Linear layers that learn how noisy their weights should be.

Fortunato et al. 2018, arXiv:1706.10295: y = (mu_w + sigma_w * e_w) x + mu_b + sigma_b * e_b (eq. 9). Independent noise
has e ~ N(0, 1) for each weight. Factorised noise has a number for each input and each output, e_w = f(e_out) f(e_in)
and e_b = f(e_out) with f(e) = sgn(e) sqrt|e| (eq. 10, 11): of mean 0 and, as E|e| = sqrt(2 / pi), of variance 2 / pi
for weights and sqrt(2 / pi) for biases. Start (section 3.2): independent, mu uniform within sqrt(3 / inputs) and sigma
0.017; factorised, mu uniform within 1 / sqrt(inputs) and sigma 0.5 / sqrt(inputs).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from goagent.noise.taxonomy import Place, Source

SOURCES = {"noisy-linear": Source(Place.ARCHITECTURE, "Fortunato et al. 2018, arXiv:1706.10295")}


class NoisyLinear(nn.Linear):
    """x (..., in_features) -> (..., out_features). `weight` and `bias` are the means, all there is at evaluation.

    In training every call draws anew, once for all of x.
    """

    def __init__(
        self, in_features: int, out_features: int, factorised: bool = True, generator: torch.Generator | None = None
    ) -> None:
        super().__init__(in_features, out_features)
        self.factorised = factorised
        self.generator = generator
        bound, sigma = (
            (1 / in_features**0.5, 0.5 / in_features**0.5) if factorised else ((3 / in_features) ** 0.5, 0.017)
        )
        nn.init.uniform_(self.weight, -bound, bound)
        nn.init.uniform_(self.bias, -bound, bound)
        self.weight_sigma = nn.Parameter(torch.full_like(self.weight, sigma))
        self.bias_sigma = nn.Parameter(torch.full_like(self.bias, sigma))

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        if self.factorised:
            at_input, at_output = self._root(self.weight[0]), self._root(self.bias)
            weight_noise, bias_noise = torch.outer(at_output, at_input), at_output
        else:
            weight_noise, bias_noise = self._normal(self.weight), self._normal(self.bias)
        return functional.linear(
            x, self.weight + self.weight_sigma * weight_noise, self.bias + self.bias_sigma * bias_noise
        )

    def _normal(self, like: Tensor) -> Tensor:
        return torch.empty_like(like).normal_(generator=self.generator)

    def _root(self, like: Tensor) -> Tensor:
        drawn = self._normal(like)
        return drawn.sign() * drawn.abs().sqrt()
