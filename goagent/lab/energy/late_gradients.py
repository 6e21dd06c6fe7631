"""Policies that learn by gradients which come late. Start with `late_updates`.

The experiment's part that its processes import; the rest would cost each of them seconds.
"""

import math
import time
from collections import deque
from collections.abc import Iterable, Iterator
from copy import deepcopy

import torch
from torch import Tensor, nn

from goagent.noise.staleness import StaleGradients

UNITS = 64


def flat(parts: Iterable[Tensor]) -> Tensor:
    """(copies, rows, columns) each -> (copies, numbers)"""
    return torch.cat([part.flatten(1) for part in parts], dim=1)


class Policies(nn.Module):
    """Policies that learn side by side from one beginning, with what they learn from, which goes with them.

    x (n, inputs), answers (n, points): positions, and the uniform distribution over the winning moves of each.
    """

    x: Tensor
    answers: Tensor
    begun: Tensor  # (workers,) bool

    def __init__(self, x: Tensor, answers: Tensor, batch: int) -> None:
        super().__init__()
        layers = nn.Linear(x.shape[1], UNITS), nn.Linear(UNITS, answers.shape[1])
        parts = [part.detach() for layer in layers for part in (layer.weight.T, layer.bias[None])]
        self.parts = nn.ParameterList(part[None].clone() for part in parts)  # (copies, rows, columns) each
        self.batch = batch
        self.seed = 0  # of the first worker
        for name, tensor in {"x": x, "answers": answers, "begun": torch.zeros(1, dtype=torch.bool)}.items():
            self.register_buffer(name, tensor)

    def repeat(self, copies: int) -> "Policies":
        """So many copies of a single policy."""
        many = deepcopy(self)
        many.parts = nn.ParameterList(part.detach().repeat(copies, 1, 1) for part in self.parts)
        return many

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs) -> log-probabilities (copies, n, points)."""
        inward, offset, outward, bias = self.parts
        return (torch.tanh(x @ inward + offset) @ outward + bias).log_softmax(-1)

    def losses(self, x: Tensor, answers: Tensor) -> Tensor:
        """(copies,) cross-entropy in nats."""
        return -(answers * self(x)).sum(-1).mean(-1)

    def loss(self, chosen: Tensor | slice) -> Tensor:
        """() over examples, summed over copies, so that the gradient of each is its own."""
        return self.losses(self.x[chosen], self.answers[chosen]).sum()

    def draw(self, generator: torch.Generator) -> Tensor:
        """(batch,) indices of examples"""
        return torch.randint(len(self.x), (self.batch,), generator=generator)

    def gradient(self, chosen: Tensor | slice) -> Tensor:
        """(copies, weights); `.grad` stays as it is."""
        return flat(torch.autograd.grad(self.loss(chosen), list(self.parts)))

    def weights(self) -> Tensor:
        """(copies, weights), a copy."""
        return flat([part.detach() for part in self.parts])


def meeting_loss(network: nn.Module, generator: torch.Generator) -> Tensor:
    """The loss of a worker of `hogwild`; none goes on before all have begun, which takes some of them longer."""
    assert isinstance(network, Policies)
    network.begun[generator.initial_seed() - network.seed] = True
    while not network.begun.all():
        time.sleep(0.001)
    return network.loss(network.draw(generator))


def late_updates(
    network: Policies, delay: int, rates: Tensor, seed: int, updates: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Train each copy at its rate (copies,) by gradients `delay` updates late, which are in `.grad`.

    Yields, before each update, the batch that its gradient is of, and the way (copies, weights) gone since.
    """
    stale = StaleGradients(network.parts, delay)
    optimizer = torch.optim.SGD(network.parts, lr=1)
    generator = torch.Generator().manual_seed(seed)
    begun: deque[tuple[Tensor, Tensor]] = deque()  # the batches on their way, and the weights they met
    for _ in range(updates + delay):
        batch = network.draw(generator)
        begun.append((batch, network.weights()))
        network.zero_grad()
        network.loss(batch).backward()
        if stale.exchange():
            batch, then = begun.popleft()
            yield batch, network.weights() - then
            for part in network.parts:
                assert part.grad is not None
                part.grad *= rates[:, None, None]
            optimizer.step()


def train(network: Policies, delay: int, rates: Tensor, seed: int, updates: int) -> None:
    """All of `late_updates`."""
    for _ in late_updates(network, delay, rates, seed, updates):
        pass


def curvature(network: Policies, iterations: int = 30) -> float:
    """The largest eigenvalue of the loss's second derivative on all examples, by power iteration."""
    parts = list(network.parts)
    slopes = torch.autograd.grad(network.loss(slice(None)), parts, create_graph=True)
    direction = [torch.randn_like(part) for part in parts]
    for _ in range(iterations):
        length = flat(direction).norm()
        direction = [part / length for part in direction]
        along = sum(((slope * part).sum() for slope, part in zip(slopes, direction, strict=True)), torch.zeros(()))
        direction = list(torch.autograd.grad(along, parts, retain_graph=True))
    return float(flat(direction).norm())


def critical(delay: int) -> float:
    """Rate times curvature from which descent at a delay diverges (Levin and May 1976): 2 cos(pi d / (2 d + 1))."""
    return 2 * math.sin(math.pi / (2 * (2 * delay + 1)))
