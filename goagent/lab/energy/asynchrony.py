"""Training that waits for nobody: what late gradients do. Start with `Asynchrony`.

Three cells. `processes`: real ones that share the weights of a policy, where chance is the operating system's.
`delays`: the same policy with every gradient late by a fixed number of updates, without chance. `bowl`: the same delays
on the loss k w^2 / 2, where theory says how large a rate is stable.
"""

import math
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn import functional

from goagent.lab.capture_go import observe, random_boards
from goagent.lab.core import Claim, Criterion, Experiment, Figures, Result, Role, Scale
from goagent.lab.energy.late_gradients import (
    UNITS,
    Policies,
    critical,
    curvature,
    flat,
    late_updates,
    meeting_loss,
    train,
)
from goagent.lab.ranks import order
from goagent.noise.hogwild import hogwild
from goagent.noise.staleness import StaleGradients

SIZE = 5
PROCESSES, DELAYED, BOWL = "processes", "delays", "bowl"
DELAYS = (0, 1, 4, 16, 64)  # updates
SHORT = 2  # the index of 4
RATES = tuple(0.01 * 2 ** (i / 2) for i in range(20))  # 0.01 to 7.2
CALM, USUAL = 0.04, 0.2  # a rate at which no delay diverges, and one at which training without delay does well
BEST = 10  # the index of 0.32, which does so, too
LOST = 1e3  # stands for a loss above it, and for none
OFFSETS = np.linspace(-0.195, 0.195, 40)  # of rates from the one that theory calls critical, relative
BLUE, GREY = "#0072B2", "#999999"


@dataclass(frozen=True)
class Settings:
    examples: int = 4000  # positions to learn from, and as many others to be measured on
    batch: int = 64
    workers: int = 3
    steps: int = 1800  # updates of all workers together
    updates: int = 600  # with fixed delays
    every: int = 20  # of these, gradients are compared
    periods: int = 50  # of the oscillation in the bowl


