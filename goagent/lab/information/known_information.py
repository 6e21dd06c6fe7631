"""Vectors of exactly known information, and what networks store, pass on and learn of them. Start with
`KnownInformation`.

The essay proposes the experiment and leaves it to others. A vector has 32 signs. Either all are random, and there is
but a table to store; or k of them are, and a rule makes the others of those, so that each of the 2^k vectors says k
bits, no more. A model that describes vectors it has seen in fewer bits has memorised what is missing.
"""

import math
from collections.abc import Mapping

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from goagent.lab.core import Claim, Criterion, Experiment, Figures, Result, Role, Scale
from goagent.lab.information.capacity import dichotomies
from goagent.lab.information.known_measurements import (
    BINARY,
    BOUNDED,
    DROPOUT,
    DROPPED,
    ENDLESS,
    EXAMPLES,
    LENGTH,
    LOADS,
    LOST,
    MODELS,
    NOISE,
    NOISY_UNIT,
    RATIOS,
    SMOOTH,
    STORES,
    WEIGHTS,
    WITH,
    WITHOUT,
    Settings,
    measure_learning,
    measure_passage,
    measure_storage,
    measure_unit,
    units,
)
from goagent.lab.information.known_networks import Autoregressive

NARROWEST, KNEE = 0, 2  # of RATIOS, the last where capacity just does
ONE, STORE = "one unit", "store"
RECONSTRUCT = {f"reconstruct {k}": k for k in EXAMPLES}
GENERATE = {f"generate {k}": k for k in EXAMPLES}
FEWEST, *_, LARGEST = GENERATE  # bits known
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#999999"


