"""Many games in lock-step on arrays: what self-play and search run on."""

from collections.abc import Sequence
from dataclasses import replace

import numba
import numpy as np

from envs import benson, lockstep
from envs.planes import observe
from envs.position import Position, explain
from envs.rules import IllegalMove, Rules
from envs.state import LEGAL, PLAYING, SKIP, TRUNCATED, make_state, with_capacity

_WORTH_TWO_CORES = 64  # games; below this a second core costs more than it brings


class GoBatch:
    """`num_games` games under the same rules, all at the empty board. Arrays have the games as first axis.

    parallel: use all of numba's threads for large batches; say False beside a user interface's thread.
    komi: (num_games,) float32, the rules' at first. It may be set for each game; `reset` leaves it as it is.
    """

    def __init__(self, rules: Rules, num_games: int, parallel: bool = True) -> None:
        if not isinstance(num_games, (int, np.integer)) or num_games < 1:
            raise ValueError(f"num_games is {num_games!r}: expected a whole number, at least 1")
        self.rules = rules
        self.num_games = int(num_games)
        self.parallel = parallel
        self.komi = np.full(self.num_games, rules.komi, np.float32)
        self._state = make_state(rules.tables, self.num_games, 16)
        self._mask: np.ndarray | None = None
        self.reset()

    @classmethod
    def from_positions(cls, positions: Sequence[Position]) -> "GoBatch":
        """A batch of these positions, which must share their rules."""
        if not positions:
            raise ValueError("no positions given: expected at least one")
        rules = positions[0].rules
        if any(position.rules != rules for position in positions):
            raise ValueError("the positions have different rules: a batch has one")
        batch = cls(rules, len(positions))
        for i, position in enumerate(positions):
            batch._take(position._state, np.zeros(1, np.int64), np.full(1, i, np.int64))
        return batch

    def legal_mask(self) -> np.ndarray:
        """(num_games, num_actions) bool, exact under the ko rule; all False for a finished game. Read-only."""
        if self._mask is None:
            self._mask = np.empty((self.num_games, self.rules.num_actions), np.bool_)
            kernel = lockstep.legal_masks_parallel if self._in_parallel else lockstep.legal_masks
            kernel(self.rules.tables, self._state, self._mask)
            self._mask.flags.writeable = False
        return self._mask

    def sample_legal(self, rng: np.random.Generator, passes: bool = True) -> np.ndarray:
        """(num_games,) int64 actions, uniform over `legal_mask()`; SKIP (-1) for a finished game.

        passes: False draws among the points alone, and skips a game that has no legal one.
        """
        mask = self.legal_mask()
        if not passes:
            mask = mask.copy()
            mask[:, -1] = False
        actions = np.empty(self.num_games, np.int64)
        choose = lockstep.choose_parallel if self._in_parallel else lockstep.choose
        choose(mask, rng.integers(0, 2**64, dtype=np.uint64), actions)
        return actions

    def step(self, actions: np.ndarray) -> None:
        """Play one action (num_games,) int in each game; SKIP (-1) leaves a game as it is.

        Raises IllegalMove that names the game and the move when any action is illegal; then nothing has changed.
        """
        actions = self._actions(actions)
        self._check(actions)
        self._make_room()
        kernel = lockstep.play_all_parallel if self._in_parallel else lockstep.play_all
        kernel(self.rules.tables, self._state, actions)
        self._mask = None

    def follow(self, lines: np.ndarray) -> None:
        """Play a line of actions in each game: (num_games, plies) int, SKIP (-1) where a line has ended.

        Raises IllegalMove as `step` does; every game then stands before its first illegal move.
        """
        lines = np.asarray(lines)
        if lines.ndim != 2 or len(lines) != self.num_games or lines.dtype.kind not in "iu":
            raise ValueError(
                f"lines have shape {lines.shape} and type {lines.dtype}: expected ({self.num_games}, plies) integers"
            )
        lines = lines.astype(np.int64, copy=False)
        self._make_room(lines.shape[1])
        stopped = np.empty(self.num_games, np.int64)
        lockstep.play_lines(self.rules.tables, self._state, lines, stopped)
        self._mask = None
        if (stopped >= 0).any():
            i = int((stopped >= 0).argmax())
            action = int(lines[i, stopped[i]])
            if not SKIP <= action < self.rules.num_actions:
                raise IllegalMove(f"game {i}: {action} is not an action: expected 0 to {self.rules.pass_action}")
            raise IllegalMove(f"game {i}: {self.position(i).why_illegal(action)}")

    def own_eyes(self) -> np.ndarray:
        """(num_games, num_actions) bool: the one-point eyes of the side to move, which sensible play never fills."""
        eyes = np.empty((self.num_games, self.rules.num_actions), np.bool_)
        lockstep.own_eyes(self.rules.tables, self._state, eyes)
        return eyes

    def pass_alive(self) -> np.ndarray:
        """(num_games, rows, cols) int8: +1 where the point is Black's even if Black only passes, -1 White's, 0 open.

        Pass-alive stones and the regions that they enclose and where no enemy can live; enemy stones in those count as
        taken off, which `ownership` does not do. From the board alone, whoever is to move; see `benson.py`.
        """
        owners = np.empty((self.num_games, self.rules.num_points), np.int8)
        benson.pass_alive_games(self.rules.tables, self._state, self.rules.cols, owners)
        return self._shaped(owners)

    def play_out(self, rng: np.random.Generator) -> np.ndarray:
        """Play every game to its end by random moves and return `score_black()`, (num_games,) float32.

        A move is uniform over the legal points that are not in `own_eyes()`, or the pass when there is none. A game
        that is still unfinished after 3 * num_points + 64 of them is left and scored there.
        """
        max_plies = 3 * self.rules.num_points + 64
        self._make_room(min(max_plies, int(self.rules.max_moves or 0)))
        kernel = lockstep.play_out_parallel if self._in_parallel else lockstep.play_out
        kernel(self.rules.tables, self._state, rng.integers(0, 2**64, dtype=np.uint64), max_plies)
        self._mask = None
        return self.score_black()

    def observe(self, colours: np.ndarray | None = None) -> np.ndarray:
        """(num_games, planes, rows, cols) float32, seen from the side to move; see `planes.py`.

        colours (num_games,) int8 says BLACK or WHITE instead, for a finished game has no side to move.
        """
        state = self._state if colours is None else self._state._replace(to_play=colours)
        return observe(self.rules, state, self.legal_mask(), self.komi, self._in_parallel)

    @property
    def to_play(self) -> np.ndarray:
        """(num_games,) int8: BLACK or WHITE."""
        return self._state.to_play.copy()

    @property
    def is_over(self) -> np.ndarray:
        """(num_games,) bool."""
        return self._state.status != PLAYING

    @property
    def truncated(self) -> np.ndarray:
        """(num_games,) bool: stopped by `max_moves`."""
        return self._state.status == TRUNCATED

    @property
    def num_moves(self) -> np.ndarray:
        """(num_games,) int32: plies played."""
        return self._state.num_moves.copy()

    @property
    def moves(self) -> np.ndarray:
        """(num_games, plies) int16: the actions of each game since its start, then SKIP."""
        played = self._state.num_moves[:, None]
        moves = self._state.moves[:, : played.max()]
        return np.where(np.arange(moves.shape[1]) < played, moves, np.int16(SKIP))

    @property
    def consecutive_passes(self) -> np.ndarray:
        """(num_games,) int32: passes in a row, up to now."""
        return self._state.passes.copy()

    @property
    def boards(self) -> np.ndarray:
        """(num_games, rows, cols) int8; a copy."""
        return self._shaped(self._state.board[:, :-1].copy())

    def score_black(self) -> np.ndarray:
        """(num_games,) float32: as `Position.score_black`."""
        return self._scores()[0]

    def ownership(self) -> np.ndarray:
        """(num_games, rows, cols) int8: as `Position.ownership`."""
        return self._scores()[1]

    def reset(self, which: np.ndarray | None = None) -> None:
        """Start all games anew, or those where `which` (num_games,) bool is set."""
        which = np.ones(self.num_games, np.bool_) if which is None else np.asarray(which)
        if which.shape != (self.num_games,) or which.dtype != np.bool_:
            raise ValueError(f"which has shape {which.shape} and type {which.dtype}: expected ({self.num_games},) bool")
        lockstep.reset_games(self.rules.tables, self._state, which)
        self._mask = None

    def copy_games(self, source: "GoBatch", from_: np.ndarray, to: np.ndarray) -> None:
        """Copy games `from_[i]` of `source` (another batch, or this one) into slots `to[i]`, history included."""
        if source.rules != self.rules:
            raise ValueError("the batches have different rules: copying needs the same")
        from_, to = np.asarray(from_, np.int64).ravel(), np.asarray(to, np.int64).ravel()
        if len(from_) != len(to):
            raise ValueError(f"{len(from_)} games to copy into {len(to)} slots: expected as many")
        for name, index, games in (("from_", from_, source.num_games), ("to", to, self.num_games)):
            if len(index) and not 0 <= index.min() <= index.max() < games:
                raise ValueError(f"{name} names games {index.min()} to {index.max()}: the batch has 0 to {games - 1}")
        if source is self and np.intersect1d(from_, to).size:
            staging = GoBatch(self.rules, len(from_))
            staging.copy_games(self, from_, np.arange(len(from_)))
            source, from_ = staging, np.arange(len(from_))
        self.komi[to] = source.komi[from_]
        self._take(source._state, from_, to)

    def position(self, i: int) -> Position:
        """Game `i` as a Position of its own, its komi in the rules."""
        if not 0 <= i < self.num_games:
            raise ValueError(f"there is no game {i}: expected 0 to {self.num_games - 1}")
        komi = float(self.komi[i])
        rules = self.rules if komi == self.rules.komi else replace(self.rules, komi=komi)
        return Position.from_batch(rules, self._state, int(i))

    @property
    def nbytes(self) -> int:
        """Bytes held by all games, history and cached mask included."""
        mask = 0 if self._mask is None else self._mask.nbytes
        return sum(array.nbytes for array in self._state) + mask

    @property
    def _in_parallel(self) -> bool:
        return self.parallel and self.num_games >= _WORTH_TWO_CORES and numba.get_num_threads() > 1

    def _actions(self, actions: np.ndarray) -> np.ndarray:
        actions = np.asarray(actions)
        if actions.shape != (self.num_games,) or actions.dtype.kind not in "iu":
            raise ValueError(
                f"actions have shape {actions.shape} and type {actions.dtype}: expected ({self.num_games},) integers"
            )
        return actions.astype(np.int64)

    def _check(self, actions: np.ndarray) -> None:
        outside = (actions < SKIP) | (actions >= self.rules.num_actions)
        if outside.any():
            i = int(outside.argmax())
            raise IllegalMove(
                f"game {i}: {actions[i]} is not an action: expected 0 to {self.rules.pass_action}, or {SKIP} to skip"
            )
        if self._mask is not None and lockstep.first_illegal(self._mask, actions) < 0:
            return
        verdicts = np.empty(self.num_games, np.int8)
        lockstep.verdicts(self.rules.tables, self._state, actions, verdicts)
        if verdicts.any():
            i = int((verdicts != LEGAL).argmax())
            reason = explain(self.rules, int(self._state.to_play[i]), int(actions[i]), int(verdicts[i]))
            raise IllegalMove(f"game {i}: {reason}")

    def _make_room(self, plies: int = 1) -> None:
        needed = int(max(self._state.num_moves.max(), self._state.num_past.max())) + plies
        capacity = self._state.moves.shape[1]
        if needed > capacity:
            # Grown by little at a time: a batch of thousands of games is mostly history.
            self._state = with_capacity(self.rules.tables, self._state, max(needed, capacity + 12))

    def _take(self, state, from_: np.ndarray, to: np.ndarray) -> None:
        if len(from_):
            needed = int(max(state.num_moves[from_].max(), state.num_past[from_].max()))
            if needed > self._state.moves.shape[1]:
                self._state = with_capacity(self.rules.tables, self._state, needed)
            lockstep.copy_games(state, self._state, from_, to)
        self._mask = None

    def _scores(self) -> tuple[np.ndarray, np.ndarray]:
        owners = np.empty((self.num_games, self.rules.num_points), np.int8)
        differences = lockstep.all_scores(self.rules.tables, self._state, owners)
        return (differences - self.komi).astype(np.float32), self._shaped(owners)

    def _shaped(self, values: np.ndarray) -> np.ndarray:
        return values.reshape(self.num_games, self.rules.rows, self.rules.cols)


def play_random_games(rules: Rules, num_games: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Whole games in the kernel, each move uniform over the legal moves and the pass, on all of numba's threads.

    Returns scores_black (num_games,) float32 and lengths (num_games,) int32 in plies. The same seed gives the same
    games on any number of threads.
    """
    if num_games < 0 or not 0 <= seed < 2**64:
        raise ValueError(
            f"num_games is {num_games!r} and seed {seed!r}: expected both at least 0, the seed below 2**64"
        )
    workers = min(numba.get_num_threads(), max(1, num_games))
    scores = np.empty(num_games, np.int32)
    lengths = np.full(num_games, -1, np.int32)
    capacity = min(int(rules.max_moves or 0), 4 * rules.num_points + 64)
    todo = np.arange(num_games, dtype=np.int64)
    while len(todo):  # a game that outgrew the history is played again, the same, with more room
        state = make_state(rules.tables, (workers - 1) * lockstep.CACHE_LINE + 1, capacity)
        lockstep.random_games(rules.tables, state, np.uint64(seed), todo, scores, lengths)
        todo = np.flatnonzero(lengths < 0)
        capacity = min(int(rules.max_moves or 0), 4 * capacity)
    return (scores - np.float32(rules.komi)).astype(np.float32), lengths
