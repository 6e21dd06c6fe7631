"""What parts the units of a layer that begin alike: not mini-batches, but noise of their own. Start with
`SymmetryBreaking`.

A layer whose weights are all the same number is one unit many times over. Gradient descent gives all of them the same
gradient, whatever the batch, so they stay one unit; gradient noise and dropout treat each by itself, and so does a
random beginning, which then needs no noise at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn import functional

from goagent.lab.core import Claim, Criterion, Experiment, Figures, Result, Role, Scale
from goagent.noise.gradient import add_gradient_noise
from goagent.noise.initialisation import initialise_alike, initialise_randomly, unit_deviation, unit_rank

INPUTS, UNITS, CLASSES = 16, 16, 8
SAME = 0.1  # every weight at a constant beginning
FULL, BATCHES, NOISE, DROPOUT = "full batch", "mini-batches", "gradient noise", "dropout"
PRODUCTS, RANDOM, ONE = "matrix products", "random beginning", "one unit"
BLUE, GREY = "#0072B2", "#999999"


@dataclass(frozen=True)
class Settings:
    steps: int = 3000
    rate: float = 0.1
    batch: int = 32  # of the cells that learn from mini-batches
    eta: float = 0.01  # of gradient noise: its variance at first
    dropout: float = 0.2
    examples: int = 512  # to learn from
    tests: int = 4000  # to be measured on


class UnitByUnit(nn.Module):
    """The function of `Linear(INPUTS, n), Tanh(), Linear(n, CLASSES)`, each unit computed by itself.

    A matrix product may sum in another order in some of its columns, and then rounding alone parts units. Here all
    units go through the same operations on arrays of the same shape, and what is alike stays alike to the last bit.
    """

    def __init__(self, layered: nn.Sequential) -> None:
        super().__init__()
        hidden, output = (layer for layer in layered if isinstance(layer, nn.Linear))
        self.incoming = nn.ParameterList(row.detach().clone() for row in hidden.weight)  # (INPUTS,) each
        self.offset = nn.ParameterList(one.detach().clone() for one in hidden.bias)
        self.outgoing = nn.ParameterList(column.detach().clone() for column in output.weight.T)  # (CLASSES,) each
        self.bias = nn.Parameter(output.bias.detach().clone())

    def forward(self, x: Tensor) -> Tensor:
        """(n, INPUTS) -> logits (n, CLASSES)."""
        logits = self.bias.expand(len(x), CLASSES)
        for incoming, offset, outgoing in zip(self.incoming, self.offset, self.outgoing, strict=True):
            logits = logits + torch.tanh(x @ incoming + offset)[:, None] * outgoing
        return logits

    def weights(self) -> Tensor:
        """(units, INPUTS + 1 + CLASSES), all that belongs to a unit."""
        each = zip(self.incoming, self.offset, self.outgoing, strict=True)
        return torch.stack([torch.cat([i.detach(), o.detach()[None], w.detach()]) for i, o, w in each])


class SymmetryBreaking(Experiment):
    name = "symmetry"
    title = "Symmetry breaking among the units of a layer"
    claim = Claim(
        sentence="Units of a layer that begin alike get the same gradients and stay alike; the noise of training parts "
        "them.",
        essay="Jang 2016, Exploration energy: the noise of stochastic gradients, be it from mini-batches or added to "
        "the gradient, breaks the symmetry of the parameters, so that a layer's gradients are not synchronised.",
        source="Rumelhart, Hinton and Williams 1986, Learning internal representations by error propagation: equal "
        "weights get equal error signals and stay equal, hence small random ones to begin with. Neelakantan et al. "
        "2015, arXiv:1511.06807: added gradient noise helps from poor beginnings.",
        data=f"Synthetic: {CLASSES} Gaussian clusters in {INPUTS} dimensions, standard normal around standard normal "
        "centres, 512 points to learn from and 4,000 others to be measured on.",
        models=f"One hidden layer of {UNITS} tanh units, every weight {SAME} at the beginning, and plain gradient "
        "descent for the same number of steps: on all examples, on mini-batches of 32, on all with gradient noise "
        "(eta 0.01, gamma 0.55), on all with dropout of 0.2 in the hidden layer. In the first two each unit is "
        "computed by itself, as the rounding of a matrix product may differ by column; mini-batches in matrix "
        "products, as in the cells with noise, are measured apart.",
        baselines="The same layer with random weights (He et al. 2015), on all examples, without noise; one unit alone "
        "with random weights.",
        metric="Deviation: the largest difference between two units in a weight of theirs, incoming or outgoing, "
        "where 0 means equal to the last bit. Rank: how many of the units' incoming weights are linearly independent. "
        "Accuracy on points not learned from.",
        shows_not="That training needs noise: a random beginning parts the units before the first step, and nobody "
        "begins with a constant. That mini-batches are of no other use. That any noise does it: noise in the examples "
        "is shared by the units as mini-batches are. In single precision, and in matrix products, rounding is a noise "
        "of its own, whose effect depends on the machine.",
    )
    criteria = (
        Criterion(f"{FULL}: deviation", "on all examples, the deviation between units that began alike", Role.CLAIM,
                  at_most=0),
        Criterion(f"{NOISE}: relative", "with gradient noise, accuracy by that of a random beginning", Role.CLAIM,
                  at_least=0.8),
        Criterion(f"{DROPOUT}: relative", "with dropout, the same", Role.CLAIM, at_least=0.8),
        Criterion(f"{BATCHES}: deviation", "mini-batches are no such noise: deviation with them", Role.CONDITION,
                  at_most=0),
        Criterion(f"{RANDOM}: accuracy", "the task can be learned: accuracy from a random beginning", Role.CONTROL,
                  at_least=0.9),
        Criterion(f"{ONE}: relative", "and not with one unit: its accuracy by that of the layer", Role.CONTROL,
                  at_most=0.6),
        Criterion(f"{FULL}: moved", "units that stay alike do learn: the farthest a weight went, all examples",
                  Role.CONTROL, at_least=0.1),
        Criterion(f"{BATCHES}: moved", "and with mini-batches", Role.CONTROL, at_least=0.1),
        Criterion(f"{BATCHES}: rank", "rank with mini-batches", Role.DETAIL, at_most=1),
        Criterion(f"{NOISE}: rank", "rank with gradient noise", Role.DETAIL, at_least=UNITS),
        Criterion(f"{DROPOUT}: rank", "rank with dropout", Role.DETAIL, at_least=UNITS),
        Criterion("over one unit", "on all examples, accuracy beyond that of one unit alone", Role.DETAIL,
                  at_least=-0.1, at_most=0.1),
        Criterion(f"{PRODUCTS}: deviation", "rounding does not matter: deviation in matrix products, mini-batches",
                  Role.DETAIL, at_most=0.001),
    )  # fmt: skip
    settings: Mapping[Scale, Settings] = {
        "test": Settings(steps=20, examples=128, tests=200),
        "quick": Settings(steps=300),
        "full": Settings(),
    }

    def cells(self, settings: Settings) -> tuple[str, ...]:
        return (FULL, BATCHES, NOISE, DROPOUT, RANDOM, ONE, PRODUCTS)

    def measure(self, cell: str, seed: int, settings: Settings) -> Figures:
        x, labels, x_test, labels_test = clusters(settings.examples, settings.tests, seed)
        with torch.random.fork_rng(devices=[]):  # dropout draws from torch's own generator
            torch.manual_seed(seed)
            network = begin(cell, settings)
            before = weights(network)
            train(cell, network, x, labels, seed, settings)
        after, network = weights(network), network.eval()
        with torch.no_grad():
            right = float((network(x_test).argmax(dim=1) == labels_test).double().mean())
        return {
            "deviation": unit_deviation(after),
            "rank": float(unit_rank(after[:, :INPUTS])),
            "moved": float((after - before).abs().max()),
            "accuracy": right,
            "incoming": after[:, :INPUTS].tolist(),
        }

    def derive(self, figures: Figures) -> Figures:
        random = max(figures[f"{RANDOM}: accuracy"], 1 / CLASSES)
        cells = (FULL, BATCHES, NOISE, DROPOUT, ONE, PRODUCTS)
        return {f"{cell}: relative": figures[f"{cell}: accuracy"] / random for cell in cells} | {
            "over one unit": figures[f"{FULL}: accuracy"] - figures[f"{ONE}: accuracy"]
        }

    def draw(self, result: Result) -> Figure:
        return picture(result)

    def conclude(self, result: Result) -> str:
        def of(cell: str, name: str = "accuracy") -> float:
            return result.mean(f"{cell}: {name}")

        return (
            f"Of {UNITS} units that begin alike, the deviation is {of(FULL, 'deviation'):.3g} after gradient descent "
            f"on all examples and {of(BATCHES, 'deviation'):.3g} after mini-batches: they classify {of(FULL):.0%} and "
            f"{of(BATCHES):.0%}, one unit alone {of(ONE):.0%}. Gradient noise parts them (rank "
            f"{of(NOISE, 'rank'):.3g}, {of(NOISE):.0%}), and so does dropout (rank {of(DROPOUT, 'rank'):.3g}, "
            f"{of(DROPOUT):.0%}); a random beginning needs neither ({of(RANDOM):.0%}). In matrix products, "
            f"mini-batches and rounding come to a deviation of {of(PRODUCTS, 'deviation'):.2g} and {of(PRODUCTS):.0%}."
        )


def clusters(examples: int, tests: int, seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """x (examples, INPUTS) and labels (examples,), then the same to be measured on."""
    generator = torch.Generator().manual_seed(seed)
    centres = torch.randn(CLASSES, INPUTS, generator=generator)
    labels = torch.arange(examples + tests) % CLASSES
    x = centres[labels] + torch.randn(examples + tests, INPUTS, generator=generator)
    return x[:examples], labels[:examples], x[examples:], labels[examples:]


def begin(cell: str, settings: Settings) -> nn.Module:
    """The cell's network before the first step; random numbers are torch's own."""
    units = 1 if cell == ONE else UNITS
    noise = nn.Dropout(settings.dropout if cell == DROPOUT else 0)
    layered = nn.Sequential(nn.Linear(INPUTS, units), nn.Tanh(), noise, nn.Linear(units, CLASSES))
    if cell in (RANDOM, ONE):
        initialise_randomly(layered)
    else:
        initialise_alike(layered, SAME)
    return UnitByUnit(layered) if cell in (FULL, BATCHES) else layered


def weights(network: nn.Module) -> Tensor:
    """(units, INPUTS + 1 + CLASSES), all that belongs to a unit, as `UnitByUnit.weights`."""
    if isinstance(network, UnitByUnit):
        return network.weights()
    assert isinstance(network, nn.Sequential)
    return UnitByUnit(network).weights()


def train(cell: str, network: nn.Module, x: Tensor, labels: Tensor, seed: int, settings: Settings) -> None:
    """Plain gradient descent on cross-entropy, with the cell's batches and noise."""
    generator = torch.Generator().manual_seed(seed)
    parameters = list(network.parameters())
    optimiser = torch.optim.SGD(parameters, lr=settings.rate)
    for step in range(settings.steps):
        if cell in (BATCHES, PRODUCTS):
            chosen = torch.randint(len(x), (settings.batch,), generator=generator)
            loss = functional.cross_entropy(network(x[chosen]), labels[chosen])
        else:
            loss = functional.cross_entropy(network(x), labels)
        optimiser.zero_grad()
        loss.backward()
        if cell == NOISE:
            add_gradient_noise(parameters, step, settings.eta, generator=generator)
        optimiser.step()


