"""What stands beside the board: who plays, what was captured, how the game goes, messages, and what is typed."""

from collections.abc import Sequence

from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from envs import BLACK, WHITE, Position
from goagent.interfaces.session import NAMES, captures
from goagent.records.sgf import Game

LEAST = 28  # columns
BARS = "▁▂▃▄▅▆▇█"
_STONES = {
    BLACK: ("●", Style(color="#14140f", bgcolor="#b98d52")),
    WHITE: ("●", Style(color="#f6f4ec", bgcolor="#b98d52")),
}
_MESSAGES = 12
_PLAIN_STONES = {BLACK: "●", WHITE: "○"}


def players(game: Game, number: int, position: Position, plain: bool) -> Text:
    """Both sides with their captures after `number` moves, and the rules."""
    text = Text()
    taken = captures(game, number, position)
    for colour, name in ((BLACK, game.black_name), (WHITE, game.white_name)):
        stone, style = (_PLAIN_STONES[colour], Style(bold=True)) if plain else _STONES[colour]
        text.append(f" {stone} ", style)
        text.append(f" {NAMES[colour]}", "bold")
        text.append(f", captured {taken[colour]}\n    {name or 'unknown'}\n")
    rules = game.rules
    return text.append(f"Komi {rules.komi:g}, {rules.ko} ko{', suicide' if rules.suicide else ''}")


def curve(values: Sequence[float | None], low: float, high: float, width: int) -> str:
    """One line of bars between `low` and `high`, at most `width` of them; a gap where a value is None."""
    if len(values) > width:
        values = [values[round(k * (len(values) - 1) / (width - 1))] for k in range(width)]
    shares = (None if value is None else (value - low) / (high - low) for value in values)
    return "".join(" " if s is None else BARS[min(max(int(s * len(BARS)), 0), len(BARS) - 1)] for s in shares)


def estimates(wins: Sequence[float | None], scores: Sequence[float | None], width: int) -> Text:
    """Black's win probability and lead in points over the game, as sparklines; empty where nobody has an opinion."""
    text, width = Text(), max(width, 2)
    if any(win is not None for win in wins):
        last = next(win for win in reversed(wins) if win is not None)
        text.append(f"Black's chances: {100 * last:.0f} %\n", "bold")
        text.append(curve(wins, 0, 1, width) + "\n")
    known = [score for score in scores if score is not None]
    if known:
        reach = max(5.0, *map(abs, known))
        text.append(f"Score: {leads(known[-1])}\n", "bold")
        text.append(curve(scores, -reach, reach, width))
    return text


def leads(score_black: float) -> str:
    """Who is ahead, and by how many points."""
    return f"{NAMES[BLACK if score_black > 0 else WHITE]} by {abs(score_black):.1f}" if score_black else "even"


class SidePanel(Vertical):
    """The panel beside the board of a game."""

    DEFAULT_CSS = """
    SidePanel { padding: 0 1; width: 1fr; }
    SidePanel #players { margin-bottom: 1; text-wrap: nowrap; text-overflow: ellipsis; }
    SidePanel #estimates { height: auto; max-height: 7; }
    SidePanel #messages { height: 1fr; margin-top: 1; }
    SidePanel #entry { text-wrap: nowrap; text-overflow: ellipsis; background: $boost; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._messages: list[str] = []

    def compose(self) -> ComposeResult:
        for part in ("players", "estimates", "messages", "entry"):
            yield Static(id=part)

    def on_mount(self) -> None:
        self.show_typed("")

    def say(self, message: str) -> None:
        """Put a message above the others."""
        self._messages = [message, *self._messages][:_MESSAGES]
        text = Text()
        for number, line in enumerate(self._messages):
            text.append(f"{line}\n", "dim" if number else "")
        self.query_one("#messages", Static).update(text)

    def show_players(self, text: Text) -> None:
        self.query_one("#players", Static).update(text)

    def show_estimates(self, wins: Sequence[float | None], scores: Sequence[float | None], note: str) -> None:
        self.query_one("#estimates", Static).update(
            estimates(wins, scores, self.content_size.width).append(f"\n{note}")
        )

    def show_typed(self, text: str) -> None:
        empty = Text("C3, pass, undo, …  ? helps", "dim")
        self.query_one("#entry", Static).update(Text(f"> {text}_") if text else empty)
