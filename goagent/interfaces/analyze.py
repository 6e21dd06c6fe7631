"""`goagent analyze`: what an agent says of each move of a game, as a table, a plot and an SGF; many games in summary.

Start with `analyze`. What is said comes from `arena/review.py`; the plot and the SGF are made by `analysis_files.py`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import chain, count
from pathlib import Path
from typing import Annotated, NamedTuple

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Column, Table
from tyro.conf import Positional, arg

from envs import BLACK, WHITE, Rules
from goagent.arena.review import MISTAKE, Remark, Tally, mistakes, review
from goagent.errors import UserError
from goagent.interfaces.analysis_files import NAMES, annotate, draw, lead
from goagent.players.player import Player
from goagent.players.spec import load_agent
from goagent.records.files import write_bytes, write_text
from goagent.records.sgf import Game, game_of
from goagent.records.sgf_tree import Node, SgfError, find_files, parse_tree, read_records, write_tree
from goagent.rules import NO_CAP

_ENDING = ".analysis.sgf"  # of what is written; in a folder, never read as a game
_LONGEST_LINE = 6  # plies of a better line in the table


@dataclass(frozen=True)
class AnalyzeConfig:
    """Analyze a game: win rate, score and the agent's distribution at every move, and the worst mistakes.

    Writes a plot, and an SGF with all of it that Sabaki shows. Of a folder, or a file of several games, the table is a
    summary. Every stone left on the board counts as alive.
    """

    path: Annotated[Positional[Path], arg(metavar="FILE_OR_FOLDER")]
    """An SGF file, or a folder of them."""
    agent: str = "shipped"
    """SPEC of the agent that is asked: `goagent agents` lists what there is."""
    output: Path = Path("analysis")
    """The folder to write into; for a game NAME.sgf, NAME.analysis.sgf and NAME.analysis.png."""

    def __post_init__(self) -> None:
        if self.output.exists() and not self.output.is_dir():
            raise UserError(f"cannot write into {self.output}: expected a folder, or a new name")


class Record(NamedTuple):
    """A game to analyze."""

    name: str  # of what is written about it, relative to the output folder and without an ending
    root: Node
    game: Game


def analyze(config: AnalyzeConfig) -> int:
    """`goagent analyze`: think, write, print; the exit status, 130 where Ctrl-C came after the first game.

    Raises UserError when no game can be read, and when the agent fails.
    """
    found = list(read_all(config.path))
    records = [record for record in found if isinstance(record, Record)]
    problems = [problem for problem in found if isinstance(problem, SgfError)]
    if not records:
        raise problems[0] if problems else SgfError(f"{config.path} holds no games but those that were written here")
    agent = lru_cache(maxsize=4)(partial(load_agent, config.agent))
    remarks: list[Remark] = []
    tallies: list[dict[int, Tally]] = []  # of each game, by colour
    stderr = Console(stderr=True)
    with Progress(console=stderr, transient=True, disable=not stderr.is_terminal) as progress:
        task = progress.add_task("", total=sum(len(record.game.moves) for record in records))
        try:
            for record in records:
                progress.update(task, description=escape(record.name))
                remarks = _analyze_game(record, agent, config, lambda: progress.advance(task))
                tallies.append({side: Tally.of(r for r in remarks if r.colour == side) for side in NAMES})
        except KeyboardInterrupt:
            if not tallies:
                raise
    console = Console()
    if len(found) == 1 and not config.path.is_dir():
        console.print(to_table(remarks, f"{records[0].name}, seen by {config.agent}"))
        _print_mistakes(console, remarks)
    else:
        console.print(to_summary(records, tallies, f"{config.path}, seen by {config.agent}"))
    console.print(to_players(records, tallies))
    for problem in problems:
        console.print(f"left out: {problem}", markup=False, highlight=False, soft_wrap=True)
    stopped = len(tallies) < len(records)
    if stopped:
        console.print(f"stopped after {len(tallies)} of {len(records)} games")
    console.print(f"Plots and annotated games are in {config.output}.", markup=False, highlight=False, soft_wrap=True)
    return 130 if stopped else 0


def read_all(path: Path) -> Iterator[Record | SgfError]:
    """The games of a file, or of all in a folder that this command has not written, and what cannot be read.

    Raises SgfError where there is nothing to read.
    """
    folder = path if path.is_dir() else path.parent
    taken: set[str] = set()
    for file in find_files(path):
        if file != path and file.name.endswith(_ENDING):
            continue
        name = str(file.relative_to(folder)).removesuffix(".sgf")
        try:
            texts = list(read_records(file))
        except SgfError as error:
            yield error
            continue
        for number, text in enumerate(texts, 1):
            try:
                root = parse_tree(text)
                game = game_of(root)
                if not game.moves:
                    raise SgfError("it has no moves")
            except SgfError as error:
                yield SgfError(f"{file}, game {number}: {error}")
            else:
                names = chain([name] if len(texts) == 1 else [], (f"{name}-{n}" for n in count(number)))
                free = next(name for name in names if name not in taken)
                taken.add(free)
                yield Record(free, root, game)


def _analyze_game(
    record: Record, agent: Callable[[Rules], Player], config: AnalyzeConfig, report: Callable[[], None]
) -> list[Remark]:
    """The remarks on a game; plot and SGF are written. `report` is called after each move."""
    game = replace(record.game, rules=replace(record.game.rules, max_moves=NO_CAP))
    player = agent(game.rules)
    path = config.output / f"{record.name}{_ENDING}"
    path.parent.mkdir(parents=True, exist_ok=True)
    remarks = []
    for remark in review(game, player):
        remarks.append(remark)
        report()
    annotate(record.root, remarks, config.agent)
    write_text(path, write_tree(record.root) + "\n")
    players = " – ".join(name or NAMES[side] for side, name in ((BLACK, game.black_name), (WHITE, game.white_name)))
    picture = draw(remarks, f"{players}, seen by {config.agent}")
    if picture:
        write_bytes(path.with_suffix(".png"), picture)
    else:
        path.with_suffix(".png").unlink(missing_ok=True)  # of another agent, which had an opinion
    return remarks


def to_table(remarks: Sequence[Remark], title: str) -> Table:
    """A row for each move."""
    table = Table(title=escape(title), caption="Win rate and score after the move; loss: win probability given away.")
    for heading in ("", "move", "Black wins", "score", "loss", "probability", "place", "favourite"):
        table.add_column(heading, justify="left" if heading in ("move", "favourite") else "right")
    for remark in remarks:
        rules = remark.position.rules
        told = (
            f"{NAMES[remark.colour][0]} {rules.vertex(remark.action)}",
            percent(remark.win_probability_black),
            lead(remark.score_black),
            percent(remark.loss),
        )
        style = "bold" if remark.is_mistake else None
        if remark.problem:
            table.add_row(str(remark.number), *told, "", "", escape(remark.problem.partition(": ")[2]))
        else:
            choice = remark.choice or 0
            favourite = f"{rules.vertex(choice)} {percent(remark.distribution[choice])}"
            place = (percent(remark.probability), str(remark.rank), favourite)
            table.add_row(str(remark.number), *told, *place, style=style)
    return table


def _print_mistakes(console: Console, remarks: Sequence[Remark]) -> None:
    worst = mistakes(remarks)
    if all(remark.loss is None for remark in remarks):
        console.print("It has no opinion on who wins, so nobody's mistakes are known.")
        return
    if not worst:
        console.print(f"No move gave away {MISTAKE:.0%} or more.")
        return
    table = Table("", "move", "loss", "points", "better", title="The largest mistakes")
    for remark in worst:
        rules = remark.position.rules
        line = remark.analysis.lines[0].variation[:_LONGEST_LINE]
        table.add_row(
            str(remark.number),
            f"{NAMES[remark.colour][0]} {rules.vertex(remark.action)}",
            percent(remark.loss),
            "-" if remark.score_loss is None else f"{remark.score_loss:.1f}",
            " ".join(map(rules.vertex, line)),
        )
    console.print(table)


def to_summary(records: Sequence[Record], tallies: Sequence[dict[int, Tally]], title: str) -> Table:
    """A row for each game, as many as there are tallies; each cell has Black's figure, then White's."""
    table = Table(Column("game", overflow="fold"), title=escape(title), caption="In each cell Black, then White.")
    for heading in ("moves", "loss a move", "mistakes", "first choice"):
        table.add_column(heading, justify="right")
    for record, of_game in zip(records, tallies, strict=False):
        pairs = zip(*(_cells(of_game[side]) for side in NAMES), strict=True)
        table.add_row(escape(record.name), str(len(record.game.moves)), *(f"{b:>5} {w:>5}" for b, w in pairs))
    return table


def to_players(records: Sequence[Record], tallies: Sequence[dict[int, Tally]]) -> Table:
    """A row for each player and colour, and one for each colour as a whole where there are several."""
    totals: dict[tuple[str, int], Tally] = defaultdict(Tally)
    games: dict[tuple[str, int], int] = defaultdict(int)
    for record, of_game in zip(records, tallies, strict=False):
        for side, name in ((BLACK, record.game.black_name), (WHITE, record.game.white_name)):
            for key in {(name or "?", side), ("", side)}:
                totals[key] += of_game[side]
                games[key] += 1
    table = Table(Column("player", overflow="fold"), "colour", title="Players")
    for heading in ("games", "moves", "loss a move", "mistakes", "first choice"):
        table.add_column(heading, justify="right")
    for name, side in sorted(totals):
        if name:
            key = name, side
            table.add_row(escape(name), NAMES[side], str(games[key]), str(totals[key].moves), *_cells(totals[key]))
    table.add_section()
    for side in NAMES if len(tallies) > 1 else ():
        key = "", side
        table.add_row("all", NAMES[side], str(games[key]), str(totals[key].moves), *_cells(totals[key]))
    return table


def _cells(tally: Tally) -> tuple[str, str, str]:
    """Mean loss a move, mistakes, agreement."""
    mean = f"{tally.loss / tally.judged:.1%}" if tally.judged else "-"
    return mean, str(tally.mistakes) if tally.judged else "-", f"{tally.agreed / max(1, tally.moves):.0%}"


def percent(share: float | None) -> str:
    """A probability for a person."""
    return "-" if share is None else f"{share:.1%}"
