"""Whether networks that compress more generalise better. Start with `Compression`.

Twenty-four classifiers differ in width, dropout, weight decay and the price of a bit of their code, learn the same 600
examples, and are ranked by the bits they pass and by how much worse they are on others. Where a network has learned
nothing it passes nothing and loses nothing, which makes the ranks agree for no good reason: so those that fit their
examples are ranked apart, and by what they get wrong of others.
"""

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn import functional

from goagent.lab.capture_go import observe, random_boards
from goagent.lab.core import Claim, Criterion, Experiment, Figures, Result, Role, Scale
from goagent.lab.information.bits import expand
from goagent.lab.information.known_networks import Each, SideBySide, train, training
from goagent.lab.information.measures import entropy
from goagent.lab.information.variational_autoencoder import boards_of_games, error_at_fit, moments
from goagent.lab.ranks import rank_correlation
from goagent.noise.bottleneck import VariationalBottleneck
from goagent.noise.labels import disturb_labels

TEACHER, NOISY, GO, AUTO = "teacher", "wrong labels", "Capture-Go", "autoencoders"
SIZE = 7
POINTS, CLASSES = SIZE**2, 8
TEACHING, WRONG = 16, 0.3  # units of the teacher; share of labels drawn anew
PRICES = (0.0, 0.003, 0.01, 0.03, 0.1, 0.3)  # of a bit of rate, in bits of log loss
DECAY, DROPOUT = 1e-3, 0.3
# Of the eight combinations those four in which no two factors go together. Width: dropout and decay, twice.
DESIGN = {64: ((0.0, DECAY), (DROPOUT, 0.0)), 256: ((0.0, 0.0), (DROPOUT, DECAY))}
CODE, BATCH = 16, 64
FIT = 0.95  # of its examples: a network that has them
LOST = 0.01  # of its examples: what rounding its weights may cost
STEPS = [2.0**-power for power in range(-1, 7)]  # to which weights are rounded
DROPOUTS, AUTO_HIDDEN = (0.0, 0.1, 0.2, 0.5), 128  # of the autoencoders
NARROW, WIDE = CODES = (16, 32)  # their codes
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#999999"


@dataclass(frozen=True)
class Settings:
    examples: int = 600  # to learn from
    held: int = 4000  # others; of boards to be reconstructed, what is left of the games
    steps: int = 800
    rate: float = 3e-3
    games: int | None = None  # that boards are taken from; None: all
    auto_steps: int = 1000