class Asynchrony(Experiment):
    name = "asynchrony"
    title = "Asynchronous training: gradients that come late"
    claim = Claim(
        sentence="Asynchronous training is a source of noise: runs from the same seed differ, and the longer gradients "
        "take the farther they are from fresh ones, until training at a usual rate diverges; short delays cost little.",
        essay="Jang 2016, Exploration energy: asynchronous stochastic gradient descent on many machines is another "
        "possible source of noise.",
        source="Niu et al. 2011, Hogwild!, arXiv:1106.5730: processes that write without locks reach a nearly optimal "
        "rate where updates are sparse. Levin and May 1976, Theoretical Population Biology 9: on the loss k w^2 / 2 "
        "descent at a delay d is stable while rate times k is below 2 cos(pi d / (2 d + 1)).",
        data=f"Random {SIZE}x{SIZE} Capture-Go positions in which the mover must capture; the target is uniform over "
        "the captures. Own and enemy stones are shown.",
        models=f"A policy with one layer of {UNITS} tanh units, plain gradient descent on batches of 64. Processes: 3 "
        "that begin together, 1,800 updates in all at rate 0.2. Delays: 0, 1, 4, 16 and 64 updates, 600 updates, 20 "
        "rates from 0.01 to 7.2, all with the same batches.",
        baselines="One process, twice with the same seed and once with other batches; no delay; the theory on the "
        "bowl, and with the policy's own largest curvature.",
        metric="Loss on other positions, at equal updates. Distance between two runs' weights, by the length of the "
        "way from the beginning. Noise of a delay: the distance of a late gradient from the fresh one of the same "
        "batch, root mean square, by the fresh one's; at rate 0.04, where no delay diverges. Noise of batches: the "
        "distance of a batch's gradient from that of all examples, likewise. A run has diverged if its loss ends above "
        "that of guessing.",
        shows_not="That this noise is of use, or that it explores. Anything about wall-clock time. How late real "
        "gradients come depends on the machine and its load: what several processes do is not a function of the seed, "
        "and only what came out alike on every run has a criterion. The updates are dense, not sparse.",
    )
    criteria = (
        Criterion(f"{PROCESSES}: relative loss", "loss of 3 processes, by that of one", Role.CLAIM, at_most=1.1),
        Criterion(f"{DELAYED}: short", "loss at a delay of 4 and rate 0.32, by that of none", Role.CLAIM, at_most=1.1),
        Criterion(f"{PROCESSES}: distance", "two runs of 3 processes with the same seed: their distance", Role.CLAIM,
                  at_least=1e-4),
        Criterion(f"{DELAYED}: order", "order of the noise of gradients by delay, 1 if it always grows", Role.CLAIM,
                  at_least=1),
        Criterion(f"{DELAYED}: diverged", "loss at a delay of 64 and rate 0.32, by that of guessing", Role.CLAIM,
                  at_least=1),
        Criterion(f"{PROCESSES}: serial distance", "two runs of one process with the same seed: their distance",
                  Role.CONTROL, at_most=0),
        Criterion(f"{PROCESSES}: late", "processes do work at once: share of updates that came late", Role.CONTROL,
                  at_least=0.05),
        Criterion(f"{PROCESSES}: learned", "one process learns at rate 0.2: loss, by that of guessing", Role.CONTROL,
                  at_most=0.6),
        Criterion(f"{DELAYED}: fresh", "without delay: distance of gradients from fresh ones", Role.CONTROL,
                  at_most=0),
        Criterion(f"{DELAYED}: learned", "without delay the policy learns at rate 0.32: loss, by that of guessing",
                  Role.CONTROL, at_most=0.6),
        Criterion(f"{BOWL}: error", "critical rates on the bowl, farthest from theory", Role.CONTROL, at_most=0.02),
        Criterion(f"{DELAYED}: back", "a fixed delay is no chance: least cosine of its error with the way back",
                  Role.CONDITION, at_least=0.1),
        Criterion(f"{DELAYED}: by batches", "its noise is small beside that of batches: at a delay of 4 and rate 0.2, "
                  "by theirs", Role.CONDITION, at_most=0.5),
        Criterion(f"{PROCESSES}: share", "and so is that of processes: distance of two runs, by that of two with other "
                  "batches", Role.DETAIL, at_most=0.7),
        Criterion(f"{DELAYED}: factor", "the theory of the bowl holds for the policy: critical rates off by a factor "
                  "of at most", Role.DETAIL, at_most=4),
    )  # fmt: skip
    settings: Mapping[Scale, Settings] = {
        "test": Settings(examples=100, batch=8, workers=1, steps=20, updates=30, every=5, periods=8),
        "quick": Settings(steps=800, updates=300, periods=120),
        "full": Settings(),
    }

    def cells(self, settings: Settings) -> tuple[str, ...]:
        return PROCESSES, DELAYED, BOWL

    def measure(self, cell: str, seed: int, settings: Settings) -> Figures:
        """Of `processes` all but the serial distance depends on how the machine shares its time."""
        if cell == BOWL:
            return bowl(settings)
        with torch.random.fork_rng(devices=[]):  # the weights' beginning
            torch.manual_seed(seed)
            return processes(seed, settings) if cell == PROCESSES else delayed(seed, settings)

    def draw(self, result: Result) -> Figure:
        return picture(result)

    def conclude(self, result: Result) -> str:
        mean = result.mean
        return (
            f"Three processes reach {mean(f'{PROCESSES}: relative loss'):.2f} times the loss of one at equal updates; "
            f"two such runs from one seed end {mean(f'{PROCESSES}: distance'):.1%} of the way apart, "
            f"{mean(f'{PROCESSES}: share'):.0%} of what other batches do, and two of one process nowhere. A gradient "
            f"64 updates late is {mean(f'{DELAYED}: noise'):.0%} off at rate {CALM:g}, the error of a batch being "
            f"{mean(f'{DELAYED}: batches'):.0%}, and at 0.32 training ends at {mean(f'{DELAYED}: diverged'):.0f} times "
            f"the loss of guessing. But a fixed delay is no chance: its error points back along the way (cosine "
            f"{mean(f'{DELAYED}: back'):.2f} or more), and what is stable follows the theory of the bowl within a "
            f"factor of {mean(f'{DELAYED}: factor'):.1f}."
        )


def positions(examples: int, seed: int) -> tuple[Tensor, Tensor]:
    """x (examples, 2 * points): own and enemy stones; answers (examples, points), each summing to 1."""
    boards, answers = random_boards(SIZE, examples, np.random.default_rng(seed))
    chosen = torch.from_numpy(answers).float()
    return torch.from_numpy(observe(boards)[:, :2]).flatten(1), chosen / chosen.sum(dim=1, keepdim=True)


