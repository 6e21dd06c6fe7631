"""What the bits of features have to do with over-fitting and with gradients. Start with `Features`.

Five kinds of features of a Go move, all yes or no, so that so many features are so many bits. What a learner on them
can hold is measured: the bits of random answers that it fits.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator
from torch import Tensor
from torch.nn import functional

from goagent.lab.core import Claim, Criterion, Experiment, Figures, Result, Role, Scale
from goagent.lab.information.move_features import EDGE, ENEMY, MADE, OWN, SIZE, hand_made, items, raw, windows
from goagent.lab.ranks import rank_correlation
from goagent.noise.binary import binarize

BITS = (4, 8, 16, MADE)
COMPARED = 2  # the index of 16
RAW, RANDOM, HAND, LEARNED, SAME = "raw", "random", "hand-made", "learned", "same examples"
COLOURS = {RAW: "#999999", RANDOM: "black", HAND: "#009E73", LEARNED: "#0072B2", SAME: "#D55E00"}
FIXED = (RAW, RANDOM, HAND, LEARNED)  # before the examples are seen


@dataclass(frozen=True)
class Settings:
    boards: int = 48_000  # of which about a fifth makes an item
    examples: int = 300  # to learn from at a time
    samples: int = 10  # times that is done
    steps: int = 600  # in which features are learned
    rate: float = 0.03


class Features(Experiment):
    name = "features"
    title = "Learned and hand-made features: bits, over-fitting and gradients"
    claim = Claim(
        sentence="The more information features can hold, be they learned or made by hand, the more a learner on them "
        "over-fits and the noisier its gradients.",
        essay="Jang 2016, Closing thoughts: asks how the information capacity of networks compares with that of "
        "hand-engineered features, and how it relates to over-fitting and to the quality of gradients.",
        source="No result: the essay asks. Akaike 1974, IEEE Transactions on Automatic Control 19: a learner with p "
        "weights whose model is true is p / n nats better on the n examples it has seen than on others. Wilks 1938, "
        "Annals of Mathematical Statistics 9: weights that have nothing to say fit chance by half a nat each.",
        data=f"Moves that capture nothing on random {SIZE}x{SIZE} Capture-Go boards: is the new stone in atari, so "
        "that the other side captures and wins? Half of them are. 300 to learn from, ten times; 3,500 to be measured "
        "on.",
        models="4 to 32 features of one bit each. Raw: own and enemy stones on the points nearest to the move. Random: "
        "signs of random filters on the 5x5 points around it, each true for half of the moves. Hand-made: numbers of "
        "empty points, own and enemy stones beside it, and liberties of their chains; with 32 bits, which of the "
        "most frequent 3x3 patterns it is. Learned: filters trained by a straight-through gradient on 3,500 other "
        "moves. Same examples: filters trained on the learner's own. The learner is logistic regression, its weights "
        "having a normal prior of variance 1.",
        baselines="The kinds of features are one another's, at equal bits.",
        metric="Capacity: examples times (1 - loss in bits) where the answers are random, filters being learned anew. "
        "Gap: loss on other moves less that on the examples, bits. Clearness: squared length of the mean gradient by "
        "the variance of one move's, on other moves, at weights of zero. Rank correlations over 20 pairs of kind and "
        "number of bits, and over the four of each kind.",
        shows_not="How good features can be made: others would rank otherwise, hand-made ones come from people who "
        "know the answer's definition, and learned ones have seen more answers. Gradients during training. That "
        "capacity is the cause. With a prior, capacity is a lower bound.",
    )
    criteria = (
        Criterion("gap by capacity", "rank correlation of capacity and gap", Role.CLAIM, at_least=0.5),
        Criterion("gap within", "the same within each kind of features, mean", Role.CLAIM, at_least=0.5),
        Criterion("clearness within", "rank correlation of capacity and clearness of gradients within each kind, mean",
                  Role.CLAIM, at_most=-0.5),
        Criterion("clearness by capacity", "but across kinds capacity does not tell how clear gradients are: rank "
                  "correlation", Role.CONDITION, at_least=-0.5),
        Criterion("spread", "bits are not all: at 16 bits, narrowest gap of fixed features by the widest",
                  Role.CONDITION, at_most=0.5),
        Criterion("clearness spread", "nor for gradients: at 16 bits, least clear fixed features by the clearest",
                  Role.CONDITION, at_most=0.5),
        Criterion("learning", "nor are they the features' alone: gap of features learned from other examples by that "
                  "of features learned from the same, 16 bits", Role.CONDITION, at_most=0.5),
        Criterion("right", "the question can be answered: share right by the best", Role.CONTROL, at_least=0.9),
        Criterion("over-fitted", "and over-fitted: gap of raw features, 32 bits", Role.CONTROL, at_least=0.05),
        Criterion("wilks", "capacity is measured right: that of fixed features by Wilks's law, (bits + 1) / (2 ln 2), "
                  "16 bits", Role.CONTROL, at_least=0.85, at_most=1.25),
        Criterion("akaike", "gap of random features by Akaike's law, 16 bits", Role.DETAIL, at_least=0.7, at_most=1.4),
        Criterion("fixed gap", "rank correlation of capacity and gap, fixed features", Role.DETAIL, at_least=0.5),
        Criterion("fixed clearness", "rank correlation of capacity and clearness, fixed features", Role.DETAIL,
                  at_most=-0.5),
        Criterion("clearness by loss", "what clearness goes with instead: its rank correlation with the loss, fixed "
                  "features", Role.DETAIL, at_most=-0.5),
    )  # fmt: skip
    settings: Mapping[Scale, Settings] = {
        "test": Settings(boards=3000, examples=40, samples=2, steps=5),
        "quick": Settings(boards=24_000, samples=4, steps=300),
        "full": Settings(),
    }

    def cells(self, settings: Settings) -> tuple[str, ...]:
        return ("",)

    def measure(self, cell: str, seed: int, settings: Settings) -> Figures:
        """Lists by kind are by number of bits."""
        boards, points, answers = items(settings.boards, np.random.default_rng(seed))
        seen = windows(boards, points)
        x = torch.from_numpy(seen[:, None] == np.array([OWN, ENEMY, EDGE])[:, None, None]).flatten(1).float()
        y = torch.from_numpy(answers).float()
        test, near, far = torch.arange(len(y)).tensor_split(3)
        generator = torch.Generator().manual_seed(seed)
        signs = {
            kind: binarize(torch.from_numpy(features).float() - 0.5)
            for kind, features in ((RAW, raw(seen)), (HAND, hand_made(boards, points, seen, far.numpy())))
        }
        chosen = torch.stack([torch.randperm(len(near), generator=generator)[: settings.examples]
                              for _ in range(settings.samples)]) + near[0]  # fmt: skip
        twice = chosen.repeat(2, 1)  # once to learn the answers, once to learn random ones
        learn = torch.cat([y[chosen], torch.randint(2, chosen.shape, generator=generator).float()])
        figures: dict[str, list[tuple[float, ...]]] = {kind: [] for kind in COLOURS}
        for bits in BITS:
            filters = torch.randn(1, x.shape[1], bits, generator=generator)
            middle = (x @ filters).median(dim=1, keepdim=True).values
            codes = {
                RAW: signs[RAW][None, :, :bits],
                RANDOM: binarize(x @ filters - middle),
                HAND: signs[HAND][None, :, :bits],
                LEARNED: learned(x[None, far], y[None, far], x, bits, settings, generator),
                SAME: learned(x[twice], learn, x, bits, settings, generator),
            }
            for kind, code in codes.items():
                every = code.expand(len(twice), -1, -1)
                examples = every[torch.arange(len(twice))[:, None], twice]
                figures[kind].append(judged(examples, learn, every[:, test], y[test]))
        measured = {kind: np.array(rows).T for kind, rows in figures.items()}  # (5, budgets) each
        capacity, gap, loss, right, clearness = (np.stack(parts) for parts in zip(*measured.values(), strict=True))
        fixed = slice(len(FIXED))
        nats = (BITS[COMPARED] + 1) / math.log(2)  # one a weight, in bits
        return {
            "gap by capacity": rank_correlation(capacity.ravel(), gap.ravel()),
            "gap within": float(np.mean([rank_correlation(*pair) for pair in zip(capacity, gap, strict=True)])),
            "clearness within": float(
                np.mean([rank_correlation(*pair) for pair in zip(capacity, clearness, strict=True)])
            ),
            "clearness by capacity": rank_correlation(capacity.ravel(), clearness.ravel()),
            "spread": gap[fixed, COMPARED].min() / gap[fixed, COMPARED].max(),
            "clearness spread": clearness[fixed, COMPARED].min() / clearness[fixed, COMPARED].max(),
            "learning": gap[-2, COMPARED] / gap[-1, COMPARED],
            "right": right.max(),
            "over-fitted": gap[0, -1],
            "wilks": capacity[fixed, COMPARED].mean() / (nats / 2),
            "akaike": gap[1, COMPARED] / (nats / settings.examples),
            "fixed gap": rank_correlation(capacity[fixed].ravel(), gap[fixed].ravel()),
            "fixed clearness": rank_correlation(capacity[fixed].ravel(), clearness[fixed].ravel()),
            "clearness by loss": rank_correlation(loss[fixed].ravel(), clearness[fixed].ravel()),
        } | {
            f"{kind}: {name}": value
            for kind, table in measured.items()
            for name, row in zip(("capacity", "gap", "loss", "right", "clearness"), table, strict=True)
            for name, value in ((name, row[COMPARED]), (f"{name} by bits", row.tolist()))
        }

    def draw(self, result: Result) -> Figure:
        return picture(result)

    def conclude(self, result: Result) -> str:
        mean = result.mean
        rows = "; ".join(
            f"{kind} {mean(f'{kind}: capacity'):.0f}, {mean(f'{kind}: gap'):.2f}, {mean(f'{kind}: clearness'):.2f}"
            for kind in COLOURS
        )
        return (
            f"Over five kinds of features of 4 to 32 bits, capacity has a rank correlation of "
            f"{mean('gap by capacity'):.2f} with the gap and of {mean('clearness by capacity'):.2f} with the clearness "
            f"of gradients; within a kind of {mean('gap within'):.2f} and {mean('clearness within'):.2f}. Across kinds "
            f"clearness goes with what the features say (with the loss {mean('clearness by loss'):.2f}). With 16 bits, "
            f"capacity in bits, gap in bits and clearness are: {rows}."
        )


def learned(
    x: Tensor, answers: Tensor, everything: Tensor, bits: int, settings: Settings, generator: torch.Generator
) -> Tensor:
    """Codes (copies, N, bits) of everything (N, inputs), by filters learned from x (copies, n, inputs) for answers."""
    copies, count, inputs = x.shape
    filters = torch.randn(copies, inputs, bits, generator=generator) / 5  # about 25 of the inputs are 1
    outward = torch.randn(copies, bits, 1, generator=generator) / math.sqrt(bits)
    offset, bias = torch.zeros(copies, 1, bits), torch.zeros(copies, 1, 1)
    parts = [part.requires_grad_() for part in (filters, offset, outward, bias)]
    optimiser = torch.optim.Adam(parts, lr=settings.rate)
    for _ in range(settings.steps):
        batch = torch.randint(count, (128,), generator=generator)
        logits = (binarize(x[:, batch] @ filters + offset) @ outward + bias)[..., 0]
        loss = functional.binary_cross_entropy_with_logits(logits, answers[:, batch], reduction="none")
        optimiser.zero_grad()
        loss.mean(dim=1).sum().backward()
        optimiser.step()
    return binarize(everything @ filters + offset).detach()


def fit(codes: Tensor, answers: Tensor) -> Tensor:
    """Logistic regression by Newton's method: codes (copies, n, p), answers (copies, n) -> weights (copies, p)."""
    codes, answers = codes.double(), answers.double()[..., None]
    weights = torch.zeros(len(codes), codes.shape[2], 1, dtype=torch.float64)
    prior = torch.eye(codes.shape[2], dtype=torch.float64)
    for _ in range(12):
        chance = torch.sigmoid(codes @ weights)
        slope = codes.mT @ (chance - answers) + weights
        weights = weights - torch.linalg.solve(codes.mT @ (codes * chance * (1 - chance)) + prior, slope)
    return weights[..., 0]