class KnownInformation(Experiment):
    name = "known-information"
    title = "Vectors of known information: stored, reconstructed, learned"
    claim = Claim(
        sentence="Data of exactly known information measures what a network holds: what it stores grows with its "
        "weights and stops at few bits each, what it reconstructs stops at the data's bits or the capacity of its "
        "noisy layer, whichever is less, and dropout takes bits memorised and gives bits about unseen data.",
        essay="Jang 2016, Closing thoughts: proposes to measure the information capacity of networks of various sizes, "
        "with techniques such as dropout, by how they learn a generative model of synthetic vectors whose information "
        "is exactly known, and to relate it to overfitting. It predicts nothing there: the claim joins the proposal "
        "with what Limiting information in neural nets says of noise and dropout.",
        source="Cover 1965, IEEE Transactions on Electronic Computers 14: a unit can learn half of all labellings of "
        "two points a weight. Morris et al. 2025, arXiv:2505.24832, ran part of the proposal with transformers: about "
        "3.6 bits a parameter of random strings, memorised and learned told apart by code lengths. Collins et al. "
        "2016, arXiv:1611.09913: about 5 bits a parameter in recurrent networks. The models are those of Germain et "
        "al. 2015, arXiv:1502.03509.",
        data=f"Synthetic vectors of {LENGTH} signs. To store: all random, 1 to 16 bits of them for each weight. To "
        "reconstruct and to learn: k = 4, 8 or 12 random signs, the others the signs of random linear functions of "
        "those, another rule for each seed. To learn from: 8, 64, 256 of the 2^k vectors. Of the rest one half says "
        "where to stop, and the other is measured on, every vector of it.",
        models=f"One unit with {WEIGHTS} weights, on random labels. Autoregressive networks of one hidden layer, 8 to "
        "256 units, whose likelihood is exact, without dropout, with 0.2 and with 0.5 of it. Autoencoders through a "
        "narrow layer of binary units, of tanh units with Gaussian noise of 0.5, of binary units with dropout of "
        "0.5, or of tanh units with that dropout and no noise. Adam; its rates, of 0.003, 0.01 and 0.03, are those "
        "that were best without dropout on a development seed.",
        baselines="Cover's count; the channels' capacities, which for dropout is the mean of the lesser of k and the "
        "units left, and with noise that of a number from -1 to 1 (Smith 1971); k, the code length of the rule; log2 "
        "of the number of examples, the code length of their list; smaller networks; stopping early.",
        metric="Bits. Stored: a table's length less its code length under the trained model, a lower bound of what "
        "the weights say about it. Pass: mutual information of vector and narrow layer, by the channel's own "
        "likelihood, without bias. Read: the same by the decoder's likelihood among the 2^k vectors, its scale fitted "
        "on other draws; a lower bound, tighter than Fano's from the nearest vector, which is given too. Learned: "
        "code length of a vector, one learned from or an unseen one. All without dropout but that in a narrow layer.",
        shows_not="The capacity of weights: storage is what this training reaches, and longer training reaches some "
        "per cent more. Larger networks, or other rules than this one. That dropout is the best cure: its share was "
        "not tuned, stopping early is printed beside it, and the mean over sizes depends on the sizes. The quality of "
        "gradients, of which the essay asks too, is not measured.",
    )
    criteria = (
        Criterion(f"{STORE}: flooded", "random table of 16 bits a weight: bits stored, by those of one of 4",
                  Role.CLAIM, at_most=1.1),
        Criterion(f"{STORE}: power", "of 4 bits a weight: the power of a network's size with which the bits that it "
                  "stores grow", Role.CLAIM, at_least=0.8, at_most=1.2),
        Criterion(f"{STORE}: kept", "share of the bits stored that dropout of 0.5 leaves", Role.CLAIM, at_most=0.8),
        *(Criterion(f"{channel}: pass", f"{channel}: bits that pass, by the most that can, mean over k and widths",
                    Role.CLAIM, at_least=0.9) for channel in BOUNDED),
        *(Criterion(f"{cell}: taken", f"k = {k}: bits a vector learned from that dropout of 0.5 takes, mean over sizes",
                    Role.CLAIM, at_least=0.5) for cell, k in GENERATE.items()),
        *(Criterion(f"{cell}: given", f"k = {k}: bits about an unseen vector that it gives, mean over sizes",
                    Role.CLAIM, at_least=0.5) for cell, k in list(GENERATE.items())[1:]),
        Criterion(f"{DROPPED}: knee", "dropout, a layer whose capacity just does: bits that pass, by the most that can",
                  Role.CONDITION, at_most=0.9),
        Criterion("read", "bits that decoders read, by the most that can pass, mean over all", Role.CONDITION,
                  at_most=0.9),
        Criterion(f"{LARGEST}: smallest", "k = 12, smallest network: bits about an unseen vector that dropout gives",
                  Role.CONDITION, at_most=0),
        Criterion(f"{SMOOTH}: beyond", "tanh units limit nothing by dropout alone: bits read, by the most that binary "
                  "ones pass, narrowest layers", Role.CONDITION, at_least=1.1),
        Criterion(f"{ONE}: off", "one unit: largest difference from Cover's share of labellings it can learn",
                  Role.CONTROL, at_most=0.12),
        Criterion(f"{ONE}: excess", "one unit: bits stored a weight beyond the logarithm of his count, largest",
                  Role.CONTROL, at_most=0.02),
        Criterion(f"{STORE}: fresh", "bits known of random vectors that were not stored, largest", Role.CONTROL,
                  at_most=0.1),
        Criterion("over capacity", "bits that pass beyond the most that can, largest", Role.CONTROL, at_most=0.1),
        Criterion("over passage", "bits read beyond those that pass, largest", Role.CONTROL, at_most=0.1),
        Criterion(f"{LARGEST}: by heart", "k = 12, largest network without dropout: share memorised of the bits that "
                  "the list has beyond the rule", Role.CONTROL, at_least=0.4),
        Criterion(f"{STORE}: a weight", "bits stored a weight, of 4", Role.DETAIL, at_least=1, at_most=2),
        Criterion(f"{ONE}: endless", f"one unit, {ENDLESS} labels a weight: bits stored a weight; half a nat is 0.72",
                  Role.DETAIL, at_least=0.67, at_most=0.82),
        Criterion(f"{FEWEST}: given", "k = 4, where the examples leave the rule open and 4 vectors are measured: bits "
                  "about an unseen vector that dropout gives, mean over sizes", Role.DETAIL, at_least=0.5),
        Criterion(f"{LARGEST}: by heart with dropout", "k = 12, largest network, dropout of 0.5: share memorised",
                  Role.DETAIL, at_most=0.25),
        Criterion(f"{LARGEST}: best size", "k = 12: bits about an unseen vector that dropout gives, each at the size "
                  "that validates best", Role.DETAIL, at_least=0.5),
        *(Criterion(f"{cell}: over stopping", f"k = {k}: the same over stopping early without dropout", Role.DETAIL,
                    at_least=0) for cell, k in list(GENERATE.items())[1:]),
        *(Criterion(f"{cell}: both stopped", f"k = {k}: the same, both stopped early", Role.DETAIL, at_least=0)
          for cell, k in list(GENERATE.items())[1:]),
    )  # fmt: skip
    settings: Mapping[Scale, Settings] = {
        "test": Settings(4, 2, unit_steps=10, store_steps=4, code_steps=4, draws=64, model_steps=4, checks=2),
        "quick": Settings(20, 5, unit_steps=150, store_steps=100, code_steps=200, draws=512, model_steps=900, checks=4),
        "full": Settings(),
    }

    def cells(self, settings: Settings) -> tuple[str, ...]:
        return (ONE, STORE, *RECONSTRUCT, *GENERATE)

    def measure(self, cell: str, seed: int, settings: Settings) -> Figures:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            if cell == ONE:
                return measure_unit(seed, settings)
            if cell == STORE:
                return measure_storage(settings)
            if cell in RECONSTRUCT:
                return measure_passage(RECONSTRUCT[cell], settings)
            return measure_learning(GENERATE[cell], settings)

    def derive(self, figures: Figures) -> Figures:
        def of(channel: str, name: str) -> np.ndarray:
            """(k, RATIOS) bits."""
            return np.array([figures[f"{cell}: {channel} {name}"] for cell in RECONSTRUCT])

        bound, passing, read, fano = (
            np.stack([of(channel, name) for channel in BOUNDED]) for name in ("bound", "pass", "read", "fano")
        )
        shares = {f"{c}: pass": float(share.mean()) for c, share in zip(BOUNDED, passing / bound, strict=True)}
        return shares | {
            f"{DROPPED}: knee": float((of(DROPPED, "pass") / of(DROPPED, "bound"))[:, KNEE].mean()),
            f"{SMOOTH}: beyond": float((of(SMOOTH, "read") / of(DROPPED, "bound"))[:, NARROWEST].mean()),
            "read": float((read / bound).mean()),
            "fano": float((fano / bound).mean()),
            "over capacity": float((passing - bound).max()),
            "over passage": float((read - passing).max()),
        }

    def draw(self, result: Result) -> Figure:
        return picture(result)

    def conclude(self, result: Result) -> str:
        mean = result.mean
        without, dropped, stopped = (
            mean(f"{LARGEST}: {name}") for name in ("best without", "best with", "stopped without")
        )
        return (
            f"Stored: {mean(f'{STORE}: a weight'):.2f} bits of random vectors a weight, growing with size to the power "
            f"{mean(f'{STORE}: power'):.2f}; four times the vectors leave {mean(f'{STORE}: flooded'):.0%} of that, "
            f"dropout of 0.5 leaves {mean(f'{STORE}: kept'):.0%}. Reconstructed: binary, noisy and dropped layers pass "
            f"{mean(f'{BINARY}: pass'):.0%}, {mean(f'{NOISE}: pass'):.0%} and {mean(f'{DROPPED}: pass'):.0%} of the "
            f"most that can ({mean(f'{DROPPED}: knee'):.0%} with dropout where that just does), and decoders read "
            f"{mean('read'):.0%} ({mean('fano'):.0%} by Fano's bound). Dropout alone is no such limit: through tanh "
            f"units {mean(f'{SMOOTH}: beyond'):.1f} times the most of binary ones is read. Learned, k = 12: dropout "
            f"takes {mean(f'{LARGEST}: taken'):.1f} bits of a vector learned from and gives "
            f"{mean(f'{LARGEST}: given'):.1f} about an unseen one, mean over sizes ({mean(f'{LARGEST}: smallest'):.1f} "
            f"in the smallest); the largest network has {mean(f'{LARGEST}: by heart'):.0%} of the list by heart "
            f"without and {max(0.0, mean(f'{LARGEST}: by heart with dropout')):.0%} with it. At the best sizes an "
            f"unseen vector costs {without:.1f} bits without dropout, {dropped:.1f} with it, and {stopped:.1f} without "
            "but stopped early; the rule alone would cost 12."
        )


