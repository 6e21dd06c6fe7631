"""A game in plain text: lines in, diagrams out, so it works in a pipe and with a screen reader.

Start with `LineMode`: one method a command. `play_lines` is the loop that reads and prints.
"""

import io
from collections.abc import Callable
from typing import TextIO

import numpy as np

from envs import IllegalMove, Position, Rules, diagram
from goagent.errors import UserError
from goagent.interfaces.session import Session, agent_move
from goagent.players.player import Player


class LineMode:
    """A session that is typed. The methods in `COMMANDS` take the rest of the line and return text."""

    def __init__(self, session: Session, agent: Player, rng: np.random.Generator) -> None:
        self.session = session
        self.done = False
        self._agent = agent
        self._rng = rng
        agent.reset()

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
            self.session.play(self.session.rules.action(line.strip()))
        except IllegalMove as error:
            return f"{error}."
        except ValueError as error:
            return f"{error}. For the commands type help."
        return self.answer()

    def answer(self) -> str:
        """Let the agent move if it is its turn; what to show then. Raises UserError when the agent fails."""
        session = self.session
        if session.awaits_agent:
            action = agent_move(self._agent, session.position, self._rng)
            if action is None:
                session.resign(session.position.to_play)
            else:
                session.play(action)
        return self.show()

    def show(self, _: str = "") -> str:
        """The board, the last move, and whose turn it is or how the game ended."""
        session = self.session
        last = session.position.moves[-1] if session.position.moves else None
        lines = [draw_board(session.position.board, last), session.last_move(), session.standing(), session.trouble]
        return "\n".join(filter(None, lines))

    def undo(self, _: str = "") -> str:
        """Go back to the person's last decision."""
        return self.show() if self.session.undo() else "There is no move of yours to take back."

    def hint(self, _: str = "") -> str:
        """The agent's move distribution for the side to move."""
        if self.session.is_over:
            return "The game is over: there is nothing left to choose."
        position = self.session.position
        return (
            f"How often {self.session.spec} would play each point, in percent:\n"
            f"{draw_distribution(position, self._agent.distribution(position))}"
        )

    def save(self, name: str = "") -> str:
        """Write the game as SGF. Raises UserError."""
        return self.session.save(name)

    def resign(self, _: str = "") -> str:
        """Give the game up."""
        if self.session.is_over:
            return "The game is over already."
        self.session.resign(self.session.person)
        return self.show()

    def help(self, _: str = "") -> str:
        """What can be typed."""
        return HELP

    def quit(self, _: str = "") -> str:
        """Leave; the game is kept."""
        self.done = True
        return self.session.leave() or "Goodbye."


COMMANDS: dict[str, Callable[[LineMode, str], str]] = {
    "undo": LineMode.undo,
    "hint": LineMode.hint,
    "show": LineMode.show,
    "save": LineMode.save,
    "resign": LineMode.resign,
    "help": LineMode.help,
    "quit": LineMode.quit,
}

HELP = """\
C3            play there: the column's letter, then the row's number
pass          two passes in a row end the game
undo          take back your last move
hint          how often the agent would play each point, were it in your place
show          the board again
save [FILE]   write the game as SGF
resign        give up
quit          leave; the game is kept: goagent play --continue"""


def play_lines(session: Session, agent: Player, rng: np.random.Generator, source: TextIO, out: TextIO) -> None:
    """Play until the person quits or the input ends.

    Raises UserError when the agent fails, KeyboardInterrupt when interrupted; where the game lies is said first.
    """
    if isinstance(source, io.TextIOWrapper):
        source.reconfigure(errors="replace")  # no byte that is typed may end a game
    game = LineMode(session, agent, rng)

    def say(text: str) -> None:
        print(text, file=out, flush=True)

    rules = session.rules
    suicide = ", suicide" if rules.suicide else ""
    say(f"{rules.rows}x{rules.cols} board, komi {rules.komi:g}, {rules.ko} ko{suicide}. For the commands type help.\n")
    try:
        say(game.answer())
        while not game.done:
            print("> ", end="", file=out, flush=True)
            line = source.readline()
            if not line:
                say(f"\n{game.quit()}")
                break
            if not source.isatty():
                say(line.rstrip("\n"))  # a transcript then reads like the session it was
            say(game.do(line))
    except (KeyboardInterrupt, UserError, OSError):
        say(f"\n{session.leave()}")
        raise


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
    lines.append(best_moves(position.rules, probabilities, best))
    return "\n".join(lines)


def best_moves(rules: Rules, probabilities: np.ndarray, best: int) -> str:
    """The `best` moves of probabilities (num_actions,), in order, in percent."""
    top = [action for action in np.argsort(-probabilities, kind="stable")[:best] if probabilities[action] > 0]
    return ", ".join(f"{rules.vertex(action)} {100 * probabilities[action]:.1f} %" for action in top)
