"""A game against an agent in plain text: lines in, diagrams out, so it works in a pipe and with a screen reader.

Start with `Session`: the game without a terminal, one method a command. `play` is the loop that reads and prints.
"""

import io
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Literal, TextIO

import numpy as np

from envs import BLACK, WHITE, IllegalMove, Position, diagram
from goagent.errors import UserError
from goagent.players.player import Player, Resigned
from goagent.records.files import write_text
from goagent.records.sgf import Game, read_games, result_of, write_sgf
from goagent.rules import NO_CAP, rules_from

NAMES = {BLACK: "Black", WHITE: "White"}


@dataclass(frozen=True)
class PlayConfig:
    """Play against an agent, in plain text. Type a point such as C3, or help."""

    size: str = "9"
    """Board size: 9, or 5x7 (rows x columns)."""
    agent: str = "shipped"
    """SPEC of the opponent: `goagent agents` lists what there is."""
    colour: Literal["black", "white"] = "black"
    """Your colour; Black begins."""
    komi: float | None = None
    """Points added to White. Default: the size's."""
    ko: Literal["positional", "situational", "simple"] = "positional"
    """Which repetitions are forbidden."""
    seed: int | None = None
    """The agent's randomness. Default: another game every time."""
    load: Path | None = None
    """Go on with the game in this SGF file, at its size and komi."""

    def __post_init__(self) -> None:
        if self.seed is not None and self.seed < 0:
            raise UserError(f"seed is {self.seed}: expected 0 or more")


class Session:
    """One game between a person and an agent. The methods in `COMMANDS` take the rest of the line and return text.

    game: where it begins, moves and setup included. person: BLACK or WHITE. rng: the agent's randomness.
    command: the shell command that goes on with a saved game, but for its file.
    """

    def __init__(
        self, game: Game, agent: Player, person: int, rng: np.random.Generator, command: str = "goagent play"
    ) -> None:
        self.agent = agent
        self.person = person
        self.done = False
        self._rng = rng
        self._command = command
        self._game = game
        self._moves = list(game.moves)
        self._positions = [*(position for position, _, _ in game.positions()), game.final()]
        self._resigned: int | None = None
        self._saved_to: Path | None = None
        self._unsaved = False
        agent.reset()

    @property
    def position(self) -> Position:
        return self._positions[-1]

    @property
    def is_over(self) -> bool:
        return self._resigned is not None or self.position.is_over

    @property
    def record(self) -> Game:
        """The game so far, with its result when it is over."""
        return replace(self._game, moves=list(self._moves), result=self._result() if self.is_over else None)

    def do(self, line: str) -> str:
        """Carry out one line of input, let the agent answer a move, and return what to show.

        What the person got wrong is said in the returned text. Raises UserError when the agent fails.
        """
        word, _, rest = line.strip().partition(" ")
        if not word:
            return self.show()
        command = COMMANDS.get(word.lower())
        try:
            if command is not None:
                return command(self, rest.strip())
            self._move(self.position.rules.action(line.strip()))
        except IllegalMove as error:
            return f"{error}."
        except ValueError as error:
            return f"{error}. For the commands type help."
        return self.answer()

    def answer(self) -> str:
        """Let the agent move if it is its turn; what to show then. Raises UserError when the agent fails."""
        if not self.is_over and self.position.to_play != self.person:
            try:
                self._move(self.agent.choose(self.position, self._rng))
            except Resigned:
                self._resign(self.position.to_play)
            except IllegalMove as error:
                raise UserError(f"{self.agent.name} broke the rules: {error}") from error
        return self.show()

    def show(self, _: str = "") -> str:
        """The board, the last move, and whose turn it is or how the game ended."""
        position = self.position
        last = position.moves[-1] if position.moves else None
        lines = [draw_board(position.board, last)]
        if last is not None:
            mover, action = self._moves[-1]
            did = "passed" if action == position.rules.pass_action else f"played {position.rules.vertex(action)}"
            lines.append(f"{self._who(mover)} {did}.")
        if self._resigned is not None:
            lines.append(f"{self._who(self._resigned)} resigned: {self._result()}.")
        elif position.is_over:
            lines.append(explain_score(position))
        else:
            lines.append(f"Move {len(self._moves) + 1}: {self._who(position.to_play)} to play.")
        return "\n".join(lines)

    def undo(self, _: str = "") -> str:
        """Go back to the person's last decision."""
        decisions = self._positions if self._resigned == self.person else self._positions[:-1]
        turns = [k for k, position in enumerate(decisions) if position.to_play == self.person]
        if not turns:
            return "There is no move of yours to take back."
        del self._positions[turns[-1] + 1 :], self._moves[turns[-1] :]
        self._resigned = None
        self._unsaved = True
        return self.show()

    def hint(self, _: str = "") -> str:
        """The agent's move distribution for the side to move."""
        if self.is_over:
            return "The game is over: there is nothing left to choose."
        return (
            f"How often {self.agent.name} would play each point, in percent:\n"
            f"{draw_distribution(self.position, self.agent.distribution(self.position))}"
        )

    def save(self, name: str = "") -> str:
        """Write the game as SGF; without a name to a new file, or to the one of the last save. Raises UserError."""
        path = Path(name).expanduser() if name else self._saved_to or _new_file()
        try:
            if path.exists() and path != self._saved_to:
                raise UserError(f"{path} exists already: expected a new name")
            write_text(path, write_sgf(self.record) + "\n")
        except OSError as error:
            raise UserError(f"cannot write {path}: {error.strerror}") from error
        self._saved_to, self._unsaved = path, False
        return f"Saved in {path}. To go on with it: {self._command} --load {shlex.quote(str(path))}"

    def resign(self, _: str = "") -> str:
        """Give the game up."""
        if self.is_over:
            return "The game is over already."
        self._resign(self.person)
        return self.show()

    def help(self, _: str = "") -> str:
        """What can be typed."""
        return HELP

    def quit(self, _: str = "") -> str:
        """Leave, without saving."""
        self.done = True
        return "Goodbye."

    def keep(self) -> str:
        """Save what an interruption would lose, and say where; "" when there is nothing."""
        return self.save() if self._unsaved and self._moves else ""

    def _move(self, action: int) -> None:
        if self._resigned is not None:
            raise IllegalMove("the game is over")
        position = self.position.play(action)
        self._moves.append((self.position.to_play, action))
        self._positions.append(position)
        self._unsaved = True

    def _resign(self, colour: int) -> None:
        self._resigned = colour
        self._unsaved = True

    def _who(self, colour: int) -> str:
        return f"{NAMES[colour]} ({'you' if colour == self.person else self.agent.name})"

    def _result(self) -> str:
        if self._resigned is not None:
            return "W+R" if self._resigned == BLACK else "B+R"
        return result_of(self.position.score_black())