def averages(result: Result, figure: str) -> np.ndarray:
    """Of a figure that is a list, the mean over seeds."""
    return np.mean([figures[figure] for figures in result.by_seed], axis=0)


def picture(result: Result) -> Figure:
    """Above, bits stored against bits shown, and bits through a layer against its capacity; below, bits learned."""
    figure = Figure(figsize=(13, 8), facecolor="white", layout="constrained")
    grid = figure.add_gridspec(2, 6, height_ratios=(1.15, 1))
    draw_storage(figure.add_subplot(grid[0, :3]), result)
    draw_passage(figure.add_subplot(grid[0, 3:]), result)
    for number, cell in enumerate(GENERATE):
        draw_learning(figure.add_subplot(grid[1, 2 * number : 2 * number + 2]), result, cell)
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def draw_storage(axes: Axes, result: Result) -> None:
    loads = np.geomspace(LOADS[0], LOADS[-1], 200)
    size = Autoregressive(LENGTH, STORES[1], DROPOUT).size
    axes.plot(loads, loads * (1 - np.log2(loads * size / LENGTH) / LENGTH), color=GREY, linestyle="--")
    axes.annotate("the whole table,\nbut for its order", (3.5, 2.1), color=GREY)
    ceiling = [dichotomies(round(load * WEIGHTS), WEIGHTS) / WEIGHTS for load in loads]
    axes.plot(loads, ceiling, color=GREEN, linestyle="--")
    axes.annotate("most for one unit\n(Cover)", (2.25, 2.3), color=GREEN, ha="right")
    axes.plot(LOADS, averages(result, f"{ONE}: bits")[: len(LOADS)], "s-", color=GREEN, markersize=5)
    axes.annotate("one unit, random labels", (16, 0.68), color=GREEN, ha="right", va="top")
    stored = averages(result, f"{STORE}: bits")
    for dropout, colour in ((WITHOUT, BLUE), (WITH, ORANGE)):
        for bits, width in zip(stored[:, :, dropout], (1, 2, 3), strict=True):
            axes.plot(LOADS, bits, "o-", color=colour, linewidth=width, markersize=3 + width)
    axes.annotate("networks without dropout", (16, stored[:, -2, WITHOUT].max() + 0.08), color=BLUE, ha="right")
    axes.annotate("with dropout of 0.5", (16, stored[:, -1, WITH].max() + 0.04), color=ORANGE, ha="right", va="bottom")
    axes.set_xscale("log", base=2)
    axes.set_xticks(LOADS, [str(load) for load in LOADS])
    axes.set(ylim=(0, 2.8), xlabel="random bits shown for each weight", ylabel="bits stored in a weight")
    axes.set_title(f"Stored: tables of random vectors, in {', '.join(map(str, STORES))} hidden units (thicker: more)",
                   fontsize=11)  # fmt: skip


