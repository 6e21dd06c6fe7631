"""The trained agents in the package: a folder of `goagent/weights` each, named after its board."""

from pathlib import Path

from envs import Rules

WEIGHTS = Path(__file__).parent.parent / "weights"


def shipped_agents(folder: Path = WEIGHTS) -> dict[tuple[int, int], Path]:
    """(rows, cols) -> checkpoint folder, smallest board first."""
    folders = (path.parent for path in folder.glob("*x*/agent.json"))
    return {size: path for size, path in sorted((_size(path.name), path) for path in folders)}


def shipped_for(rules: Rules, folder: Path = WEIGHTS) -> tuple[Path, bool] | None:
    """The agent for a board, and whether it was trained on that size; the nearest size if not. None: none ships."""
    agents = shipped_agents(folder)
    if not agents:
        return None
    size = min(agents, key=lambda size: (abs(size[0] - rules.rows) + abs(size[1] - rules.cols), size))
    return agents[size], size == (rules.rows, rules.cols)


def _size(name: str) -> tuple[int, int]:
    rows, _, cols = name.partition("x")
    return int(rows), int(cols)
