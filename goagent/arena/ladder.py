"""`goagent match --ladder RUN`: how strong a run's checkpoints are, against training time and games.

Up to eight checkpoints play each other (neighbours, and those two and four apart) and every yardstick, which are agents
that do not learn; one of them has the rating 0. Start with `ladder`.
"""

import itertools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table

from envs import Rules
from goagent.arena.match import MatchConfig, play_match, warm_up
from goagent.arena.openings import random_openings
from goagent.arena.ratings import Pairing, Ratings, rate
from goagent.arena.result import MatchResult
from goagent.errors import UserError
from goagent.players.spec import load_agent
from goagent.records.files import write_text
from goagent.rules import rules_from

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ANCHOR = "rollout?playouts=50"  # rated 0
YARDSTICKS = ("random", ANCHOR)
_MOST = 8  # checkpoints
_BLUE, _GREY = "#1f5fa8", "#707070"
_APART = (1, 2, 4)  # checkpoints that meet, counted among the chosen


@dataclass(frozen=True)
class Rung:
    """A checkpoint of the run, and what its agent.json tells of the training before it."""

    spec: str
    step: int
    seconds: float | None  # of training; None where the run did not record it
    games: float | None  # of self-play
    training: dict[str, Any]

    @property
    def name(self) -> str:
        return f"step {self.step:,}"


def ladder(config: MatchConfig) -> int:
    """Play, rate, print, and write ladder.json and ladder.png into the run folder. Raises UserError."""
    assert config.ladder is not None
    folder, rungs = find_rungs(config.ladder)
    rules = _rules(config, rungs[-1])
    yardsticks = tuple(dict.fromkeys((*YARDSTICKS, *(spec for spec in (config.a, config.b) if spec is not None))))
    title = f"{folder} on {rules.rows}x{rules.cols}, komi {rules.komi:g}"
    console = Console()
    specs = {rung.name: rung.spec for rung in rungs} | {spec: spec for spec in yardsticks}
    results = play_pairings(config, rules, specs, fixtures([rung.name for rung in rungs], yardsticks))
    ratings = rate([pairing(result) for result in results], {ANCHOR: 0})
    console.print(_table(rungs, yardsticks, ratings, results, title))
    _print_notes(console, config, rungs, ratings, results)
    content = {
        "run": config.ladder,
        "size": rules.size,
        "komi": rules.komi,
        "ko": rules.ko,
        "games_per_pairing": config.games,
        "opening_plies": config.opening_plies,
        "seed": config.seed,
        "anchors": dict(ratings.anchors),
        "players": [_describe(rung, ratings) for rung in rungs]
        + [{"agent": spec, "elo": ratings[spec], "interval": list(ratings.interval(spec))} for spec in yardsticks],
        "pairings": [result.summary() for result in results],
    }
    write_text(folder / "ladder.json", json.dumps(content, indent=1) + "\n")
    draw(rungs, yardsticks, ratings, f"Strength of {title}", folder / "ladder.png")
    console.print(f"Written: {folder / 'ladder.png'} and ladder.json", soft_wrap=True, markup=False, highlight=False)
    return 0


def find_rungs(spec: str) -> tuple[Path, list[Rung]]:
    """(the run folder, its checkpoints oldest first) of "RUN?options": eight, evenly spaced, where there are more."""
    from goagent.records import checkpoint  # late: it needs torch

    name, _, options = spec.partition("?")
    folder = Path(name)
    found = checkpoint.all_of(folder)
    if not found:
        raise UserError(f"{name} holds no checkpoints to rate: expected the folder of a training run")
    rungs = []
    for i in np.unique(np.linspace(0, len(found) - 1, _MOST).round().astype(int)):
        agent = checkpoint.read_json(found[i] / "agent.json")
        training = agent.get("training")
        rungs.append(
            Rung(
                spec=f"{found[i]}?{options}" if options else str(found[i]),
                step=int(found[i].name),
                seconds=_number(agent.get("seconds")),
                games=_number(agent.get("games")),
                training=training if isinstance(training, dict) else {},
            )
        )
    return folder, rungs


