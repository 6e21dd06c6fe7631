"""A price for bits that moves until a target number of them passes.

A fixed price buys no fixed rate: how many bits pass at beta depends on what they are worth, and where every bit is
worth the same the rate jumps from none to all at one price. So the rate is a constraint, held by a Lagrange multiplier
that follows the excess and a spring that damps it (Platt and Barr 1988, Constrained Differential Optimization, NIPS;
Rezende and Viola 2018, arXiv:1810.00597, do so with the error of an autoencoder). Against a cross-entropy in nats the
price settles at ln 2 or below: a bit does not save more.
"""

import torch
from torch import Tensor
from torch.nn import functional

from goagent.noise.checks import positive
from goagent.noise.taxonomy import Place, Source

SOURCES = {"rate": Source(Place.REGULARISATION, "Platt and Barr 1988, NIPS; Rezende and Viola 2018, arXiv:1810.00597")}

_FAR = 0.1  # a larger share counts as this


class RateController:
    """Holds the mean rate of a bottleneck at `target_bits`, from both sides.

    price: what a bit costs now, in units of the loss; all that there is to save. Off the target by a share e, the price
    grows by speed * e a step, and a bit costs stiffness * e besides. The defaults suit a loss of a few nats. Raises
    ValueError unless all are above 0.
    """

    def __init__(self, target_bits: float, speed: float = 0.03, stiffness: float = 1.0) -> None:
        self.target_bits = positive("target_bits", target_bits)
        self.speed = positive("speed", speed)
        self.stiffness = positive("stiffness", stiffness)
        self.price = 0.0

    def penalty(self, bits: Tensor) -> Tensor:
        """() to add to the loss. bits: (batch,) or (), as a `Bottleneck` reports them."""
        relative = bits.mean() / self.target_bits
        # Huber's loss: a spring near the target, a constant force far away, where a new network begins.
        spring = functional.huber_loss(relative, torch.ones_like(relative))
        return self.target_bits * (self.price * (relative - 1) + self.stiffness * spring)

    def update(self, bits: Tensor) -> None:
        """Move the price, after the step that used it. bits: as for `penalty`."""
        excess = float(bits.detach().mean()) / self.target_bits - 1
        # A new network's rate is far off: the price would run away while it comes down.
        self.price += self.speed * max(-_FAR, min(_FAR, excess))
