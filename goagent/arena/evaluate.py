"""`goagent evaluate SPEC`: what an agent knows, how strong it is, and whether it means what it says.

Start with `measure`, which runs the five tests of `exam.py`. Each has one figure that a threshold can be put on; the
exit status is 0 when every threshold asked for is met, so that it can stand in a CI job.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table
from tyro.conf import Positional, arg

from envs import BLACK, diagram
from goagent.arena import exam
from goagent.arena.problems import CATEGORIES, load_problems
from goagent.arena.ratings import Pairing, Ratings, rate
from goagent.arena.result import MatchResult, wilson_interval
from goagent.errors import UserError
from goagent.players.spec import load_agent
from goagent.records.files import write_text
from goagent.rules import rules_from

Part = Literal["problems", "boards", "yardsticks", "calibration", "variety"]
PARTS: tuple[Part, ...] = get_args(Part)


@dataclass(frozen=True)
class EvaluateConfig:
    """Test an agent: problems with proven answers, solved boards, strength, calibration of the value, variety.

    With thresholds, the exit status says whether all of them are met: 0 yes, 1 no, 2 bad input.
    """

    spec: Annotated[Positional[str], arg(metavar="SPEC")]
    """The agent (see `goagent agents`)."""
    size: str = "9"
    """Board size of the games: 9, or 5x7 (rows x columns). Problems and solved boards have their own."""
    games: int = 40
    """Games against each yardstick, and against itself; a quarter of that on each solved board."""
    quick: bool = False
    """A tenth of the games: minutes become seconds, and intervals wide."""
    only: tuple[Part, ...] = PARTS
    """Which tests, where not all are wanted."""
    seed: int = 0
    """Games and agents draw from it; engines draw for themselves."""
    show: bool = False
    """Draw the problems that it failed, with its move marked."""
    json: Path | None = None
    """Also write all figures to this file."""
    min_problems: float | None = None
    """Least share of the problems solved, 0 to 1."""
    min_boards: float | None = None
    """Least share of the games won as Black on solved boards, where perfect play wins all; 0 to 1."""
    min_score: float | None = None
    """Least share of the points against all yardsticks together, 0 to 1."""
    max_calibration_error: float | None = None
    """Largest expected calibration error of its win probability, 0 to 1."""
    min_variety: float | None = None
    """Least share of its games against itself that are unique up to symmetry, 0 to 1."""

    def __post_init__(self) -> None:
        for name, least in (("games", 1), ("seed", 0)):
            if getattr(self, name) < least:
                raise UserError(f"{name} is {getattr(self, name)}: expected {least} or more")
        for name in THRESHOLDS.values():
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise UserError(f"{name} is {value}: expected a share from 0 to 1")
        for part, option in zip(PARTS, THRESHOLDS.values(), strict=True):
            if part not in self.only and getattr(self, option) is not None:
                raise UserError(f"{option} is given without its test: expected {part} in only")
        if self.json is not None and (self.json.exists() or not self.json.parent.is_dir()):
            raise UserError(f"cannot write {self.json}: expected a new file in a folder that exists")


THRESHOLDS = {  # figure of `Evaluation.figures` -> the option that bounds it
    "problems": "min_problems",
    "boards": "min_boards",
    "score": "min_score",
    "calibration_error": "max_calibration_error",
    "variety": "min_variety",
}


@dataclass(frozen=True)
class Evaluation:
    """Everything measured about one agent; empty, or None, is what was not."""

    spec: str
    attempts: tuple[exam.Attempt, ...]
    boards: tuple[exam.Board, ...]
    matches: tuple[MatchResult, ...]
    ratings: Ratings | None
    calibration: exam.Calibration | None  # None also if it forecasts nothing
    variety: exam.Variety | None

    @property
    def figures(self) -> dict[str, float | None]:
        """The figures that thresholds are put on."""
        return {
            "problems": _mean([attempt.solved for attempt in self.attempts]),
            "boards": _mean([board.score for board in self.boards]),
            "score": _mean([match.score for match in self.matches]),
            "calibration_error": None if self.calibration is None else self.calibration.error,
            "variety": None if self.variety is None else self.variety.unique,
        }


def evaluate(config: EvaluateConfig) -> int:
    """`goagent evaluate`: measure, print one table, write JSON. The exit status. Raises UserError."""
    result = measure(config)
    console = Console()
    if config.show:
        for attempt in result.attempts:
            if not attempt.solved:
                console.print(draw_failure(attempt), markup=False, highlight=False)
    verdicts = judge(result, config)
    console.print(to_table(result, config, verdicts))
    if config.json:
        write_text(config.json, json.dumps(to_json(result, config, verdicts), indent=1) + "\n")
    return 0 if all(verdicts.values()) else 1


def measure(config: EvaluateConfig) -> Evaluation:
    """All five tests. Raises UserError for an agent that cannot be loaded or asked."""
    rules = rules_from(config.size)
    player = load_agent(config.spec, rules)
    games = math.ceil(config.games / 10) if config.quick else config.games
    problems = load_problems()
    few = math.ceil(games / 4)
    rngs = dict(zip(PARTS, np.random.default_rng(config.seed).spawn(len(PARTS)), strict=True))
    against, between = games * len(exam.YARDSTICKS), games * (len(exam.YARDSTICKS) - 1)
    work = dict(zip(PARTS, (len(problems), few * len(exam.SOLVED), against + between, games, games), strict=True))
    attempts: tuple[exam.Attempt, ...] = ()
    boards: tuple[exam.Board, ...] = ()
    matches: tuple[MatchResult, ...] = ()
    ratings = calibration = variety = None
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(escape(config.spec), total=sum(work[part] for part in config.only))

        def report(_: Any = None) -> None:
            progress.advance(task)

        if "problems" in config.only:
            attempts = exam.solve_problems(config.spec, problems, rngs["problems"], report)
        if "boards" in config.only:
            boards = exam.play_solved_boards(config.spec, few, rngs["boards"], report)
        if "yardsticks" in config.only:
            matches = exam.play_yardsticks(player, rules, games, rngs["yardsticks"], report)
            ratings = rate_agent(
                config.spec, matches, exam.compare_yardsticks(rules, games, rngs["yardsticks"], report)
            )
        if "calibration" in config.only:
            calibration = exam.calibrate(player, rules, games, rngs["calibration"], report)
        if "variety" in config.only:
            variety = exam.measure_variety(player, rules, games, rngs["variety"], report)
    return Evaluation(config.spec, attempts, boards, matches, ratings, calibration, variety)


def rate_agent(spec: str, matches: Sequence[MatchResult], among: Sequence[MatchResult]) -> Ratings:
    """Of the agent and the yardsticks, from its matches against them and theirs against each other."""

    def yardstick(name: str) -> str:
        return f"{name} (yardstick)"  # the agent may be one of them

    pairings = [Pairing(spec, yardstick(match.b), match.points.sum(), len(match.games)) for match in matches]
    pairings += [
        Pairing(yardstick(match.a), yardstick(match.b), match.points.sum(), len(match.games)) for match in among
    ]
    return rate(pairings, {yardstick(exam.YARDSTICKS[0]): 0.0})


def judge(result: Evaluation, config: EvaluateConfig) -> dict[str, bool]:
    """Whether each threshold that was asked for is met, by figure. A figure there is none of meets nothing."""
    verdicts = {}
    for name, option in THRESHOLDS.items():
        bound, figure = getattr(config, option), result.figures[name]
        if bound is not None:
            met = figure is not None and (figure <= bound if option.startswith("max") else figure >= bound)
            verdicts[name] = bool(met)
    return verdicts


def draw_failure(attempt: exam.Attempt) -> str:
    """The problem as a diagram, the agent's move drawn as `?`, and what should have been played."""
    problem, position = attempt.problem, attempt.problem.position()
    side = "Black" if position.to_play == BLACK else "White"
    marks = {} if attempt.action is None else {attempt.action: "?"}  # a pass is not on the board
    played = attempt.trouble if attempt.action is None else f"{problem.rules.vertex(attempt.action)} is played"
    return (
        f"{problem.category}: {problem.name}, {side} to play, komi {problem.rules.komi:g}\n"
        f"{diagram.draw(position.board, marks)}\n"
        f"{played}; {problem.answer()} wins: {problem.why}\n"
    )