def processes(seed: int, settings: Settings) -> Figures:
    """Equal updates without and with other processes, both twice from the same seed."""
    x, answers = positions(settings.examples, seed)
    test = positions(settings.examples, 10**6 + seed)
    begin = Policies(x, answers, settings.batch)
    begin.begun, begin.seed = torch.zeros(settings.workers, dtype=torch.bool), 1000 * seed

    def alone(other: int = 0) -> Policies:
        """What `hogwild` does with one worker, whose batches are others from another seed."""
        network = deepcopy(begin)
        train(network, 0, torch.tensor([USUAL]), begin.seed + other, settings.steps)
        return network

    def together() -> tuple[Policies, np.ndarray]:
        network = deepcopy(begin)
        steps = settings.steps // settings.workers
        return network, hogwild(network, meeting_loss, settings.workers, steps, USUAL, begin.seed).numpy()

    def distance(a: Policies, b: Policies) -> float:
        """Between two ends, by the length of the way from the beginning to the first."""
        return float((a.weights() - b.weights()).norm() / (a.weights() - begin.weights()).norm())

    serial, (shared, late) = alone(), together()
    with torch.no_grad():
        loss, shared_loss = (float(network.losses(*test)) for network in (serial, shared))
    between = distance(shared, together()[0])
    return {
        "learned": loss / math.log(answers.shape[1]),
        "relative loss": shared_loss / loss,
        "serial distance": distance(serial, alone()),
        "distance": between,
        "share": between / distance(serial, alone(other=500)),
        "late": float(late[1:].sum() / late.sum()),
        "histogram": late.tolist(),
    }


def delayed(seed: int, settings: Settings) -> Figures:
    """The same policy at each delay: compared with fresh gradients at a low rate, and trained at all rates."""
    x, answers = positions(settings.examples, seed)
    test = positions(settings.examples, 10**6 + seed)
    begin = Policies(x, answers, settings.batch)
    compared, ends = [], []
    for delay in DELAYS:
        network = deepcopy(begin)
        compared.append(compare(network, delay, CALM, seed, settings))
        if not delay:
            steepest = curvature(network)
        network = begin.repeat(len(RATES))
        train(network, delay, torch.tensor(RATES), seed, settings.updates)
        with torch.no_grad():
            ends.append((network.losses(*test) / math.log(answers.shape[1])).nan_to_num(LOST).clamp(max=LOST))
    loss = torch.stack(ends)  # (delays, rates), by that of guessing
    stable = (loss < 1).long().cumprod(dim=1).sum(dim=1).numpy()  # how many rates below the first that diverges
    found = RATES[0] * 2 ** (stable / 2 - 0.25)  # midway to it
    expected = np.array([critical(delay) / steepest for delay in DELAYS])
    noise, by_batches, back = (np.array(column) for column in zip(*compared, strict=True))
    return {
        "order": order(noise),
        "fresh": noise[0],
        "noise": noise[-1],
        "by batches": compare(deepcopy(begin), DELAYS[SHORT], USUAL, seed, settings)[1],
        "back": back[1:].min(),
        "learned": float(loss[0, BEST]),
        "short": float(loss[SHORT, BEST] / loss[0, BEST]),
        "diverged": float(loss[-1, BEST]),
        "curvature": steepest,
        "factor": float(np.exp(np.abs(np.log(found / expected)).max())),
        "batches": noise[-1] / by_batches[-1],
        "noise by delay": noise.tolist(),
        "loss by rate": loss.tolist(),
    }


def compare(network: Policies, delay: int, rate: float, seed: int, settings: Settings) -> tuple[float, float, float]:
    """What late gradients are off by, root mean square, by fresh ones of the same batch, and by what batches are off;
    and the mean cosine of that error with the way back. Trains the network.
    """
    rows = []
    training = late_updates(network, delay, torch.tensor([rate]), seed, settings.updates)
    for update, (batch, way) in enumerate(training):
        if update % settings.every == 0:
            fresh, full = network.gradient(batch), network.gradient(slice(None))
            error = flat(part.grad for part in network.parts if part.grad is not None) - fresh
            squares = [part.square().sum() for part in (error, fresh, fresh - full)]
            rows.append(torch.stack([*squares, functional.cosine_similarity(error, -way)[0]]))
    late, whole, batches, back = torch.stack(rows).mean(dim=0).tolist()
    return math.sqrt(late / whole), math.sqrt(late / batches), back


