"""Two laws of centre-collapse measured over a range: what noise may cost before it is dropped, and how many points
a regressor needs. Start with `sweep_price`, or `sweep_points`.
"""

import numpy as np
import torch

from goagent.lab.capture_go import observe
from goagent.lab.core import Figures
from goagent.lab.one_to_many.models import NARROW, HypothesesHead, HypothesesMoves, Model, fit, trunk
from goagent.lab.one_to_many.suites import SHEETS, Sheet, measure_sheet
from goagent.policies.heads import LatentHead, information

# Lemma 5: the least mean squared error of K points for moves that are equally good. By offset of one target.
LEAST_ERRORS = {"corners": {1: 8.0, 2: 4.0, 3: 2.0, 4: 0.0}, "knights": {1: 5.0, 2: 2.75, 4: 0.5, 8: 0.0}}
KNIGHTS = next(sheet for sheet in SHEETS if sheet.name == "S2 9x9")
CORNERS = next(sheet for sheet in SHEETS if sheet.name == "S1 9x9")  # the 3-3 points: (+-2, +-2) from the centre


def sweep_price(prices: tuple[float, ...], seed: int, steps: int) -> Figures:
    """A latent policy on the knight's moves, for noise that costs these shares of what it may cost at most (lemma 6).

    That is r^2 / 2, the variance of the targets along an axis. half, complete: the shares at which the collapse index
    passes 0.5 and 0.95 for good, between those measured. bits above the least: the least that the noise tells of the
    move while all targets are in play and hardly anything else, above log2 of their number.
    """
    collapse, bits, everything = [], [], []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        head = LatentHead(NARROW)
        model = Model(trunk(NARROW), head)
    for i, price in enumerate(prices):  # upwards with the same weights: dear noise is never discovered, only given up
        head.price = price * KNIGHTS.radius**2 / 2
        patience = 1 if i else 3  # to discover it in
        fit(model, observe(KNIGHTS.board[None]), KNIGHTS.targets[None], patience * steps, 128, seed, learning_rate=5e-3)
        measured = measure_sheet(model, KNIGHTS, seed)
        collapse.append(measured["collapse"])
        everything.append(measured["coverage"] == 1 and measured["on targets"] >= 0.9)
        targets = torch.from_numpy(np.flatnonzero(KNIGHTS.targets))
        with torch.no_grad():
            features = model.trunk(torch.from_numpy(observe(KNIGHTS.board[None])))
            chosen = head.encode(features, targets)
        bits.append(float(information(*chosen).mean() / np.log(2)))
    full = [b for b, whole in zip(bits, everything, strict=True) if whole] or bits[:1]
    return {
        "shares": list(prices),
        "collapse": collapse,
        "bits": bits,
        "half": crossing(np.array(prices), np.array(collapse), 0.5),
        "complete": crossing(np.array(prices), np.array(collapse), 0.95),
        "bits above the least": min(full) - float(np.log2(KNIGHTS.targets.sum())),
    }


def crossing(shares: np.ndarray, collapse: np.ndarray, level: float) -> float:
    """Where `collapse` passes the level for the last time, interpolated; the last share if it never does."""
    below = np.flatnonzero(collapse < level)
    i = int(below[-1]) + 1 if len(below) else 0
    if i in (0, len(shares)):
        return float(shares[min(i, len(shares) - 1)])
    part = (level - collapse[i - 1]) / (collapse[i] - collapse[i - 1])
    return float(shares[i - 1] + part * (shares[i] - shares[i - 1]))


def sweep_points(seed: int, steps: int) -> Figures:
    """A winner-takes-all regressor of K points, by K: its least squared error beside lemma 5's.

    worst: the largest difference from the lemma, as a share of the error of one point.
    """
    figures: Figures = {}
    worst = 0.0
    for name, sheet in (("corners", CORNERS), ("knights", KNIGHTS)):
        for points, least in LEAST_ERRORS[name].items():
            error = points_error(sheet, points, seed, steps)
            figures[f"{name}, {points}"] = error
            worst = max(worst, abs(error - least) / LEAST_ERRORS[name][1])
    return figures | {"worst": worst}


def points_error(sheet: Sheet, points: int, seed: int, steps: int) -> float:
    """Mean squared distance of the targets from the nearest of the points that a fresh model learned."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Model(trunk(NARROW), HypothesesHead(NARROW, points))
    fit(model, observe(sheet.board[None]), sheet.targets[None], steps, 128, seed, learning_rate=5e-3)
    targets = torch.from_numpy(np.flatnonzero(sheet.targets))
    with torch.no_grad():
        answer = model(torch.from_numpy(observe(sheet.board[None])).expand(len(targets), -1, -1, -1))
    assert isinstance(answer, HypothesesMoves)
    return float(answer.squared_errors(targets).amin(dim=1).mean())
