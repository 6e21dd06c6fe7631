"""The screen that goes through a game move by move, with the agent's opinion of each. Start with `describe`."""

from collections.abc import Iterator
from typing import ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Footer, Static

from envs import Position
from goagent.arena.review import Remark, mistakes, review
from goagent.errors import UserError
from goagent.interfaces.plain import best_moves
from goagent.interfaces.session import NAMES
from goagent.interfaces.terminal import panel
from goagent.interfaces.terminal.board_view import BoardView, Picture
from goagent.interfaces.terminal.desk import Desk
from goagent.players.player import Interrupted
from goagent.records.sgf import Game


def describe(remark: Remark) -> str:
    """What the agent says about a move, in lines."""
    rules = remark.position.rules
    lines = [f"Move {remark.number}: {NAMES[remark.colour]} {rules.vertex(remark.action)}"]
    if remark.problem:
        lines.append(f"Not allowed: {remark.problem}.")
    elif remark.choice is not None:
        lines.append(f"The agent plays it {100 * remark.probability:.0f} % of the time, choice {remark.rank}.")
        if remark.rank > 1:
            lines.append(f"Its favourites: {best_moves(rules, remark.distribution, 3)}")
    if remark.loss:
        points = f", {remark.score_loss:.1f} points" if remark.score_loss else ""
        lines.append(f"It gave away {100 * remark.loss:.0f} % of winning{points}.")
    elif remark.loss is not None:
        lines.append("Nothing given away.")
    return "\n".join(lines)


class ReviewScreen(Screen[None]):
    """The board before each move, where it was played, and where the agent would have."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,up", "go(-1)", "Back one", key_display="←"),
        Binding("right,down,enter,space", "go(1)", "On one", key_display="→"),
        Binding("home", "go(-9999)", "First", key_display="Home"),
        Binding("end", "go(9999)", "Last", key_display="End"),
        Binding("m", "mistake", "Mistakes"),
        Binding("ctrl+e", "heat", "Heat"),
        Binding("escape,ctrl+w", "dismiss", "Game"),
    ]
    DEFAULT_CSS = """
    ReviewScreen #panel { padding: 0 1; width: 1fr; }
    ReviewScreen Static { margin-bottom: 1; }
    """

    def __init__(self, game: Game, desk: Desk, plain: bool) -> None:
        super().__init__()
        self._game = game
        self._desk = desk
        self._plain = plain
        self._positions: list[Position] = [*(position for position, _, _ in game.positions()), game.final()]
        self._remarks: list[Remark] = []
        self._status = ""
        self._number = len(game.moves)  # of the move looked at; 0 is the start
        self._heat_on = True

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield BoardView(Picture(self._positions[0].board), with_cursor=False)
            with Vertical(id="panel"):
                yield Static(id="players", classes="lines")
                yield Static(id="estimates")
                yield Static(id="opinion", markup=False)
                yield Static(id="mistakes", markup=False)
        yield Footer(compact=True)

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _: self.show())
        self._think()

    def on_resize(self, event: events.Resize) -> None:
        self.query_one(BoardView).fit(event.size.width - panel.LEAST, event.size.height - 1)
        self.show()

    @work(exclusive=True)
    async def _think(self) -> None:
        """Have every move judged, one after the other."""
        remarks: Iterator[Remark] | None = None

        def one_more(agent) -> Remark | None:
            nonlocal remarks
            remarks = remarks or review(self._game, agent)
            return next(remarks, None)

        try:
            while (remark := await self._desk.ask(one_more)) is not None:
                self._remarks.append(remark)
                self.show()
        except Interrupted:
            pass
        except Exception as error:  # whatever the agent does wrong, the game can be looked at
            self._status = f"{error}." if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
            self.show()

    def action_go(self, moves: int) -> None:
        self._number = min(max(self._number + moves, 0), len(self._game.moves))
        self.show()

    def action_mistake(self) -> None:
        """Go to the next of the worst moves, from the last one on to the first."""
        numbers = sorted(remark.number for remark in mistakes(self._remarks))
        if numbers:
            self._number = next((number for number in numbers if number > self._number), numbers[0])
            self.show()

    def action_heat(self) -> None:
        self._heat_on = not self._heat_on
        self.show()

    def show(self) -> None:
        if not self.is_mounted:
            return
        game, number = self._game, self._number
        remark = self._remarks[number - 1] if 0 < number <= len(self._remarks) else None
        # With an opinion: the position that the move was chosen in. Without: what the move made of it.
        heat = remark is not None and self._heat_on and remark.choice is not None
        before = remark.position if remark is not None and heat else self._positions[number]
        last = game.moves[number - 1][1] if number else None
        self.query_one(BoardView).show(
            Picture(
                before.board,
                last=None if heat else last,
                heat=remark.distribution if remark is not None and heat else None,
                marks={last: str(number)} if heat and last is not None else {},
                plain=self._plain,
                dark=self.app.current_theme.dark,
            )
        )
        players = panel.players(game, number, self._positions[number], self._plain)
        self.query_one("#players", Static).update(players.append(f"\nMove {number} of {len(game.moves)}", "bold"))
        seen = self._remarks[:number]
        width = max(self.query_one("#panel").content_size.width, 10)
        wins, scores = [r.win_probability_black for r in seen], [r.score_black for r in seen]
        self.query_one("#estimates", Static).update(panel.estimates(wins, scores, width))
        judging = number and remark is None and not self._status
        opinion = describe(remark) if remark else "The agent is looking at it …" if judging else self._status
        self.query_one("#opinion", Static).update(opinion)
        worst = mistakes(self._remarks)
        lines = [f"{r.number} {NAMES[r.colour]} {r.position.rules.vertex(r.action)}: {_percent(r.loss)}" for r in worst]
        done = f"{len(self._remarks)} of {len(game.moves)} moves judged"
        self.query_one("#mistakes", Static).update("\n".join(["Given away most:", *lines] if lines else [done]))


def _percent(loss: float | None) -> str:
    return "" if loss is None else f"{100 * loss:.0f} %"
