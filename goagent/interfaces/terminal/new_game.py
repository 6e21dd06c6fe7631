"""The screen that asks for a new game. `NewGame` is what it answers; `NewGame.session` makes the game."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Button, Footer, Input, Label, Select

from goagent.errors import UserError
from goagent.interfaces.kept import Shelf
from goagent.interfaces.session import COLOURS, Session, new_game
from goagent.players.levels import LEVELS
from goagent.rules import rules_from

_SUICIDE = {"no": "forbidden", "yes": "allowed"}
_KO = {"positional": "positional superko", "situational": "situational superko", "simple": "simple ko"}
OWN = "own"  # the choice of an agent by its SPEC


@dataclass(frozen=True)
class NewGame:
    """The form as it was filled in; empty fields take the default."""

    size: str
    colour: str
    komi: str
    ko: str
    suicide: str
    handicap: str
    level: str  # a level's number, or OWN
    agent: str
    visits: str
    temperature: str
    seconds: str

    def spec(self) -> str:
        """The agent's SPEC."""
        base = self.agent.strip() or "shipped" if self.level == OWN else f"shipped?level={self.level}"
        given = {"visits": self.visits, "temperature": self.temperature, "seconds": self.seconds}
        options = "&".join(f"{name}={value.strip()}" for name, value in given.items() if value.strip())
        return base + (("&" if "?" in base else "?") + options if options else "")

    def session(self, shelf: Shelf) -> Session:
        """The game, about to begin. Raises UserError for a field that makes no sense."""
        komi = _number("komi", self.komi, float) if self.komi.strip() else None
        handicap = int(_number("handicap", self.handicap, int)) if self.handicap.strip() else 0
        rules = rules_from(self.size.strip(), komi=komi, ko=self.ko, suicide=self.suicide == "yes")
        return Session(new_game(rules, handicap), COLOURS[self.colour], self.spec(), shelf.place())


def _number(name: str, text: str, kind: type) -> float:
    try:
        return kind(text)
    except ValueError:
        raise UserError(f"{name} is {text!r}: expected a {'whole ' if kind is int else ''}number") from None


class NewGameScreen(Screen[None]):
    """Every choice has its default, so Enter starts at once."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "app.focus_next", "Next field"),
        Binding("down", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
        Binding("escape", "back", "Back"),
    ]
    DEFAULT_CSS = """
    NewGameScreen { align: center middle; }
    NewGameScreen #form { width: 76; max-width: 100%; height: auto; border: round $accent; padding: 0 2; }
    NewGameScreen Grid { grid-size: 3; grid-columns: 13 27 1fr; grid-rows: 1; height: auto; }
    NewGameScreen .note { color: $text-muted; padding-left: 1; }
    NewGameScreen #buttons { height: 1; margin-top: 1; }
    NewGameScreen Button { margin-right: 2; min-width: 0; }
    NewGameScreen #problem { color: $text-error; height: auto; margin-top: 1; }
    """

    def __init__(self, shelf: Shelf, begin: Callable[[Session], None]) -> None:
        super().__init__()
        self._begin = begin
        self._shelf = shelf

    def compose(self) -> ComposeResult:
        with Vertical(id="form") as form:
            form.border_title = "goagent: a new game"
            with Grid():
                yield from self._row("Board", Input("9", id="size"), "9, 13, or rows x columns: 5x7")
                yield from self._row(
                    "You play", self._select("colour", {c: c.capitalize() for c in COLOURS}, "black"), "Black begins"
                )
                yield from self._row("Komi", Input(id="komi", placeholder="of the size"), "points for White")
                yield from self._row("Repeats", self._select("ko", _KO, "positional"), "which are forbidden")
                yield from self._row("Suicide", self._select("suicide", _SUICIDE, "no"), "taking one's last liberty")
                yield from self._row("Handicap", Input("0", id="handicap"), "stones for Black")
                levels = {str(level.number): f"{level.number}  {level.name}" for level in LEVELS} | {
                    OWN: "another agent"
                }
                usual = str(LEVELS[-2].number)  # as strong as `shipped`; the last one takes its time
                yield from self._row("Opponent", self._select("level", levels, usual), "its strength")
                yield from self._row("Agent", Input("shipped", id="agent"), "if another: its SPEC")
                yield from self._row("Visits", Input(id="visits", placeholder="of the level"), "positions a move")
                yield from self._row(
                    "Temperature", Input(id="temperature", placeholder="of the level"), "variety, from 0"
                )
                yield from self._row("Seconds", Input(id="seconds", placeholder="no limit"), "at most, a move")
            with Horizontal(id="buttons"):
                yield Button("Start", id="start", variant="primary", compact=True)
                if self._shelf.has_unfinished():
                    yield Button("Continue the last game", id="continue", compact=True)
                yield Button("Open an SGF file", id="load", compact=True)
            yield Label(id="problem", markup=False)
        yield Footer(compact=True)

    def on_mount(self) -> None:
        for button in self.query(Button):
            button.active_effect_duration = 0  # or Enter would be lost soon after a first one that was wrong
        self.query_one("#start").focus()

    def chosen(self) -> NewGame:
        fields = {widget.id: widget.value for widget in self.query(Input)} | {
            select.id: str(select.value) for select in self.query(Select)
        }
        return NewGame(**{name: value for name, value in fields.items() if name})

    @on(Input.Submitted)
    @on(Button.Pressed, "#start")
    def _start(self) -> None:
        try:
            self._begin(self.chosen().session(self._shelf))
        except UserError as error:
            self.query_one("#problem", Label).update(f"{error}.")

    @on(Button.Pressed, "#continue")
    async def _continue(self) -> None:
        await self.app.run_action("continue")

    @on(Button.Pressed, "#load")
    async def _load(self) -> None:
        await self.app.run_action("load")

    async def action_back(self) -> None:
        await self.app.run_action("back")

    def _row(self, name: str, widget: Input | Select, note: str) -> ComposeResult:
        widget.compact = True
        yield Label(name)
        yield widget
        yield Label(note, classes="note")

    def _select(self, name: str, choices: Mapping[str, str], value: str) -> Select[str]:
        return Select([(label, key) for key, label in choices.items()], value=value, allow_blank=False, id=name)