class Compression(Experiment):
    name = "compression"
    title = "Compression and generalisation"
    claim = Claim(
        sentence="The fewer bits a network passes for the same task, the better it generalises, down to a best number "
        "of bits; a plain autoencoder over-fits unless dropout limits its bits.",
        essay="Jang 2016, Limiting information in neural nets: more efficient compression means better generalisation "
        "at test time, which explains why dropout works against over-fitting; a regular autoencoder needs a stochastic "
        "trick such as dropout to control the bits of its features, or will likely over-fit.",
        source="Alemi et al. 2017, arXiv:1612.00410: the variational information bottleneck, a price on the bits of a "
        "code. Srivastava et al. 2014, JMLR 15: dropout.",
        data=f"Teacher: random boards of {POINTS} points in three states, labelled by the largest of {CLASSES} outputs "
        f"of a random network with {TEACHING} tanh units. Wrong labels: the same, {WRONG:.0%} of the labels to learn "
        "from drawn anew. Capture-Go: random 7x7 boards on which one move captures, and that move; the stones are "
        "shown, and which of them are in atari. Of each 600 to learn from and 4,000 others. Autoencoders: the boards "
        "after 20 moves of the packaged 7x7 games, each once, 600 to learn from.",
        models=f"24 classifiers: one hidden layer of 64 or 256 ReLU units, dropout 0 or {DROPOUT} in it, weight decay "
        f"0 or {DECAY}, a variational code of {CODE} units at six prices from 0 to 0.3 of a bit of log loss for a bit, "
        "a linear read-out; all prices with half of the other combinations. Adam, batches of 64, 800 steps at 0.003; "
        "at 0.001 and 0.01 the rank correlations of bits with gap and errors had the same signs on a development seed. "
        "Autoencoders: "
        f"{AUTO_HIDDEN} ReLU units, a code of {NARROW} or {WIDE}, "
        f"{AUTO_HIDDEN} units, with dropout of 0, 0.1, 0.2 or 0.5 in both hidden layers; 1,000 steps.",
        baselines="A price of nothing, where the noise is learned away. No dropout. Bits of the weights. A plain "
        "autoencoder stopped where it fits its examples as one with dropout does in the end; each point's mean.",
        metric="Rate: bits of the code's divergence from a standard normal, examples learned from, no dropout; an "
        "upper bound of the information that passes, and loose where it costs nothing. Gap: accuracy learned from less "
        "accuracy held out, noise off. Spearman's rank correlation of rate and gap for all networks; for those with "
        f"{FIT:.0%} of their examples right, of rate and errors held out, as their gap would follow their fit. Best "
        "price: chosen by accuracy on one half of the held-out examples, compared with both ends on the other, mean of "
        "the four combinations. Bits of the weights: coarsest rounding that costs 1 % of the examples at most, times "
        "the entropy of the rounded weights. Autoencoders: squared error a point; the dropout that is best on one half "
        "of the other boards, measured on the other half.",
        shows_not="What the information of larger networks, or of better codes, would do: rates are upper bounds, the "
        "true information was not measured. That bottlenecks are of no use: log loss and robustness are other aims. "
        "Real games' moves: networks of this size learn nothing of them from 600 boards.",
    )
    criteria = (
        *(Criterion(f"{cell}: all", f"{cell}: rank correlation of bits and gap, all networks", Role.CLAIM, at_least=0.5)
          for cell in (TEACHER, GO)),
        *(Criterion(f"{cell}: fitted", f"{cell}: of bits and errors held out, networks that fit their examples",
                    Role.CLAIM, at_least=0.5) for cell in (TEACHER, GO)),
        *(Criterion(f"{cell}: inner", f"{cell}: held-out accuracy of the best price above both ends", Role.CLAIM,
                    at_least=0.02) for cell in (TEACHER, GO)),
        Criterion(f"{AUTO}: ratio, {NARROW}", "plain autoencoder: error on other boards by that on its own, by the "
                  "same with dropout", Role.CLAIM, at_least=2),
        Criterion(f"{AUTO}: gain, {NARROW}", f"code of {NARROW}: error on others with dropout, by that of the plain "
                  "one", Role.CLAIM, at_most=0.95),
        Criterion(f"{AUTO}: gain, {WIDE}", f"code of {WIDE}: the same", Role.CONDITION, at_least=0.95),
        Criterion(f"{AUTO}: equal fit, {NARROW}", f"code of {NARROW}: the same, the plain one stopped at an equal fit",
                  Role.CONDITION, at_least=0.9),
        *(Criterion(f"{cell}: above", f"{cell} can be learned: accuracy where bits are free, above the commonest "
                    "answer's", Role.CONTROL, at_least=0.1) for cell in (TEACHER, GO)),
        *(Criterion(f"{cell}: count", f"{cell}: networks that fit their examples", Role.CONTROL, at_least=8)
          for cell in (TEACHER, GO)),
        *(Criterion(f"{cell}: spread", f"{cell}: most bits of these by fewest", Role.CONTROL, at_least=4)
          for cell in (TEACHER, GO)),
        Criterion(f"{AUTO}: learned, {NARROW}", "the plain autoencoder learns: error on others by that of each point's "
                  "mean", Role.CONTROL, at_most=0.7),
        *(Criterion(f"{cell}: fitted loss", f"{cell}: rank correlation of bits and log loss held out, networks that "
                    "fit their examples", Role.DETAIL, at_least=0.5) for cell in (TEACHER, GO)),
        *(Criterion(f"{cell}: inner loss", f"{cell}: bits of log loss that the best price saves against both ends",
                    Role.DETAIL, at_least=0.1) for cell in (TEACHER, GO)),
        *(Criterion(f"{cell}: fitted weights", f"{cell}: rank correlation of the weights' bits and errors held out, "
                    "networks that fit their examples", Role.DETAIL, at_least=0.5) for cell in (TEACHER, GO)),
        *(Criterion(f"{cell}: dropout gains", f"{cell}: held-out accuracy gained by dropout where bits are free",
                    Role.DETAIL, at_least=0.02) for cell in (TEACHER, GO)),
        *(Criterion(f"{cell}: dropout passes", f"{cell}: bits passed there, by those without dropout", Role.DETAIL,
                    at_most=0.9) for cell in (TEACHER, GO)),
        Criterion(f"{NOISY}: fitted", f"{NOISY}: rank correlation of bits and errors held out, networks that fit",
                  Role.DETAIL, at_least=0.5),
        Criterion(f"{NOISY}: inner", f"{NOISY}: held-out accuracy of the best price above both ends", Role.DETAIL,
                  at_least=0.02),
    )  # fmt: skip
    settings: Mapping[Scale, Settings] = {
        "test": Settings(examples=60, held=60, steps=20, games=100, auto_steps=12),
        "quick": Settings(held=2000, steps=400, auto_steps=700),
        "full": Settings(),
    }

    def cells(self, settings: Settings) -> tuple[str, ...]:
        return (TEACHER, NOISY, GO, AUTO)

    def measure(self, cell: str, seed: int, settings: Settings) -> Figures:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            if cell == AUTO:
                return measure_autoencoders(drawn_boards(settings.games), settings)
            count = settings.examples + settings.held
            if cell == GO:
                return measure_classifiers(*captures(count, seed), POINTS, settings)
            return measure_classifiers(*taught(count), CLASSES, settings, WRONG if cell == NOISY else 0)

    def draw(self, result: Result) -> Figure:
        return picture(result)

    def conclude(self, result: Result) -> str:
        def of(cell: str, name: str) -> float:
            return result.mean(f"{cell}: {name}")

        def both(name: str, form: str = ".2f", times: float = 1) -> str:
            return " and ".join(format(times * of(cell, name), form) for cell in (TEACHER, GO))

        return (
            f"Teacher and Capture-Go: bits and gap have a rank correlation of {both('all')}; bits and errors held out, "
            f"of the {both('count', '.0f')} networks that fit their examples, one of {both('fitted')}, bits and log "
            f"loss {both('fitted loss')}. The best price between both ends changes the accuracy by "
            f"{both('inner', '+.1f', 100)} points against the better end, log loss by {both('inner loss', '+.2f', -1)} "
            f"bits. Dropout changes the accuracy by {both('dropout gains', '+.1f', 100)} points where bits are free, "
            f"and passes {both('dropout passes')} times the bits. A plain autoencoder's error on other boards is "
            f"{of(AUTO, f'plain, {NARROW}'):.1f} times that on its own, with dropout "
            f"{of(AUTO, f'dropout, {NARROW}'):.1f} times; dropout changes it to {of(AUTO, f'gain, {NARROW}'):.0%} with "
            f"a code of {NARROW}, {of(AUTO, f'gain, {WIDE}'):.0%} with one of {WIDE}, and to "
            f"{of(AUTO, f'equal fit, {NARROW}'):.0%} of that of a plain one stopped at an equal fit."
        )


