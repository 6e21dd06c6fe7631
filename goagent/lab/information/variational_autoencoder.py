"""Whether the noise in a variational autoencoder's code keeps it from over-fitting. Start with `OverFitting`.

A plain autoencoder is a variational one whose noise is off and whose bits are free, so noise and price can be switched
one by one. Networks that differ only in them are trained side by side, on the same examples in the same order.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from torch import Tensor, nn
from torch.nn import functional

from envs import GoBatch, Rules
from goagent.lab.boards_drawn import draw_board
from goagent.lab.core import Claim, Criterion, Experiment, Figures, Result, Role, Scale
from goagent.lab.information.bits import expand
from goagent.lab.information.known_networks import SideBySide, train, training
from goagent.learning.dataset import PACKAGED
from goagent.noise.bottleneck import VariationalBottleneck
from goagent.records.sgf import read_games

GO, NOISY, CLEAN, DIMENSION = "boards", "noisy vectors", "clean vectors", "dimension"
SIZE, PLY = 7, 20  # a board of each game, after this many moves
INPUTS, FACTORS = 48, 4  # numbers a vector, and what they are made of
NOISE = {NOISY: 0.7, CLEAN: 0.1, DIMENSION: 0.5}  # standard deviation; without it the numbers have about 0.7
DIMENSIONS, ACTIVE = (2, 4, 6), 0.1  # factors to be found; bits that a unit in use passes
HIDDEN, UNITS, PLENTY_UNITS, BATCH = 64, 8, 10, 50
PRICES = (0.1, 0.3, 1.0, 3.0, 10.0)  # of a bit of rate, in bits of reconstruction: at 1 their sum is the bound
PLAIN, PRICED, FREE, VAE = "plain", "price alone", "noise alone", "price 1"
ARMS = {PLAIN: (False, 0.0), PRICED: (False, 1.0), FREE: (True, 0.0)} | {f"price {p:g}": (True, p) for p in PRICES}
MOMENTS = 12  # at which errors are measured, more of them early
DRAWS = 10  # of the noise, in measuring the bound
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#999999"

# answers (networks, n, outputs), x (networks, n, inputs) -> bits (networks, n)
Loss = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Settings:
    examples: int = 500  # to learn from
    steps: int = 1500
    rate: float = 3e-3
    games: int | None = None  # that boards are taken from; None: all
    plenty: int = 20_000  # examples, to find the dimension
    long: int = 3000  # steps, and
    fast: float = 1e-2  # learning rate, for the same


class OverFitting(Experiment):
    name = "variational-autoencoder"
    version = 2  # of the boards held out in version 1 an eighth had been learned from, too
    title = "The noise in a variational autoencoder's code, and over-fitting"
    claim = Claim(
        sentence="The noise in the code of a variational autoencoder destroys excess information, so that it learns a "
        "concise code and over-fits less than a plain autoencoder.",
        essay="Jang 2016, Limiting information in neural nets: the Gaussian noise of a variational autoencoder's "
        "hidden layer destroys excess information and forces compact representations; a regular one will likely "
        "over-fit.",
        source="Kingma and Welling 2014, arXiv:1312.6114: mean and spread of the code are learned, its noise drawn by "
        "reparameterisation, the loss a bound: reconstruction and divergence from the prior. Alemi et al. 2018, "
        "arXiv:1711.00464: rate and distortion, and what the bound leaves open between them.",
        data=f"Go: the boards after {PLY} moves of the packaged 7x7 games, each board once; own, no or the other "
        "side's stone at 49 points; 500 to learn from, the others held out. Synthetic: "
        f"{FACTORS} standard normal factors in {INPUTS} numbers, with Gaussian noise as strong as what it covers (0.7) "
        "or hardly any (0.1); 500 and 2,000. For the dimension: 2, 4 or 6 factors, noise 0.5, 20,000 examples.",
        models=f"{HIDDEN} ReLU units, a code of {UNITS} units ({PLENTY_UNITS} for the dimension), {HIDDEN} ReLU units; "
        f"Adam, batches of {BATCH}, 1,500 steps at a rate of 0.003 that falls to 0 in the second half: of 0.001, 0.003 "
        "and 0.01 the one with the least held-out error of plain autoencoders on boards. For the dimension 3,000 steps "
        "at 0.01. The Gaussian of the bound has the noise's true spread.",
        baselines="The same network without noise and price; with the price only; with the noise only. The plain one "
        "at its best moment, and where it fits its examples as the variational one does in the end. Each point's "
        "frequencies. For the dimension probabilistic principal components (Tipping and Bishop 1999), a linear "
        "variational autoencoder: one with eigenvalue v passes log2(v / s²) / 2 bits.",
        metric="Bits an example. Reconstruction, noise off in all: cross-entropy, or squared error / (2 s² ln 2). Its "
        "gap: held out less learned from. Of the variational one also the bound's gap, noise on, 10 draws. Rate and "
        "distortion on the examples learned from, noise on. Active: a unit with a rate of 0.1 bits or more, held out; "
        "a rate is an upper bound of information. The best of 12 moments is chosen by the held-out error, which "
        "flatters both sides alike.",
        shows_not="That noise is needed: other limits of a code were not tried, and where the data hold no excess it "
        "does nothing. That variational autoencoders make better boards or find better features. Anything of larger "
        "networks or data. This is its second judging: in the first an eighth of the boards held out had been learned "
        "from; no threshold was changed, and the verdict is the same.",
    )
    criteria = (
        Criterion(f"{GO}: {VAE} ratio", "boards: the variational autoencoder's gap by the plain one's", Role.CLAIM,
                  at_most=0.5),
        Criterion(f"{NOISY}: {VAE} ratio", "noisy vectors: the same", Role.CLAIM, at_most=0.5),
        Criterion(f"{GO}: bound ratio", "boards: the gap of its bound by the plain one's", Role.CLAIM, at_most=0.5),
        Criterion(f"{NOISY}: bound ratio", "noisy vectors: the same", Role.CLAIM, at_most=0.5),
        Criterion(f"{GO}: wrong way", "boards: most bits by which rate rises or distortion falls as the price rises",
                  Role.CLAIM, at_most=0.1),
        Criterion(f"{NOISY}: wrong way", "noisy vectors: the same", Role.CLAIM, at_most=0.1),
        Criterion(f"{DIMENSION}: off", "active units less factors, in the worst of three cases", Role.CLAIM,
                  at_most=1),
        Criterion(f"{CLEAN}: {VAE} ratio", "vectors with hardly any noise: the ratio of gaps", Role.CONDITION,
                  at_least=0.8),
        Criterion(f"{GO}: equal fit", "boards: its gap by that of a plain one stopped at an equal fit", Role.CONDITION,
                  at_least=0.5),
        Criterion(f"{NOISY}: equal fit", "noisy vectors: the same", Role.CONDITION, at_least=0.5),
        Criterion(f"{NOISY}: advantage", "noisy vectors: held-out bits that a plain one needs more, both at their best "
                  "moment", Role.CONDITION, at_most=0),
        Criterion(f"{GO}: {FREE} ratio", "boards: the ratio with noise that costs nothing, which learning can remove",
                  Role.CONDITION, at_least=0.8),
        Criterion(f"{GO}: {PRICED} ratio", "boards: the ratio with the price, but no noise", Role.CONDITION,
                  at_most=0.5),
        Criterion(f"{GO}: {PLAIN} gap", "the plain one over-fits: its gap on boards, bits", Role.CONTROL, at_least=5),
        Criterion(f"{NOISY}: {PLAIN} gap", "and on noisy vectors", Role.CONTROL, at_least=3),
        Criterion(f"{GO}: learned", "the variational one learns: held-out bits saved against each point's frequencies",
                  Role.CONTROL, at_least=5),
        Criterion(f"{DIMENSION}: linear", "principal components do not find the dimension: how many too many at least",
                  Role.CONTROL, at_least=2),
        Criterion(f"{GO}: advantage", "boards: held-out bits that a plain one needs more, both at their best moment",
                  Role.DETAIL, at_least=0),
        Criterion(f"{GO}: inner", "boards: held-out bits that the price of 1 saves against the better of 0.1 and 10",
                  Role.DETAIL, at_least=1),
    )  # fmt: skip
    settings: Mapping[Scale, Settings] = {
        "test": Settings(examples=60, steps=25, games=100, plenty=200, long=20),
        "quick": Settings(steps=500, plenty=10_000, long=600),
        "full": Settings(),
    }

    def cells(self, settings: Settings) -> tuple[str, ...]:
        return (GO, NOISY, CLEAN, DIMENSION)

    def measure(self, cell: str, seed: int, settings: Settings) -> Figures:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            if cell == DIMENSION:
                return measure_dimension(settings)
            if cell != GO:
                x = vectors(FACTORS, 5 * settings.examples, NOISE[cell])
                return measure_arms(x, settings, squared_error(NOISE[cell]), INPUTS)
            boards = torch.from_numpy(boards_of_games(settings.games))
            boards = boards[torch.randperm(len(boards))]
            figures = measure_arms(boards, settings, cross_entropy, 3 * SIZE**2)
            alone = by_frequencies(boards[: settings.examples], boards[settings.examples :])
            return figures | {"frequencies": alone, "learned": alone - figures[f"{VAE} held out"]}

    def draw(self, result: Result) -> Figure:
        return picture(result)

    def conclude(self, result: Result) -> str:
        def of(name: str, cell: str = GO) -> float:
            return result.mean(f"{cell}: {name}")

        found = ", ".join(f"{of(f'active {k}', DIMENSION):.3g}" for k in DIMENSIONS)
        return (
            f"A plain autoencoder reconstructs other boards {of(f'{PLAIN} gap'):.1f} bits worse than its own, a "
            f"variational one {of(f'{VAE} gap'):.1f}, {of(f'{VAE} ratio'):.0%} of that gap (noisy vectors "
            f"{of(f'{VAE} ratio', NOISY):.0%}, almost clean ones {of(f'{VAE} ratio', CLEAN):.0%}). The noise alone "
            f"leaves {of(f'{FREE} ratio'):.0%} of it, the price alone {of(f'{PRICED} ratio'):.0%}. By the gap of a "
            f"plain one stopped at an equal fit it is {of('equal fit'):.0%} (noisy vectors "
            f"{of('equal fit', NOISY):.0%}); both at their best moment, the variational one is {of('advantage'):.1f} "
            f"bits ahead on boards, {of('advantage', NOISY):.1f} on noisy vectors. Of {PLENTY_UNITS} units it uses "
            f"{found} for {', '.join(map(str, DIMENSIONS))} factors."
        )


class Autoencoders(nn.Module):
    """One autoencoder for each of `noisy`, side by side; False: its code is the mean in training, too."""

    def __init__(self, noisy: list[bool], inputs: int, outputs: int, units: int = UNITS) -> None:
        super().__init__()
        count = len(noisy)
        self.noisy = torch.tensor(noisy)[:, None, None]
        self.encoder = nn.Sequential(SideBySide(count, inputs, HIDDEN), nn.ReLU(), SideBySide(count, HIDDEN, 2 * units))
        self.code = VariationalBottleneck()
        self.decoder = nn.Sequential(SideBySide(count, units, HIDDEN), nn.ReLU(), SideBySide(count, HIDDEN, outputs))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x (networks, n, inputs) -> answers (networks, n, outputs), rates in bits (networks, n)."""
        said = self.encoder(x)
        mean = said.chunk(2, dim=2)[0]
        code = torch.where(self.noisy, self.code(said.flatten(0, 1)).view_as(mean), mean)
        assert self.code.bits is not None
        return self.decoder(code), self.code.bits.view(said.shape[:2])

    def bound(self, x: Tensor, prices: Tensor, loss: Loss) -> Tensor:
        """() what to learn from: distortion and price times rate, in bits, of a batch drawn from x, summed."""
        batch = x[:, torch.randint(x.shape[1], (BATCH,))]
        answers, rates = self.train()(batch)
        return (loss(answers, batch) + prices[:, None] * rates).mean(dim=1).sum()


