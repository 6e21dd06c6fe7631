"""What each GTP command does. Start with `COMMANDS` at the end; `protocol.py` speaks the protocol.

A command takes its arguments as words and returns the text of its answer; where the answer comes bit by bit, it says
one line after the other and returns nothing. It raises Refused where GTP says that it fails.
"""

import importlib.metadata
import math
import re
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from envs import BLACK, Position, Rules, diagram
from goagent.errors import UserError
from goagent.handicap import free_handicap_points, handicap_points
from goagent.interfaces.gtp import analysis, clock
from goagent.interfaces.gtp.analysis import Request, Thoughts
from goagent.interfaces.gtp.arguments import Refused, read_colour, read_number, read_whole
from goagent.interfaces.gtp.game import GtpGame, Terms, read_terms, write_terms
from goagent.interfaces.gtp.mover import Mover
from goagent.players import manners
from goagent.players.player import Analysis, Line, Resigned, Thinker
from goagent.records.files import write_text
from goagent.records.sgf import SgfError, read_games, result_of, write_sgf

_PATIENCE = 2.0  # seconds at most, for an opinion that no clock limits


class Engine:
    """One method a command.

    waits: whether a line comes in within so many seconds. say: puts out a line of the answer at once, and nothing but
    its beginning for an empty line; whoever gives a command sets it before.
    """

    def __init__(self, mover: Mover, waits: Callable[[float], bool], say: Callable[[str], None] = print) -> None:
        self.mover = mover
        self.say = say
        self.done = False
        self._waits = waits

    @property
    def game(self) -> GtpGame:
        return self.mover.game

    # What everybody asks

    def protocol_version(self, words: list[str]) -> str:
        return "2"

    def name(self, words: list[str]) -> str:
        return "goagent"

    def version(self, words: list[str]) -> str:
        try:
            return f"{importlib.metadata.version('goagent')} {self.mover.player.name}"
        except importlib.metadata.PackageNotFoundError:
            return self.mover.player.name

    def known_command(self, words: list[str]) -> str:
        return "true" if words[:1] and words[0] in COMMANDS else "false"

    def list_commands(self, words: list[str]) -> str:
        return "\n".join(COMMANDS)

    def quit(self, words: list[str]) -> str:
        self.done = True
        return ""

    # The board and its rules

    def boardsize(self, words: list[str]) -> str:
        """One number, or columns and rows."""
        cols, rows = (read_whole(words[:1]), read_whole(words[1:2] or words[:1]))
        if not (1 <= rows <= 19 and 1 <= cols <= 19):
            raise Refused("unacceptable size")
        self._change(replace(self.game.terms, rows=rows, cols=cols), anew=True)
        return ""

    def clear_board(self, words: list[str]) -> str:
        self.game.clear()
        self.mover.clock.restart()
        self.mover.forget()
        return ""

    def komi(self, words: list[str]) -> str:
        """Any number, as GTP demands: to the nearest half, and no more than the points of the largest board."""
        komi = read_number(words[:1])
        self._change(replace(self.game.terms, komi=max(-361.0, min(361.0, round(2 * komi) / 2)) + 0.0))
        return ""

    def get_komi(self, words: list[str]) -> str:
        return f"{self.game.komi:g}"

    def get_rules(self, words: list[str]) -> str:
        return write_terms(self.game.terms)

    def set_rules(self, words: list[str]) -> str:
        if not words:
            raise Refused("syntax error")
        try:
            self._change(read_terms(self.game.terms, " ".join(words)))
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise Refused(str(error)) from error
        return ""

    def kgs_rules(self, words: list[str]) -> str:
        """KGS means its own kind of Chinese rules."""
        return self.set_rules(["chinese-kgs" if word == "chinese" else word for word in words[:1]])

    def showboard(self, words: list[str]) -> str:
        position = self.game.position
        turn = f"{'Black' if position.to_play == BLACK else 'White'} to play, {len(self.game.moves)} moves"
        return f"\n{diagram.draw(position.board)}\nkomi {position.rules.komi:g}, {turn}"

    # Moves

    def play(self, words: list[str]) -> str:
        colour, vertex = read_colour(words[:1]), "".join(words[1:2])
        if not re.fullmatch(r"(?i)pass|[a-hj-z][0-9]{1,2}", vertex):
            raise Refused("syntax error")
        try:
            self.game.play(colour, self.game.rules.action(vertex))
        except ValueError as error:  # IllegalMove is one, and so is a point that the board does not have
            print(error, file=sys.stderr)
            raise Refused("illegal move") from error
        return ""

    def undo(self, words: list[str]) -> str:
        try:
            self.game.undo()
        except IndexError:
            raise Refused("cannot undo") from None
        self.mover.chances.clear()
        return ""

    def genmove(self, words: list[str]) -> str:
        return self._vertex(self.mover.generate(read_colour(words[:1]))[0])

    def reg_genmove(self, words: list[str]) -> str:
        """The move that it would play, the same every time; without resigning or playing it."""
        position = self.game.turn_of(read_colour(words[:1]))
        try:
            return self._vertex(manners.polite_move(self.mover.player, position, np.random.default_rng(0)))
        except Resigned:
            return "resign"

    def genmove_cleanup(self, words: list[str]) -> str:
        return self._vertex(self.mover.generate(read_colour(words[:1]), cleanup=True)[0])

    def game_over(self, words: list[str]) -> str:
        self.mover.forget()
        return ""

    # Handicap

    def fixed_handicap(self, words: list[str]) -> str:
        return self._handicap(words, handicap_points)

    def place_free_handicap(self, words: list[str]) -> str:
        return self._handicap(words, free_handicap_points)

    def set_free_handicap(self, words: list[str]) -> str:
        rules = self.game.rules
        try:
            points = [rules.action(word) for word in words]
        except ValueError:
            raise Refused("bad vertex list") from None
        if len(set(points)) < len(points) or not 2 <= len(points) < rules.num_points or rules.pass_action in points:
            raise Refused("bad vertex list")
        self._place(points)
        return ""

    def _handicap(self, words: list[str], find: Callable[[Rules, int], list[int]]) -> str:
        stones = read_whole(words[:1])
        try:
            points = find(self.game.rules, stones)
        except UserError as error:
            print(error, file=sys.stderr)
            raise Refused("invalid number of stones") from error
        self._place(points)
        return " ".join(map(self.game.rules.vertex, points))

    def _place(self, points: list[int]) -> None:
        if not self.game.is_empty:
            raise Refused("board not empty")
        self.game.place(points)
        self.mover.forget()

    # Records and results

    def loadsgf(self, words: list[str]) -> str:
        """A file, and the number of the move before which to stop."""
        number = int(words[-1]) if len(words) > 1 and re.fullmatch("[0-9]{1,6}", words[-1]) else None
        name = " ".join(words if number is None else words[:-1])
        if not name:
            raise Refused("syntax error")
        try:
            game = next(read_games(Path(name)))
            self.mover.for_rules(self.game.terms_of(game).rules())
            self.game.load(game, None if number is None else max(0, number - 1))
        except SgfError as error:
            print(error, file=sys.stderr)
            raise Refused("cannot load file") from error
        self.mover.forget()
        return ""

    def printsgf(self, words: list[str]) -> str:
        """The record, as the answer or in a file."""
        text = write_sgf(self.game.record()).strip()
        if not words:
            return text
        try:
            write_text(Path(" ".join(words)), text + "\n")
        except OSError as error:
            raise Refused(f"cannot write file: {error.strerror}") from error
        return ""

    def final_score(self, words: list[str]) -> str:
        """The area, without dead stones."""
        position = self.game.position
        return result_of(manners.without(position, self.mover.dead()).score_black())

    def final_status_list(self, words: list[str]) -> str:
        """A chain on each line. Seki is not told from life."""
        status = "".join(words[:1]).lower()
        if status not in ("alive", "dead", "seki"):
            raise Refused("syntax error")
        board, rules = self.game.position.board, self.game.rules
        dead = self.mover.dead()
        listed = [chain for chain in manners.chains(board) if status != "seki" and dead[chain[0]] == (status == "dead")]
        return "\n".join(" ".join(rules.vertex(row * rules.cols + col) for row, col in chain) for chain in listed)

    def cputime(self, words: list[str]) -> str:
        return f"{time.process_time():.3f}"

    # Time

    def time_settings(self, words: list[str]) -> str:
        main, period, stones = (read_number(words[i : i + 1], least=0) for i in range(3))
        self.mover.clock = clock.canadian(main, period, int(stones))
        return ""

    def kgs_time_settings(self, words: list[str]) -> str:
        try:
            self.mover.clock = clock.kgs(words)
        except (ValueError, IndexError):
            raise Refused("syntax error") from None
        return ""

    def time_left(self, words: list[str]) -> str:
        self.mover.clock.tell(read_colour(words[:1]), read_number(words[1:2]), int(read_number(words[2:3], least=0)))
        return ""

    # Analysis

    def lz_analyze(self, words: list[str]) -> str:
        return self._analyze(self._request(words, kata=False), analysis.lz_line)

    def kata_analyze(self, words: list[str]) -> str:
        return self._analyze(self._request(words, kata=True), analysis.kata_line)

    def lz_genmove_analyze(self, words: list[str]) -> str:
        return self._genmove_analyze(self._request(words, kata=False), analysis.lz_line)

    def kata_genmove_analyze(self, words: list[str]) -> str:
        return self._genmove_analyze(self._request(words, kata=True), analysis.kata_line)

    def cgos_genmove_analyze(self, words: list[str]) -> str:
        """CGOS expects one line."""
        request = self._request(words, kata=True)._replace(interval=math.inf)
        return self._genmove_analyze(request, lambda position, found, _: analysis.cgos_line(position, found))

    def gogui_analyze_commands(self, words: list[str]) -> str:
        return "gfx/Policy/goagent-policy\ndboard/Ownership/goagent-ownership\nstring/Value/goagent-value"

    def policy(self, words: list[str]) -> str:
        with self.mover.limited(_PATIENCE):
            return analysis.policy_graphics(self.game.rules, self.mover.player.distribution(self.game.position))

    def ownership(self, words: list[str]) -> str:
        with self.mover.limited(_PATIENCE):
            return analysis.owners_board(self.game.position, self.mover.player.analyze(self.game.position))

    def value(self, words: list[str]) -> str:
        with self.mover.limited(_PATIENCE):
            return analysis.value_text(self.game.position, self.mover.player.analyze(self.game.position))

    def _request(self, words: list[str], kata: bool) -> Request:
        try:
            return analysis.read_request(words, self.game.rules, self.game.position.to_play, kata)
        except ValueError as error:
            raise Refused(str(error) if "not supported" in str(error) else "syntax error") from error

    def _analyze(self, request: Request, line: Callable[[Position, Analysis, Request], str]) -> str:
        """A line at each interval that brought something new, until the next line comes in."""
        position = self.game.turn_of(request.colour)
        thoughts = self.mover.thoughts = Thoughts(self.mover.player, position, self._allowed(position, request))
        self.say("")
        shown = None
        while not self._waits(request.interval):
            if thoughts.fault is not None:
                break
            if thoughts.latest is not None and thoughts.latest is not shown:
                shown = thoughts.latest
                self.say(line(position, shown, request))
        thoughts.stop()  # and the player is waited for when it is needed
        if thoughts.fault is not None:
            raise thoughts.fault
        return ""

    def _allowed(self, position: Position, request: Request) -> np.ndarray | None:
        """(num_actions,) bool: the moves that are asked about; None for all."""
        if request.allowed is None:
            return None
        if not isinstance(self.mover.player, Thinker):
            raise Refused("avoid and allow are not supported by this player")
        allowed = np.isin(np.arange(position.rules.num_actions), list(request.allowed))
        if not (allowed & position.legal_mask()).any():
            raise Refused("no legal move is left")
        return allowed

    def _genmove_analyze(self, request: Request, line: Callable[[Position, Analysis, Request], str]) -> str:
        """Its opinions while it thinks and the last one, each on a line, and the move, which no new line prevents."""
        if request.allowed is not None:
            raise Refused("avoid and allow are not supported for a move that is played")
        position = self.game.turn_of(request.colour)

        def hear(found: Analysis) -> None:
            self.say(line(position, found, request))

        action, found = self.mover.generate(request.colour, hear=hear, interval=request.interval)
        if action is not None and not self.mover.judges:
            found = Analysis(None, None, None, [Line(action, 1.0, None, 0, (action,))])
        if found is not None and found.lines:
            hear(found)
        self.say(f"play {self._vertex(action)}")
        return ""

    def _change(self, terms: Terms, anew: bool = False) -> None:
        """Other terms, on an empty board or for the game as it is."""
        self.mover.for_rules(terms.rules())
        if anew:
            self.game.clear(terms)
            self.mover.clock.restart()
        else:
            self.game.change(terms)
        self.mover.forget()

    def _vertex(self, action: int | None) -> str:
        return "resign" if action is None else self.game.rules.vertex(action)


