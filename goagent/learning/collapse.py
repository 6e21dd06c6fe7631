"""The picture this package exists for: what each policy answers where many moves are equally good."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from envs import BLACK, EMPTY, Position, Rules
from envs.coordinates import COLUMNS
from goagent.policies.distributions import MoveDistribution, PointMoves
from goagent.policies.network import PolicyNetwork

_BOARD, _LINE, _HEAT, _POINT = "#f4efe6", "#8a8378", "#1f5f8b", "#c0392b"


def symmetric_positions(rules: Rules) -> dict[str, Position]:
    """Positions that every symmetry of the board leaves alone: the empty one, and one with a stone on the centre."""
    empty = Position(rules)
    positions = {"the empty board": empty}
    if rules.rows % 2 and rules.cols % 2 and rules.num_points > 1:
        positions["Black on the centre, White to play"] = empty.play(rules.num_points // 2)
    return positions


def describe_answer(answer: MoveDistribution, rules: Rules) -> str:
    """A batch of one in words: how far a point is from the centre, or how spread out a distribution is."""
    if isinstance(answer, PointMoves):
        row, col = answer.raw[0, :2].tolist()
        distance = np.hypot(row - (rules.rows - 1) / 2, col - (rules.cols - 1) / 2)
        return f"a point {distance:.2f} from the centre"
    move = int(answer.mode()[0])
    bits = float(answer.entropy()[0]) / np.log(2)
    return f"{bits:.1f} bits; most often {rules.vertex(move)}, {float(answer.probs[0, move]):.0%}"


def draw_answers(networks: Mapping[str, PolicyNetwork], rules: Rules, path: Path) -> None:
    """Write a PNG: a row for each symmetric position, a column for each policy by name."""
    positions = symmetric_positions(rules)
    size = (3.6 * len(networks), 3.9 * len(positions))
    figure = Figure(figsize=size, dpi=120, layout=ConstrainedLayoutEngine(h_pad=0.12))
    grid = figure.subplots(len(positions), len(networks), squeeze=False)
    for axes_row, (title, position) in zip(grid, positions.items(), strict=True):
        for axes, (name, network) in zip(axes_row, networks.items(), strict=True):
            answer = network.answer(position.observe()[None], position.legal_mask()[None]).moves
            _draw_board(axes, position)
            _draw_answer(axes, answer, rules)
            axes.set_title(f"{name}: {title}\n{describe_answer(answer, rules)}", fontsize=9)
    temporary = path.with_name(path.name + ".tmp")
    figure.savefig(temporary, format="png")
    temporary.replace(path)


def _draw_board(axes: Axes, position: Position) -> None:
    rows, cols = position.rules.rows, position.rules.cols
    axes.set_facecolor(_BOARD)
    for row in range(rows):
        axes.plot([0, cols - 1], [row, row], color=_LINE, linewidth=0.8, zorder=1)
    for col in range(cols):
        axes.plot([col, col], [0, rows - 1], color=_LINE, linewidth=0.8, zorder=1)
    for (row, col), stone in np.ndenumerate(position.board):
        if stone != EMPTY:
            axes.scatter(col, row, s=240, color="black" if stone == BLACK else "white", edgecolors="black", zorder=2)
    axes.set_xlim(-0.7, cols - 0.3)
    axes.set_ylim(rows - 0.3, -0.7)
    axes.set_aspect("equal")
    axes.set_xticks(range(cols), list(COLUMNS[:cols]), fontsize=7)
    axes.set_yticks(range(rows), [str(rows - row) for row in range(rows)], fontsize=7)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _draw_answer(axes: Axes, answer: MoveDistribution, rules: Rules) -> None:
    """A cross where a point is; on every move of a distribution a disc whose area is the move's probability."""
    if isinstance(answer, PointMoves):
        row, col = answer.raw[0, :2].tolist()
        axes.scatter(col, row, s=170, marker="X", color=_POINT, edgecolors="white", linewidths=1.2, zorder=4)
        return
    probabilities = answer.probs[0, :-1].cpu().numpy()
    row, col = np.divmod(np.arange(rules.num_points), rules.cols)
    area = 900 * probabilities / max(probabilities.max(), 1e-9)
    axes.scatter(col, row, s=area, color=_HEAT, alpha=0.85, linewidths=0, zorder=3)
