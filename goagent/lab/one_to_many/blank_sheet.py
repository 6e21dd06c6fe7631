"""Pictures and melodies from a blank sheet: one input, 64 right answers (`works.py`). Start with `DECODERS`.

Every decoder is given the same blank sheet and has the same network; they differ in their losses and in where their
randomness comes in.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor, nn
from torch.nn import functional

from goagent.lab.core import Claim, Criterion, Experiment, Figures, Result, Role, Scale
from goagent.lab.one_to_many.works import BAR, BARS, NOTES, SHEETS, SIDE, Sheet, motifs, tunes
from goagent.policies.heads import information


@dataclass(frozen=True)
class Settings:
    steps: int = 3000  # of gradient descent
    batch: int = 32  # works shown at each step
    rate: float = 0.003  # of learning at the start; it falls linearly to nothing
    width: int = 128  # of the two hidden layers
    noise: int = 8  # normal numbers given to the decoders that take noise
    price: float = 0.01  # of a nat that the autoencoder's noise carries, as a share of the works' variance
    draws: int = 1000  # works drawn, for the shares of valid ones and of modes
    few: int = 100  # of them, in which distinct ones are counted


class Decoder(nn.Module, ABC):
    """From the blank sheet to a work."""

    def __init__(self, places: int, values: int, settings: Settings, noise: int, outputs: int) -> None:
        super().__init__()
        self.places, self.values, self.noise = places, values, noise
        self.network = network(places * values + noise, outputs, settings.width)

    def blank(self, count: int) -> Tensor:
        """(count, places * values): nothing written anywhere."""
        return torch.zeros(count, self.places * self.values)

    @abstractmethod
    def loss(self, works: Tensor) -> Tensor:
        """works (batch, places) of whole numbers -> ()"""

    @abstractmethod
    def draw(self, count: int) -> Tensor:
        """(count, places): the values to be written, before they are rounded to whole numbers."""


class SquaredError(Decoder):
    """A number for every place. With noise among its inputs it still learns the mean: the noise tells it nothing."""

    def __init__(self, places: int, values: int, settings: Settings, noise: int = 0) -> None:
        super().__init__(places, values, settings, noise, outputs=places)

    def answer(self, noise: Tensor) -> Tensor:
        return self.network(torch.cat([self.blank(len(noise)), noise], dim=1))

    def loss(self, works: Tensor) -> Tensor:
        return self.error(works, torch.randn(len(works), self.noise)).mean()

    def error(self, works: Tensor, noise: Tensor) -> Tensor:
        """(batch,)"""
        return (self.answer(noise) - works).square().sum(dim=1)

    def draw(self, count: int) -> Tensor:
        return self.answer(torch.randn(count, self.noise))


class NoisySquaredError(SquaredError):
    """The negative control."""

    def __init__(self, places: int, values: int, settings: Settings) -> None:
        super().__init__(places, values, settings, settings.noise)


class Autoencoder(NoisySquaredError):
    """The same decoder and error, but an encoder that sees the work chooses the noise, and pays for what it tells.

    A variational autoencoder with a Gaussian decoder, as in `LatentHead`; it is played with standard normal noise.
    """

    def __init__(self, places: int, values: int, settings: Settings) -> None:
        super().__init__(places, values, settings)
        self.price = settings.price
        self.encoder = network(places * values, 2 * settings.noise, settings.width)

    def loss(self, works: Tensor) -> Tensor:
        mean, log_variance = self.encoder(written(works, self.values)).chunk(2, dim=1)
        noise = mean + (log_variance / 2).exp() * torch.randn(mean.shape)
        price = self.price * works.float().var(dim=0).sum()
        return (self.error(works, noise) + 2 * price * information(mean, log_variance)).mean()


class Independent(Decoder):
    """The parameters of a distribution for every place, from which each place is drawn without regard to the rest."""

    def __init__(self, places: int, values: int, settings: Settings) -> None:
        super().__init__(places, values, settings, noise=0, outputs=places * values)

    def logits(self, sheets: Tensor) -> Tensor:
        """(..., places * values) -> (..., places, values)"""
        return self.network(sheets).unflatten(-1, (self.places, self.values))

    def loss(self, works: Tensor) -> Tensor:
        return -self.log_likelihood(works).mean()

    def log_likelihood(self, works: Tensor) -> Tensor:
        """(batch, places) -> (batch,) nats"""
        said = self.logits(self.blank(len(works))).log_softmax(dim=2)
        return said.gather(2, works[:, :, None]).sum(dim=(1, 2))

    def draw(self, count: int) -> Tensor:
        return torch.distributions.Categorical(logits=self.logits(self.blank(count))).sample()


class Autoregressive(Independent):
    """A distribution for the next place, given the sheet as far as it is filled in: together, one over whole works."""

    def log_likelihood(self, works: Tensor) -> Tensor:
        sheets = written(works, self.values)[:, None] * self.before()
        # Of what it says for each sheet, the place to be filled next counts.
        said = self.logits(sheets).diagonal(dim1=1, dim2=2).transpose(1, 2).log_softmax(dim=2)
        return said.gather(2, works[:, :, None]).sum(dim=(1, 2))

    def before(self) -> Tensor:
        """(places, places * values): for each place, the part of the sheet that is written before it."""
        return torch.ones(self.places, self.places).tril(-1).repeat_interleave(self.values, dim=1)

    def draw(self, count: int, greedy: bool = False) -> Tensor:
        """greedy: always the likeliest next value, in place of a draw."""
        sheets = self.blank(count).unflatten(1, (self.places, self.values))
        for place in range(self.places):
            logits = self.logits(sheets.flatten(1))[:, place]
            value = logits.argmax(dim=1) if greedy else torch.distributions.Categorical(logits=logits).sample()
            sheets[:, place] = functional.one_hot(value, self.values)
        return sheets.argmax(dim=2)


DECODERS: dict[str, Callable[[int, int, Settings], Decoder]] = {  # places, values, settings
    "squared error": SquaredError,
    "noise and squared error": NoisySquaredError,
    "independent places": Independent,
    "autoencoder": Autoencoder,
    "autoregressive": Autoregressive,
}


NOISY, CHOSEN = "noise and squared error", "autoregressive"  # the negative control; the one that decides the claim
VALID, INVALID = "#0072B2", "#D55E00"  # blue and vermilion, told apart by any eyes
SHOWN = 8  # works of each decoder that the picture shows


def network(inputs: int, outputs: int, width: int) -> nn.Module:
    return nn.Sequential(
        nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, outputs)
    )


def written(works: Tensor, values: int) -> Tensor:
    """(batch, places) whole numbers -> (batch, places * values): a sheet with a one where a value is written."""
    return functional.one_hot(works, values).flatten(1).float()


def learn(decoder: Decoder, works: Tensor, settings: Settings) -> None:
    """Show it works drawn at random, all equally likely."""
    optimizer = torch.optim.Adam(decoder.parameters(), settings.rate, fused=True)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, settings.steps)
    for _ in range(settings.steps):
        loss = decoder.loss(works[torch.randint(len(works), (settings.batch,))])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()


def rounded(drawn: np.ndarray, values: int) -> np.ndarray:
    """The nearest values that there are: a picture cut at one half, or notes."""
    return np.clip(np.rint(drawn), 0, values - 1).astype(np.int64)


def perfect_recall(modes: int, draws: int) -> float:
    """The share of equally likely modes that a perfect sampler is expected to show."""
    return 1 - (1 - 1 / modes) ** draws


def criteria() -> tuple[Criterion, ...]:
    any_low, any_high = -math.inf, math.inf
    each = (
        ("squared error: distinct", "squared error has one answer", Role.CLAIM, any_low, 1),
        ("squared error: valid", "and it is not a valid one", Role.CLAIM, any_low, 0),
        (f"{CHOSEN}: valid", "drawn place by place, works are valid", Role.CLAIM, 0.9, any_high),
        (f"{CHOSEN}: modes", "and most of the 64 are among them", Role.CLAIM, 0.8, any_high),
        (f"{NOISY}: collapse", "noise does not keep squared error off the mean", Role.CONDITION, 0.95, any_high),
        ("independent places: valid", "nor is it enough to draw every place by itself", Role.CONDITION, any_low, 0.1),
        (f"{CHOSEN}: greedy valid", "the likeliest, always the same, is valid", Role.CONDITION, 0.9, any_high),
        ("squared error: collapse", "squared error answers with the mean", Role.DETAIL, 0.95, any_high),
        ("autoencoder: valid", "the autoencoder's works are valid", Role.DETAIL, 0.9, any_high),
        ("autoencoder: modes", "and most of the 64 are among them", Role.DETAIL, 0.8, any_high),
        (f"{CHOSEN}: excess bits", "drawn place by place, bits above the 6 of a work", Role.DETAIL, any_low, 0.5),
    )
    return tuple(
        Criterion(f"{kind}, {figure}", f"{kind}: {statement}", role, low, high)
        for kind in SHEETS
        for figure, statement, role, low, high in each
    )


class BlankSheet(Experiment):
    name = "blank-sheet"
    title = "Pictures and melodies from a blank sheet"
    claim = Claim(
        sentence="Given a blank sheet, a deterministic network always draws the same picture and plays the same tune, "
        "an average of all that it was shown; a network with random outputs varies, and what it makes is valid.",
        essay="Jang 2016, Single input, multiple output: a network that composes music or draws pictures should not "
        "make the same thing every time it is given a blank sheet. That the deterministic one averages is said "
        "there of Go's first move, and carried over.",
        source="Bishop 1994, Mixture Density Networks: squared error learns the conditional mean, which need not be a "
        "correct answer. Kingma and Welling 2014, arXiv:1312.6114: the variational autoencoder.",
        data="64 pictures of 7x7 pixels (eight motifs without symmetry, in all eight positions) and 64 melodies of 16 "
        "notes (the language of a small grammar), all equally likely.",
        models="One network on the blank sheet, five times: squared error; noise and squared error; a distribution "
        "for every place, drawn independently; a variational autoencoder with squared error; a distribution for the "
        "next place given those before it (autoregressive), drawn, and greedy.",
        baselines="Noise and squared error is the negative control. A perfect sampler of 64 modes is expected to show "
        f"{perfect_recall(64, 100):.0%} of them in 100 draws and {perfect_recall(64, 1000):.2%} in 1000.",
        metric="Distinct works in 100 draws; of 1000 draws the share that is valid, and the share of the 64 modes that "
        "occurs; collapse: 1 less the distance of what is drawn to the mean work, in units of the works' own; greedy: "
        "the same of always taking the likeliest value; excess bits: cross-entropy of a work above the 6 there are.",
        shows_not="The works are 64 and can be learned by heart, so nothing is said of novelty or taste. The pictures' "
        "mean is invalid by construction (it is symmetric and they are not), the melodies' by the choice of bars. The "
        "autoregressive decoder was named as the one that decides before the judging seeds were run; the autoencoder's "
        "figures are those of one size and one price, not the best that can be had.",
    )
    criteria = criteria()
    settings: Mapping[Scale, Settings] = {
        "test": Settings(steps=20, batch=16, width=32, draws=100),
        "quick": Settings(steps=600, batch=16, rate=0.008),
        "full": Settings(),
    }

    def cells(self, settings: Settings) -> tuple[str, ...]:
        return tuple(f"{kind}, {name}" for kind in SHEETS for name in DECODERS)

    def measure(self, cell: str, seed: int, settings: Settings) -> Figures:
        kind, name = cell.split(", ")
        sheet, works = SHEETS[kind], torch.as_tensor(SHEETS[kind].works())
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            decoder = DECODERS[name](works.shape[1], sheet.values, settings)
            learn(decoder, works, settings)
            with torch.no_grad():
                figures = described(sheet, decoder.draw(settings.draws).numpy(), settings)
                if isinstance(decoder, Autoregressive):
                    greedy = described(sheet, decoder.draw(settings.few, greedy=True).numpy(), settings)
                    figures |= {f"greedy {figure}": greedy[figure] for figure in ("distinct", "valid", "shown")}
                    bits = -decoder.log_likelihood(works).mean().item() / np.log(2)
                    figures["excess bits"] = float(bits - np.log2(len(works)))
        return figures

    def draw(self, result: Result) -> Figure:
        return picture(result)

    def conclude(self, result: Result) -> str:
        def both(decoder: str, figure: str, form: str = ".0%") -> str:
            return " and ".join(format(result.mean(f"{kind}, {decoder}: {figure}"), form) for kind in SHEETS)

        settings = self.settings[result.scale]
        return (
            f"Pictures first, then melodies: squared error makes {both('squared error', 'distinct', '.3g')} distinct "
            f"works of the blank sheet, {both('squared error', 'valid')} valid. With noise for input it still "
            f"collapses to the mean (by {both(NOISY, 'collapse', '.3f')}). It is the loss that averages, not "
            f"determinism: the likeliest value place by place makes {both(CHOSEN, 'greedy distinct', '.3g')} too, "
            f"{both(CHOSEN, 'greedy valid')} valid. Drawn instead, {both(CHOSEN, 'valid')} are valid, and "
            f"{settings.draws} draws show {both(CHOSEN, 'modes')} of the 64 works (a perfect sampler would show "
            f"{perfect_recall(64, settings.draws):.0%}). Randomness alone is not enough: of places drawn independently "
            f"{both('independent places', 'valid')} of works are valid, of the autoencoder's "
            f"{both('autoencoder', 'valid')}."
        )


def described(sheet: Sheet, drawn: np.ndarray, settings: Settings) -> Figures:
    """What is to be said of works (draws, places) as they were drawn."""
    works, modes = rounded(drawn, sheet.values), sheet.works()
    valid = sheet.valid(works)
    mean = modes.mean(axis=0)
    spread = np.linalg.norm(modes - mean, axis=1).mean()
    return {
        "distinct": len(np.unique(works[: settings.few], axis=0)),
        "valid": float(valid.mean()),
        "modes": len(np.unique(works[valid], axis=0)) / len(modes),
        "collapse": float(1 - np.linalg.norm(drawn - mean, axis=1).mean() / spread),
        "shown": np.round(drawn[:SHOWN], 3).tolist(),
    }


def picture(result: Result) -> Figure:
    """The blank sheet at the left; beside it, a row for each decoder with what it makes of it."""
    rows = [
        ("What they\nwere shown", "", ""),
        ("Squared error", "squared error", ""),
        ("Noise in,\nsquared error", NOISY, ""),
        ("Every place\nby itself, drawn", "independent places", ""),
        ("Noise in,\nautoencoder", "autoencoder", ""),
        ("Place by place,\nthe likeliest", CHOSEN, "greedy "),
        ("Place by place,\ndrawn", CHOSEN, ""),
    ]
    figure = Figure(figsize=(14, 9), facecolor="white")
    figure.suptitle("One blank sheet, 64 right answers", x=0.015, y=0.98, ha="left", fontsize=18, weight="bold")
    figure.text(
        0.015,
        0.925,
        "What each decoder makes of it, in the order drawn. Blue frame: valid once rounded. Dashed, vermilion: not. "
        "Grey, or a note between two lines: an average.",
        fontsize=11,
    )
    grid = figure.add_gridspec(
        len(rows), 3, width_ratios=(2.1, 8, 8), left=0.105, right=0.99, top=0.88, bottom=0.02, wspace=0.04, hspace=0.35
    )
    sheet = figure.add_axes((0.015, 0.4, 0.075, 0.165))
    sheet.set(xticks=[], yticks=[], title="the blank sheet", xlabel="all that a decoder\nis given, noise apart")
    for row, (label, decoder, prefix) in enumerate(rows):
        text = figure.add_subplot(grid[row, 0])
        text.axis("off")
        text.text(0, 0.5, label, va="center", fontsize=11.5, weight="bold")
        for column, kind in enumerate(SHEETS):
            works = motifs() if kind == "pictures" else tunes()[[0, 22, 41, 63]]
            says = f"{kind}: {len(works)} of the 64"
            if decoder:
                name = f"{kind}, {decoder}: {prefix}"
                works = np.array(result.first(f"{name}shown"))
                says = f"{result.mean(f'{name}distinct'):.0f} different in 100, {result.mean(f'{name}valid'):.0%} valid"
            strip(figure.add_subplot(grid[row, 1 + column]), kind, works, says)
    return figure


def strip(axes: Axes, kind: str, works: np.ndarray, says: str) -> None:
    """Works side by side, as they were drawn, framed blue when valid once rounded and vermilion when not."""
    sheet = SHEETS[kind]
    wide, high, many = (SIDE, SIDE, 8) if kind == "pictures" else (BARS * BAR, NOTES, 4)
    gap = wide / 6
    for i, (work, valid) in enumerate(zip(works[:many], sheet.valid(rounded(works[:many], sheet.values)), strict=True)):
        left = i * (wide + gap)
        if kind == "pictures":
            pixels = np.clip(work.reshape(SIDE, SIDE), 0, 1)
            axes.imshow(pixels, cmap="Greys", vmin=0, vmax=1, extent=(left, left + wide, 0, high), origin="upper")
        else:
            axes.hlines(np.arange(NOTES + 1), left, left + wide, color="0.88", linewidth=0.6, zorder=0)
            axes.bar(left + np.arange(wide), 1, 1, work, align="edge", color="0.15")
        colour, style = (VALID, "-") if valid else (INVALID, (0, (2, 1.5)))
        axes.add_patch(
            Rectangle((left, 0), wide, high, fill=False, edgecolor=colour, linestyle=style, linewidth=2, zorder=3)
        )
    axes.set(xlim=(-gap / 4, many * (wide + gap) - gap * 0.75), ylim=(-0.3, high + 0.3), aspect="auto")
    if kind == "pictures":
        axes.set_aspect("equal", anchor="W")
    axes.axis("off")
    axes.set_title(says, fontsize=9.5, loc="left", pad=3)


EXPERIMENT = BlankSheet()
