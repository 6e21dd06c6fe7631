"""How many bits one unit carries: without noise as many as its number has digits, with noise what Shannon allows.
Start with `OneNumber`.

An autoencoder sends vectors that carry a known number of bits through a single unit. Of the unit that is sent, the
information is known all but exactly, because its distribution is a mixture of as many Gaussians as there are vectors.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn import functional

from goagent.lab.core import Claim, Criterion, Experiment, Figures, Result, Role, Scale
from goagent.lab.information.bits import all_codes, expand, information_read, nearest
from goagent.lab.information.capacity import information
from goagent.lab.information.known_networks import gaussian_log_likelihood
from goagent.lab.information.measures import entropy, mutual_information, tabulate
from goagent.noise.bottleneck import capacity_bits
from goagent.noise.inputs import InputNoise

DIMENSIONS = 32  # of the vectors
HAND, UNTRAINED, HELD_OUT, FREE = "by hand", "untrained", "held out", "noise without limit"
SINES, PLAIN, NOISE = "sines", "plain", "noise"
LEARNED = {SINES: (4, 6, 8, 10), PLAIN: (6, 8)}  # bits that the vectors carry, by decoder
CAPACITIES = (1, 2, 3, 4, 8)  # bits, of the noisy channels
SENT = 6  # bits that their vectors carry
UNSEEN = 16  # of the 64 vectors, in the cell that learns without them
FORMATS = {"bfloat16": (torch.bfloat16, 8), "float16": (torch.float16, 11), "float32": (torch.float32, 24)}
FINEST = 300.0  # radians a unit, of the sines
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#999999"


@dataclass(frozen=True)
class Settings:
    steps: int = 1000
    noisy_steps: int = 400  # of the cells with noise
    hidden: int = 96  # units of each hidden layer
    features: int = 128  # of the decoder's first layer
    rate: float = 0.007
    copies: int = 4  # of each vector in a batch, each with a noise of its own
    draws: int = 2048  # of the noise for each vector, to be measured on


class Sines(nn.Module):
    """x (n, 1) -> (n, features): sines of frequencies from 1 to `FINEST`, evenly in their logarithm, as digits are."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.frequency = nn.Parameter(torch.exp(torch.rand(features) * math.log(FINEST)))
        self.phase = nn.Parameter(torch.rand(features) * 2 * math.pi)

    def forward(self, x: Tensor) -> Tensor:
        return torch.sin(x * self.frequency + self.phase)


class Autoencoder(nn.Module):
    """words (N, DIMENSIONS) -> one number each -> answers (n, DIMENSIONS). noise: on the number."""

    def __init__(self, settings: Settings, sines: bool, noise: nn.Module, limited: bool = True) -> None:
        super().__init__()
        hidden, features = settings.hidden, settings.features
        self.encoder = nn.Sequential(
            nn.Linear(DIMENSIONS, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 1)
        )
        first = Sines(features) if sines else nn.Sequential(nn.Linear(1, features), nn.ReLU())
        self.decoder = nn.Sequential(first, nn.Linear(features, hidden), nn.ReLU(), nn.Linear(hidden, DIMENSIONS))
        self.noise = noise
        self.limited = limited

    def send(self, words: Tensor) -> Tensor:
        """(N, 1), one number for each of all words; limited: of mean 0 and power 1, exactly."""
        number: Tensor = self.encoder(words)
        if not self.limited:
            return number
        return (number - number.mean()) / number.std(correction=0)

    def forward(self, words: Tensor, chosen: Tensor) -> Tensor:
        """Answers to words[chosen], each with a noise of its own."""
        answers: Tensor = self.decoder(self.noise(self.send(words)[chosen]))
        return answers