def draw_passage(axes: Axes, result: Result) -> None:
    looks = {BINARY: (GREEN, "binary units"), NOISE: (BLUE, "noisy units"), DROPPED: (ORANGE, "binary, dropout of 0.5")}
    unit = {BINARY: 1, NOISE: NOISY_UNIT, DROPPED: 1 - LOST}
    for cell, bits in RECONSTRUCT.items():
        axes.plot((0, bits, 26), (0, bits, bits), color=GREY, linestyle="--", linewidth=1)
        axes.annotate(f"k = {bits}", (26, bits), (0, 4), textcoords="offset points", color=GREY, ha="right")
        for channel, (colour, name) in looks.items():
            capacity = [units(channel, ratio * bits) * unit[channel] for ratio in RATIOS]
            passing, read = (averages(result, f"{cell}: {channel} {what}") for what in ("pass", "read"))
            axes.vlines(capacity, read, passing, color=colour, linewidth=1)
            axes.plot(capacity, passing, "o", color=colour, markersize=6, label=name if bits == max(EXAMPLES) else None)
            axes.plot(capacity, read, "o", color=colour, markersize=5, markerfacecolor="white")
    axes.set(xlim=(0, 26.5), ylim=(0, 13.5), xlabel="capacity of the narrow layer, bits", ylabel="bits of the k")
    axes.legend(fontsize=9, frameon=False, loc="lower right")
    axes.set_title("Reconstructed: what the layer passes (full) and the decoder reads (hollow)", fontsize=11)


def draw_learning(axes: Axes, result: Result, cell: str) -> None:
    bits, seen = GENERATE[cell], EXAMPLES[GENERATE[cell]]
    for level, name, va in (
        (LENGTH, "nothing\nknown", "center"),
        (bits, "rule known", "bottom"),
        (math.log2(seen), "list known\nby heart", "top"),
    ):
        axes.axhline(level, color=GREY, linestyle="--", linewidth=1, xmax=0.78)
        axes.annotate(name, (MODELS[-1] * 1.25, level), color=GREY, va=va, fontsize=9)
    for dropout, colour, name in ((WITHOUT, BLUE, "without dropout"), (WITH, ORANGE, "dropout of 0.5")):
        axes.plot(MODELS, averages(result, f"{cell}: unseen")[:, dropout], "o-", color=colour, markersize=5,
                  label=f"unseen, {name}")  # fmt: skip
        axes.plot(MODELS, averages(result, f"{cell}: seen")[:, dropout], "o:", color=colour, markersize=5,
                  markerfacecolor="white", label=f"seen, {name}")  # fmt: skip
    axes.set_xscale("log", base=2)
    axes.set_xticks(MODELS, [str(hidden) for hidden in MODELS])
    axes.set(xlim=(6.5, 900), ylim=(-3, 66), xlabel="hidden units", ylabel="bits to describe a vector")
    if cell == LARGEST:
        axes.legend(fontsize=8, frameon=False, loc="upper left", ncols=2)
    axes.set_title(f"Learned: k = {bits}, {seen} of {2**bits:,} vectors seen", fontsize=11)


EXPERIMENT = KnownInformation()