@lru_cache(maxsize=1)
def boards_of_games(limit: int | None) -> np.ndarray:
    """(n, points) float32, boards after PLY moves of the first `limit` games, each once: +1 own stones, -1 others."""
    games = [replace(game, rules=Rules.square(SIZE)) for game in islice(read_games(PACKAGED / "7x7.sgfs.gz"), limit)]
    games = [game for game in games if len(game.moves) >= PLY]
    batch = GoBatch.from_positions([game.start() for game in games])
    for ply in range(PLY):
        batch.step(np.array([game.moves[ply][1] for game in games]))
    stones, own = batch.boards.reshape(len(games), -1), batch.to_play[:, None]
    boards = np.where(stones == 0, 0, np.where(stones == own, 1, -1)).astype(np.float32)
    return np.unique(boards, axis=0)  # many games begin alike: no board may be learned from and held out, too


def vectors(factors: int, count: int, noise: float) -> Tensor:
    """(count, INPUTS) from torch's own generator, which draws the same factors whatever the noise."""
    clean = expand(torch.randn(count, factors), INPUTS, torch.default_generator)
    return clean + noise * torch.randn(count, INPUTS)


def cross_entropy(answers: Tensor, boards: Tensor) -> Tensor:
    """Bits to tell the stones of boards (..., points), from three logits a point: the other side's, none, own."""
    logs = answers.unflatten(-1, (-1, 3)).log_softmax(dim=-1)
    return -logs.gather(-1, boards.long().unsqueeze(-1) + 1).sum(dim=(-2, -1)) / math.log(2)


