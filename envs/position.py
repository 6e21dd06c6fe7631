"""One game as a value: every change gives a new `Position` and leaves the old one as it was."""

from functools import cached_property

import numpy as np

from envs import diagram, lockstep
from envs.planes import observe
from envs.rules import IllegalMove, Rules
from envs.state import BLACK, KO, LEGAL, OCCUPIED, OVER, PLAYING, REPEATS, SUICIDE, TRUNCATED, WHITE, State, make_state

_ONE = np.zeros(1, np.int64)
_REASONS = {
    OCCUPIED: "the point is occupied",
    SUICIDE: "it would be suicide",
    KO: "it would retake the ko at once",
    REPEATS: "it would repeat an earlier position (superko)",
    OVER: "the game is over",
}
_NAMES = {BLACK: "Black", WHITE: "White"}


class Position:
    """A position and the history that its ko rule needs. Copies, pickles and compares as a value.

    `Position(rules)` is the empty board with Black to move; `Position.from_diagram` and `with_stones` start elsewhere.
    """

    def __init__(self, rules: Rules) -> None:
        state = make_state(rules.tables, 1, 0)
        lockstep.reset_games(rules.tables, state, np.ones(1, np.bool_))
        self._set(rules, state)

    def _set(self, rules: Rules, state: State) -> None:
        self.rules = rules
        self._state = state

    @classmethod
    def _of(cls, rules: Rules, state: State) -> "Position":
        position = cls.__new__(cls)
        position._set(rules, state)
        return position

    @classmethod
    def from_batch(cls, rules: Rules, state: State, game: int) -> "Position":
        """Game `game` of a batch's state, as a value of its own."""
        return cls._of(rules, _copy(rules, state, game, 0))

    @classmethod
    def from_diagram(cls, text: str, rules: Rules | None = None, to_play: int = BLACK) -> "Position":
        """The start of a game from a board drawn as in `diagram.py`. Raises ValueError."""
        board = diagram.read(text)
        rules = rules or Rules(rows=board.shape[0], cols=board.shape[1])
        if board.shape != (rules.rows, rules.cols):
            raise ValueError(
                f"the diagram is {board.shape[0]}x{board.shape[1]}, the rules say {rules.rows}x{rules.cols}"
            )
        return cls(rules)._set_up(board.ravel(), to_play)

    def play(self, action: int, check: bool = True) -> "Position":
        """The position after a point or the pass.

        Raises IllegalMove, saying why. With `check=False` what the rules forbid is done all the same, as SGF asks: a
        stone in the way is replaced, captures come before suicide, and play goes on after the end of the game.
        """
        action = self._action(action)
        reason = self._verdict(action)
        if reason != LEGAL and check:
            raise IllegalMove(self._explain(action, reason))
        state = _copy(self.rules, self._state, 0, 1)
        if reason == OCCUPIED or (action != self.rules.pass_action and self._state.board[0, action]):
            _take_off(self.rules, state, action)
        lockstep.play_all(self.rules.tables, state, np.full(1, action, np.int64))
        return Position._of(self.rules, state)

    def why_illegal(self, action: int) -> str | None:
        """None for a legal move, else the sentence that `play` raises."""
        action = self._action(action)
        reason = self._verdict(action)
        return None if reason == LEGAL else self._explain(action, reason)

    def with_stones(
        self, black: list[int] | tuple[int, ...] = (), white: list[int] | tuple[int, ...] = ()
    ) -> "Position":
        """A new start from this board with stones added on these points; the history begins here. Raises ValueError."""
        board = self._state.board[0, :-1].copy()
        for colour, points in ((BLACK, black), (WHITE, white)):
            for point in points:
                if self._action(point) == self.rules.pass_action:
                    raise ValueError("a stone cannot be put on the pass: expected points of the board")
                board[point] = colour
        return self._set_up(board, self.to_play)

    def with_to_play(self, colour: int) -> "Position":
        """The same board and history with `colour` to move."""
        _check_colour(colour)
        if colour == self.to_play:
            return self
        state = _copy(self.rules, self._state, 0, 1)
        lockstep.hand_over(self.rules.tables, state)
        return Position._of(self.rules, state)

    def legal_mask(self) -> np.ndarray:
        """(num_actions,) bool: exactly the moves that `play` accepts; none once the game is over."""
        mask = np.empty((1, self.rules.num_actions), np.bool_)
        lockstep.legal_masks(self.rules.tables, self._state, mask)
        return mask[0]

    def observe(self) -> np.ndarray:
        """(planes, rows, cols) float32, seen from the side to move; the planes are listed in `planes.py`."""
        return observe(self.rules, self._state, self.legal_mask()[None], np.full(1, self.rules.komi, np.float32))[0]

    @property
    def board(self) -> np.ndarray:
        """(rows, cols) int8: EMPTY 0, BLACK 1, WHITE 2; a copy."""
        return self._state.board[0, :-1].reshape(self.rules.rows, self.rules.cols).copy()

    @property
    def to_play(self) -> int:
        return int(self._state.to_play[0])

    @property
    def is_over(self) -> bool:
        """Two passes, a capture in Capture-Go, or truncation."""
        return bool(self._state.status[0] != PLAYING)

    @property
    def truncated(self) -> bool:
        """The game stopped because it reached `max_moves`."""
        return bool(self._state.status[0] == TRUNCATED)

    @property
    def moves(self) -> tuple[int, ...]:
        """The actions played since the start or the last setup."""
        return tuple(self._state.moves[0, : self._state.num_moves[0]].tolist())

    @property
    def consecutive_passes(self) -> int:
        return int(self._state.passes[0])

    def score_black(self) -> float:
        """Black's area - White's - komi; under Capture-Go +1, 0 or -1. Dead stones are not removed."""
        return self._scored[0]

    def ownership(self) -> np.ndarray:
        """(rows, cols) int8: +1 where the point is Black's area, -1 White's, 0 nobody's."""
        return self._scored[1].copy()

    @cached_property
    def _scored(self) -> tuple[float, np.ndarray]:
        owners = np.empty((1, self.rules.num_points), np.int8)
        difference = lockstep.all_scores(self.rules.tables, self._state, owners)
        return float(difference[0]) - float(self.rules.komi or 0), owners.reshape(self.rules.rows, self.rules.cols)

    def __str__(self) -> str:
        """The board, and a line that says whose turn it is, or how the game ended."""
        if self.is_over:
            line = f"game over, {'truncated, ' if self.truncated else ''}Black's score {self.score_black():+g}"
        else:
            line = f"{_NAMES[self.to_play]} to play, move {self._state.num_moves[0] + 1}"
        return f"{diagram.draw(self.board)}\n{line}"

    __repr__ = __str__

    def __eq__(self, other: object) -> bool:
        """Equal in everything that can matter to the rest of the game, history included."""
        return isinstance(other, Position) and self._key == other._key

    def __hash__(self) -> int:
        return hash((self.rules, int(self._state.hash[0]), self.to_play, len(self.moves)))

    @property
    def _key(self) -> tuple:
        s = self._state
        past = int(s.num_past[0])
        scalars = (s.to_play, s.passes, s.ko_point, s.status, s.winner, s.num_moves, s.num_past)
        return (
            self.rules, self.moves, s.board.tobytes(), tuple(int(x[0]) for x in scalars),
            s.past_hash[0, :past].tobytes(), s.past_board[0, :past].tobytes(),
        )  # fmt: skip

    def _action(self, action: int) -> int:
        if (
            not isinstance(action, (int, np.integer))
            or isinstance(action, bool)
            or not 0 <= action < self.rules.num_actions
        ):
            raise IllegalMove(
                f"{action!r} is not an action: expected a whole number from 0 to {self.rules.num_actions - 1}, the pass"
            )
        return int(action)

    def _verdict(self, action: int) -> int:
        out = np.empty(1, np.int8)
        lockstep.verdicts(self.rules.tables, self._state, np.full(1, action, np.int64), out)
        return int(out[0])

    def _explain(self, action: int, reason: int) -> str:
        return explain(self.rules, self.to_play, action, reason)

    def _set_up(self, board: np.ndarray, to_play: int) -> "Position":
        _check_colour(to_play)
        state = make_state(self.rules.tables, 1, 0)
        if not lockstep.set_up_game(self.rules.tables, state, 0, board, to_play):
            raise ValueError(
                "a chain on this board has no liberty:\n"
                + diagram.draw(board.reshape(self.rules.rows, self.rules.cols))
            )
        return Position._of(self.rules, state)


def explain(rules: Rules, to_play: int, action: int, reason: int) -> str:
    """The sentence for a verdict that is not LEGAL."""
    return f"{_NAMES[to_play]} may not play {rules.vertex(action)}: {_REASONS[reason]}"


def _copy(rules: Rules, state: State, game: int, extra: int) -> State:
    """Game `game` alone, with room for `extra` more plies."""
    used = max(int(state.num_moves[game]), int(state.num_past[game]) - 1)
    target = make_state(rules.tables, 1, used + extra)
    lockstep.copy_games(state, target, np.full(1, game, np.int64), _ONE)
    return target


def _take_off(rules: Rules, state: State, point: int) -> None:
    """Remove the single stone that an unchecked move replaces; the history stays."""
    board = state.board[0, :-1].copy()
    lockstep.take_off_stone(rules.tables, state, 0, point, board)


def _check_colour(colour: int) -> None:
    if colour not in (BLACK, WHITE):
        raise ValueError(f"colour is {colour!r}: expected envs.BLACK (1) or envs.WHITE (2)")