def picture(result: Result) -> Figure:
    """Above, each layer's incoming weights after training, a row for a unit; below, how often each is right."""
    cells = {
        FULL: "All examples",
        BATCHES: "Mini-batches",
        NOISE: "Gradient noise",
        DROPOUT: "Dropout",
        RANDOM: "Random beginning,\nno noise",
    }
    figure = Figure(figsize=(13, 5.6), facecolor="white", layout="constrained")
    grid = figure.add_gridspec(2, len(cells), height_ratios=(1.3, 1))
    figure.suptitle(
        f"Weights of {UNITS} units after training, a row for each (violet above 0, orange below); "
        "in all but the last layer they began alike"
    )
    for column, (cell, title) in enumerate(cells.items()):
        axes = figure.add_subplot(grid[0, column])
        incoming = np.array(result.first(f"{cell}: incoming"))
        reach = float(np.abs(incoming).max())
        axes.imshow(incoming, cmap="PuOr", vmin=-reach, vmax=reach, aspect="auto")
        deviation, rank = result.first(f"{cell}: deviation"), result.first(f"{cell}: rank")
        axes.set_title(f"{title}\nrank {rank:.0f}, deviation {deviation:.2g}", fontsize=10)
        axes.set(xticks=[], yticks=[], xlabel=f"{INPUTS} inputs")
        if column == 0:
            axes.set_ylabel(f"{UNITS} units")
    axes = figure.add_subplot(grid[1, :])
    estimates = [result.estimates[f"{cell}: accuracy"] for cell in cells]
    bars = axes.bar(range(len(cells)), [e.mean for e in estimates], 0.5, color=BLUE)
    axes.bar_label(bars, [f"{e.mean:.0%}" for e in estimates], fontsize=10)
    one = result.mean(f"{ONE}: accuracy")
    axes.axhline(one, color=GREY, linestyle="--", label=f"one unit alone ({one:.0%})")
    axes.axhline(1 / CLASSES, color=GREY, linestyle=":", label=f"guessing ({1 / CLASSES:.1%})")
    axes.set_xticks(range(len(cells)), [title.replace("\n", " ") for title in cells.values()])
    axes.set(ylim=(0, 1.2), yticks=np.linspace(0, 1, 6), ylabel="test points right")
    axes.legend(fontsize=9, frameon=False, loc="upper left", ncols=2)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


EXPERIMENT = SymmetryBreaking()