def squared_error(noise: float) -> Loss:
    """Bits to tell x by a Gaussian of this spread around the answer, more than if the answer were x."""
    return lambda answers, x: (answers - x).square().sum(dim=-1) / (2 * noise**2 * math.log(2))


def moments(steps: int) -> list[int]:
    """The steps after which errors are measured, the last among them."""
    return sorted({math.ceil(steps * (moment / MOMENTS) ** 2) for moment in range(1, MOMENTS + 1)})


def measure_arms(x: Tensor, settings: Settings, loss: Loss, outputs: int) -> Figures:
    """All ARMS on the first examples of x (n, inputs), the rest held out."""
    arms, count = list(ARMS), settings.examples
    learned, held = (part.expand(len(arms), -1, -1) for part in (x[:count], x[count:]))
    networks = Autoencoders([noise for noise, _ in ARMS.values()], x.shape[1], outputs)
    prices = torch.tensor([price for _, price in ARMS.values()])
    curves = []
    for step in training(networks, lambda: networks.bound(learned, prices, loss), settings.steps, settings.rate):
        if step + 1 in moments(settings.steps):
            with torch.no_grad():
                networks.eval()
                curves.append([loss(networks(part)[0], part).mean(dim=1) for part in (learned, held)])
    fits, errors = (torch.stack(curve, dim=1).numpy() for curve in zip(*curves, strict=True))  # (arms, moments)
    (distortions, rates), (distortions_held, rates_held) = (
        noisy_parts(networks, part, loss) for part in (learned, held)
    )
    with torch.no_grad():
        answers = networks.eval()(held[:, :1])[0][:, 0]

    gaps = errors[:, -1] - fits[:, -1]
    bound_gaps = distortions_held + rates_held - distortions - rates
    plain, vae, low, high = (arms.index(arm) for arm in (PLAIN, VAE, "price 0.1", "price 10"))
    stopped = error_at_fit(fits[plain], errors[plain], fits[vae, -1])
    figures: Figures = {
        "bound ratio": float(bound_gaps[vae] / gaps[plain]),
        "wrong way": wrong_way(rates[low:], distortions[low:]),
        "equal fit": float(gaps[vae] / (stopped - fits[vae, -1])),
        "advantage": float(errors[plain].min() - errors[vae].min()),
        "inner": float(min(errors[low, -1], errors[high, -1]) - errors[vae, -1]),
        "example": held[0, 0].tolist(),
    }
    for index, arm in enumerate(arms):
        figures |= {
            f"{arm} gap": float(gaps[index]),
            f"{arm} ratio": float(gaps[index] / gaps[plain]),
            f"{arm} rate": float(rates[index]),
            f"{arm} distortion learned": float(distortions[index]),
            f"{arm} distortion held out": float(distortions_held[index]),
            f"{arm} held out": float(errors[index, -1]),
            f"{arm} fits": fits[index].tolist(),
            f"{arm} errors": errors[index].tolist(),
            f"{arm} answer": answers[index].tolist(),
        }
    return figures