def to_table(result: Evaluation, config: EvaluateConfig, verdicts: dict[str, bool]) -> Table:
    """One table for a person."""
    table = Table("test", "result", "95 % interval, or more", "asked", title=f"Evaluation of {escape(result.spec)}")

    def add(name: str, value: str, more: str = "", figure: str = "") -> None:
        asked = ""
        if figure in verdicts:
            relation = "≤" if THRESHOLDS[figure].startswith("max") else "≥"
            asked = f"{relation} {getattr(config, THRESHOLDS[figure]):g} " + ("met" if verdicts[figure] else "not met")
        table.add_row(escape(name), value, more, asked)

    if result.attempts:
        solved = [attempt.solved for attempt in result.attempts]
        share = sum(solved) / len(solved)
        add("problems", f"{sum(solved)} of {len(solved)}", _percent(wilson_interval(share, len(solved))), "problems")
        for category in CATEGORIES:
            part = [attempt for attempt in result.attempts if attempt.problem.category == category]
            failed = ", ".join(attempt.problem.name for attempt in part if not attempt.solved)
            more = f"not: {escape(failed)}" if failed else ""
            add(f"  {category}", f"{sum(a.solved for a in part)} of {len(part)}", more)
        table.add_section()
    if result.boards:
        add("solved boards, won as Black", f"{result.figures['boards']:.0%}", f"against {exam.DEFENDER}", "boards")
        for board in result.boards:
            name = f"  {board.size}x{board.size}, by {board.value}"
            add(name, f"{board.score:.0%}", f"of {board.games}; first move right {board.first_moves:.0%}")
        table.add_section()
    if result.ratings:
        add("score against the yardsticks", f"{result.figures['score']:.0%}", f"on {config.size}", "score")
        for match in result.matches:
            add(f"  {match.b}", f"{match.score:.0%}", f"{_percent(match.interval)} of {len(match.games)}")
        low, high = result.ratings.interval(result.spec)
        add("  rating, random being 0", f"{result.ratings[result.spec]:.0f}", f"{low:.0f} to {high:.0f} Elo")
        table.add_section()
    if result.calibration:
        c = result.calibration
        more = f"Brier {c.brier:.3f}, {c.positions} positions"
        add("calibration error of the value", f"{c.error:.3f}", more, "calibration_error")
        for forecast, outcome, count in c.bins:
            add(f"  says {forecast:.0%}", f"{outcome:.0%}", f"of {count}")
        table.add_section()
    elif "calibration" in config.only:
        add("calibration error of the value", "-", "it has no opinion", "calibration_error")
        table.add_section()
    if result.variety:
        v = result.variety
        entropy = f"openings: {v.entropy:.1f} bits of at most {math.log2(v.games):.1f}"
        add("variety, unique games", f"{v.unique:.0%}", f"of {v.games}; {entropy}", "variety")
    return table


