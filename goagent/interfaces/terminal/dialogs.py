"""Small screens over another: a question with one line to type, and the help."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.suggester import SuggestFromList
from textual.widgets import Input, Label, Static

WORDS = ("pass", "undo", "hint", "heat", "resign", "review", "save", "load", "new", "light", "help", "quit")

HELP = (
    """\
Play          click a point; or arrows and Enter; or type C3 and Enter
Ctrl+P        pass; two passes in a row end the game
Ctrl+U        undo: back to your last decision (Backspace too)
Ctrl+T        hint: what the agent would play in your place, and the heat map
Ctrl+E        heat map: how often it would play each point, in percent
Ctrl+R        resign
Ctrl+W        review the game move by move, once it is over
Ctrl+S        save as SGF
Ctrl+O        open an SGF file
Ctrl+N        new game
Ctrl+L        light or dark
Esc           stop the agent: its turn and your move are taken back
Ctrl+Q        quit; the game is kept: goagent play --continue

Words can be typed as well: """
    + ", ".join(WORDS)
    + ".\n\nEsc goes back to the game."
)


class AskScreen(ModalScreen[str]):
    """Asks for one line; "" when it is left with Esc."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss('')", "Back")]
    DEFAULT_CSS = """
    AskScreen { align: center middle; }
    AskScreen Vertical { width: 64; max-width: 100%; height: auto; border: round $accent; padding: 0 1; }
    """

    def __init__(self, question: str, value: str = "", suggestions: Sequence[str] = ()) -> None:
        super().__init__()
        self._question, self._value, self._suggestions = question, value, suggestions

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Label(self._question, markup=False)
            yield Input(self._value, suggester=SuggestFromList(self._suggestions), compact=True)
            yield Label("Enter: yes   Esc: back", classes="dim")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value.strip())


class HelpScreen(ModalScreen[None]):
    """A page of text."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,question_mark,enter,q", "dismiss", "Back")]
    DEFAULT_CSS = """
    HelpScreen { align: center middle; }
    HelpScreen VerticalScroll {
        width: 78; max-width: 100%; height: auto; max-height: 100%; border: round $accent; padding: 0 1;
    }
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield Static(self._text, markup=False)
