"""`goagent play`: which game is asked for, and whether it is shown in the app or in plain lines."""

import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal, TextIO

import numpy as np
from tyro.conf import FlagCreatePairsOff, arg

from goagent.errors import UserError
from goagent.interfaces.kept import Shelf
from goagent.interfaces.session import COLOURS, Session, continue_session, load_game, new_game
from goagent.rules import rules_from


@dataclass(frozen=True)
class PlayConfig:
    """Play against an agent. Without options the app asks what to play; with some, the game begins at once."""

    size: str | None = None
    """Board size: 9, which is the default, or 5x7 (rows x columns)."""
    agent: str | None = None
    """SPEC of the opponent: `goagent agents` lists what there is. Default: shipped."""
    colour: Literal["black", "white"] | None = None
    """Your colour; Black begins. Default: black."""
    komi: float | None = None
    """Points added to White. Default: the size's."""
    ko: Literal["positional", "situational", "simple"] | None = None
    """Which repetitions are forbidden. Default: positional."""
    suicide: FlagCreatePairsOff[bool] = False
    """A chain may take its own last liberty and is removed."""
    seed: int | None = None
    """The agent's randomness. Default: another game every time."""
    load: Path | None = None
    """Go on with the game in this SGF file, at its size and komi."""
    continued: Annotated[FlagCreatePairsOff[bool], arg(name="continue")] = False
    """Go on with the unfinished game that was played last."""
    plain: FlagCreatePairsOff[bool] = False
    """Lines of text instead of the app, as in a pipe: type a point such as C3, or help."""

    def __post_init__(self) -> None:
        if self.seed is not None and self.seed < 0:
            raise UserError(f"seed is {self.seed}: expected 0 or more")
        if self.continued and replace(self, continued=False, plain=False, seed=None) != PlayConfig():
            raise UserError(
                "--continue goes on with a game as it was: expected no other options but --plain and --seed"
            )

        if self.load is not None and (self.size is not None or self.komi is not None):
            raise UserError("--load takes size and komi from the game: expected neither --size nor --komi beside it")

    @property
    def is_open(self) -> bool:
        """Nothing about the game was said."""
        return replace(self, plain=False, seed=None) == PlayConfig()


def play(
    config: PlayConfig, source: TextIO | None = None, out: TextIO | None = None, shelf: Shelf | None = None
) -> int:
    """Play until the person quits or the input ends; the exit status.

    The app needs a terminal for all streams; otherwise it is lines of text. Raises UserError for a bad configuration,
    and in plain lines when the agent fails; KeyboardInterrupt when interrupted. The game is kept or saved first.
    """
    source, out = source or sys.stdin, out or sys.stdout
    shelf = shelf or Shelf()
    rng = np.random.default_rng(config.seed)
    terminal = source.isatty() and out.isatty() and sys.stderr.isatty()  # the app draws on stderr
    if config.plain or not terminal or os.environ.get("TERM") == "dumb":
        from goagent.interfaces.plain import play_lines
        from goagent.players.spec import load_agent  # late: it may load torch, and bad rules should say so at once

        session = start(config, shelf)
        play_lines(session, load_agent(session.spec, session.rules), rng, source, out)
    else:
        from goagent.interfaces.terminal.app import GoApp

        if os.environ.get("TERM", "").startswith("vt"):  # these have no colours
            os.environ.setdefault("NO_COLOR", "1")
        app = GoApp(None if config.is_open else start(config, shelf), shelf, rng)
        app.run()
        if app.desk is not None:
            app.desk.close()
        if app.session is not None and (where := app.session.leave()):
            print(where, file=out)
        return app.return_code or 0
    return 0


def start(config: PlayConfig, shelf: Shelf) -> Session:
    """The session that a configuration asks for. Raises UserError."""
    if config.continued:
        return continue_session(shelf)
    ko = config.ko or "positional"
    if config.load is not None:
        game = load_game(config.load, ko, config.suicide)
    else:
        game = new_game(rules_from(config.size or "9", komi=config.komi, ko=ko, suicide=config.suicide))
    return Session(game, COLOURS[config.colour or "black"], config.agent or "shipped", shelf.place())
