"""What is written about an analyzed game: `annotate` puts the remarks into its SGF tree, `draw` makes the plot."""

import io
import itertools
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from envs import BLACK, WHITE
from goagent.arena.review import Remark, mistakes
from goagent.records.sgf import line_of
from goagent.records.sgf_tree import Node, escape

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAMES = {BLACK: "Black", WHITE: "White"}
_INK, _GREY, _PALE, _RED = "#303030", "#9a9a9a", "#e4e4e4", "#d55e00"  # told apart by everyone, and in grey too
_LONGEST_TITLE = 80  # characters


def annotate(root: Node, remarks: Sequence[Remark], agent: str) -> None:
    """Add the remarks to the main line of their game's tree, which keeps everything else.

    Each move gets Black's win rate in percent, for Sabaki's graph (SBKV), and a comment after the one it has; each of
    the largest mistakes also the agent's line as a variation.
    """
    worst = mistakes(remarks)
    order = {remark.number: place for place, remark in enumerate(worst, 1)}
    line = list(root.main_line())
    played = [
        (before, node) for before, node in zip([None, *line], line, strict=False) if node.properties.keys() & "BW"
    ]
    _set_win_rate(root, remarks[0].analysis.win_probability, remarks[0].colour)
    _add_comment(root, f"Analyzed by {agent}. Percentages are Black's chance to win after the move.")
    for (before, node), remark in zip(played, remarks, strict=True):
        said = tell(remark, agent)
        if remark.number in order:
            said += f"\nMistake {order[remark.number]} of {len(worst)}: it gives away {remark.loss:.1%}."
            if before is not None:
                before.children.append(_better_line(remark, agent))
        _set_win_rate(node, remark.win_probability, remark.colour)
        _add_comment(node, said)


def tell(remark: Remark, agent: str) -> str:
    """A remark in words."""
    vertex = remark.position.rules.vertex
    opinion = []
    if remark.win_probability_black is not None:
        opinion.append(f"Black {remark.win_probability_black:.1%}")
    if remark.score_black is not None:
        opinion.append(lead(remark.score_black))
    lines = [", ".join(opinion)] if opinion else []
    if remark.problem:
        lines.append(f"{remark.problem}.")
    else:
        lines.append(f"{vertex(remark.action)}: {remark.probability:.1%}, place {remark.rank}.")
        if remark.rank > 1 and remark.choice is not None:
            lines[-1] += f" {agent} prefers {vertex(remark.choice)}: {remark.distribution[remark.choice]:.1%}."
    return "\n".join(lines)


def lead(score_black: float | None) -> str:
    """Who leads by how much: "B+3.5"."""
    return "-" if score_black is None else f"{'B' if score_black >= 0 else 'W'}+{abs(score_black):.1f}"


def draw(remarks: Sequence[Remark], title: str) -> bytes | None:
    """A PNG: Black's win probability and lead over the moves, mistakes numbered. None where there is no opinion."""
    wins, scores = ([first, *after] for first, after in zip(_before(remarks[0]), _after(remarks), strict=True))
    curves = {"Black wins (%)": [None if win is None else 100 * win for win in wins], "Black leads by (points)": scores}
    # How a finished game ended is known to everyone: that alone is no curve.
    curves = {label: values for label, values in curves.items() if values[0] is not None}
    if not curves:
        return None
    from matplotlib.figure import Figure  # late: slow to import

    figure = Figure(figsize=(9.6, 2 + 1.8 * len(curves)), dpi=130, layout="constrained")
    grid = figure.subplots(len(curves), 1, sharex=True, squeeze=False)[:, 0]
    for axes, (label, values) in zip(grid, curves.items(), strict=True):
        _draw_curve(axes, label, values, even=50 if "%" in label else 0)
        if "%" in label:
            axes.set_ylim(-5, 105)
            axes.set_yticks(range(0, 101, 25))
            _number_mistakes(axes, mistakes(remarks))
    grid[-1].set_xlabel("move")
    figure.align_ylabels(grid)
    figure.suptitle(title if len(title) <= _LONGEST_TITLE else f"{title[:_LONGEST_TITLE]}…", parse_math=False)
    buffer = io.BytesIO()
    with warnings.catch_warnings(action="ignore"):  # a name may have letters that the font has not
        figure.savefig(buffer, format="png")
    return buffer.getvalue()


def _before(remark: Remark) -> tuple[float | None, float | None]:
    """Black's win probability and lead before a move."""
    win, score, _, _ = remark.analysis
    if remark.colour == BLACK:
        return win, score
    return None if win is None else 1 - win, None if score is None else -score


def _after(remarks: Sequence[Remark]) -> tuple[list[float | None], list[float | None]]:
    """The same after each of the moves."""
    return [remark.win_probability_black for remark in remarks], [remark.score_black for remark in remarks]


def _draw_curve(axes: "Axes", label: str, values: Sequence[float | None], even: float) -> None:
    """A curve, dark below it where Black is ahead and light above it where White is."""
    y = np.array(values, dtype=np.float64)
    x = np.arange(len(y))
    axes.fill_between(x, y, even, where=y >= even, interpolate=True, color=_GREY, linewidth=0)
    axes.fill_between(x, y, even, where=y <= even, interpolate=True, color=_PALE, linewidth=0)
    axes.plot(x, y, color=_INK, linewidth=1.5)
    axes.axhline(even, color=_INK, linewidth=0.8)
    axes.set_xlim(0, len(y) - 1)
    axes.set_ylabel(label)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def _number_mistakes(axes: "Axes", worst: Sequence[Remark]) -> None:
    """A numbered stone of the player's colour at each mistake, and a list beside the plot."""
    for number, remark in enumerate(worst, 1):
        face, ink = ("black", "white") if remark.colour == BLACK else ("white", "black")
        at = remark.number, 100 * (remark.win_probability_black or 0)
        move = f"{NAMES[remark.colour]} {remark.position.rules.vertex(remark.action)}"
        axes.plot(
            *at, "o", markersize=13, markerfacecolor=face, markeredgecolor=_RED, markeredgewidth=1.8, clip_on=False,
            zorder=3, label=f"{number}: move {remark.number}, {move}, −{remark.loss:.0%}",
        )  # fmt: skip
        axes.annotate(str(number), at, color=ink, size=8, ha="center", va="center", zorder=4, annotation_clip=False)
    if worst:
        axes.legend(
            title="Largest mistakes", loc="upper left", bbox_to_anchor=(1.01, 1.05), frameon=False, fontsize=8,
            alignment="left", markerscale=0.7, labelspacing=0.9,
        )  # fmt: skip


def _better_line(remark: Remark, agent: str) -> Node:
    """What the agent would have played, as a variation."""
    best = remark.analysis.lines[0]
    colours = itertools.cycle((remark.colour, BLACK + WHITE - remark.colour))
    (node,) = line_of(zip(colours, best.variation, strict=False), remark.position.rules)
    _set_win_rate(node, best.win_probability, remark.colour)
    _add_comment(node, f"What {agent} would have played.")
    return node


def _set_win_rate(node: Node, win_probability: float | None, colour: int) -> None:
    if win_probability is not None:
        black = win_probability if colour == BLACK else 1 - win_probability
        node.properties["SBKV"] = [f"{100 * black:.2f}"]


def _add_comment(node: Node, text: str) -> None:
    said = [node.text("C"), text] if "C" in node.properties else [text]
    node.properties["C"] = [escape("\n\n".join(said))]