def judged(seen: Tensor, answers: Tensor, codes: Tensor, truth: Tensor) -> tuple[float, ...]:
    """Capacity, gap, loss, share right and clearness.

    seen (2 copies, n, bits): examples, with answers (2 copies, n), true ones for the first half of the copies and
    random ones for the others; codes (2 copies, N, bits) of other moves with the truth (N,).
    """
    half = len(seen) // 2
    agreement = codes[:half].double() * (2 * truth[:, None] - 1)  # twice each move's gradient, downhill
    mean = agreement.mean(dim=1).square().sum(dim=1)
    variance = codes.shape[2] - mean
    clearness = ((mean - variance / len(truth)) / variance).mean()  # less what chance adds
    seen, codes = (functional.pad(part, (0, 1), value=1).double() for part in (seen, codes))  # a constant feature
    weights = fit(seen, answers)[..., None]
    known, logits = (seen @ weights)[..., 0], (codes @ weights)[:half, :, 0]
    losses = (functional.softplus(known) - answers * known).mean(dim=1) / math.log(2)
    loss = (functional.softplus(logits) - truth * logits).mean() / math.log(2)
    capacity = answers.shape[1] * (1 - losses[half:].mean())
    right = ((logits > 0) == (truth > 0)).double().mean()
    return tuple(float(figure) for figure in (capacity, loss - losses[:half].mean(), loss, right, clearness))