COMMANDS: dict[str, Callable[[Session, str], str]] = {
    "undo": Session.undo,
    "hint": Session.hint,
    "show": Session.show,
    "save": Session.save,
    "resign": Session.resign,
    "help": Session.help,
    "quit": Session.quit,
}

HELP = """\
C3            play there: the column's letter, then the row's number
pass          two passes in a row end the game
undo          take back your last move
hint          how often the agent would play each point, were it in your place
show          the board again
save [FILE]   write the game as SGF
resign        give up
quit          leave without saving"""


def draw_board(board: np.ndarray, last: int | None = None) -> str:
    """The diagram of a (rows, cols) board, with brackets around the stone of the action `last`."""
    rows, cols = board.shape
    lines = diagram.draw(board).splitlines()
    if last is not None and last < rows * cols:
        row, col = divmod(last, cols)
        line = list(lines[row + 1] + " ")
        line[2 + 2 * col], line[4 + 2 * col] = "(", ")"
        lines[row + 1] = "".join(line).rstrip()
    return "\n".join(lines)


def draw_distribution(position: Position, probabilities: np.ndarray, best: int = 5) -> str:
    """Probabilities (num_actions,) as percentages on the board, and the `best` moves in order."""
    board, rules = position.board, position.rules
    lines = ["  " + "".join(f"{letter:>4}" for letter in diagram.COLUMNS[: rules.cols])]
    for row in range(rules.rows):
        cells = (
            diagram.SYMBOLS[stone] if stone or percent <= 0.5 else f"{percent:.0f}"
            for stone, percent in zip(board[row].tolist(), 100 * probabilities[row * rules.cols :], strict=False)
        )
        lines.append(f"{rules.rows - row:2d}" + "".join(f"{cell:>4}" for cell in cells))
    top = [action for action in np.argsort(-probabilities, kind="stable")[:best] if probabilities[action] > 0]
    lines.append(", ".join(f"{rules.vertex(action)} {100 * probabilities[action]:.1f} %" for action in top))
    return "\n".join(lines)


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


def start(config: PlayConfig) -> Session:
    """The session that a configuration asks for. Raises UserError."""
    from goagent.players.spec import load_agent  # late: it may load torch, and bad rules should say so at once

    if config.load is None:
        game = Game(rules_from(config.size, komi=config.komi, ko=config.ko, max_moves=NO_CAP))
    else:
        game = next(read_games(config.load))
        game.rules = replace(game.rules, ko=config.ko, max_moves=NO_CAP)
    agent = load_agent(config.agent, game.rules)
    person, names = (BLACK, ("you", agent.name)) if config.colour == "black" else (WHITE, (agent.name, "you"))
    game.black_name, game.white_name = names
    changed = {name: getattr(config, name) for name in ("agent", "colour", "ko")}
    options = (
        f"--{name} {shlex.quote(value)}" for name, value in changed.items() if value != getattr(PlayConfig, name)
    )
    command = " ".join(["goagent play", *options])
    return Session(game, agent, person, np.random.default_rng(config.seed), command)


def play(config: PlayConfig, source: TextIO | None = None, out: TextIO | None = None) -> int:
    """Play until the person quits or the input ends; the exit status.

    Raises UserError for a bad configuration and when the agent fails, KeyboardInterrupt when interrupted; the game is
    saved first.
    """
    source, out = source or sys.stdin, out or sys.stdout
    if isinstance(source, io.TextIOWrapper):
        source.reconfigure(errors="replace")  # no byte that is typed may end a game
    session = start(config)

    def say(text: str) -> None:
        print(text, file=out, flush=True)

    rules = session.position.rules
    say(f"{rules.rows}x{rules.cols} board, komi {rules.komi:g}, {rules.ko} ko. For the commands type help.\n")
    try:
        say(session.answer())
        while not session.done:
            print("> ", end="", file=out, flush=True)
            line = source.readline()
            if not line:
                say(f"\n{session.keep() or 'Goodbye.'}")
                break
            if not source.isatty():
                say(line.rstrip("\n"))  # a transcript then reads like the session it was
            say(session.do(line))
    except (KeyboardInterrupt, UserError, OSError):
        say(f"\n{session.keep()}")
        raise
    return 0
