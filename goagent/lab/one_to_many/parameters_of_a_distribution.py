"""A deterministic network that says a distribution: is what it says right, and is what is drawn as it says?

The network's answer is `MoveDistribution`. It is compared with the expert, who chooses evenly among the answers, in
bits; with draws from it; with its own limits at temperatures of none and many; and stated probabilities with the
expert's (calibration).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from goagent.lab.boards_drawn import DOT, HEAT, draw_board
from goagent.lab.capture_go import Boards, legal_points, observe
from goagent.lab.core import Claim, Criterion, Experiment, Figures, Result, Role, Scale
from goagent.lab.one_to_many.models import Model, fit, fresh
from goagent.lab.one_to_many.stated_probabilities import SIGNIFICANT, calibration, limits, share_passed
from goagent.lab.one_to_many.suites import SHEETS, board_suites, learn_sheet, log_loss, measure_sheet, training_boards
from goagent.policies.distributions import MoveDistribution

CATEGORICAL = "categorical"
COLOURS = {CATEGORICAL: HEAT, "mixture": "#009E73", "latent": DOT}  # the models that say a distribution
GROUPS = ("S3 C2", "S3 D4", "S3 D1")
TEMPERATURES = (0.0, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0)  # in the picture


@dataclass(frozen=True)
class Settings:
    models: tuple[str, ...] = tuple(COLOURS)
    sheets: tuple[str, ...] = ("S1", "S2")  # first letters of their names
    sheet_steps: int = 200
    boards: int = 16_000  # that a model learns from
    steps: int = 500
    suite: int = 600  # positions of each suite that it is measured on
    batch: int = 128
    rate: float = 0.005
    tests: int = 25  # positions of each group of S3 whose draws are tested
    draws: int = 500  # from each


class ParametersOfADistribution(Experiment):
    name = "parameters-of-a-distribution"
    title = "A deterministic network, and a die"
    claim = Claim(
        sentence="A network can stay deterministic if what it puts out are the parameters of a distribution: they can "
        "be learned nearly to the expert's own entropy, draws follow them, and temperature leads from the likeliest "
        "move to any move.",
        essay="Jang 2016, Single input, multiple output: the network may stay deterministic if what it puts out are "
        "the parameters of a distribution, from which samples are drawn.",
        source="Bishop 1994, Mixture density networks: a network whose outputs are a density's parameters. Guo et al. "
        "2017, arXiv:1706.04599: expected calibration error.",
        data="S1 empty boards of 5x5 to 9x9 and S2 a stone on the centre, with declared experts; S3 random Capture-Go "
        "positions on 7x7 with a symmetry, S4 without, both with several winning moves and an expert who chooses "
        "evenly among them. Positions of S3 and S4 are not those that were learned.",
        models="A categorical distribution, which decides; a mixture density and a latent policy, as details. One "
        "trunk, equal numbers of weights.",
        baselines="The expert's own entropy, below which no log loss can be.",
        metric="Log loss above the expert's entropy, bits: worst of the sheets, worst of the groups of S3. Share of "
        "positions whose draws pass a chi-squared test (p > 0.01) against the stated probabilities; 99 % would pass "
        "if draws are right. Largest difference from the argmax at temperature 0, from uniform at a million. "
        "Calibration: the likeliest move's probability against the expert's, in 15 bins.",
        shows_not="That draws follow the stated probabilities is a property of the sampler, not of what was learned; "
        "against the expert's own, draws would fail once there are enough of them (on the sheets this is a detail). "
        "Temperature's limits hold by definition: what is shown is that the code keeps them. A latent policy's log "
        "loss is that of 128 draws, a point without any counted as e^-30.",
    )
    criteria = (
        Criterion(f"{CATEGORICAL}: sheets excess", "S1, S2: log loss above the expert's entropy, bits", Role.CLAIM,
                  at_most=0.1),
        Criterion(f"{CATEGORICAL}: S3 excess", "S3: log loss above the expert's entropy, bits", Role.CLAIM,
                  at_most=0.1),
        Criterion(f"{CATEGORICAL}: passed", "positions whose draws fit the stated probabilities, p > 0.01", Role.CLAIM,
                  at_least=0.95),
        Criterion(f"{CATEGORICAL}: cold", "temperature 0: probability of the likeliest move, least of all positions",
                  Role.CLAIM, at_least=1),
        Criterion(f"{CATEGORICAL}: cool", "temperature 0.001: mass on moves 99 % as likely as the likeliest, at least",
                  Role.CLAIM, at_least=0.99),
        Criterion(f"{CATEGORICAL}: hot", "temperature a million: largest difference from uniform over legal moves",
                  Role.CLAIM, at_most=1e-4),
        Criterion(f"{CATEGORICAL}: S4 excess", "S4: log loss above the expert's entropy, bits", Role.DETAIL,
                  at_most=0.1),
        Criterion(f"{CATEGORICAL}: calibration error", "S3 and S4: expected calibration error", Role.DETAIL,
                  at_most=0.05),
        Criterion(f"{CATEGORICAL}: sheets even", "sheets whose 8,000 draws look even on the expert's points, p > 0.01",
                  Role.DETAIL, at_least=0.95),
        Criterion("mixture: S3 excess", "the same for a mixture", Role.DETAIL, at_most=0.1),
        Criterion("latent: S3 excess", "and for a latent policy", Role.DETAIL, at_most=0.1),
    )  # fmt: skip
    settings: Mapping[Scale, Settings] = {
        "test": Settings(sheets=("S1 5x5",), sheet_steps=5, boards=200, steps=4, suite=20, batch=32, tests=5, draws=50),
        "quick": Settings(sheets=("S1 7x7", "S2 7x7"), sheet_steps=100, boards=3000, steps=80, suite=100, tests=10),
        "full": Settings(),
    }

    def cells(self, settings: Settings) -> tuple[str, ...]:
        return settings.models

    def measure(self, cell: str, seed: int, settings: Settings) -> Figures:
        suites, learned = positions(settings, seed)
        model = fresh(cell, seed)
        fit(model, observe(learned.boards), learned.answers, settings.steps, settings.batch, seed, settings.rate)
        return measure_sheets(cell, seed, settings) | measure_model(model, suites, seed, settings)

    def draw(self, result: Result) -> Figure:
        return picture(result)

    def conclude(self, result: Result) -> str:
        mean = result.mean
        return (
            f"The categorical policy's log loss is {mean('categorical: sheets excess'):.3f} bits above the expert's "
            f"entropy on the worst sheet and {mean('categorical: S3 excess'):.3f} bits on unseen symmetric positions "
            f"(mixture {mean('mixture: S3 excess'):.2f}, latent {mean('latent: S3 excess'):.2f}). Draws fit what it "
            f"states in {mean('categorical: passed'):.1%} of the positions (99 % would if nothing is wrong), its "
            f"calibration error is {mean('categorical: calibration error'):.3f}, and temperature leads from the "
            "likeliest move to a uniform choice among the legal ones."
        )


@lru_cache(maxsize=1)
def positions(settings: Settings, seed: int) -> tuple[dict[str, Boards], Boards]:
    """To measure on, and to learn from: the same for every cell of a seed, which is why they are kept."""
    rng = np.random.default_rng(seed)
    return board_suites(settings.suite, rng), training_boards(settings.boards, rng)


@torch.no_grad()
def measure_model(model: Model, suites: dict[str, Boards], seed: int, settings: Settings) -> Figures:
    """On positions that it has not learned."""
    excess = {name: excess_bits(model, suites[name]) for name in (*GROUPS, "S4")}
    figures: Figures = {f"{name} excess": value for name, value in excess.items()}
    figures["S3 excess"] = max(excess[name] for name in GROUPS)
    tested = together([Boards(*(part[: settings.tests] for part in suites[name])) for name in GROUPS])
    everything = together([suites[name] for name in excess])
    figures["passed"] = share_passed(answers_to(model, tested), settings.draws, seed)
    answer = answers_to(model, everything)
    figures |= limits(answer) | calibration(answer, everything)
    figures["entropies"] = [
        float(answer.categorical(temperature).entropy().mean() / math.log(2)) for temperature in TEMPERATURES
    ]
    figures["expert, bits"] = float(np.log2(everything.answers.sum(axis=1)).mean())
    figures["any legal move, bits"] = float(answer.legal.sum(dim=1).double().log2().mean())
    shown = answers_to(model, Boards(*(part[:1] for part in suites["S3 C2"])))
    return figures | {
        "shown board": suites["S3 C2"].boards[0].tolist(),
        "shown probabilities": shown.probs[0, :-1].tolist(),
    }


def together(parts: list[Boards]) -> Boards:
    return Boards(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


@torch.no_grad()
def answers_to(model: Model, suite: Boards) -> MoveDistribution:
    """Among the legal moves; not the pass, which never wins."""
    legal = np.pad(legal_points(suite.boards), ((0, 0), (0, 1)))
    return model(torch.from_numpy(observe(suite.boards)), torch.from_numpy(legal))


@torch.no_grad()
def excess_bits(model: Model, suite: Boards) -> float:
    """Log loss without a mask, less the expert's entropy."""
    entropy = np.log2(suite.answers.sum(axis=1)).mean()
    return float(log_loss(model(torch.from_numpy(observe(suite.boards))), suite.answers) - entropy)


