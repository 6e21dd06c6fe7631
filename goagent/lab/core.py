"""What an experiment is, and how a verdict follows from its figures. Start with `Experiment`, then `judge`.

An experiment states its claim, its criteria and their thresholds before it is run. It is measured in cells (a model,
say), each for one seed; `runner.py` runs and keeps them. Figures are averaged over seeds, criteria are compared with
the averages, and `judge` makes the verdict from the criteria: nobody writes one.
"""

import math
import platform
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from statistics import fmean
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import special  # not stats, which takes seconds to import

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Scale = Literal["test", "quick", "full"]  # seconds in the tests; up to 20 seconds; up to five minutes a cell
Figures = dict[str, Any]  # by name: numbers, averaged over seeds, and lists, which only pictures use

DEVELOPMENT_SEEDS = tuple(range(5))  # on which an experiment may be adjusted
JUDGING_SEEDS = tuple(range(100, 110))  # on which it is judged, once
OTHER_SEEDS = 10_000  # added to a seed by what was thought of when runs of the seed itself had been seen


class Verdict(StrEnum):
    REPRODUCED = "REPRODUCED"
    WITH_CONDITION = "REPRODUCED WITH CONDITION"
    NOT_REPRODUCED = "NOT REPRODUCED"
    REFUTED = "REFUTED"
    NOT_TESTABLE = "NOT TESTABLE"


class Role(StrEnum):
    """What a criterion has to do with the verdict."""

    CLAIM = "claim"  # the claim is true only if this holds
    CONDITION = "condition"  # if this holds, the claim as worded needs a condition
    CONTROL = "control"  # unless this holds, the experiment says nothing
    DETAIL = "detail"  # a prediction that is printed, met or not, and decides nothing


class Outcome(StrEnum):
    MET = "met"
    NOT_MET = "not met"  # missed, but its interval reaches the threshold
    CONTRADICTED = "contradicted"  # missed by the whole of its interval


@dataclass(frozen=True)
class Claim:
    """What is tested, and against what. All but `sentence` are notes for the reader of the report."""

    sentence: str
    essay: str  # which of the five, and where in it
    source: str  # the primary source
    data: str
    models: str
    baselines: str
    metric: str
    shows_not: str  # what this does not show


@dataclass(frozen=True)
class Criterion:
    """A figure and the bound that it has to keep, fixed before the run."""

    figure: str  # its name among the experiment's figures
    statement: str
    role: Role
    at_least: float = -math.inf
    at_most: float = math.inf

    def __post_init__(self) -> None:
        bounded = math.isfinite(self.at_least) or math.isfinite(self.at_most)
        if not bounded or self.at_least > self.at_most:
            raise ValueError(f"{self.statement!r}: no figure can both keep and miss its bound")

    def outcome(self, estimate: "Estimate") -> Outcome:
        if self.at_least <= estimate.mean <= self.at_most:
            return Outcome.MET
        if estimate.high < self.at_least or estimate.low > self.at_most:
            return Outcome.CONTRADICTED
        return Outcome.NOT_MET

    @property
    def bound(self) -> str:
        """As it is printed: `≥ 0.97`, `1 to 2`."""
        if math.isinf(self.at_most):
            return f"≥ {self.at_least:g}"
        return f"≤ {self.at_most:g}" if math.isinf(self.at_least) else f"{self.at_least:g} to {self.at_most:g}"


@dataclass(frozen=True)
class Estimate:
    """A figure's mean over seeds with its 95 % interval (Student's t); one seed alone has no interval to speak of."""

    mean: float
    low: float
    high: float
    values: tuple[float, ...]  # by seed

    @classmethod
    def of(cls, values: Sequence[float]) -> "Estimate":
        mean = fmean(values)  # correctly rounded: ten times 0.1 is 0.1
        if len(values) < 2:
            return cls(mean, -math.inf, math.inf, tuple(values))
        if len(set(values)) == 1:  # whose spread would be a rounding error
            return cls(mean, mean, mean, tuple(values))
        with np.errstate(invalid="ignore"):  # of an infinite figure
            spread = float(np.std(values, ddof=1)) / math.sqrt(len(values))
        reach = float(special.stdtrit(len(values) - 1, 0.975)) * spread
        return cls(mean, mean - reach, mean + reach, tuple(values))


class Experiment(ABC):
    """A claim and the measurement that decides it. One file each; the class attributes come first.

    settings: by scale, a dataclass with everything that a measurement depends on besides cell and seed. It is stored
    with the result, and a cell measured under other settings or another `version` is measured anew.
    """

    name: str  # on the command line
    title: str
    claim: Claim
    criteria: tuple[Criterion, ...]
    settings: Mapping[Scale, Any]
    version = 1  # goes up when a measurement changes in what its settings do not show

    @abstractmethod
    def cells(self, settings: Any) -> tuple[str, ...]:
        """What is measured for each seed: one model, one data set. At most five minutes each."""

    @abstractmethod
    def measure(self, cell: str, seed: int, settings: Any) -> Figures:
        """The cell's figures: a function of its arguments alone. Runs with one torch thread."""

    def derive(self, figures: Figures) -> Figures:
        """More figures from those of all cells of one seed, such as a difference of two."""
        return {}

    @abstractmethod
    def draw(self, result: "Result") -> "Figure":
        """The picture."""

    @abstractmethod
    def conclude(self, result: "Result") -> str:
        """A sentence or two with the figures in them."""