class OneNumber(Experiment):
    name = "one-number"
    title = "Bits through a single unit, without and with noise"
    claim = Claim(
        sentence="One unit with a real value carries any number of bits as long as there is no noise; noise of a known "
        "size limits what it carries.",
        essay="Jang 2016, Limiting information in neural nets: without noise a layer of real numbers has infinite "
        "bandwidth, one number could represent all the information in the network, and noise is what limits it. Of a "
        "bottleneck from a thousand dimensions to one, the Chinese translation says the same.",
        source="Shannon 1948, A mathematical theory of communication, theorem 17: at most 0.5 log2(1 + P / s^2) bits "
        "pass a Gaussian channel of power P and noise variance s^2. Decoder with sines: Tancik et al. 2020, "
        "arXiv:2006.10739, random Fourier features let networks learn fine detail in few dimensions.",
        data=f"Synthetic: N = 16, 64, 256 and 1,024 vectors of {DIMENSIONS} dimensions, tanh of a random linear map of "
        "all codes of log2 N bits, each as likely as the others. With noise N = 64, six bits.",
        models="By hand: the code's bits are the binary digits of one number. Learned: autoencoders with one unit in "
        "the middle, 96 units to a hidden layer, trained by Adam (at most 0.007, in one cycle of 1,000 steps, with "
        "noise 400; rates of 0.003 to 0.02 were tried) on the cross-entropy of which vector lies nearest the answer; "
        "squared error decodes 64 vectors as well. The decoder begins with 128 sines of the number, or with 128 ReLU, "
        "as it always does with noise. Numbers have mean 0 and power 1 over all vectors, by division, so that the "
        "network cannot drown the noise.",
        baselines="The capacity; a random linear map in place of the encoder; the same noise without the limit on "
        "power; a channel of eight bits for six.",
        metric="Carried: information between vector and noisy number, by Monte Carlo with the exact density, a mixture "
        "of N Gaussians: without bias. Read: between vector and guess, plug-in from a table of 64 by 64, corrected "
        "after Miller and Madow. Without noise: Fano's bound from the share of vectors guessed right. With noise the "
        "bound says little, as it takes errors for evenly spread, and neighbours are confused. log2 N times the share "
        "is no bound at all: four numbers in a row on a channel of one bit come to 1.3.",
        shows_not="That bandwidth makes a network learn no features; that noise makes it learn any. A random map, "
        "untrained, carries as much as a learned one: bits carried are no achievement, bits read are. What learning "
        "misses it misses with this network in these steps: with more layers and three times the steps ReLU, too, "
        "decode most of 256 vectors.",
    )
    criteria = (
        Criterion(f"{HAND}: float32", "bits read back from one float32, written by hand", Role.CLAIM, at_least=24),
        Criterion(f"{SINES}, 6 bits: right", "learned, 64 vectors through one unit: share decoded", Role.CLAIM,
                  at_least=0.9),
        Criterion(f"{SINES}, 8 bits: right", "and of 256 vectors", Role.CLAIM, at_least=0.9),
        Criterion("read over capacity", "with noise, bits read beyond the capacity, in the worst case", Role.CLAIM,
                  at_most=0.05),
        Criterion("lost by step", "more noise, fewer bits: the least lost between two levels", Role.CLAIM,
                  at_least=0.3),
        Criterion(f"{FREE}: read", "noise is no limit without one on power: bits read through the noise that allows 2",
                  Role.CONDITION, at_least=3),
        Criterion(f"{SINES}, 10 bits: right", "learning falls short of what one number can carry: share decoded of "
                  "1,024 vectors", Role.CONDITION, at_most=0.9),
        Criterion(f"{PLAIN}, 8 bits: right", "and needs a decoder for fine differences: share decoded of 256 vectors, "
                  "ReLU in place of sines", Role.CONDITION, at_most=0.7),
        Criterion(f"{NOISE}, 2 bits: read", "the limit is felt, not just kept: bits read of the 2 allowed",
                  Role.CONTROL, at_least=1.5),
        Criterion(f"{NOISE}, 8 bits: read", "noise as such does not spoil learning: bits read of 6, 8 allowed",
                  Role.CONTROL, at_least=5),
        Criterion("carried over capacity", "the theorem: bits carried beyond the capacity at the power used, in the "
                  "worst case", Role.CONTROL, at_most=0.02),
        Criterion(f"{HAND}: one more", "and a digit too many is noticed: share read back of 25 bits in one float32",
                  Role.CONTROL, at_most=0.76),
        Criterion(f"{UNTRAINED}: carried", "untrained: bits of 16 that a random linear map keeps apart in one float32",
                  Role.DETAIL, at_least=15.5),
        Criterion(f"{HELD_OUT}: right", "the number is a table of what was learned: share decoded of 16 vectors that "
                  "were not", Role.DETAIL, at_most=0.2),
        Criterion(f"{HAND}: product", "log2 N times the share right, four numbers on a channel of 1 bit", Role.DETAIL,
                  at_least=1.2),
    )  # fmt: skip
    settings: Mapping[Scale, Settings] = {
        "test": Settings(steps=4, noisy_steps=60, hidden=32, features=32, draws=256),
        "quick": Settings(steps=300, noisy_steps=250, draws=256),
        "full": Settings(),
    }

    def cells(self, settings: Settings) -> tuple[str, ...]:
        learned = [f"{decoder}, {bits} bits" for decoder, each in LEARNED.items() for bits in each]
        return (HAND, UNTRAINED, *learned, HELD_OUT, *(f"{NOISE}, {bits} bits" for bits in CAPACITIES), FREE)

    def measure(self, cell: str, seed: int, settings: Settings) -> Figures:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            if cell == HAND:
                return by_hand(settings.draws)
            if cell == UNTRAINED:
                return untrained()
            kind, _, amount = cell.partition(", ")
            bits = int(amount.split()[0]) if amount else 2 if cell == FREE else SENT
            if kind in (NOISE, FREE):
                return with_noise(bits, kind == NOISE, settings)
            return without_noise(bits, kind != PLAIN, UNSEEN if cell == HELD_OUT else 0, settings)

    def derive(self, figures: Figures) -> Figures:
        cells = [f"{NOISE}, {bits} bits" for bits in CAPACITIES]
        read = [figures[f"{cell}: read"] for cell in cells]
        return {
            "read over capacity": max(had - bits for had, bits in zip(read, CAPACITIES, strict=True)),
            "carried over capacity": max(
                figures[f"{cell}: carried"] - figures[f"{cell}: capacity"] for cell in (*cells, FREE)
            ),
            "lost by step": min(more - less for less, more in pairwise(read)),
        }

    def draw(self, result: Result) -> Figure:
        return picture(result)

    def conclude(self, result: Result) -> str:
        mean = result.mean

        def right(decoder: str, bits: int) -> str:
            return f"{mean(f'{decoder}, {bits} bits: right'):.0%}"

        return (
            f"Without noise one float32 carries {mean(f'{HAND}: float32'):.0f} bits, written by hand. Learned, one "
            f"unit lets {right(SINES, 6)} of 64 vectors be decoded, {right(SINES, 8)} of 256 and {right(SINES, 10)} of "
            f"1,024, given a decoder of sines; with ReLU it is {right(PLAIN, 8)} of 256. Noise that allows 2 bits lets "
            f"{mean(f'{NOISE}, 2 bits: carried'):.2f} through, of which {mean(f'{NOISE}, 2 bits: read'):.2f} are read "
            f"(Fano's bound would say {mean(f'{NOISE}, 2 bits: bits'):.2f}). Unless power is limited: left alone, the "
            f"unit grows to a power of {mean(f'{FREE}: power'):.0f} and {mean(f'{FREE}: read'):.1f} bits are read "
            "through the same noise."
        )