def measure_sheets(name: str, seed: int, settings: Settings) -> Figures:
    """Of a fresh model for each sheet: the worst excess; on how many 8,000 draws look evenly spread on the targets."""
    excess, fits = [], []
    for sheet in SHEETS:
        if sheet.name.startswith(settings.sheets):
            model = learn_sheet(name, sheet, seed, settings.sheet_steps)
            excess.append(excess_bits(model, Boards(sheet.board[None], sheet.targets[None])))
            fits.append(measure_sheet(model, sheet, seed)["fit"] > SIGNIFICANT)
    return {"sheets excess": max(excess), "sheets even": float(np.mean(fits))}


def picture(result: Result) -> Figure:
    """A position and what is said of it; stated against true probabilities; what temperature does."""
    models = [name for name in COLOURS if f"{name}: S3 excess" in result.estimates]
    figure = Figure(figsize=(13, 4.3), facecolor="white", layout="constrained")
    board, reliability, heat = figure.subplots(1, 3, width_ratios=(1, 1.2, 1.3))
    draw_board(
        board, np.array(result.first(f"{CATEGORICAL}: shown board")),
        np.array(result.first(f"{CATEGORICAL}: shown probabilities")),
        title="What the network puts out for a position:\nareas are probabilities of the move",
    )  # fmt: skip
    _draw_reliability(reliability, result, models)
    _draw_temperature(heat, result)
    return figure


