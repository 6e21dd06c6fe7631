"""The terminal app: `GoApp` holds one game at a time, and the screens that begin, play and review it."""

import os
from typing import ClassVar

import numpy as np
from textual import work
from textual.app import App
from textual.binding import Binding, BindingType

from envs import BLACK, Rules
from goagent.errors import UserError
from goagent.interfaces.kept import Shelf
from goagent.interfaces.session import Session, continue_session, load_game
from goagent.interfaces.terminal.desk import Desk
from goagent.interfaces.terminal.dialogs import AskScreen
from goagent.interfaces.terminal.game_screen import GameScreen, sgf_files
from goagent.players.player import Player
from goagent.records.files import path_from


class GoApp(App[None]):
    """The app. session: the game to begin with; None asks for one."""

    TITLE = "goagent"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+o", "load", "Open"),
        Binding("ctrl+n", "new", "New"),
        Binding("ctrl+l", "light", "Light/dark", show=False),
        Binding("ctrl+q", "quit", "Quit", priority=True),
    ]
    CSS = """
    .dim { color: $text-muted; }
    Button:nocolor:focus, Input:nocolor:focus, Select:nocolor:focus Static { text-style: reverse; }
    .lines { text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def __init__(self, session: Session | None, shelf: Shelf, rng: np.random.Generator) -> None:
        self.plain = "NO_COLOR" in os.environ
        super().__init__(ansi_color=True if self.plain else None)
        if self.plain:
            self.theme = "ansi-dark"  # the terminal's own two colours
        self.session = session
        self.desk: Desk | None = None  # of the agent that plays now
        self.shelf = shelf
        self._rng = rng

    def on_mount(self) -> None:
        if self.session is None:
            self.action_new()
        else:
            self.start(self.session)

    def start(self, session: Session) -> None:
        """Show this game in place of whatever is on the screen."""

        def load() -> Player:
            from goagent.players.spec import load_agent  # late: it may load torch

            return load_agent(session.spec, session.rules)

        while len(self.screen_stack) > 1:
            if isinstance(self.screen, GameScreen):
                self.screen.rest()
            self.pop_screen()
        self.session = session
        self.desk = Desk(load)
        self.push_screen(GameScreen(session, self.desk, self._rng, self.plain))

    def action_new(self) -> None:
        from goagent.interfaces.terminal.new_game import NewGameScreen  # late: a game can begin without it

        if not isinstance(self.screen, NewGameScreen):
            self.push_screen(NewGameScreen(self.shelf, self.start))

    async def action_back(self) -> None:
        """Leave a screen for the game below it, or the app where there is none."""
        if len(self.screen_stack) > 2:
            self.pop_screen()
        else:
            self.exit()

    def action_continue(self) -> None:
        try:
            self.start(continue_session(self.shelf))
        except (UserError, OSError) as error:
            self.notify(str(error), severity="error", markup=False)

    @work
    async def action_load(self) -> None:
        name = await self.push_screen_wait(AskScreen("Open which SGF file?", suggestions=sgf_files()))
        if not name:
            return
        last = self.session
        person, spec, rules = (last.person, last.spec, last.rules) if last else (BLACK, "shipped", Rules())
        try:
            game = load_game(path_from(name), rules.ko, rules.suicide)
            self.start(Session(game, person, spec, self.shelf.place()))
        except UserError as error:
            self.notify(str(error), severity="error", markup=False)

    def action_light(self) -> None:
        if not self.plain:
            self.theme = "textual-light" if self.current_theme.dark else "textual-dark"