def by_hand(draws: int) -> Figures:
    """Bits read back where the code's bits are the digits of one number; and four numbers on a channel of one bit."""
    read = {name: information_read(read_back(k, dtype), 2**k) for name, (dtype, k) in FORMATS.items()}
    four = (2 * torch.arange(4.0) - 3)[:, None] / math.sqrt(5)  # in a row, of power 1
    which = torch.arange(4).repeat_interleave(64 * draws)
    right = float((nearest(InputNoise(noise_for(1))(four[which]), four) == which).double().mean())
    one_more = read_back(25, torch.float32)
    return read | {"one more": one_more, "product": 2 * right, "fano": information_read(right, 4)}


def read_back(bits: int, dtype: torch.dtype) -> float:
    """Share of all codes of so many bits that survive as the binary digits of one number from 0 to 1, of that type."""
    right, block = 0, min(2**bits, 2**20)
    for begin in range(0, 2**bits, block):
        code = torch.arange(begin, begin + block, dtype=torch.float64)
        right += int((((code / 2**bits).to(dtype).double() * 2**bits).round() == code).sum())
    return right / 2**bits


def untrained(bits: int = 16) -> Figures:
    """Bits that a random linear map to one float32 keeps of all vectors of so many."""
    words = expand(all_codes(bits), DIMENSIONS, torch.default_generator)
    number = words @ torch.randn(DIMENSIONS)
    return {"carried": entropy(np.unique(number.numpy(), return_counts=True)[1], corrected=False)}