def fixtures(rungs: list[str], yardsticks: tuple[str, ...]) -> list[tuple[str, str]]:
    """Who meets whom: checkpoints 1, 2 and 4 apart, each with every yardstick, the yardsticks among themselves."""
    return [
        *((rungs[i + apart], rungs[i]) for apart in _APART for i in range(len(rungs) - apart)),
        *itertools.product(rungs, yardsticks),
        *itertools.combinations(yardsticks, 2),
    ]


def _rules(config: MatchConfig, rung: Rung) -> Rules:
    """What is asked for; the rest is the run's own, if it is not asked for on another board. Raises UserError."""
    training = rung.training if config.size is None else {}
    komi = training.get("komi") if config.komi is None else config.komi
    return rules_from(
        str(config.size or training.get("size", "9")), komi=komi, ko=config.ko or training.get("ko", "positional")
    )


def play_pairings(
    config: MatchConfig, rules: Rules, specs: dict[str, str], pairs: list[tuple[str, str]]
) -> list[MatchResult]:
    """A match of `config.games` for each pair of names. specs: name -> SPEC."""
    players = {name: load_agent(spec, rules) for name, spec in specs.items()}
    for player in players.values():
        warm_up(player, rules)
    results = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("games,"))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=len(pairs) * config.games)
        for (a, b), rng in zip(pairs, np.random.default_rng(config.seed).spawn(len(pairs)), strict=True):
            progress.update(task, description=escape(f"{a} - {b}"))
            openings = random_openings(rules, (config.games + 1) // 2, config.opening_plies, rng)
            result = play_match(
                players[a], players[b], rules, config.games, rng, openings, lambda game: progress.advance(task)
            )
            results.append(MatchResult(a, b, result.games))
            # It may take hours: what is measured is not to be lost with them.
            progress.console.print(escape(f"{a} {result.points.sum():g} of {len(result.games)} against {b}"))
    return results


def pairing(result: MatchResult) -> Pairing:
    return Pairing(result.a, result.b, float(result.points.sum()), len(result.games))


def _describe(rung: Rung, ratings: Ratings) -> dict[str, Any]:
    return {
        "agent": rung.name,
        "spec": rung.spec,
        "step": rung.step,
        "seconds": rung.seconds,
        "games": rung.games,
        "elo": ratings[rung.name],
        "interval": list(ratings.interval(rung.name)),
    }


def _table(
    rungs: list[Rung], yardsticks: tuple[str, ...], ratings: Ratings, results: list[MatchResult], title: str
) -> Table:
    score = {(result.a, result.b): result.score for result in results}
    score |= {(b, a): 1 - value for (a, b), value in score.items()}
    table = Table(Column("agent", overflow="fold"), title=escape(title))
    timed, counted = (any(getattr(rung, name) is not None for rung in rungs) for name in ("seconds", "games"))
    extra = ["training"] * timed + ["games"] * counted
    for heading in (*extra, "Elo", "± 95 %", *(f"vs {escape(_short(spec))}" for spec in yardsticks)):
        table.add_column(heading, justify="right", overflow="fold")

    def add(name: str, *known: str) -> None:
        reach = "fixed" if name in ratings.anchors else f"{ratings.interval(name)[1] - ratings[name]:.0f}"
        against = (f"{score[name, spec]:.0%}" if (name, spec) in score else "" for spec in yardsticks)
        table.add_row(escape(name), *known, f"{ratings[name]:.0f}", reach, *against)

    for spec in yardsticks:
        add(spec, *[""] * len(extra))
    table.add_section()
    for rung in rungs:
        add(rung.name, *[_duration(rung.seconds)] * timed, *[_count(rung.games)] * counted)
    return table


def _print_notes(
    console: Console, config: MatchConfig, rungs: list[Rung], ratings: Ratings, results: list[MatchResult]
) -> None:
    games = sum(len(result.games) for result in results)
    lines = [
        f"{games:,} games, {config.games} in each of {len(results)} pairings, colours swapped, openings of"
        f" {config.opening_plies} random plies; {ANCHOR} is 0 Elo."
    ]
    if len(rungs) > 1:
        gain, (low, high) = ratings.difference(rungs[-1].name, rungs[0].name)
        lines.append(f"From {rungs[0].name} to {rungs[-1].name}: {gain:+.0f} Elo ({low:+.0f} to {high:+.0f}).")
    problems = sum(bool(game.problem) for result in results for game in result.games)
    if problems:
        lines.append(f"{problems} games were lost by failures; the first: {_first_problem(results)}")
    for line in lines:
        console.print(line, soft_wrap=True, markup=False, highlight=False)


def _first_problem(results: list[MatchResult]) -> str:
    return next(game.problem for result in results for game in result.games if game.problem)


def draw(rungs: list[Rung], yardsticks: tuple[str, ...], ratings: Ratings, title: str, path: Path) -> None:
    """Write a PNG: Elo with 95 % intervals against training time and games, or steps where neither is known."""
    from matplotlib.figure import Figure  # late: slow to import

    elo = np.array([ratings[rung.name] for rung in rungs])
    reach = np.array([ratings.interval(rung.name)[1] for rung in rungs]) - elo
    panels = _panels(rungs)
    figure = Figure(figsize=(1.6 + 4.6 * len(panels), 4.4), dpi=130, layout="constrained")
    grid = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, (label, values) in zip(grid, panels.items(), strict=True):
        axes.errorbar(values, elo, reach, fmt="o-", color=_BLUE, linewidth=1.8, elinewidth=1.1, markersize=5, capsize=3)
        axes.xaxis.set_major_formatter("{x:,.5g}" if max(values) < 10_000 else "{x:,.0f}")
        axes.set_xlabel(label)
        axes.set_xlim(0, max(values) * 1.05 or 1)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
        for spec in yardsticks:
            axes.axhline(ratings[spec], color=_GREY, linestyle="--", linewidth=1, zorder=0)
    grid[0].set_ylabel("Elo, with 95 % intervals")
    _name_lines(grid[-1], {spec: ratings[spec] for spec in yardsticks})
    figure.suptitle(title)
    temporary = path.with_name(f".{path.name}.tmp")
    figure.savefig(temporary, format="png")
    temporary.replace(path)


def _panels(rungs: list[Rung]) -> dict[str, list[float]]:
    """Axis label -> a value for each checkpoint."""
    panels: dict[str, list[float]] = {}
    seconds, games = [rung.seconds for rung in rungs], [rung.games for rung in rungs]
    if len(known := [value for value in seconds if value is not None]) == len(rungs):
        unit, length = _unit(max(known))
        panels[f"training time ({unit})"] = [value / length for value in known]
    if len(known := [value for value in games if value is not None]) == len(rungs):
        panels["games of self-play"] = known
    return panels or {"step": [float(rung.step) for rung in rungs]}


def _name_lines(axes: "Axes", heights: dict[str, float]) -> None:
    """Write names at the right end of horizontal lines, upwards and apart enough to be read."""
    bottom, top = axes.get_ylim()
    free = -np.inf
    for spec, height in sorted(heights.items(), key=lambda item: item[1]):
        height = max(height, free)
        free = height + 0.04 * (top - bottom)
        name = spec if len(spec) <= 32 else f"{spec[:31]}…"
        axes.annotate(
            name, (1.01, height), xycoords=("axes fraction", "data"), va="center", size=8, color=_GREY,
            annotation_clip=False,
        )  # fmt: skip


def _short(spec: str) -> str:
    """Enough of a SPEC to tell a column by: rollout, gtp:gnugo, the last part of a path."""
    name = spec.partition("?")[0].split()[0]
    return name if ":" in name else Path(name).name


def _unit(seconds: float) -> tuple[str, float]:
    """(name, seconds) of the unit to say a duration in."""
    return ("h", 3600.0) if seconds >= 7200 else ("min", 60.0) if seconds >= 120 else ("s", 1.0)


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "?"
    unit, length = _unit(seconds)
    return f"{seconds / length:.1f} {unit}"


def _count(games: float | None) -> str:
    return "?" if games is None else f"{games:,.0f}"


def _number(value: Any) -> float | None:
    """What an agent.json holds, if it is a number that makes sense here."""
    usable = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < float("inf")
    return float(value) if usable else None
