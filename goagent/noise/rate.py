"""A price for bits that moves until a target number of them passes.

A fixed price buys no fixed rate: how many bits pass at beta depends on what they are worth, and where every bit is
worth the same the rate jumps from none to all at one price. So the rate is a constraint, held by a Lagrange multiplier
that follows the excess and a spring that damps it (Platt and Barr 1988, Constrained Differential Optimization, NIPS;
Rezende and Viola 2018, arXiv:1810.00597, do so with the error of an autoencoder). Against a cross-entropy in nats the
price settles at ln 2 or below: a bit does not save more.

A new network's bottleneck may pass a hundred times the target, and what it passes is of no use yet. Asked for the
target at once it learns to be silent before it knows what to say. So the rate is led down, a little with every step,
and shares of it count, not bits.
"""

import torch
from torch import Tensor

from goagent.noise.checks import positive
from goagent.noise.taxonomy import Place, Source

SOURCES = {"rate": Source(Place.REGULARISATION, "Platt and Barr 1988, NIPS; Rezende and Viola 2018, arXiv:1810.00597")}

_FAR = 0.1  # a larger excess counts as this for the price, or that would run away


class RateController:
    """Holds the mean rate of a bottleneck at `target_bits`, from both sides.

    price: what a bit costs now, in units of the loss; all that there is to save. aim: bits asked for now, which fall
    from the first rate seen to the target, by a share `descent` a step while the rate keeps up. Off the aim by a share
    e, the price of the target's bits together grows by speed * e a step, and they cost stiffness * e besides. The
    defaults suit a loss of a few nats; a larger one wants both larger. Raises ValueError unless all are above 0.
    """

    def __init__(self, target_bits: float, speed: float = 0.1, stiffness: float = 3.0, descent: float = 0.01) -> None:
        self.target_bits = positive("target_bits", target_bits)
        self.speed = positive("speed", speed)
        self.stiffness = positive("stiffness", stiffness)
        self.descent = positive("descent", descent)
        self.price = 0.0
        self.aim = 0.0  # nothing seen yet

    def penalty(self, bits: Tensor) -> Tensor:
        """() to add to the loss. bits: (batch,) or (), as a `Bottleneck` reports them."""
        if not self.aim:
            self.aim = max(self.target_bits, float(bits.detach().mean()))
        excess = self._excess(bits)
        return self.price * self.target_bits * excess + self.stiffness * excess**2 / 2

    def update(self, bits: Tensor) -> None:
        """Move price and aim, after the step that used them. bits: as for `penalty`."""
        excess = float(self._excess(bits.detach()))
        self.price += self.speed / self.target_bits * max(-_FAR, min(_FAR, excess))
        if excess < _FAR:  # it keeps up
            self.aim = max(self.target_bits, self.aim * (1 - self.descent))

    def _excess(self, bits: Tensor) -> Tensor:
        """() by which share the rate is off; above the aim on a logarithmic scale."""
        relative = bits.mean() / self.aim
        return torch.where(relative > 1, relative.clamp(min=1).log(), relative - 1)
