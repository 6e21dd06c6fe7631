"""How many digits of a number are left when noise is added to it. Start with `NoisyDigits`.

All is known in advance here: the information in bits by a formula, that about each single digit by an integral. What
is measured is that samples say the same.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from goagent.lab.core import Claim, Criterion, Experiment, Figures, Result, Role, Scale
from goagent.lab.information.measures import density_entropy, mutual_information, tabulate

RANGE = 10.0  # a is uniform from 0 to this
DIGIT = math.log2(10)  # bits
PLACES = tuple(range(7))  # 10 to the power of minus this: units, tenths, ...
ESSAY, MISPRINT, UNEVEN = "0.001", "0.01", "0.00125"
HALF_WIDTHS = ("0.1", MISPRINT, UNEVEN, ESSAY, "0.0001")  # of the noise: r is uniform from minus this to this
AFTER_HUNDREDTHS = 3  # the place that the essay says is lost
PHASES = 100  # bins of a + r within ten units of a place
BINS = 1000  # of a, and of a + r; their square root, about, each way for both together
FIRST_DIGITS = "3141592"  # of pi, the essay's example: the picture writes them
DRAWN, EXACT, LOST = "#D55E00", "#0072B2", "#a0a0a0"


@dataclass(frozen=True)
class Settings:
    samples: int = 1_000_000  # of a and r


class NoisyDigits(Experiment):
    name = "noisy-digits"
    title = "Noise limits information: the digits that it leaves"
    claim = Claim(
        sentence="Of a number with any number of digits, a uniform noise of ±0.001 leaves about three digits' worth "
        "of information, and nothing of the digits whose ten values all fit into the noise.",
        essay="Jang 2016, Randomness and information theory: with a noise of ±0.001 a number carries about three "
        "digits, for all after the hundredths is destroyed. The translations misprint the noise as ±0.01.",
        source="Shannon 1948, A mathematical theory of communication: I(a; a + r) = h(a + r) - h(r). For a uniform on "
        "an interval L and r on one of s < L that is log2(L / s) + s / (2 L ln 2) bits.",
        data="a uniform from 0 to 10, r uniform from -w to w for five w; double precision, sixteen digits.",
        models="None.",
        baselines="The formula; for single digits, the integral over the interval in which a may lie; for the bias of "
        "the estimates, the same digits paired with other numbers' noisy values.",
        metric="Information in bits, digits being bits / log2(10). I(a; a + r) = h(a) + h(a + r) - h(a, r), because "
        "(a, a + r) and (a, r) have the same density: three histograms with Miller and Madow's correction. About a "
        "digit: plug-in between it and a + r, modulo ten of its units, in 100 bins, with the same correction. The "
        "remainder forgets in which ten units a + r is, which tells of the digit only within w of 0 and 10: the "
        "estimate is a lower bound. Uncorrected, a million samples would show 0.0006 bits where there are none.",
        shows_not="What noise does inside a network, whose numbers are not uniform and whose noise is not as simple. "
        "Only the samples depend on the seed.",
    )
    criteria = (
        Criterion(f"{ESSAY}: error", "with ±0.001, bits between estimate and formula", Role.CLAIM, at_most=0.1),
        Criterion(f"{MISPRINT}: error", "with ±0.01, bits between estimate and formula", Role.CLAIM, at_most=0.1),
        Criterion(f"{ESSAY}: digits", "with ±0.001, digits' worth of information", Role.CLAIM, at_least=3, at_most=4),
        Criterion(f"{ESSAY}: finer", "with ±0.001, bits about the ten-thousandths, or a digit after them",
                  Role.CLAIM, at_most=0.01),
        Criterion(f"{ESSAY}: shuffled", "bits about any digit of another number: the estimate's bias", Role.CONTROL,
                  at_most=0.01),
        Criterion(f"{ESSAY}: place {AFTER_HUNDREDTHS}", "with ±0.001, bits about the thousandths, the first digit "
                  "that the essay gives up", Role.CONDITION, at_least=0.1),
        Criterion(f"{MISPRINT}: digits", "with ±0.01, digits' worth of information", Role.DETAIL, at_least=2.5,
                  at_most=3),
        Criterion(f"{UNEVEN}: finer", "with ±0.00125, whose width is no multiple of 0.001, the ten-thousandths keep "
                  "some bits", Role.DETAIL, at_least=0.01),
    )  # fmt: skip
    settings: Mapping[Scale, Settings] = {
        "test": Settings(samples=20_000),
        "quick": Settings(samples=200_000),
        "full": Settings(),
    }

    def cells(self, settings: Settings) -> tuple[str, ...]:
        return HALF_WIDTHS

    def measure(self, cell: str, seed: int, settings: Settings) -> Figures:
        half = float(cell)
        rng = np.random.default_rng((seed, HALF_WIDTHS.index(cell)))
        a = rng.uniform(0, RANGE, settings.samples)
        noisy = a + rng.uniform(-half, half, settings.samples)
        information = estimated_information(a, noisy)
        exact = exact_information(2 * half)
        places = {place: digit_information(a, noisy, place) for place in PLACES}
        others = rng.permutation(noisy)
        finer = [
            bits for place, bits in places.items() if 10.0 ** (1 - place) < 2.001 * half
        ]  # room for all ten digits
        return (
            {
                "information": information,
                "formula": exact,
                "error": abs(information - exact),
                "digits": information / DIGIT,
                "shuffled": max(abs(digit_information(a, others, place)) for place in PLACES),
                "finer": max(finer),
            }
            | {f"place {place}": bits for place, bits in places.items()}
            | {f"exact place {place}": exact_digit_information(2 * half, 10.0**-place) for place in PLACES}
        )

    def draw(self, result: Result) -> Figure:
        return picture(result)

    def conclude(self, result: Result) -> str:
        mean = result.mean
        return (
            f"A noise of ±0.001 leaves {mean(f'{ESSAY}: digits'):.2f} digits ({mean(f'{ESSAY}: information'):.2f} "
            f"bits; formula {mean(f'{ESSAY}: formula'):.2f}), one of ±0.01 {mean(f'{MISPRINT}: digits'):.2f}: "
            f"log10(10 / 2w). Not all after the hundredths is lost: the thousandths keep "
            f"{mean(f'{ESSAY}: place {AFTER_HUNDREDTHS}'):.2f} of their {DIGIT:.2f} bits. The digits after them keep "
            f"none ({mean(f'{ESSAY}: finer'):.4f}), thanks to a round noise: ±0.00125 leaves the ten-thousandths "
            f"{mean(f'{UNEVEN}: finer'):.3f} bits."
        )


def exact_information(width: float, span: float = RANGE) -> float:
    """Bits between a, uniform on `span`, and a + r, r uniform on `width`. Raises ValueError if the noise is wider.

    The density of the sum is a trapezium, whose differential entropy is ln(span) + width / (2 span) nats.
    """
    if not 0 < width <= span:
        raise ValueError(f"noise {width} wide on a span of {span}: expected above 0 and no wider than the span")
    return math.log2(span / width) + width / (2 * span * math.log(2))


def estimated_information(a: np.ndarray, noisy: np.ndarray) -> float:
    """Bits between variables (n,) of which one is nearly the other, by histograms of both and of one and the noise."""
    each = round(math.sqrt(BINS))
    together = density_entropy(a, noisy - a, bins=(each, each))  # that of (a, noisy): a shear keeps areas
    return density_entropy(a, bins=(BINS,)) + density_entropy(noisy, bins=(BINS,)) - together


def digit_information(a: np.ndarray, noisy: np.ndarray, place: int) -> float:
    """Bits that `noisy` (n,) has about the digit of a (n,) with unit 10 ** -place, by corrected plug-in."""
    period = 10.0 ** (1 - place)
    digit = np.floor(a / period % 1 * 10).astype(np.int64)
    phase = np.floor(noisy / period % 1 * PHASES).astype(np.int64)
    # rounding can make `% 1` one
    return mutual_information(tabulate(np.minimum(digit, 9), np.minimum(phase, PHASES - 1), (10, PHASES)))


def exact_digit_information(width: float, unit: float, steps: int = 2000) -> float:
    """Bits about the digit of `unit` that a + r leaves, r uniform on `width`, away from the ends of a's range.

    Given a + r, a is uniform on an interval as wide as the noise. Where it begins is averaged over a grid of `steps`.
    """
    period = 10 * unit
    begins = (np.arange(steps) + 0.5)[:, None] / steps * period
    digits = np.arange(10) * unit

    def length(to: np.ndarray) -> np.ndarray:
        """(steps, 10): of the part of 0 to `to` in which the digit is each of the ten."""
        return to // period * unit + np.clip(to % period - digits, 0, unit)

    shares = (length(begins + width) - length(begins)) / width
    positive = np.clip(shares, 1e-300, None)
    return DIGIT + float((shares * np.log2(positive)).sum(axis=1).mean())


def picture(result: Result) -> Figure:
    """The digits of pi, each as dark as it is known under each noise; and their number by formula and from samples."""
    figure = Figure(figsize=(12.5, 4.6), facecolor="white", layout="constrained")
    table, curve = figure.subplots(1, 2, width_ratios=(1.75, 1))
    bits = np.array([[result.mean(f"{cell}: place {place}") for place in PLACES] for cell in HALF_WIDTHS])
    table.imshow(bits, cmap="Blues", vmin=0, vmax=DIGIT, aspect="auto")
    for (row, column), value in np.ndenumerate(bits):
        colour = "white" if value > 0.5 * DIGIT else "black" if value > 0.01 else LOST
        table.text(column, row - 0.1, FIRST_DIGITS[column], ha="center", va="center", fontsize=17, color=colour)
        shown = "0" if value < 0.0005 else f"{value:.3f}" if value < 0.1 else f"{value:.2f}"
        table.text(column, row + 0.32, shown, ha="center", va="center", fontsize=8, color=colour)
    table.set_xticks(PLACES, ["1", *(f"0.{'0' * (place - 1)}1" for place in PLACES[1:])])
    table.set_yticks(range(len(HALF_WIDTHS)), [f"±{cell}" for cell in HALF_WIDTHS])
    table.set(xlabel="place of the digit", ylabel="noise")
    table.set_title(
        "What a + r still says of each digit of a, in bits of the 3.32 there are\n(the digits written are those of pi)",
        fontsize=10,
    )

    halves = np.logspace(-4.4, -0.6, 100)
    curve.plot(halves, [exact_information(2 * w) / DIGIT for w in halves], color=EXACT, label="formula")
    even = [cell for cell in HALF_WIDTHS if cell != UNEVEN]
    curve.plot([float(cell) for cell in even], [result.mean(f"{cell}: digits") for cell in even], "o", color=DRAWN,
               markersize=8, label=f"from {result.experiment.settings[result.scale].samples:,} samples")  # fmt: skip
    for cell in even:
        value = result.mean(f"{cell}: digits")
        curve.annotate(f"{value:.2f}", (float(cell), value), (8, 5), textcoords="offset points", fontsize=9)
    curve.set_xscale("log")
    curve.set(ylim=(0, 6), xlabel="noise ±w", ylabel="digits of a that a + r carries in all")
    curve.set_title("Ten times the noise costs one digit", fontsize=10)
    curve.legend(fontsize=9, frameon=False)
    curve.spines[["top", "right"]].set_visible(False)
    return figure


EXPERIMENT = NoisyDigits()