def noise_for(capacity: float) -> float:
    """The std of noise that lets so many bits pass at a power of 1."""
    return 1 / math.sqrt(4**capacity - 1)


def without_noise(bits: int, sines: bool, unseen: int, settings: Settings) -> Figures:
    """Share of vectors decoded, of those not learned from if there are any, and Fano's bound."""
    words = expand(all_codes(bits), DIMENSIONS, torch.default_generator)
    order = torch.randperm(len(words))
    network = Autoencoder(settings, sines, nn.Identity())
    train(network, words, order[unseen:], 1, settings.steps, settings.rate)
    asked = order[:unseen] if unseen else order
    with torch.no_grad():
        right = float((nearest(network(words, asked), words) == asked).double().mean())
        number = network.send(words)
    return {"right": right, "bits": information_read(right, len(words)), "sent": number.flatten().tolist()}


def with_noise(capacity: float, limited: bool, settings: Settings) -> Figures:
    """Bits carried and read through the noise that allows `capacity` at a power of 1."""
    words = expand(all_codes(SENT), DIMENSIONS, torch.default_generator)
    std = noise_for(capacity)
    network = Autoencoder(settings, sines=False, noise=InputNoise(std), limited=limited)
    everything = torch.arange(len(words))
    train(network, words, everything, settings.copies, settings.noisy_steps, settings.rate)
    with torch.no_grad():  # still noisy
        guesses = torch.stack([nearest(network(words, everything), words) for _ in range(settings.draws)])
        number = network.send(words).double()
        sent = everything.repeat(settings.draws // 4)
        received = network.noise(number[sent])
    table = tabulate(everything.repeat(settings.draws).numpy(), guesses.flatten().numpy(), (len(words), len(words)))
    right = float((guesses == everything).double().mean())
    power = number.var(correction=0)
    return {
        "capacity": float(capacity_bits(power, std)),
        "carried": information(gaussian_log_likelihood(received, number, std), sent),
        "read": mutual_information(table),
        "bits": information_read(right, len(words)),
        "product": SENT * right,
        "power": float(power),
        "sent": number.flatten().tolist(),
    }


def train(network: Autoencoder, words: Tensor, learned: Tensor, copies: int, steps: int, rate: float) -> None:
    """On all words[learned] at once, so many copies of each, towards guessing which of them it was: the nearest."""
    optimiser = torch.optim.Adam(network.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps)
    candidates = words[learned]  # of the others nothing is said, not even that they are wrong
    lengths = (candidates**2).sum(dim=1)
    shown, target = learned.repeat(copies), torch.arange(len(learned)).repeat(copies)
    for _ in range(steps):
        closeness = torch.addmm(-lengths, network(words, shown), candidates.T, alpha=2)  # less the squared distance
        loss = functional.cross_entropy(closeness, target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()


def picture(result: Result) -> Figure:
    """Where 64 vectors lie on the number; bits read without noise, by how many there were; and with noise."""
    figure = Figure(figsize=(13, 4.8), facecolor="white", layout="constrained")
    line, free, noisy = figure.subplots(1, 3, width_ratios=(1.25, 1, 1))
    draw_numbers(line, result)

    mean = result.mean
    free.plot([0, 11], [0, 11], color=GREY, linestyle="--", linewidth=1)
    free.text(9.7, 9.2, "all of them", color=GREY, ha="left", va="top", fontsize=9)
    for decoder, colour, name in ((SINES, BLUE, "learned, sines"), (PLAIN, ORANGE, "learned, ReLU")):
        bits = LEARNED[decoder]
        free.plot(bits, [mean(f"{decoder}, {k} bits: bits") for k in bits], "o-", color=colour, label=name)
    hand = [(digits, mean(f"{HAND}: {name}")) for name, (_, digits) in FORMATS.items()]
    inside = [point for point in hand if point[0] <= 11]
    free.plot(*zip(*inside, strict=True), "s", color=GREEN, label="by hand (bfloat16, float16)")
    free.set_title(
        f"No noise: bits read, at least\n(by hand in one float32: {hand[-1][1]:.0f} of {hand[-1][0]})", fontsize=10
    )
    free.set(xlabel="bits that the vectors carry", xlim=(3.5, 11.5), ylim=(0, 11.5))
    free.legend(fontsize=9, frameon=False, loc="upper left")

    cells = [f"{NOISE}, {bits} bits" for bits in CAPACITIES]
    allowed = np.linspace(0, 8.5, 100)
    noisy.plot(allowed, np.minimum(allowed, SENT), color=GREY, linestyle="--", linewidth=1)
    noisy.text(6.2, 6.1, f"allowed, {SENT} at most", color=GREY, fontsize=9, ha="center", va="bottom")
    for figure_name, colour, mark, name in (
        ("carried", BLUE, "o", "carried"), ("read", GREEN, "s", "read"), ("bits", ORANGE, "v", "Fano's bound"),
    ):  # fmt: skip
        noisy.plot(CAPACITIES, [mean(f"{cell}: {figure_name}") for cell in cells], mark, color=colour, label=name)
    noisy.plot(2, mean(f"{FREE}: read"), "*", color=GREEN, markersize=13)
    noisy.annotate("read, power\nnot limited", (2, mean(f"{FREE}: read")), (0, -8), textcoords="offset points",
                   fontsize=9, va="top", ha="center", color=GREEN)  # fmt: skip
    noisy.set_title(f"Noise: bits of the {SENT} that come through", fontsize=10)
    noisy.set(xlabel="bits that the noise allows", xlim=(0.5, 8.5), ylim=(-0.2, 7))
    noisy.legend(fontsize=9, frameon=False, loc="lower right")
    for axes in (free, noisy):
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def draw_numbers(axes: Axes, result: Result) -> None:
    """A row for each channel: the 64 numbers of the first seed, with the spread of the noise beside them."""
    rows = {f"{SINES}, {SENT} bits": "no noise"} | {
        f"{NOISE}, {bits} bits": f"noise for\n{bits} bit{'s' * (bits > 1)}" for bits in reversed(CAPACITIES)
    }
    for row, cell in enumerate(rows):
        sent = np.array(result.first(f"{cell}: sent"))
        axes.vlines(sent, row - 0.3, row + 0.3, color=BLUE, linewidth=0.8)
        if cell.startswith(NOISE):
            std = noise_for(int(cell.split()[1]))
            axes.fill_betweenx([row - 0.3, row + 0.3], 4 - std, 4 + std, color=ORANGE, linewidth=1)
    axes.set_yticks(range(len(rows)), list(rows.values()))
    axes.set(ylim=(len(rows) - 0.5, -0.5), xlabel="the one number (orange: the noise, one std each way)")
    axes.set_title("The numbers of 64 vectors, as one unit sends them", fontsize=10)
    axes.spines[["top", "right", "left"]].set_visible(False)


EXPERIMENT = OneNumber()