def to_json(result: Evaluation, config: EvaluateConfig, verdicts: dict[str, bool]) -> dict[str, Any]:
    """All figures, as JSON can hold them."""
    rating = None
    if result.ratings:
        interval = list(result.ratings.interval(result.spec))
        rating = {"elo": result.ratings[result.spec], "interval": interval, "anchor": "random = 0"}
    return {
        "spec": result.spec,
        "config": {name: str(value) if isinstance(value, Path) else value for name, value in asdict(config).items()},
        "figures": result.figures,
        "thresholds": {
            name: {THRESHOLDS[name]: getattr(config, THRESHOLDS[name]), "met": met} for name, met in verdicts.items()
        },
        "problems": [
            {
                "category": a.problem.category,
                "name": a.problem.name,
                "played": None if a.action is None else a.problem.rules.vertex(a.action),
                "accepted": a.problem.answer().split(),
                "solved": a.solved,
                "trouble": a.trouble,
            }
            for a in result.attempts
        ],
        "boards": [board._asdict() for board in result.boards],
        "yardsticks": [match.summary() | {"a": result.spec} for match in result.matches],
        "rating": rating,
        "calibration": None if result.calibration is None else result.calibration._asdict(),
        "variety": None if result.variety is None else result.variety._asdict(),
    }


def _percent(interval: tuple[float, float]) -> str:
    return f"{interval[0]:.0%} to {interval[1]:.0%}"


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None