class Classifiers(nn.Module):
    """Those of one width in the design, at all prices, side by side."""

    def __init__(self, inputs: int, width: int, classes: int) -> None:
        super().__init__()
        arms = [(*combination, price) for combination in DESIGN[width] for price in PRICES]
        self.count = count = len(arms)
        self.decays, self.prices = torch.tensor([arm[1] for arm in arms]), torch.tensor([arm[2] for arm in arms])
        dropout = Each([nn.Dropout(arm[0]) for arm in arms])
        self.encoder = nn.Sequential(
            SideBySide(count, inputs, width), nn.ReLU(), dropout, SideBySide(count, width, 2 * CODE)
        )
        self.code = VariationalBottleneck()
        self.read_out = SideBySide(count, CODE, classes)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x (n, inputs) -> logits (networks, n, classes), rates in bits (networks, n)."""
        said = self.encoder(x.expand(self.count, *x.shape))
        code = self.code(said.flatten(0, 1)).view(self.count, len(x), CODE)
        assert self.code.bits is not None
        return self.read_out(code), self.code.bits.view(self.count, len(x))

    def objective(self, x: Tensor, labels: Tensor) -> Tensor:
        """() log loss in bits, with the price of the rate and the weights' decay, of all networks together."""
        logits, rates = self.train()(x)
        norms = torch.stack([part.square().flatten(1).sum(dim=1) for part in self.parameters()]).sum(dim=0)
        return (log_loss(logits, labels) + self.prices * rates.mean(dim=1) + self.decays * norms).sum()


