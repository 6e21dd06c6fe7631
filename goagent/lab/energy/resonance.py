"""Noise that lets a signal through: a threshold that the signal does not reach by itself. Start with `Resonance`.

A unit is on where signal + N(0, noise^2) exceeds its threshold. The signal is one of two values, equally often, so it
holds 1 bit; how much of it the unit's answer tells has a closed form, `information`, and is measured from draws too.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import special

from goagent.lab.core import Claim, Criterion, Experiment, Figures, Result, Role, Scale

SIGNAL = (-0.5, 0.5)
THRESHOLDS = {"threshold above": 1.0, "threshold between": 0.0}  # the signal's two values
ABOVE, BETWEEN = THRESHOLDS
LOWEST, HIGHEST = 0.2, 6.0  # noise at the ends of the range
BLUE, ORANGE = "#0072B2", "#D55E00"

POSITION = """
    . . . . . . .
    . O O . . . .
    . O . X X . .
    . O X . X . .
    . . X X . O .
    . . . . O . .
    . . . . . . .
"""  # a picture to send: its stones are the signal's higher value
PIXELS = 24  # to a point of the board


@dataclass(frozen=True)
class Settings:
    draws: int = 1_000_000  # of each value of the signal, at each level of noise
    levels: int = 25  # of noise, equal factors apart


class Resonance(Experiment):
    name = "resonance"
    title = "Stochastic resonance: a threshold and a signal below it"
    claim = Claim(
        sentence="Noise can be a feature of a neuron: a threshold unit passes more of a signal that does not reach its "
        "threshold with noise than without, and most at a level in between, neither low nor high.",
        essay="Jang 2016, Closing thoughts: asks whether the noisiness of our neural code is a feature, and refers to "
        "the article Neuronal noise in Scholarpedia. It states no law; the one tested is the best known of its kind.",
        source="McDonnell and Abbott 2009, What is stochastic resonance?, PLoS Comput. Biol. 5(5): noise can raise the "
        "transmission of a signal where a nonlinear system is suboptimal without; whether brains use it is debated.",
        data="Synthetic: a signal of -0.5 or +0.5, each equally often, which is 1 bit, and Gaussian noise from 0.2 to "
        "6 in equal factors.",
        models="A unit that is on above a threshold of 1, which the signal never reaches; and one whose threshold, 0, "
        "lies between the signal's two values.",
        baselines="The same unit without noise; the ends of the range, 0.2 and 6; the closed form.",
        metric="Mutual information of signal and answer, in bits: from the counts of the draws, taken as "
        "probabilities, which is too high by 1 / (4 n ln 2) bits on average, n draws of each value (less than a "
        "millionth of a bit at full length). The peak is read where the closed form has its own, so no luck of the "
        "draws is picked.",
        shows_not="That brains or deep networks work so: one unit and a signal of two values are measured, and the "
        "factors depend on the range of noise, outside of which the information goes on to fall to nothing. Nor that "
        "noise helps in Go: noisy leaf values in a shallow search were not tried. Several units with one threshold "
        "gain from noise even where it lies between the signal's values (Stocks 2000), which is not measured either.",
    )
    criteria = (
        Criterion(f"{ABOVE}: peak over lowest", "bits at the peak, by those at noise 0.2", Role.CLAIM, at_least=5),
        Criterion(f"{ABOVE}: peak over highest", "bits at the peak, by those at noise 6", Role.CLAIM, at_least=5),
        Criterion(f"{ABOVE}: without noise", "bits that pass without noise", Role.CLAIM, at_most=0),
        Criterion(f"{ABOVE}: off", "largest difference of measured bits from the closed form", Role.CONTROL,
                  at_most=0.005),
        Criterion(f"{BETWEEN}: off", "and with the threshold between", Role.CONTROL, at_most=0.005),
        Criterion(f"{BETWEEN}: gain", "with the threshold between the signal's values, bits at the best noise beyond "
                  "those without: noise only takes", Role.CONDITION, at_most=0),
        Criterion(f"{ABOVE}: peak", "bits at the peak, of the 1 that the signal holds", Role.DETAIL,
                  at_most=0.1),
        Criterion(f"{ABOVE}: best noise", "noise at which most was measured, in units of the threshold", Role.DETAIL,
                  at_least=0.6, at_most=1.0),
    )  # fmt: skip
    settings: Mapping[Scale, Settings] = {
        "test": Settings(draws=5000, levels=7),
        "quick": Settings(draws=300_000),
        "full": Settings(),
    }

    def cells(self, settings: Settings) -> tuple[str, ...]:
        return tuple(THRESHOLDS)

    def measure(self, cell: str, seed: int, settings: Settings) -> Figures:
        rng = np.random.default_rng([seed, list(THRESHOLDS).index(cell)])
        threshold, noises = THRESHOLDS[cell], levels(settings)
        without = information(*share_on(threshold, 0, settings.draws, rng))
        measured = np.array([information(*share_on(threshold, noise, settings.draws, rng)) for noise in noises])
        exact = np.array([information(*chance_on(threshold, noise)) for noise in noises])
        peak = measured[exact.argmax()]
        figures = {
            "without noise": without,
            "lowest": measured[0],
            "peak": peak,
            "highest": measured[-1],
            "peak over lowest": _ratio(peak, measured[0]),
            "peak over highest": _ratio(peak, measured[-1]),
            "best noise": noises[measured.argmax()],
            "gain": measured.max() - without,
            "off": np.abs(measured - exact).max(),
        }
        return {name: float(value) for name, value in figures.items()} | {
            "bits": measured.tolist(),
            "pictures": [sent(threshold, noise, rng) for noise in (LOWEST, noises[exact.argmax()], HIGHEST)],
        }

    def draw(self, result: Result) -> Figure:
        return picture(result)

    def conclude(self, result: Result) -> str:
        mean = result.mean
        return (
            f"A signal below the threshold passes {mean(f'{ABOVE}: without noise'):.3g} bits without noise, "
            f"{mean(f'{ABOVE}: lowest'):.4f} at noise {LOWEST:g}, {mean(f'{ABOVE}: peak'):.3f} at the peak near "
            f"{mean(f'{ABOVE}: best noise'):.2f}, and {mean(f'{ABOVE}: highest'):.4f} at {HIGHEST:g}: the peak is "
            f"{mean(f'{ABOVE}: peak over lowest'):.0f} and {mean(f'{ABOVE}: peak over highest'):.0f} times the ends. "
            f"Noise makes up for a bad threshold, and poorly: one between the signal's values passes "
            f"{mean(f'{BETWEEN}: without noise'):.3g} bit without noise, and noise only takes from it "
            f"({mean(f'{BETWEEN}: lowest'):.2f} at {LOWEST:g})."
        )


def levels(settings: Settings) -> np.ndarray:
    return np.geomspace(LOWEST, HIGHEST, settings.levels)


def chance_on(threshold: float, noise: float) -> tuple[float, float]:
    """P(on) given the lower and the higher value of the signal; noise > 0."""
    low, high = (float(special.ndtr((value - threshold) / noise)) for value in SIGNAL)
    return low, high


def share_on(threshold: float, noise: float, draws: int, rng: np.random.Generator) -> tuple[float, float]:
    """The same from so many draws of each."""
    low, high = (float((value + noise * rng.standard_normal(draws) > threshold).mean()) for value in SIGNAL)
    return low, high


def information(low: float, high: float) -> float:
    """Bits that on or off tells of a signal of two values, equally often, given P(on) of each: 0 to 1.

    H(mean of both) - mean of H(each), with H the entropy of a coin.
    """
    return max(0.0, _coin((low + high) / 2) - (_coin(low) + _coin(high)) / 2)  # rounding may fall below


def _coin(p: float) -> float:
    return float(special.entr(p) + special.entr(1 - p)) / np.log(2)


def _ratio(peak: float, end: float) -> float:
    """With an end that nothing has passed taken for 1e-6 bits: a short run may see none, and a ratio is finite."""
    return peak / max(end, 1e-6)


def stones() -> np.ndarray:
    """(rows, cols) of pixels: whether a stone of `POSITION` covers it."""
    board = np.array([[point != "." for point in line.split()] for line in POSITION.split("\n") if line.strip()])
    offset = np.arange(PIXELS) - (PIXELS - 1) / 2
    disc = np.hypot(offset, offset[:, None]) < 0.46 * PIXELS
    return np.kron(board, disc).astype(bool)


def sent(threshold: float, noise: float, rng: np.random.Generator) -> list[str]:
    """The picture as a unit for each pixel answers it: a row of 0 and 1 each."""
    signal = np.where(stones(), SIGNAL[1], SIGNAL[0])
    on = signal + noise * rng.standard_normal(signal.shape) > threshold
    return ["".join("01"[pixel] for pixel in row) for row in on.astype(int)]


def picture(result: Result) -> Figure:
    """A picture seen through the units at three levels of noise; the information at all of them."""
    figure = Figure(figsize=(13, 4.4), facecolor="white", layout="constrained")
    *panels, curve = figure.subplots(1, 4, width_ratios=(1, 1, 1, 1.7))
    noises = levels(result.experiment.settings[result.scale])
    exact = [information(*chance_on(THRESHOLDS[ABOVE], noise)) for noise in noises]
    shown = (0, int(np.argmax(exact)), len(noises) - 1)
    names = ("Little noise", "The best", "Much")
    for axes, rows, name, i in zip(panels, result.first(f"{ABOVE}: pictures"), names, shown, strict=True):
        axes.imshow([[pixel == "1" for pixel in row] for row in rows], cmap="gray_r", vmin=0, vmax=1)
        axes.set_title(f"{name}: {noises[i]:.2g}\n{exact[i]:.3f} bits of 1", fontsize=10)
        axes.set(xticks=[], yticks=[])
    panels[1].set_xlabel("Stones on a board, seen by a unit for each pixel whose threshold\nthey do not reach: black "
                         "where it is on")  # fmt: skip
    _draw_curve(curve, result, noises)
    return figure


def _draw_curve(axes: Axes, result: Result, noises: np.ndarray) -> None:
    fine = np.geomspace(LOWEST, HIGHEST, 200)
    for cell, colour, marker, label in (
        (BETWEEN, ORANGE, "s", "threshold between the signal's values"),
        (ABOVE, BLUE, "o", "threshold above both"),
    ):
        axes.plot(fine, [information(*chance_on(THRESHOLDS[cell], noise)) for noise in fine], color=colour)
        bits = np.mean([figures[f"{cell}: bits"] for figures in result.by_seed], axis=0)
        without = result.mean(f"{cell}: without noise")
        axes.plot(noises, bits, marker, color=colour, markersize=5, label=f"{label} (without noise {without:.2g})")
    axes.set(xscale="log", yscale="log", ylim=(1e-3, 4), xlabel="noise (standard deviation; the threshold above is 1)")
    axes.set_ylabel("bits of the signal in the answer")
    axes.set_xticks([0.2, 0.5, 1, 2, 6], ["0.2", "0.5", "1", "2", "6"], minor=False)
    axes.xaxis.minorticks_off()
    axes.set_yticks([0.001, 0.01, 0.1, 1], ["0.001", "0.01", "0.1", "1"])
    axes.set_title("Lines: closed form; marks: measured", fontsize=10)
    axes.legend(fontsize=9, frameon=False, loc="upper right")
    axes.spines[["top", "right"]].set_visible(False)


EXPERIMENT = Resonance()