@dataclass(frozen=True)
class Result:
    """What was measured, compared and concluded."""

    experiment: Experiment
    scale: Scale
    seeds: tuple[int, ...]
    by_seed: tuple[Figures, ...]

    @cached_property
    def estimates(self) -> dict[str, Estimate]:
        """Every figure that is a number, by name."""
        numbers = [name for name, value in self.by_seed[0].items() if isinstance(value, (int, float))]
        return {name: Estimate.of([float(figures[name]) for figures in self.by_seed]) for name in numbers}

    @cached_property
    def outcomes(self) -> tuple[tuple[Criterion, Estimate, Outcome], ...]:
        """Of the criteria whose figure this scale measures; the full one measures all."""
        estimates = self.estimates
        measured = [c for c in self.experiment.criteria if c.figure in estimates or self.scale == "full"]
        return tuple((c, estimates[c.figure], c.outcome(estimates[c.figure])) for c in measured)

    @property
    def verdict(self) -> Verdict:
        return judge([(criterion.role, outcome) for criterion, _, outcome in self.outcomes])

    @property
    def judged(self) -> bool:
        """Whether this is the run that counts: at full length, on the judging seeds. Anything else is a trial."""
        return self.scale == "full" and self.seeds == JUDGING_SEEDS

    def mean(self, figure: str) -> float:
        return self.estimates[figure].mean

    def first(self, figure: str) -> Any:
        """A figure of the first seed, lists included."""
        return self.by_seed[0][figure]

    def to_json(self) -> dict[str, Any]:
        """Everything needed to read the verdict, and to run it again."""
        experiment = self.experiment
        return {
            "experiment": experiment.name,
            "version": experiment.version,
            "title": experiment.title,
            "claim": asdict(experiment.claim),
            "command": f"goagent lab run {experiment.name} --{self.scale} --seeds {' '.join(map(str, self.seeds))}",
            "judged": self.judged,
            "scale": self.scale,
            "settings": asdict(experiment.settings[self.scale]),
            "seeds": list(self.seeds),
            "versions": _versions(),
            "verdict": str(self.verdict),
            "rule": RULE,
            "conclusion": experiment.conclude(self),
            "criteria": [
                {
                    "statement": criterion.statement,
                    "role": str(criterion.role),
                    "figure": criterion.figure,
                    "bound": criterion.bound,
                    "mean": _finite(estimate.mean),
                    "interval": _interval(estimate),
                    "outcome": str(outcome),
                }
                for criterion, estimate, outcome in self.outcomes
            ],
            "figures": {
                name: {
                    "mean": _finite(estimate.mean),
                    "interval": _interval(estimate),
                    "by seed": [_finite(value) for value in estimate.values],
                }
                for name, estimate in self.estimates.items()
            },
        }


RULE = (
    "A control that is not met makes the claim NOT TESTABLE, and so does having no criterion of the claim. Else a "
    "criterion of the claim that is contradicted (the whole 95 % interval over seeds on the wrong side) makes it "
    "REFUTED, one that is merely not met NOT REPRODUCED. Else it is REPRODUCED, WITH CONDITION when a condition's "
    "criterion is met. Details decide nothing."
)


def judge(outcomes: Sequence[tuple[Role, Outcome]]) -> Verdict:
    """`RULE` in code."""

    def of(role: Role) -> list[Outcome]:
        return [outcome for r, outcome in outcomes if r == role]

    if not of(Role.CLAIM) or any(outcome != Outcome.MET for outcome in of(Role.CONTROL)):
        return Verdict.NOT_TESTABLE
    if Outcome.CONTRADICTED in of(Role.CLAIM):
        return Verdict.REFUTED
    if Outcome.NOT_MET in of(Role.CLAIM):
        return Verdict.NOT_REPRODUCED
    return Verdict.WITH_CONDITION if Outcome.MET in of(Role.CONDITION) else Verdict.REPRODUCED


def _finite(number: float) -> float | None:
    """JSON has no word for infinity or nothing at all."""
    return number if math.isfinite(number) else None


def _interval(estimate: Estimate) -> list[float] | None:
    return [estimate.low, estimate.high] if math.isfinite(estimate.low) and math.isfinite(estimate.high) else None


def _versions() -> dict[str, str]:
    """Of what made the result."""
    versions = {"python": platform.python_version()}
    for package in ("goagent", "numpy", "torch"):
        with suppress(PackageNotFoundError):  # goagent may run from its sources
            versions[package] = version(package)
    return versions
