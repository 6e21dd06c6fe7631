"""Small networks whose information can be counted, several trained at once. Start with `Autoregressive`.

They stand side by side: the first dimension of a tensor is the network, and nothing passes from one to another. Adam
treats each number by itself, so together they learn what they would learn apart, in a fraction of the time.
"""

import math
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

HIDDEN = 64  # units on both sides of an autoencoder's bottleneck


class SideBySide(nn.Module):
    """A linear layer for each of `count` networks: (count, batch, inputs) -> (count, batch, outputs).

    mask: (inputs, outputs), 0 where no weight is. Begins as `nn.Linear` does.
    """

    mask: Tensor | None

    def __init__(self, count: int, inputs: int, outputs: int, mask: Tensor | None = None) -> None:
        super().__init__()
        reach = inputs**-0.5
        self.weight = nn.Parameter(torch.empty(count, inputs, outputs).uniform_(-reach, reach))
        self.bias = nn.Parameter(torch.empty(count, 1, outputs).uniform_(-reach, reach))
        self.register_buffer("mask", mask)

    def forward(self, x: Tensor) -> Tensor:
        return torch.baddbmm(self.bias, x, self.weight if self.mask is None else self.weight * self.mask)


class Each(nn.Module):
    """A layer for each network that has nothing to learn, such as noise: (count, batch, units), the same shape."""

    def __init__(self, layers: Sequence[nn.Module]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([layer(one) for layer, one in zip(self.layers, x, strict=True)])


class Autoregressive(nn.Module):
    """Distributions over vectors of signs that are known to the bit: of each sign, given those before it.

    One hidden layer of `units`, each of which sees the first so many signs and speaks of later ones only; so many from
    1 to all but one, evenly spread (MADE, Germain et al. 2015, arXiv:1502.03509). dropout: in the hidden layer, a share
    for each network.
    """

    def __init__(self, length: int, units: int, dropout: Sequence[float]) -> None:
        super().__init__()
        place = torch.arange(1, length + 1)
        seen = 1 + torch.arange(units) * (length - 1) // units
        sees, speaks = (place[:, None] <= seen).float(), (seen[:, None] < place).float()
        self.count = len(dropout)
        self.layers = nn.Sequential(
            SideBySide(len(dropout), length, units, sees),
            nn.ReLU(),
            Each([nn.Dropout(share) for share in dropout]),
            SideBySide(len(dropout), units, length, speaks),
        )
        self.size = int(sees.sum() + speaks.sum()) + units + length  # weights of one network, biases included

    def bits(self, x: Tensor) -> Tensor:
        """(n, length) of -1 and +1 -> (count, n): -log2 of the probability of each vector."""
        logits = self.layers(x.expand(self.count, *x.shape))
        return functional.softplus(-x * logits).sum(dim=2) / math.log(2)


class Autoencoder(nn.Module):
    """Vectors of signs through a narrow noisy layer and back, (n, length) -> logits (count, n, length).

    channels: of each network, the layer that noise is in, and how many units it has. It is as wide as the widest; the
    others' further units are cut off behind it.
    """

    def __init__(self, length: int, channels: Sequence[tuple[nn.Module, int]]) -> None:
        super().__init__()
        self.count = count = len(channels)
        units = torch.tensor([number for _, number in channels])
        widest = int(units.max())
        self.encoder = nn.Sequential(SideBySide(count, length, HIDDEN), nn.ReLU(), SideBySide(count, HIDDEN, widest))
        self.channel = Each([layer for layer, _ in channels])
        self.register_buffer("wired", (torch.arange(widest) < units[:, None]).float()[:, None])
        self.decoder = nn.Sequential(SideBySide(count, widest, HIDDEN), nn.ReLU(), SideBySide(count, HIDDEN, length))

    def send(self, x: Tensor) -> Tensor:
        """What the units receive, noise included if it is on: (n, length) -> (count, n, widest)."""
        return self.channel(self.encoder(x.expand(self.count, *x.shape))) * self.wired

    def forward(self, x: Tensor) -> Tensor:
        return self.decoder(self.send(x))


def gaussian_log_likelihood(received: Tensor, sent: Tensor, std: float) -> Tensor:
    """received (draws, units), what was sent for each word (N, units) -> (draws, N) nats, but for a constant a draw."""
    return -0.5 * (torch.cdist(received, sent) / std) ** 2


def erasure_log_likelihood(received: Tensor, sent: Tensor) -> Tensor:
    """The same of signs, of which dropout has put some to 0: 0 for the words that agree with the rest, else -inf."""
    agree = received.sign() @ sent.sign().T == received.sign().abs().sum(dim=1, keepdim=True)
    return torch.where(agree, 0.0, -math.inf)


def signs_log_likelihood(logits: Tensor, words: Tensor) -> Tensor:
    """The same of words (N, length) by a decoder's logits (draws, length) of their signs, each by itself."""
    return logits @ words.T / 2


def training(network: nn.Module, loss: Callable[[], Tensor], steps: int, rate: float) -> Iterator[int]:
    """Adam on loss(), a sum over the networks; in the second half its rate falls to 0. Yields each step when made."""
    optimiser = torch.optim.Adam(network.parameters(), lr=rate, fused=True)
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = rate * min(1.0, 2 * (1 - step / steps))
        optimiser.zero_grad()
        loss().backward()
        optimiser.step()
        yield step


def train(network: nn.Module, loss: Callable[[], Tensor], steps: int, rate: float) -> None:
    """`training` to its end."""
    for _ in training(network, loss, steps, rate):
        pass
