"""One trunk, many ways to answer: the models that the chapter compares. Start with `MODELS`.

Heads that people can train with `train.py --policy` are `goagent.policies`'; those that only an experiment needs are
here. All answer with a `MoveDistribution`, so everything measured of one can be measured of all.
"""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import Categorical
from torch.nn import functional

from goagent.lab.capture_go import PLANES
from goagent.policies.distributions import (
    CategoricalMoves,
    DrawnMoves,
    MoveDistribution,
    PlaneMoves,
    PointMoves,
    coordinates,
    nearest_points,
    pass_loss,
)
from goagent.policies.heads import (
    CategoricalHead,
    LatentHead,
    MixtureHead,
    NoisyAttention,
    RegressionHead,
    attended,
    sharpen,
)
from goagent.policies.trunk import GlobalPool

LAYERS = 3
WIDE, NARROW = 33, 32  # channels for heads with few and with more weights: all play with about as many
NOISE = 4  # numbers that a noisy model is given
DRAWS = 128  # of them, for its distribution


class Model(nn.Module):
    """Planes (batch, PLANES, size, size) to a distribution over moves; `capture_go.observe` makes the planes."""

    def __init__(self, trunk: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.trunk = trunk
        self.head = head

    def forward(self, planes: Tensor, legal: Tensor | None = None) -> MoveDistribution:
        """legal: (batch, num_actions) bool; None: every action, which shows what the model would do by itself."""
        return self.answer(self.trunk(planes), legal)

    def answer(self, features: Tensor, legal: Tensor | None = None) -> MoveDistribution:
        if legal is None:
            legal = torch.ones(len(features), features.shape[2] * features.shape[3] + 1, dtype=torch.bool)
        return self.head(features, legal)


def trunk(channels: int) -> nn.Module:
    """Three convolutions of 3x3 with zero padding; the planes have coordinates, so it knows where a point is."""
    widths = [PLANES] + [channels] * LAYERS
    layers = [(nn.Conv2d(i, o, 3, padding=1), nn.ReLU()) for i, o in pairwise(widths)]
    return nn.Sequential(*(module for layer in layers for module in layer))


class SymmetricConv2d(nn.Conv2d):
    """A convolution with a kernel that all eight symmetries of the square leave as it is."""

    def forward(self, x: Tensor) -> Tensor:
        turned = [self.weight.rot90(k, (2, 3)) for k in range(4)]
        kernel = torch.stack(turned + [w.flip(3) for w in turned]).mean(0)
        return functional.conv2d(x, kernel, self.bias, padding=1)


class EquivariantTrunk(nn.Module):
    """Turn or mirror the board and the features turn with it, exactly: symmetric kernels, and no directions.

    Coordinates are replaced by two functions of them that symmetries leave alone.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        widths = [PLANES] + [channels] * LAYERS
        layers = [(SymmetricConv2d(i, o, 3), nn.ReLU()) for i, o in pairwise(widths)]
        self.layers = nn.Sequential(*(module for layer in layers for module in layer))

    def forward(self, planes: Tensor) -> Tensor:
        squares = planes[:, 5:7] ** 2
        invariant = torch.stack([squares.sum(dim=1), squares.prod(dim=1)], dim=1)
        return self.layers(torch.cat([planes[:, :5], invariant], dim=1))


class AbsoluteMoves(PointMoves):
    """One point, by absolute error: the coordinates' medians instead of their means."""

    def distance(self, actions: Tensor) -> Tensor:
        return (self.raw[:, :2] - coordinates(actions, self.cols)).abs().sum(dim=1)


class AbsoluteHead(RegressionHead):
    """The regressor, trained by absolute error."""

    def forward(self, features: Tensor, legal: Tensor) -> MoveDistribution:
        answer = super().forward(features, legal)
        return AbsoluteMoves(answer.raw, legal, *features.shape[2:])


class HypothesesMoves(PlaneMoves):
    """A few points, each with a weight (Guzman-Rivera et al. 2012; Rupprecht et al. 2017): the winner takes all.

    raw: (batch, 3 * points + 1): rows, columns, the logits of the weights, then the logit of the pass.
    """

    def places(self) -> tuple[Tensor, Tensor]:
        """(batch, points, 2) row and column, and (batch, points) weights."""
        rows, cols, weights = self.raw[:, :-1].chunk(3, dim=1)
        return torch.stack([rows, cols], dim=2), weights.softmax(dim=1)

    def categorical(self, temperature: float = 1.0) -> Categorical:
        places, weights = self.places()
        nearest = nearest_points(places, self.legal[:, :-1], self.cols)
        passing = torch.sigmoid(self.raw[:, -1:])
        shares = torch.zeros_like(self.legal[:, :-1], dtype=weights.dtype).scatter_add_(1, nearest, weights)
        moves = torch.cat([shares * (1 - passing), passing], dim=1)
        return CategoricalMoves(moves.clamp(min=1e-30).log(), self.legal & (moves > 0)).categorical(temperature)

    def squared_errors(self, actions: Tensor) -> Tensor:
        """(batch, points) from each point to the move."""
        return (self.places()[0] - coordinates(actions, self.cols)[:, None]).square().sum(dim=2)

    def imitation_loss(self, actions: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Squared error of the nearest point alone, a hundredth of it for the others, and who was nearest."""
        errors = self.squared_errors(actions)
        nearest, winner = errors.min(dim=1)
        weights = functional.cross_entropy(self.raw[:, :-1].chunk(3, dim=1)[2], winner, reduction="none")
        # Without a share for the losers, a point that starts behind all the others would never move.
        return nearest + 0.01 * errors.mean(dim=1) + weights + pass_loss(self.raw[:, -1], actions < 0)


class HypothesesHead(nn.Module):
    """As many points as asked for, each attended to."""

    def __init__(self, channels: int, points: int = 8) -> None:
        super().__init__()
        self.attention = nn.Conv2d(channels, points, 1)
        self.pool = GlobalPool()
        self.rest = nn.Linear(3 * channels, points + 1)
        sharpen(self.attention)

    def forward(self, features: Tensor, legal: Tensor) -> MoveDistribution:
        places = attended(self.attention(features))
        raw = torch.cat([places[:, :, 0], places[:, :, 1], self.rest(self.pool(features))], dim=1)
        return HypothesesMoves(raw, legal, *features.shape[2:])


class FactorisedHead(nn.Module):
    """A distribution over rows and one over columns, as if they had nothing to do with each other."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.rows = nn.Conv1d(channels, 1, 1)
        self.cols = nn.Conv1d(channels, 1, 1)

    def forward(self, features: Tensor, legal: Tensor) -> MoveDistribution:
        rows = self.rows(features.amax(dim=3)).log_softmax(dim=2)
        cols = self.cols(features.amax(dim=2)).log_softmax(dim=2)
        points = rows[:, 0, :, None] + cols[:, 0, None, :]
        return CategoricalMoves(_without_pass(points), legal)


class AutoregressiveHead(nn.Module):
    """A distribution over rows, then one over the columns of the row that was drawn."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.rows = nn.Conv1d(channels, 1, 1)
        self.points = nn.Conv2d(channels, 1, 1)

    def forward(self, features: Tensor, legal: Tensor) -> MoveDistribution:
        rows = self.rows(features.amax(dim=3)).log_softmax(dim=2)
        within = self.points(features).log_softmax(dim=3)
        return CategoricalMoves(_without_pass(rows[:, 0, :, None] + within[:, 0]), legal)


class NoiseHead(nn.Module):
    """A point for each draw of noise, trained by plain squared error, or by that of the nearest of some draws.

    nearest_of: 1 is plain squared error, the control: nothing pays for using the noise. More is implicit maximum
    likelihood (Li and Malik 2018): each move of the expert pulls only the draw that came nearest.
    """

    def __init__(self, channels: int, nearest_of: int) -> None:
        super().__init__()
        self.nearest_of = nearest_of
        self.attention = NoisyAttention(channels, NOISE)
        self.pool = GlobalPool()
        self.passing = nn.Linear(3 * channels, 1)
        self.register_buffer("draws", torch.randn(DRAWS, NOISE, generator=torch.Generator().manual_seed(0)))

    draws: Tensor

    def forward(self, features: Tensor, legal: Tensor) -> MoveDistribution:
        passing = self.passing(self.pool(features))

        def loss(actions: Tensor, generator: torch.Generator | None) -> Tensor:
            noise = torch.randn(len(actions), self.nearest_of, NOISE, generator=generator)
            places = self.attention(features, noise.reshape(len(features), -1, NOISE)).reshape(len(actions), -1, 2)
            errors = (places - coordinates(actions, features.shape[3])[:, None]).square().sum(dim=2)
            passed = pass_loss(passing.expand(-1, len(actions) // len(features)).flatten(), actions < 0)
            return errors.amin(dim=1) + passed

        return self.attention.answer(features, self.draws, passing, legal, loss)


def _without_pass(points: Tensor) -> Tensor:
    """(batch, rows, cols) log probabilities to (batch, num_actions), the pass impossible."""
    return torch.cat([points.flatten(1), points.new_full((len(points), 1), -30.0)], dim=1)


MODELS: dict[str, Callable[[], Model]] = {
    "squared error": lambda: Model(trunk(WIDE), RegressionHead(WIDE)),
    "absolute error": lambda: Model(trunk(WIDE), AbsoluteHead(WIDE)),
    "noise, squared error": lambda: Model(trunk(NARROW), NoiseHead(NARROW, 1)),
    "8 hypotheses": lambda: Model(trunk(NARROW), HypothesesHead(NARROW, 8)),
    "row x column": lambda: Model(trunk(WIDE), FactorisedHead(WIDE)),
    "row, then column": lambda: Model(trunk(WIDE), AutoregressiveHead(WIDE)),
    "mixture": lambda: Model(trunk(NARROW - 1), MixtureHead(NARROW - 1)),
    "latent": lambda: Model(trunk(NARROW), LatentHead(NARROW)),
    "nearest of 8 draws": lambda: Model(trunk(NARROW), NoiseHead(NARROW, 8)),
    "categorical": lambda: Model(trunk(WIDE), CategoricalHead(WIDE)),
    "equivariant": lambda: Model(EquivariantTrunk(WIDE), CategoricalHead(WIDE)),
}


def fit(
    model: Model,
    planes: np.ndarray,
    answers: np.ndarray,
    steps: int,
    batch_size: int,
    seed: int,
    learning_rate: float = 2e-3,
) -> None:
    """Show the model positions and, each time anew, one of the expert's answers drawn at random.

    planes: (n, PLANES, size, size) float32. answers: (n, size * size) weights of the moves. AdamW with a rate that
    falls to nothing along a cosine.
    """
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, learning_rate, total_steps=steps, pct_start=0.1)
    generator = torch.Generator().manual_seed(seed)
    rng = np.random.default_rng(seed)
    layout = torch.channels_last  # in which convolutions are faster
    model.to(memory_format=layout)  # type: ignore[call-overload]
    shown, weights = torch.from_numpy(planes), torch.from_numpy(answers.astype(np.float32))
    order = np.empty(0, np.int64)
    for _ in range(steps):
        while len(order) < min(batch_size, len(planes)):
            order = np.concatenate([order, rng.permutation(len(planes))])
        chosen, order = np.split(order, [min(batch_size, len(planes))])
        features = model.trunk(shown[chosen].contiguous(memory_format=layout))
        copies = batch_size // len(chosen)  # of a few positions: look at each once, show many moves
        rows = torch.from_numpy(chosen).repeat_interleave(copies)
        moves = torch.multinomial(weights[rows], 1, generator=generator).squeeze(1)
        loss = _repeated(model, features, copies).imitation_loss(moves, generator).mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    model.eval()


def _repeated(model: Model, features: Tensor, copies: int) -> MoveDistribution:
    """The model's answer, `copies` times in a row for each position, to be compared with as many moves."""
    answer = model.answer(features)
    if not isinstance(answer, DrawnMoves):  # which draws for each move
        answer.raw = answer.raw.repeat_interleave(copies, dim=0)
    return answer


def fresh(name: str, seed: int) -> Model:
    """An untrained model; the same seed gives the same weights, and torch's own generator is left alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return MODELS[name]()
