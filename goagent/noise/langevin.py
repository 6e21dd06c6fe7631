"""Langevin dynamics: gradient descent in a heat bath, which samples weights instead of finding the best ones.

Welling and Teh 2011, Bayesian Learning via Stochastic Gradient Langevin Dynamics, ICML: w <- w - (e / 2) dU/dw +
N(0, e), eq. 4, where U is the negative logarithm of the posterior. With lr = e / 2 and a temperature T this is w <- w -
lr dU/dw + sqrt(2 lr T) n, which for a small lr ends in the distribution exp(-U / T). On U = k w^2 / 2 its variance is
T / k / (1 - lr k / 2). A loss that is a mean over N examples is U / N, and the posterior's temperature then 1 / N.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from goagent.noise.checks import not_negative, positive
from goagent.noise.taxonomy import Place, Source

SOURCES = {"langevin": Source(Place.OPTIMISATION, "Welling and Teh 2011, ICML")}


class Langevin(torch.optim.Optimizer):
    """`temperature` 0 is `torch.optim.SGD(parameters, lr)` exactly.

    torch's schedulers lower lr; `param_groups[i]["temperature"]` may be changed at any time. Raises ValueError unless
    lr is above 0 and the temperature at least 0.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float,
        temperature: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> None:
        defaults = {"lr": positive("lr", lr), "temperature": not_negative("temperature", temperature)}
        super().__init__(parameters, defaults)
        self.generator = generator

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Move every parameter that has a gradient. closure: computes the loss anew; its value is returned."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            std = (2 * group["lr"] * group["temperature"]) ** 0.5
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                parameter.add_(parameter.grad, alpha=-group["lr"])
                if std:
                    parameter.add_(torch.empty_like(parameter).normal_(generator=self.generator), alpha=std)
        return loss
