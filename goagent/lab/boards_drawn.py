"""Boards in the pictures of this chapter: wooden, with stones, a heat map of probabilities, and points."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle, Rectangle

from goagent.lab.capture_go import OWN

WOOD, LINE, HEAT, DOT = "#f2dcae", "#8a744a", "#0072B2", "#D55E00"  # heat and dots are told apart by any eyes


def draw_board(
    axes: Axes,
    board: np.ndarray,
    probabilities: np.ndarray | None = None,
    places: np.ndarray | None = None,
    title: str = "",
) -> None:
    """board: (size, size), Black (OWN) to move. probabilities: (size * size). places: (n, 2) row and column."""
    size = len(board)
    axes.set_xlim(-0.75, size - 0.25)
    axes.set_ylim(size - 0.25, -0.75)
    axes.set_aspect("equal")
    axes.set_axis_off()
    axes.add_patch(Rectangle((-0.75, -0.75), size + 0.5, size + 0.5, facecolor=WOOD, edgecolor="none", zorder=0))
    for i in range(size):
        axes.plot([0, size - 1], [i, i], color=LINE, linewidth=0.8, zorder=1)
        axes.plot([i, i], [0, size - 1], color=LINE, linewidth=0.8, zorder=1)
    if probabilities is not None:
        for point in np.flatnonzero(probabilities > 0.004):
            share = float(probabilities[point])
            axes.add_patch(
                Circle(
                    (int(point) % size, int(point) // size), 0.16 + 0.5 * min(share, 0.25) ** 0.5, facecolor=HEAT,
                    edgecolor="none", alpha=0.9, zorder=2,
                )
            )  # fmt: skip
    for row, col in np.argwhere(board != 0):
        colour = "black" if board[row, col] == OWN else "white"
        axes.add_patch(Circle((int(col), int(row)), 0.44, facecolor=colour, edgecolor="black", linewidth=0.8, zorder=3))
    if places is not None:
        axes.scatter(places[:, 1], places[:, 0], s=60, color=DOT, edgecolor="white", linewidth=0.8, zorder=4)
    axes.set_title(title, fontsize=9)
