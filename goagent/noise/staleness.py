"""Asynchronous training without its chance: every gradient is applied a fixed number of updates late.

Where many workers share weights, a gradient was computed at weights that others have since moved on; the number of
their updates is its staleness (Dean et al. 2012, NIPS; `hogwild.py` measures it). Here update u uses the weights of
`delay` updates ago. On the loss k w^2 / 2 gradient descent stays stable only while lr k < 2 cos(pi delay / (2 delay +
1)) (Levin and May 1976, Theoretical Population Biology 9): 2 without delay, 1 with a delay of 1, about pi / (2 delay)
for long ones.
"""

from collections import deque
from collections.abc import Iterable

from torch import Tensor

from goagent.noise.checks import not_negative
from goagent.noise.taxonomy import Place, Source

SOURCES = {"stale": Source(Place.OPTIMISATION, "Dean et al. 2012, NIPS")}


class StaleGradients:
    """Hands each gradient on `delay` steps later, to any optimiser; with a delay of 0 it changes nothing.

        loss.backward()
        if stale.exchange():
            optimizer.step()

    waiting: the gradients on their way, oldest first; all that there is to save. Raises ValueError for a negative
    delay.
    """

    def __init__(self, parameters: Iterable[Tensor], delay: int) -> None:
        self.parameters = list(parameters)
        self.delay = int(not_negative("delay", delay))
        self.waiting: deque[list[Tensor | None]] = deque()

    def exchange(self) -> bool:
        """Put the gradient of `delay` calls ago in the place of this one. False while there is none: make no step."""
        self.waiting.append([None if p.grad is None else p.grad.clone() for p in self.parameters])
        if len(self.waiting) <= self.delay:
            return False
        for parameter, gradient in zip(self.parameters, self.waiting.popleft(), strict=True):
            parameter.grad = gradient
        return True
