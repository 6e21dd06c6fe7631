"""A game between a person and an agent, without a terminal and without the agent's thoughts. Start with `Session`.

The line mode and the app show the same session; what the agent answers comes from `agent_move`.
"""

import re
import shlex
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np

from envs import BLACK, WHITE, IllegalMove, Position, Rules
from goagent.errors import UserError
from goagent.handicap import handicap_points
from goagent.interfaces.kept import Kept, Shelf, keep
from goagent.players.player import Player, Resigned
from goagent.players.spec import anywhere
from goagent.records.files import path_from, write_text
from goagent.records.sgf import Game, parse_sgf, read_games, result_of, write_sgf
from goagent.rules import NO_CAP

NAMES = {BLACK: "Black", WHITE: "White"}
COLOURS = {"black": BLACK, "white": WHITE}


class Session:
    """One game. Every change is kept at once, where `place` says.

    game: where it begins, moves and setup included. person: BLACK or WHITE. spec: the agent's SPEC.
    place: a file of `Shelf.place`; None keeps nothing.
    """

    def __init__(self, game: Game, person: int, spec: str = "shipped", place: Path | None = None) -> None:
        self.person = person
        self.spec = spec
        self.trouble = ""  # why the last change could not be kept
        self._game = game
        self._place = place
        self._kept = place if place is not None and place.exists() else None  # the file that holds it now
        self._moves = list(game.moves)
        self._positions = [*(position for position, _, _ in game.positions()), game.final()]
        self._ended = _agreed(game.result, self.position)  # the result of a game that was not counted here
        self._saved_to: Path | None = None
        self._unsaved = False
        if not self.is_over:
            black, white = ("you", spec) if person == BLACK else (spec, "you")
            self._game = replace(game, black_name=black, white_name=white)

    @property
    def position(self) -> Position:
        return self._positions[-1]

    @property
    def rules(self) -> Rules:
        return self._game.rules

    @property
    def moves(self) -> list[tuple[int, int]]:
        """(colour, action) of each move; a copy."""
        return list(self._moves)

    @property
    def is_over(self) -> bool:
        return self._ended is not None or self.position.is_over

    @property
    def is_counted(self) -> bool:
        """It is over, and the board says who won."""
        return self._ended is None and self.position.is_over

    @property
    def can_go_on(self) -> bool:
        """It is unfinished, and kept where `continue_session` finds it."""
        return not self.is_over and self._kept is not None and self._kept.exists()

    @property
    def awaits_agent(self) -> bool:
        return not self.is_over and self.position.to_play != self.person

    @property
    def record(self) -> Game:
        """The game so far, with its result when it is over."""
        return replace(self._game, moves=self.moves, result=self._result())

    def play(self, action: int) -> None:
        """The move of the side to move. Raises IllegalMove, and nothing has changed."""
        if self._ended is not None:
            raise IllegalMove("the game is over")
        position = self.position.play(action)
        self._moves.append((self.position.to_play, int(action)))
        self._positions.append(position)
        self._changed()

    def resign(self, colour: int) -> None:
        """This side gives the game up."""
        if not self.is_over:
            self._ended = "W+R" if colour == BLACK else "B+R"
            self._changed()

    def undo(self) -> bool:
        """Go back to the person's last decision; False when there is none."""
        decisions = self._positions if self._ended is not None else self._positions[:-1]
        turns = [k for k, at in enumerate(decisions) if at.to_play == self.person and not at.is_over]
        if not turns:
            return False
        del self._positions[turns[-1] + 1 :], self._moves[turns[-1] :]
        self._ended = None
        self._changed()
        return True

    def name(self, colour: int) -> str:
        """Who plays this colour."""
        return (self._game.black_name if colour == BLACK else self._game.white_name) or "unknown"

    def who(self, colour: int) -> str:
        return f"{NAMES[colour]} ({self.name(colour)})"

    def last_move(self, named: bool = True) -> str:
        """What the last move was, and of whom by name; "" at the start."""
        if not self._moves:
            return ""
        mover, action = self._moves[-1]
        did = "passed" if action == self.rules.pass_action else f"played {self.rules.vertex(action)}"
        return f"{self.who(mover) if named else NAMES[mover]} {did}."

    def standing(self) -> str:
        """Whose turn it is, or how the game ended."""
        if self._ended is not None:
            loser = {"B+R": WHITE, "W+R": BLACK}.get(self._ended[:3].upper())
            return f"{self.who(loser)} resigned: {self._ended}." if loser else f"The record says {self._ended}."
        if self.position.is_over:
            return explain_score(self.position)
        return f"Move {len(self._moves) + 1}: {self.who(self.position.to_play)} to play."

    def save(self, name: str = "") -> str:
        """Write the game as SGF, without a name to a new file or to the last one, and say where. Raises UserError."""
        path = path_from(name) if name else Path(self.suggested_name())
        try:
            if path.exists() and path != self._saved_to:
                raise UserError(f"{path} exists already: expected a new name")
            write_text(path, write_sgf(self.record) + "\n")
        except OSError as error:
            raise UserError(f"cannot write {path}: {error.strerror}") from error
        self._saved_to, self._unsaved = path, False
        return f"Saved in {path}. {self._how_to_load(path)}"

    def suggested_name(self) -> str:
        """The file that `save` would write without a name."""
        return str(self._saved_to or _new_file())

    def leave(self) -> str:
        """Save what would be lost with the session, and say where the game is; "" when it has not begun."""
        if self.can_go_on:
            return "Your game is kept. To go on with it: goagent play --continue"
        if self._kept is not None and self._kept.exists():
            return f"Your game is kept in {self._kept}. {self._how_to_load(self._kept)}"
        return self.save() if self._unsaved and self._moves else ""

    def _changed(self) -> None:
        self._unsaved = True
        if self._place is None:
            return
        colour = "black" if self.person == BLACK else "white"
        try:
            kept = Kept(write_sgf(self.record), anywhere(self.spec), colour, self.rules.ko, self.rules.suicide)
            self._kept = keep(self._place, kept, self.is_over)
            self.trouble = ""
        except OSError as error:
            self._kept = None
            self.trouble = f"The game cannot be kept in {self._place.parent}: {error.strerror}. Better save it."

    def _how_to_load(self, path: Path) -> str:
        """The shell command that goes on with the game in this file, or reviews it."""
        colour = "black" if self.person == BLACK else "white"
        asked = (("agent", self.spec, "shipped"), ("colour", colour, "black"), ("ko", self.rules.ko, "positional"))
        options = [f"--{name} {shlex.quote(value)}" for name, value, usual in asked if value != usual]
        command = " ".join(["goagent play", *options, *["--suicide"] * self.rules.suicide])
        return f"To {'review' if self.is_over else 'go on with'} it: {command} --load {shlex.quote(str(path))}"

    def _result(self) -> str | None:
        return result_of(self.position.score_black()) if self.is_counted else self._ended