def picture(result: Result) -> Figure:
    """Gap, clearness and loss by capacity: a line for each kind of features, a point for each number of bits."""
    figure = Figure(figsize=(12.5, 4.8), facecolor="white", layout="constrained")
    figure.suptitle(f"Features of a move, each kind of {', '.join(map(str, BITS))} bits")
    labels = {"gap": "gap between losses, bits", "clearness": "clearness", "loss": "loss on other moves, bits"}
    titles = ("How far a learner over-fits", "How clear its gradients are", "What it does not know")
    heights = {RANDOM: 6, LEARNED: -3, RAW: -17}  # of labels beside others
    for axes, (name, label), title in zip(figure.subplots(1, 3), labels.items(), titles, strict=True):
        for kind, colour in COLOURS.items():
            across, up = (
                np.mean([figures[f"{kind}: {which} by bits"] for figures in result.by_seed], axis=0)
                for which in ("capacity", name)
            )
            axes.plot(across, up, "o-", color=colour)
            place, side = ((0, -16), "center") if kind == SAME else ((7, heights.get(kind, 0)), "left")
            axes.annotate(kind, (across[-1], up[-1]), place, textcoords="offset points", ha=side, va="center",
                          color=colour, fontsize=9)  # fmt: skip
        axes.set(xscale="log", yscale="log", xlim=(2.5, 1000), xlabel="capacity: bits of random answers held")
        axes.set(ylabel=label)
        axes.set_title(title, fontsize=10)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.set_major_formatter("{x:g}")
            axis.set_minor_formatter("")
        axes.spines[["top", "right"]].set_visible(False)
    return figure


EXPERIMENT = Features()