def log_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """(networks, n, classes), (n,) -> (networks,) bits an example."""
    each = functional.cross_entropy(logits.flatten(0, 1), labels.repeat(len(logits)), reduction="none")
    return each.view(len(logits), -1).mean(dim=1) / math.log(2)


def accuracy(logits: Tensor, labels: Tensor) -> Tensor:
    """(networks, n, classes), (n,) -> (networks,) share right."""
    return (logits.argmax(dim=2) == labels).double().mean(dim=1)


def taught(count: int) -> tuple[Tensor, Tensor]:
    """Random boards (count, POINTS) of -1, 0 and 1, and labels (count,) of a random teacher; by torch's generator."""
    x = torch.randint(-1, 2, (count, POINTS)).float()
    return x, (expand(x, TEACHING, torch.default_generator) @ torch.randn(TEACHING, CLASSES)).argmax(dim=1)


def captures(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Stones, then stones in atari (count, 2 * POINTS), own 1, others -1, and the one point (count,) that captures."""
    found = random_boards(SIZE, count, np.random.default_rng(seed), answers=(1, 1))
    own, other, own_atari, other_atari = torch.from_numpy(observe(found.boards)[:, :4]).flatten(2).unbind(dim=1)
    x = torch.cat([own - other, own_atari - other_atari], dim=1)
    return x, torch.from_numpy(found.answers.argmax(axis=1))


def drawn_boards(games: int | None) -> Tensor:
    """`boards_of_games` (n, POINTS) in random order."""
    boards = torch.from_numpy(boards_of_games(games))
    return boards[torch.randperm(len(boards))]


@torch.no_grad()
def measure_classifiers(x: Tensor, labels: Tensor, classes: int, settings: Settings, wrong: float = 0) -> Figures:
    """All networks on the first examples, a share of whose labels is made `wrong`; the rest are held out."""
    count = settings.examples
    told = disturb_labels(labels[:count], torch.ones(count, classes, dtype=torch.bool), wrong)
    of: dict[str, list[Tensor]] = {}  # (networks of a width,) each
    for width in DESIGN:
        networks = learn(Classifiers(x.shape[1], width, classes), x[:count], told, settings)
        logits, rates = networks(x[:count])
        answers = networks(x[count:])[0]
        for name, values in {
            "fits": accuracy(logits, told),
            "rates": rates.mean(dim=1),
            "weights": weight_bits(networks, x[:count], told),
            "right": accuracy(answers, labels[count:]),
            "losses": log_loss(answers, labels[count:]),
            "to choose": accuracy(answers[:, ::2], labels[count::2]),
            "to compare": accuracy(answers[:, 1::2], labels[count + 1 :: 2]),
            "loss to choose": log_loss(answers[:, ::2], labels[count::2]),
            "loss to compare": log_loss(answers[:, 1::2], labels[count + 1 :: 2]),
        }.items():
            of.setdefault(name, []).append(values)
    each = {name: torch.cat(values).double().numpy() for name, values in of.items()}  # (networks,)
    by_price = {name: values.reshape(-1, len(PRICES)).mean(axis=0) for name, values in each.items()}
    gaps, errors, fitted = each["fits"] - each["right"], 1 - each["right"], each["fits"] >= FIT
    free = slice(None, None, len(PRICES))  # the networks whose bits cost nothing
    dropped = np.array([share > 0 for combinations in DESIGN.values() for share, _ in combinations])
    free_right, free_rates = each["right"][free], np.log2(each["rates"][free])
    commonest = float((labels[count:] == told.mode().values).double().mean())
    return {
        "all": rank_correlation(each["rates"], gaps),
        "fitted": rank_correlation(each["rates"][fitted], errors[fitted]),
        "fitted loss": rank_correlation(each["rates"][fitted], each["losses"][fitted]),
        "fitted weights": rank_correlation(each["weights"][fitted], errors[fitted]),
        "count": float(fitted.sum()),
        "spread": spread(each["rates"][fitted]),
        "inner": inner(by_price["to choose"], by_price["to compare"]),
        "inner loss": inner(-by_price["loss to choose"], -by_price["loss to compare"]),
        "dropout gains": float(free_right[dropped].mean() - free_right[~dropped].mean()),
        "dropout passes": float(2 ** (free_rates[dropped].mean() - free_rates[~dropped].mean())),
        "above": float(free_right.mean()) - commonest,
        "accuracies": by_price["right"].tolist(),
        "losses": by_price["losses"].tolist(),
        "rates": each["rates"].tolist(),
        "gaps": gaps.tolist(),
        "errors": errors.tolist(),
        "fits": each["fits"].tolist(),
    }


@torch.enable_grad()
def learn(networks: Classifiers, x: Tensor, labels: Tensor, settings: Settings) -> Classifiers:
    """The same networks, having learned x (n, points) and labels (n,), noise off."""

    def objective() -> Tensor:
        batch = torch.randint(len(x), (BATCH,))
        return networks.objective(x[batch], labels[batch])

    train(networks, objective, settings.steps, settings.rate)
    return networks.eval()


def weight_bits(networks: Classifiers, x: Tensor, labels: Tensor) -> Tensor:
    """(networks,) bits of the weights, rounded as coarsely as leaves all but LOST of the answers that are right.

    All of a network are rounded to multiples of one number, and coded by their frequencies, whose table is not counted.
    """
    right, rounded = accuracy(networks(x)[0], labels), copy.deepcopy(networks)
    bits = torch.full((networks.count,), math.inf)
    for step in STEPS:  # from the coarsest to the finest, which has to do
        for part, whole in zip(rounded.parameters(), networks.parameters(), strict=True):
            part.copy_((whole / step).round() * step)
        enough = accuracy(rounded(x)[0], labels) >= right - LOST if step > STEPS[-1] else torch.ones_like(right) > 0
        for index in torch.nonzero(enough & bits.isinf()).flatten().tolist():
            flat = torch.cat([part[index].flatten() for part in rounded.parameters()])
            bits[index] = len(flat) * entropy(flat.unique(return_counts=True)[1].numpy(), corrected=False)
    return bits


def spread(rates: np.ndarray) -> float:
    """The largest by the smallest; 1 where there is none."""
    return float(rates.max() / rates.min()) if len(rates) else 1.0


def inner(choose: np.ndarray, compare: np.ndarray) -> float:
    """How far the best price (prices,) between both ends, as `choose` has it, is above the better end in `compare`."""
    best = 1 + int(choose[1:-1].argmax())
    return float(compare[best] - max(compare[0], compare[-1]))


class Autoencoders(nn.Module):
    """One with each of DROPOUTS in both hidden layers, side by side."""

    def __init__(self, code: int) -> None:
        super().__init__()
        count = len(DROPOUTS)
        layers: list[nn.Module] = []
        for inputs, outputs in ((POINTS, code), (code, POINTS)):
            dropout = Each([nn.Dropout(share) for share in DROPOUTS])
            hidden = SideBySide(count, inputs, AUTO_HIDDEN), nn.ReLU(), dropout
            layers += [*hidden, SideBySide(count, AUTO_HIDDEN, outputs)]
        self.layers = nn.Sequential(*layers)

    def errors(self, x: Tensor) -> Tensor:
        """x (n, POINTS) -> (networks,) mean square a point."""
        return (self.layers(x.expand(len(DROPOUTS), *x.shape)) - x).square().mean(dim=(1, 2))


def measure_autoencoders(boards: Tensor, settings: Settings) -> Figures:
    """On the first boards (n, POINTS), the rest held out: one half chooses the dropout, the other is measured on."""
    learned, held = boards[: settings.examples], boards[settings.examples :]
    figures: Figures = {}
    for code in CODES:
        networks, path = Autoencoders(code), []

        def objective(networks: Autoencoders = networks) -> Tensor:
            return networks.train().errors(learned[torch.randint(len(learned), (BATCH,))]).sum()

        for step in training(networks, objective, settings.auto_steps, settings.rate):
            if step + 1 in moments(settings.auto_steps):
                with torch.no_grad():
                    networks.eval()
                    path.append(torch.stack([networks.errors(part) for part in (learned, held[::2], held[1::2])]))
        fits, choose, errors = torch.stack(path, dim=1).double().numpy()  # (moments, networks) each
        best = 1 + int(choose[-1, 1:].argmin())
        plain, dropout = errors[-1, 0] / fits[-1, 0], errors[-1, best] / fits[-1, best]
        stopped = error_at_fit(fits[:, 0], errors[:, 0], float(fits[-1, best]))
        each = {
            "plain": float(plain),
            "dropout": float(dropout),
            "ratio": float(plain / dropout),
            "gain": float(errors[-1, best] / errors[-1, 0]),
            "equal fit": float(errors[-1, best]) / stopped,
            "learned": float(errors[-1, 0] / (held - learned.mean(dim=0)).square().mean()),
            "on own": fits[-1].tolist(),
            "on others": errors[-1].tolist(),
        }
        figures |= {f"{name}, {code}": value for name, value in each.items()}
    return figures


def picture(result: Result) -> Figure:
    """Bits and gap of all networks, on two tasks; what the price does; and autoencoders with and without dropout."""
    figure = Figure(figsize=(15, 4.8), facecolor="white", layout="constrained")
    grid = figure.add_gridspec(2, 4, width_ratios=(1.2, 1.2, 1, 1))
    for column, (cell, name) in enumerate(((TEACHER, "Random teacher"), (GO, "Capture-Go"))):
        draw_networks(figure.add_subplot(grid[:, column]), result, cell, name)
    for row, (kind, label) in enumerate((("accuracies", "accuracy"), ("losses", "log loss, bits"))):
        axes = figure.add_subplot(grid[row, 2])
        draw_prices(axes, result, kind)
        axes.set_ylabel(label)
    figure.axes[2].set_title("Other examples", fontsize=10)
    figure.axes[3].set_xlabel("price of a bit, in bits of log loss")
    draw_autoencoders(figure.add_subplot(grid[:, 3]), result)
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def draw_networks(axes: Axes, result: Result, cell: str, name: str) -> None:
    """All seeds: full where a network fits its examples."""
    rates, gaps, fits = (
        np.concatenate([figures[f"{cell}: {kind}"] for figures in result.by_seed]) for kind in ("rates", "gaps", "fits")
    )
    fitted = fits >= FIT
    axes.scatter(rates[~fitted], gaps[~fitted], s=22, facecolor="none", edgecolor=GREY)
    axes.scatter(rates[fitted], gaps[fitted], s=22, color=BLUE)
    axes.set_xscale("symlog", linthresh=1)
    axes.set(xlim=(-0.1, None), xlabel="bits passed (rate)", ylabel="gap: accuracy learned from less held out")
    axes.set_title(
        f"{name}: rank correlation {result.mean(f'{cell}: all'):+.2f}\n"
        f"(full: networks that fit their examples, {result.mean(f'{cell}: fitted'):+.2f})",
        fontsize=10,
    )


def draw_prices(axes: Axes, result: Result, kind: str) -> None:
    places = range(len(PRICES))
    for cell, name, colour in ((TEACHER, "teacher", BLUE), (NOISY, "wrong labels", ORANGE), (GO, GO, GREEN)):
        means = np.mean([figures[f"{cell}: {kind}"] for figures in result.by_seed], axis=0)
        axes.plot(places, means, "o-", color=colour, markersize=4)
        axes.annotate(name, (2, means[2]), (0, 5), textcoords="offset points", color=colour, fontsize=9)
    axes.set_xticks(places, [f"{price:g}" for price in PRICES])


def draw_autoencoders(axes: Axes, result: Result) -> None:
    places = range(len(DROPOUTS))
    for code, colour in zip(CODES, (BLUE, ORANGE), strict=True):
        for kind, style in (("on own", "o--"), ("on others", "o-")):
            means = np.mean([figures[f"{AUTO}: {kind}, {code}"] for figures in result.by_seed], axis=0)
            axes.plot(places, means, style, color=colour, markersize=4)
        axes.annotate(f"code of {code}", (1, means[1]), (0, -14), textcoords="offset points", color=colour, fontsize=9)
    axes.set_xticks(places, [f"{share:g}" for share in DROPOUTS])
    axes.set(xlabel="dropout", ylabel="squared error a point", ylim=(0, None))
    axes.set_title("Autoencoders: other boards (lines),\ntheir own (dashes)", fontsize=10)


EXPERIMENT = Compression()