@torch.no_grad()
def noisy_parts(networks: Autoencoders, x: Tensor, loss: Loss) -> tuple[np.ndarray, np.ndarray]:
    """Distortion with the noise on and rate, the two parts of the bound: (networks,) each, in bits."""
    drawn = [networks.train()(x) for _ in range(DRAWS)]
    distortions = torch.stack([loss(answers, x).mean(dim=1) for answers, _ in drawn]).mean(dim=0)
    return distortions.numpy(), drawn[0][1].mean(dim=1).numpy()


def wrong_way(rates: np.ndarray, distortions: np.ndarray) -> float:
    """The most by which the rate rises or the distortion falls from one price (prices,) to the next."""
    return float(max(np.diff(rates).max(), -np.diff(distortions).min()))


def error_at_fit(fits: np.ndarray, errors: np.ndarray, fit: float) -> float:
    """Held-out error when the examples were fitted so well: between two moments (moments,) of learning."""
    order = np.argsort(fits)
    return float(np.interp(fit, fits[order], errors[order]))


def by_frequencies(learned: Tensor, held: Tensor) -> float:
    """Bits to tell the stones of held (n, points), by how often there were such at a point in learned (n, points)."""
    counts = functional.one_hot(learned.long() + 1, 3).sum(dim=0) + 1
    return float(cross_entropy(counts.log().flatten().expand(len(held), -1), held).mean())