def _draw_reliability(axes: Axes, result: Result, models: list[str]) -> None:
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1, zorder=0)
    for name in models:
        stated, true, count = np.array(result.first(f"{name}: bins")).T
        label = f"{name}: {result.mean(f'{name}: S3 excess'):.2f} bits above the least"
        axes.plot(stated, true, color=COLOURS[name], linewidth=1, label=label)
        axes.scatter(stated, true, s=np.clip(3 * count**0.5, 6, 60), color=COLOURS[name])
    axes.set(xlabel="probability that is stated", ylabel="the expert's, mean", xlim=(-0.03, 1.03), ylim=(-0.03, 1.03))
    axes.set_title("Stated and true probabilities (small dots: few moves)", fontsize=10)
    axes.legend(fontsize=8, frameon=False, loc="upper left")
    axes.spines[["top", "right"]].set_visible(False)


def _draw_temperature(axes: Axes, result: Result) -> None:
    at = np.arange(len(TEMPERATURES))
    for figure, label in (("any legal move", "any legal move, evenly"), ("expert", "as the expert")):
        bits = result.first(f"{CATEGORICAL}: {figure}, bits")
        axes.axhline(bits, color="0.6", linewidth=1, linestyle="--", zorder=0)
        axes.text(0, bits + 0.06, label, fontsize=8, color="0.3")
    axes.plot(at, result.first(f"{CATEGORICAL}: entropies"), color=HEAT, marker="o")
    axes.text(0.2, 0, "always the likeliest", va="center", fontsize=8, color="0.3")
    axes.set(xlabel="temperature of the draw", ylabel="entropy of the move, bits")
    axes.set_ylim(-0.2, result.first(f"{CATEGORICAL}: any legal move, bits") + 0.4)
    axes.set_xticks(at, [f"{temperature:g}" for temperature in TEMPERATURES])
    axes.set_title("Temperature, from one move to any (categorical)", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)


EXPERIMENT = ParametersOfADistribution()
