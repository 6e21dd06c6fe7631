"""The screen of a game: the board, what stands beside it, and the agent that thinks in the background.

Start with `GameScreen._next_question`: what is asked of the agent, and in which order.
"""

import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import ClassVar

import numpy as np
from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.screen import Screen
from textual.widgets import Footer
from textual.worker import Worker, get_current_worker

from envs import IllegalMove
from goagent.errors import UserError
from goagent.interfaces.plain import best_moves
from goagent.interfaces.session import NAMES, Session, agent_move
from goagent.interfaces.terminal import panel
from goagent.interfaces.terminal.board_view import BoardView, Picture
from goagent.interfaces.terminal.counsel import Counsel
from goagent.interfaces.terminal.desk import Desk
from goagent.interfaces.terminal.dialogs import HELP, WORDS, AskScreen, HelpScreen
from goagent.interfaces.terminal.panel import SidePanel
from goagent.players.player import Interrupted


class GameScreen(Screen[None]):
    """One game against the agent of a desk."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+p", "pass", "Pass"),
        Binding("ctrl+u", "undo", "Undo"),
        Binding("backspace", "erase", show=False),
        Binding("ctrl+t", "hint", "Hint"),
        Binding("ctrl+e", "heat", "Heat"),
        Binding("ctrl+r", "resign", "Resign"),
        Binding("ctrl+w", "review", "Review"),
        Binding("ctrl+s", "save", "Save"),
        Binding("escape", "stop", "Stop", show=False),
        Binding("question_mark,f1", "help", "Help", key_display="?"),
    ]

    def __init__(self, session: Session, desk: Desk, rng: np.random.Generator, plain: bool) -> None:
        super().__init__()
        self.session = session
        self.desk = desk
        self.heat_on = False
        self._rng = rng
        self._plain = plain
        self._counsel = Counsel(desk)
        self._hint: int | None = None
        self._hint_wanted = False
        self._stopped = False  # the agent waits until it is told to go on
        self._met = False
        self._doing, self._since = "", 0.0
        self._typed = ""
        self._worker: Worker | None = None

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield BoardView(Picture(self.session.position.board))
            yield SidePanel()
        yield Footer(compact=True)

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _: self.show())
        self.begin_capture_print()
        self.query_one(BoardView).focus()
        self.set_interval(0.5, self._tick)
        if self.session.moves:
            self.say(self.session.last_move(named=False))
        if self.session.is_over:
            self._say_end()
        self._wake()

    def on_resize(self, event: events.Resize) -> None:
        self.query_one(BoardView).fit(event.size.width - panel.LEAST, event.size.height - 1)
        self.show()

    def on_screen_resume(self) -> None:
        self.show()

    @property
    def is_busy(self) -> bool:
        """Is the agent asked something now?"""
        return self._worker is not None and not self._worker.is_finished

    # What the person does

    # What is typed is gathered here and not in a widget of its own: no key can be lost while the focus moves.

    async def on_key(self, event: events.Key) -> None:
        if event.key == "enter" and self._typed.strip():  # what was typed until now, before more keys come
            typed = self._typed.strip()
            self._type("")
            event.stop()
            await self._enter(typed)
        elif event.character and (event.character.isalpha() or (self._typed and event.is_printable)):
            self._type(self._typed + event.character)
            event.stop()

    @on(BoardView.Chosen)
    def _choose(self, event: BoardView.Chosen) -> None:
        self._type("")
        self._play(event.action)

    async def _enter(self, text: str) -> None:
        """A point or a word, which may be shortened."""
        word, _, rest = text.partition(" ")
        meant = [known for known in WORDS if known.startswith(word.lower())]
        if word.lower() == "save" and rest:
            self.action_save(rest)
        elif len(meant) == 1 and self.check_action(meant[0], ()) is False:
            over = self.session.is_over
            self.say("The game is over." if over else "A review is for a game that is over.")
        elif len(meant) == 1:
            await self.run_action(meant[0] if hasattr(self, f"action_{meant[0]}") else f"app.{meant[0]}")
        elif meant:
            self.say(f"{word!r} could be {' or '.join(meant)}.")
        else:
            try:
                self._play(self.session.rules.action(text))
            except ValueError as error:
                self.say(f"{error}.")

    def _type(self, text: str) -> None:
        self._typed = text
        self.query_one(SidePanel).show_typed(text)

    def action_erase(self) -> None:
        """The last character typed, or else the last move."""
        if self._typed:
            self._type(self._typed[:-1])
        else:
            self.action_undo()

    def _play(self, action: int) -> None:
        if self.session.awaits_agent and self._stopped:
            self._wake()
        elif self.session.awaits_agent:
            self.say(f"It is {NAMES[self.session.position.to_play]}'s turn. Esc stops it.")
        else:
            try:
                self.session.play(action)
            except IllegalMove as error:
                self.say(f"{str(error)[0].upper()}{str(error)[1:]}.")
            else:
                self._moved()

    def action_pass(self) -> None:
        self._play(self.session.rules.pass_action)

    def action_undo(self) -> None:
        if self.session.undo():
            self._moved("Taken back.")
        else:
            self.say("There is no move of yours to take back.")

    def action_resign(self) -> None:
        if self.session.is_over:
            self.say("The game is over already.")
        else:
            self.session.resign(self.session.person)
            self._moved()

    def action_stop(self) -> None:
        """Interrupt the agent; on its turn the person's move before is taken back."""
        self._type("")
        if not self.is_busy:
            return
        self.rest()
        if not self.session.awaits_agent:
            self._counsel.give_up(len(self.session.moves))
            self.heat_on = self._hint_wanted = False
            self.say("Stopped.")
        elif self.session.undo():
            self._moved("Stopped; your last move is taken back.")
        else:
            self._stopped = True
            self.say("Stopped. Enter on the board lets it go on.")
        self.show()

    def action_hint(self) -> None:
        if self.session.is_over:
            self.say("The game is over: there is nothing left to choose.")
        elif self.session.awaits_agent:
            self.say("Hints are for your own turn.")
        else:
            self._hint_wanted = True
            self._wake(gently=True)

    def action_heat(self) -> None:
        self.heat_on = not self.heat_on
        self._wake(gently=True)

    @work
    async def action_save(self, name: str = "") -> None:
        asked = name or await self.app.push_screen_wait(AskScreen("Save as", self.session.suggested_name()))
        if asked:
            try:
                self.say(self.session.save(asked))
            except UserError as error:
                self.say(f"{error}.")

    def action_help(self) -> None:
        self.app.push_screen(HelpScreen(HELP))

    def action_review(self) -> None:
        from goagent.interfaces.terminal.review_screen import ReviewScreen

        if self.session.moves:
            self.rest()
            self.app.push_screen(ReviewScreen(self.session.record, self.desk, self._plain), lambda _: self._wake())
        else:
            self.say("There is no move to look at yet.")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        over = self.session.is_over
        return {"review": over, "pass": not over, "hint": not over, "resign": not over, "heat": not over}.get(
            action, True
        )

    # What the agent does

    def _next_question(self) -> tuple[str, Callable[[], Awaitable[None]]] | None:
        """What the agent is to do now, and how that is called on the screen."""
        session, counsel, number = self.session, self._counsel, len(self.session.moves)
        if not self._met:
            return "Loading the agent", self._meet
        if session.is_over or self._stopped:
            return None
        if session.awaits_agent:
            return f"{NAMES[session.position.to_play]} thinks", self._answer
        if (self.heat_on or self._hint_wanted) and number not in counsel.heats:
            return "Drawing the heat map", lambda: counsel.heat(session.position, number)
        if number not in counsel.estimates:
            return "Looking at the position", lambda: counsel.look(session.position, number)
        if self._hint_wanted:
            return "Looking for a hint", self._advise
        return None

    async def _meet(self) -> None:
        await self.desk.ask(lambda agent: agent.reset())
        self._met = True

    async def _answer(self) -> None:
        position = self.session.position
        action = await self.desk.ask(lambda agent: agent_move(agent, position, self._rng))
        if action is None:
            self.session.resign(position.to_play)
        else:
            self.session.play(action)
        self._note_change()

    async def _advise(self) -> None:
        self._hint, advice = await self._counsel.advise(self.session.position, len(self.session.moves))
        self._hint_wanted = False
        self.say(advice)

    def _wake(self, gently: bool = False) -> None:
        """Have the agent do what there is to do; `gently` after what it is doing."""
        self._stopped = False
        if not (gently and self.is_busy):
            self._worker = self._work()
        self.show()

    def rest(self) -> None:
        """Stop the agent."""
        if self._worker is not None:
            self._worker.cancel()
        self.desk.interrupt()
        self._worker, self._doing = None, ""

    @work(exclusive=True, group="agent")
    async def _work(self) -> None:
        me = get_current_worker()
        try:
            while self._worker is me and (question := self._next_question()):
                self._doing, self._since = question[0], time.monotonic()
                self.show()
                await question[1]()
        except Interrupted:
            pass
        except Exception as error:  # whatever the agent does wrong, the game stays
            self._stopped = True
            self._hint_wanted = self.heat_on = False
            self.say(f"{error}." if isinstance(error, UserError) else f"{type(error).__name__}: {error}")
            if self.session.awaits_agent or not self._met:
                self.say("Enter on the board tries again; Ctrl+N begins another game.")
        finally:
            if self._worker is me:
                self._doing = ""
                if self.is_mounted:
                    self.show()

    def _moved(self, message: str = "") -> None:
        """After the person's move, undo or resignation."""
        self.rest()
        self._note_change(message)
        self._wake()

    def _note_change(self, message: str = "") -> None:
        """Forget what no longer holds, and say what happened."""
        self._counsel.forget_after(len(self.session.moves))
        self._hint, self._hint_wanted = None, False
        if message or self.session.moves:
            self.say(message or self.session.last_move(named=False))
        if self.session.trouble:
            self.say(self.session.trouble)
        if self.session.is_over:
            self._say_end()
        self.refresh_bindings()

    def _say_end(self) -> None:
        if self.session.is_counted:
            self._counsel.settle(len(self.session.moves), self.session.position.score_black())
        self.say(self.session.standing())

    # What is seen

    def say(self, message: str) -> None:
        """Put a message at the top of the others."""
        self.query_one(SidePanel).say(message)
        self.show()

    def on_print(self, event: events.Print) -> None:
        """What an agent prints while it is loaded."""
        if event.text.strip():
            self.say(event.text.strip())

    def show(self) -> None:
        if not self.is_attached:
            return
        session, position, number = self.session, self.session.position, len(self.session.moves)
        warm = (self.heat_on or self._hint is not None) and not session.is_over  # a hint comes with the heat map
        heat = self._counsel.heats.get(number) if warm else None
        self.query_one(BoardView).show(
            Picture(
                position.board,
                last=session.moves[-1][1] if session.moves else None,
                heat=heat,
                owners=position.ownership() if session.is_counted else None,
                marks={} if self._hint is None else {self._hint: "◆"},
                plain=self._plain,
                dark=self.app.current_theme.dark,
            )
        )
        self._show_status()
        known = self._counsel.so_far()
        favourites = "" if heat is None else best_moves(session.rules, heat, 3)
        self.query_one(SidePanel).show_estimates([e.win for e in known], [e.score for e in known], favourites)

    def _tick(self) -> None:
        if self._doing:
            self._show_status()

    def _show_status(self) -> None:
        session = self.session
        text = panel.players(session.record, len(session.moves), session.position, self._plain)
        if self._doing:
            waited = int(time.monotonic() - self._since)
            status = f"{self._doing} …" + (f" {waited} s" if waited else "")
        elif session.is_over:
            status = f"The game is over: {session.record.result}"
        else:
            status = f"Move {len(session.moves) + 1}: {NAMES[session.position.to_play]} to play"
        self.query_one(SidePanel).show_players(text.append(f"\n{status}", "bold"))


def sgf_files() -> list[str]:
    """The games in the working folder."""
    return sorted(str(path) for path in Path().glob("*.sgf"))