COMMANDS: dict[str, Callable[[Engine, list[str]], str]] = {
    "protocol_version": Engine.protocol_version,
    "name": Engine.name,
    "version": Engine.version,
    "known_command": Engine.known_command,
    "list_commands": Engine.list_commands,
    "quit": Engine.quit,
    "boardsize": Engine.boardsize,
    "rectangular_boardsize": Engine.boardsize,
    "clear_board": Engine.clear_board,
    "komi": Engine.komi,
    "get_komi": Engine.get_komi,
    "play": Engine.play,
    "genmove": Engine.genmove,
    "reg_genmove": Engine.reg_genmove,
    "undo": Engine.undo,
    "showboard": Engine.showboard,
    "fixed_handicap": Engine.fixed_handicap,
    "place_free_handicap": Engine.place_free_handicap,
    "set_free_handicap": Engine.set_free_handicap,
    "loadsgf": Engine.loadsgf,
    "printsgf": Engine.printsgf,
    "final_score": Engine.final_score,
    "final_status_list": Engine.final_status_list,
    "cputime": Engine.cputime,
    "time_settings": Engine.time_settings,
    "time_left": Engine.time_left,
    "kgs-time_settings": Engine.kgs_time_settings,
    "kgs-rules": Engine.kgs_rules,
    "kgs-genmove_cleanup": Engine.genmove_cleanup,
    "kgs-game_over": Engine.game_over,
    "kata-get-rules": Engine.get_rules,
    "kata-set-rules": Engine.set_rules,
    "lz-analyze": Engine.lz_analyze,
    "lz-genmove_analyze": Engine.lz_genmove_analyze,
    "kata-analyze": Engine.kata_analyze,
    "kata-genmove_analyze": Engine.kata_genmove_analyze,
    "cgos-genmove_analyze": Engine.cgos_genmove_analyze,
    "gogui-analyze_commands": Engine.gogui_analyze_commands,
    "goagent-policy": Engine.policy,
    "goagent-ownership": Engine.ownership,
    "goagent-value": Engine.value,
}