def new_game(rules: Rules, handicap: int = 0) -> Game:
    """The start of a game; with a handicap, from 2 stones, those of Black are set up and White is to move.

    Raises UserError where the board has no room for them.
    """
    rules = replace(rules, max_moves=NO_CAP)
    if handicap == 0:
        return Game(rules)
    return Game(rules, black_stones=tuple(handicap_points(rules, handicap)), to_play=WHITE)


def load_game(path: Path, ko: str, suicide: bool = False) -> Game:
    """The first game of an SGF file, under these rules. Raises UserError."""
    if path.is_dir():
        raise UserError(f"{path} is a folder: expected an SGF file")
    game = next(read_games(path))
    game.rules = replace(game.rules, ko=ko, suicide=suicide, max_moves=NO_CAP)
    return game


def continue_session(shelf: Shelf) -> Session:
    """The unfinished game that was played last. Raises UserError when there is none."""
    taken = shelf.take_newest()
    if taken is None:
        raise UserError(f"there is no unfinished game in {shelf.folder}: begin one with `goagent play`")
    place, kept = taken
    game = parse_sgf(kept.sgf)
    game.rules = replace(game.rules, ko=kept.ko, suicide=kept.suicide, max_moves=NO_CAP)
    return Session(game, COLOURS[kept.colour], kept.agent, place)


def _agreed(result: str | None, final: Position) -> str | None:
    """The result of a record where it says more than the board: a resignation, a loss on time, dead stones removed."""
    if not result or not re.fullmatch(r"[BW]\+.*|0|Draw", result, re.IGNORECASE):
        return None
    return None if final.is_over and result == result_of(final.score_black()) else result


def agent_move(agent: Player, position: Position, rng: np.random.Generator) -> int | None:
    """The agent's move, None where it resigns. Raises UserError when it fails or breaks the rules."""
    from goagent.players.manners import polite_move  # late: it may need what the first screen should not wait for

    try:
        action = int(polite_move(agent, position, rng))
        position.play(action)
    except Resigned:
        return None
    except IllegalMove as error:
        raise UserError(f"{agent.name} broke the rules: {error}") from error
    return action


def captures(game: Game, number: int, position: Position) -> dict[int, int]:
    """Colour -> how many stones it has captured, in `position` after `number` moves of `game`."""
    taken = {}
    for colour, other, stones in ((BLACK, WHITE, game.white_stones), (WHITE, BLACK, game.black_stones)):
        played = sum(who == other and action != game.rules.pass_action for who, action in game.moves[:number])
        taken[colour] = len(stones) + played - int((position.board == other).sum())
    return taken


def explain_score(position: Position) -> str:
    """How the area score of a finished game comes about."""
    board, owners, komi = position.board, position.ownership(), position.rules.komi or 0.0
    lines = []
    for colour, sign, bonus, note in ((BLACK, 1, 0.0, ""), (WHITE, -1, komi, f" + komi {komi:g}")):
        stones, area = int((board == colour).sum()), int((owners == sign).sum())
        lines.append(f"{NAMES[colour]}: stones {stones} + surrounded {area - stones}{note} = {area + bonus:g}")
    score = position.score_black()
    lines.append(f"{NAMES[BLACK if score > 0 else WHITE]} wins by {abs(score):g}." if score else "A draw.")
    lines.append("Every stone left on the board counts as alive.")
    return "\n".join(lines)


def _new_file() -> Path:
    """The first of game-1.sgf, game-2.sgf, ... that does not exist."""
    return next(path for number in count(1) if not (path := Path(f"game-{number}.sgf")).exists())