def measure_dimension(settings: Settings) -> Figures:
    """How many units variational autoencoders use for vectors of DIMENSIONS factors."""
    noise, count = NOISE[DIMENSION], len(DIMENSIONS)
    x = torch.stack([vectors(factors, settings.plenty + 2000, noise) for factors in DIMENSIONS])
    learned, held = x[:, : settings.plenty], x[:, settings.plenty :]
    networks = Autoencoders([True] * count, INPUTS, INPUTS, PLENTY_UNITS)
    loss, prices = squared_error(noise), torch.ones(count)
    train(networks, lambda: networks.bound(learned, prices, loss), settings.long, settings.fast)
    with torch.no_grad():
        rates = unit_rates(networks.encoder(held)).sort(dim=1, descending=True).values
    active = (rates >= ACTIVE).sum(dim=1).tolist()
    linear = [linear_units(part, noise) for part in learned]
    figures: Figures = {
        "off": float(max(abs(found - k) for found, k in zip(active, DIMENSIONS, strict=True))),
        "linear": float(min(found - k for found, k in zip(linear, DIMENSIONS, strict=True))),
    }
    for index, k in enumerate(DIMENSIONS):
        figures |= {f"active {k}": float(active[index]), f"linear {k}": float(linear[index])}
        figures[f"rates {k}"] = rates[index].tolist()
    return figures


def unit_rates(said: Tensor) -> Tensor:
    """What a variational bottleneck is given, (networks, n, 2 * units) -> (networks, units) its mean rates in bits."""
    one = VariationalBottleneck()
    one(said.unflatten(2, (2, -1)).transpose(2, 3).reshape(-1, 2))
    assert one.bits is not None
    return one.bits.view(*said.shape[:2], -1).mean(dim=1)


def linear_units(x: Tensor, noise: float) -> int:
    """How many units a linear variational autoencoder would use for x (n, inputs), from its eigenvalues."""
    return int((0.5 * torch.log2(torch.linalg.eigvalsh(x.T.cov()) / noise**2) >= ACTIVE).sum())


def picture(result: Result) -> Figure:
    """How both learn boards, and whose gap noise narrows; what the price does; a board; the units in use."""
    figure = Figure(figsize=(14, 6.6), facecolor="white", layout="constrained")
    grid = figure.add_gridspec(2, 3, width_ratios=(1.2, 1, 1.1))
    draw_curves(figure.add_subplot(grid[:, 0]), result)
    draw_ratios(figure.add_subplot(grid[0, 1]), result)
    draw_trade(figure.add_subplot(grid[1, 1]), result)
    example = grid[0, 2].subgridspec(1, 3)
    board = np.reshape(result.first(f"{GO}: example"), (SIZE, SIZE))
    draw_board(figure.add_subplot(example[0]), board, title="A held-out board")
    for column, (arm, title) in enumerate(((PLAIN, "as the plain\none says it"), (VAE, "and the\nvariational one")), 1):
        draw_answer(figure.add_subplot(example[column]), result.first(f"{GO}: {arm} answer"), title)
    draw_units(figure.add_subplot(grid[1, 2]), result)
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def draw_curves(axes: Axes, result: Result) -> None:
    steps = moments(result.experiment.settings[result.scale].steps)
    for arm, name, colour, right in ((PLAIN, "plain", ORANGE, 1.04), (VAE, "variational", BLUE, 1.01)):
        fits, errors = (
            np.mean([figures[f"{GO}: {arm} {kind}"] for figures in result.by_seed], axis=0)
            for kind in ("fits", "errors")
        )
        axes.plot(steps, fits, "--", color=colour)
        axes.plot(steps, errors, color=colour)
        place = steps[-1] * right
        axes.annotate("", (place, errors[-1]), (place, fits[-1]), arrowprops={"arrowstyle": "<->", "color": colour})
        axes.text(steps[-1] * 1.06, errors[-1] - 5, f"gap {errors[-1] - fits[-1]:.1f}", color=colour, va="center")
        axes.text(steps[-3] * 0.97, errors[-3] + 0.9, name, color=colour, ha="right")
        best = int(errors.argmin())
        axes.plot(steps[best], errors[best], "o", color=colour)
    alone = result.mean(f"{GO}: frequencies")
    axes.axhline(alone, color=GREY, linestyle=":")
    axes.text(steps[-1] * 0.1, alone, "each point by its frequencies", color=GREY, va="bottom", fontsize=9)
    axes.set(
        xlim=(0, steps[-1] * 1.2),
        ylim=(None, max(alone, result.mean(f"{GO}: {PLAIN} held out")) + 3),
        xlabel="steps",
        ylabel="bits to tell a board",
    )
    axes.set_title("Held-out boards (lines, best moment: dot),\nand those learned from (dashes)", fontsize=10)


