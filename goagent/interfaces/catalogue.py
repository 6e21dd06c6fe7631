"""`goagent agents`: what a SPEC can name, and the trained runs at hand."""

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from goagent.players.levels import LEVELS
from goagent.players.spec import describe_agents


@dataclass(frozen=True)
class AgentsConfig:
    """List what can play: the names that a SPEC begins with, and the trained runs."""

    runs: Path = Path("runs")
    """The folder to look for runs in."""


def agents(config: AgentsConfig) -> int:
    """Print both lists; the exit status. A run that cannot be read is listed with the reason."""
    console = Console()
    names = Table("SPEC", "what plays", "options (default)", title="Agents")
    for kind in describe_agents():
        options = (
            f"{name}: {option.expected}" + ("" if option.default is None else f" ({option.default})")
            for name, option in kind.options.items()
        )
        names.add_row(escape(kind.spec), escape(kind.what), escape("\n".join(options)))
    console.print(names)
    console.print("Options follow a question mark, as in rollout?playouts=50.")
    levels = Table("level", "", "the same as", title="Strength: the levels of a trained agent, as in shipped?level=3")
    for level in LEVELS:
        levels.add_row(str(level.number), level.name, level.options)
    console.print(levels)
    console.print("Variety: with a search, temperature=0 plays the same moves again, 1 as varied ones as in training.")
    console.print("What both are worth in strength stands in docs/play.md; goagent match --levels measures it.")
    runs = Table("SPEC", "trained by", "board", "newest checkpoint", title=f"Runs in {escape(str(config.runs))}")
    for row in _runs(config.runs):
        runs.add_row(*map(escape, row))
    console.print(runs if runs.rows else f"No runs in {escape(str(config.runs))} yet: `python train.py` makes one.")
    return 0


def _runs(folder: Path) -> list[tuple[str, ...]]:
    """(SPEC, policy and algorithm, board size, newest checkpoint) of each run folder."""
    from goagent.records import checkpoint  # late: it loads torch
    from goagent.records.checkpoint import CheckpointError

    rows: list[tuple[str, ...]] = []
    for config in sorted(folder.glob("*/config.json")):
        run = config.parent
        try:
            said = checkpoint.read_json(config)
            newest = checkpoint.newest(run).name
            rows.append((str(run), f"{said['policy']}, {said['algorithm']}", str(said["size"]), newest))
        except KeyError as error:
            rows.append((str(run), f"config.json has no {error}", "", ""))
        except CheckpointError as error:
            rows.append((str(run), str(error), "", ""))
    return rows
