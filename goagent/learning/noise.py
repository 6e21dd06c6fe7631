"""What `--noise` does while a network learns: to its labels, its weights, its loss, its gradient and its optimiser.

What it does inside the network is built into that (`policies/layers.py`); what each source is, `goagent/noise` says.
"""

import math
from collections import deque
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor

from goagent.noise.binary import clip_weights
from goagent.noise.bottleneck import Bottleneck
from goagent.noise.dropout import VariationalConv2d
from goagent.noise.gradient import add_gradient_noise
from goagent.noise.labels import disturb_labels
from goagent.noise.langevin import Langevin
from goagent.noise.rate import RateController
from goagent.noise.settings import read_noise
from goagent.noise.staleness import StaleGradients
from goagent.noise.weights import weight_noise
from goagent.policies.network import PolicyNetwork


class TrainingNoise:
    """The noise of one run; without any, each method leaves everything as it is.

    asked: as --noise has it. examples: how many positions are learned from, over which the price of weights is spread.
    """

    def __init__(self, asked: tuple[str, ...], network: PolicyNetwork, examples: int) -> None:
        self._settings = read_noise(asked)
        self._network = network
        self._examples = examples
        self._bottleneck = next((layer for layer in network.modules() if isinstance(layer, Bottleneck)), None)
        self._priced = [layer for layer in network.modules() if isinstance(layer, VariationalConv2d)]
        self._rate = RateController(self._settings["rate"]) if "rate" in self._settings else None
        self._stale = StaleGradients(network.parameters(), int(self._settings.get("stale", 0)))

    def __bool__(self) -> bool:
        return bool(self._settings)

    @property
    def workers(self) -> int:
        """How many learn at once."""
        return int(self._settings.get("hogwild", 1))

    def optimizer(self, learning_rate: float, weight_decay: float) -> torch.optim.Optimizer:
        """AdamW, or what takes its place."""
        if "langevin" in self._settings:
            return Langevin(self._network.parameters(), learning_rate, self._settings["langevin"])
        return torch.optim.AdamW(self._network.parameters(), lr=learning_rate, weight_decay=weight_decay)

    def weights(self) -> AbstractContextManager[None]:
        """Around the forward pass of a loss."""
        return weight_noise(self._network, self._settings["weight"]) if "weight" in self._settings else nullcontext()

    def labels(self, moves: Tensor, legal: Tensor) -> Tensor:
        """The expert's moves (batch,), as they are learned; legal (batch, num_actions) bool."""
        return disturb_labels(moves, legal, self._settings["label"]) if "label" in self._settings else moves

    def penalty(self) -> Tensor | float:
        """What the noise of the last forward pass costs, in nats an example: to be added to the loss."""
        cost: Tensor | float = sum((layer.kl() for layer in self._priced), 0.0) / self._examples
        if self._bits is not None and self._rate is not None:
            cost = cost + self._rate.penalty(self._bits)
        elif self._bits is not None:
            cost = cost + self._settings.get("variational-bottleneck", 0.0) * math.log(2) * self._bits.mean()
        return cost

    def gradients(self, update: int) -> bool:
        """To the clipped gradient of this update, the first being 0; False if no step is to be made yet."""
        if "gradient" in self._settings:
            add_gradient_noise(self._network.parameters(), update, self._settings["gradient"])
        return "stale" not in self._settings or self._stale.exchange()

    def stepped(self) -> None:
        """After the optimiser's step."""
        if "binary" in self._settings:
            clip_weights(self._network)
        if self._rate is not None and self._bits is not None:
            self._rate.update(self._bits)

    def measured(self) -> dict[str, float]:
        """The rate of the last forward pass."""
        return {} if self._bits is None else {"bits": float(self._bits.detach().mean())}

    def state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """What the next step depends on, as JSON and tensors."""
        rate = {} if self._rate is None else {"price": self._rate.price, "aim": self._rate.aim}
        waiting = {
            f"{late}.{number}": gradient
            for late, gradients in enumerate(self._stale.waiting)
            for number, gradient in enumerate(gradients)
            if gradient is not None
        }
        return rate, waiting

    def restore(self, state: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """The inverse of `state`. Raises KeyError, ValueError."""
        if self._rate is not None:
            self._rate.price, self._rate.aim = float(state["price"]), float(state["aim"])
        waiting: deque[list[Tensor | None]] = deque()
        for name, gradient in tensors.items():
            late, number = map(int, name.split("."))
            while len(waiting) <= late:
                waiting.append([None] * len(self._stale.parameters))
            waiting[late][number] = gradient
        self._stale.waiting = waiting

    @property
    def _bits(self) -> Tensor | None:
        return None if self._bottleneck is None else self._bottleneck.bits