def draw_ratios(axes: Axes, result: Result) -> None:
    cells = {GO: "boards", NOISY: "noisy\nvectors", CLEAN: "almost\nclean\nvectors"}
    for row, cell in enumerate(cells):
        arms = ((VAE, "noise and price", BLUE), (PRICED, "price alone", GREEN), (FREE, "noise alone", GREY))
        for index, (arm, label, colour) in enumerate(arms):
            ratio = result.mean(f"{cell}: {arm} ratio")
            axes.barh(row + 0.27 * index, ratio, 0.24, color=colour)
            axes.text(
                ratio + 0.02, row + 0.27 * index, f"{ratio:.0%} {label if row == 0 else ''}", va="center", fontsize=9
            )
    axes.axvline(1, color=ORANGE, zorder=0)
    axes.set_yticks(np.arange(len(cells)) + 0.27, list(cells.values()))
    axes.invert_yaxis()
    axes.set(xlim=(0, 1.6), xticks=[])
    axes.set_title("The gap, by the plain one's (line)", fontsize=10)


def draw_trade(axes: Axes, result: Result) -> None:
    rates = [result.mean(f"{GO}: price {price:g} rate") for price in PRICES]
    for kind, style in (("learned", "o--"), ("held out", "o-")):
        bits = [result.mean(f"{GO}: price {price:g} distortion {kind}") for price in PRICES]
        axes.plot(rates, bits, style, color=BLUE)
    for price, rate, bit in zip(PRICES, rates, bits, strict=True):
        place = (10, -4) if price == max(PRICES) else (2, 6) if price < 3 else (10, -16)
        axes.annotate(f"{price:g}", (rate, bit), place, textcoords="offset points", fontsize=9, color=BLUE)
    axes.set(xlabel="rate, bits", ylabel="distortion, bits")
    axes.set_title("Boards at five prices of a bit: held out (line)\nand learned from (dashes)", fontsize=10)


def draw_answer(axes: Axes, logits: list[float], title: str) -> None:
    """Stones as solid as they are likely."""
    draw_board(axes, np.zeros((SIZE, SIZE)), title=title)
    for point, (white, _, black) in enumerate(torch.tensor(logits).view(-1, 3).softmax(dim=1).tolist()):
        for chance, colour in ((white, "white"), (black, "black")):
            axes.add_patch(Circle((point % SIZE, point // SIZE), 0.44, facecolor=colour, alpha=chance, zorder=3))


def draw_units(axes: Axes, result: Result) -> None:
    for k, colour in zip(DIMENSIONS, (GREEN, BLUE, ORANGE), strict=True):
        rates = np.mean([figures[f"{DIMENSION}: rates {k}"] for figures in result.by_seed], axis=0)
        axes.plot(range(1, PLENTY_UNITS + 1), rates, "o-", color=colour, markersize=4)
        axes.annotate(f"{k} factors", (k, rates[k - 1]), (5, 5), textcoords="offset points", color=colour, fontsize=9)
    axes.set(xlabel="unit of the code, most used first", ylabel="rate, bits", xticks=range(1, PLENTY_UNITS + 1))
    axes.set_title("Vectors: units in use, for so many factors", fontsize=10)


EXPERIMENT = OverFitting()