def bowl(settings: Settings) -> Figures:
    """On k w^2 / 2, the rates around the critical one at which |w| grows."""
    found = []
    for delay in DELAYS:
        period = 2 * (2 * delay + 1)  # of the oscillation at the critical rate
        w = nn.Parameter(torch.ones(len(OFFSETS), dtype=torch.float64))
        rates = critical(delay) * (1 + torch.from_numpy(OFFSETS))  # as curvatures, at rate 1
        stale, optimizer = StaleGradients([w], delay), torch.optim.SGD([w], lr=1)
        past = []
        for _ in range(settings.periods * period):
            w.grad = rates * w.detach()
            if stale.exchange():
                optimizer.step()
            past.append(w.detach().abs())
        swing = torch.stack(past).unfold(0, period, period).amax(dim=-1)  # (periods, rates)
        stable = int((swing[-1] < swing[len(swing) // 2]).long().cumprod(dim=0).sum())
        found.append(float(OFFSETS[stable - 1 : stable + 1].mean()))
    return {"error": max(map(abs, found)), "found": found}


def picture(result: Result) -> Figure:
    """How late real gradients came, how far late ones are off, and at which rates training bears them."""
    figure = Figure(figsize=(13, 4.6), facecolor="white", layout="constrained")
    late, noise, stable = figure.subplots(1, 3, width_ratios=(1, 1, 1.25))
    histogram = np.array(result.first(f"{PROCESSES}: histogram"))
    late.bar(range(len(histogram)), histogram / histogram.sum(), 1, color=BLUE)
    late.set(yscale="log", xlabel="updates by others meanwhile", ylabel="share of updates")
    late.set_title("Three processes: how late gradients came", fontsize=10)

    by_delay = np.mean([figures[f"{DELAYED}: noise by delay"] for figures in result.by_seed], axis=0)
    noise.plot(DELAYS[1:], by_delay[1:], "o-", color=BLUE)
    noise.axhline(result.mean(f"{DELAYED}: batches"), color=GREY, linestyle="--")
    noise.text(1, 1.05 * result.mean(f"{DELAYED}: batches"), "of batches", color=GREY, fontsize=9, va="bottom")
    for delay, value in zip(DELAYS[1:], by_delay[1:], strict=True):
        noise.annotate(f"{value:.1%}", (delay, value), (-4, 6), textcoords="offset points", fontsize=9, ha="right")
    noise.set(xscale="log", yscale="log", xlim=(0.4, 100), ylim=(0.003, 2), xlabel="delay, updates")
    noise.set_ylabel("distance from the fresh gradient, relative")
    noise.set_title(f"Noise of late gradients at rate {CALM:g}", fontsize=10)
    noise.set_xticks(DELAYS[1:], [str(delay) for delay in DELAYS[1:]], minor=False)
    noise.xaxis.minorticks_off()

    loss = np.mean([np.log2(figures[f"{DELAYED}: loss by rate"]) for figures in result.by_seed], axis=0)
    shown = stable.pcolormesh(np.arange(len(RATES) + 1) - 0.5, np.arange(len(DELAYS) + 1) - 0.5, loss, cmap="RdBu_r",
                              vmin=-2, vmax=2)  # fmt: skip
    bar = figure.colorbar(shown, ax=stable, ticks=(-2, -1, 0, 1, 2), pad=0.02)
    bar.ax.set_yticklabels(["1/4", "1/2", "1", "2", "4 or more"], fontsize=8)
    bar.set_label("loss at the end, by that of guessing", fontsize=9)
    borders = [2 * math.log2(critical(d) / result.mean(f"{DELAYED}: curvature") / RATES[0]) for d in DELAYS]
    stable.plot(borders, range(len(DELAYS)), "o-", color="black", linewidth=1.2, markersize=4)
    stable.text(borders[3] - 0.6, 3, "theory", fontsize=9, ha="right", va="center")
    stable.set_xticks(range(0, len(RATES), 4), [f"{rate:.2g}" for rate in RATES[::4]])
    stable.set_yticks(range(len(DELAYS)), [str(delay) for delay in DELAYS])
    stable.set(xlabel="rate", ylabel="delay, updates")
    stable.set_title("Which rates training bears", fontsize=10)
    for axes in (late, noise):
        axes.spines[["top", "right"]].set_visible(False)
    return figure


EXPERIMENT = Asynchrony()
