"""How to behave at the end of a game: when to pass, what to clean up, when to resign, which stones are dead.

Players are trained to win on the board as it stands, where every stone counts as alive; a person or a server expects
a little more. Start with `polite_move`.
"""

from collections.abc import Sequence

import numpy as np

from envs import BLACK, EMPTY, WHITE, GoBatch, Position
from goagent.players.player import Analysis, Player, Thinker

LITTLE = 0.02  # a win probability below which there is no hope
_IN_A_ROW = 3  # own moves without hope, after which a player resigns
_SURE = 0.5  # from 0 to 1: an estimate that gives a point to one side by more makes stones of the other side dead


def polite_move(player: Player, position: Position, rng: np.random.Generator, cleanup: bool = False) -> int:
    """The player's move in an unfinished position, a pass where nothing is left to do, or a better move than its pass.

    A pass: when the opponent has just passed and the board as it stands wins; when no move can gain anything more,
    because every point is settled (`GoBatch.pass_alive`) and all that can be captured is; and instead of a move on a
    settled point in a game that is won whatever happens. Another move: when the player passes although the board as it
    stands loses, dead stones are captured, or its most probable move is played where it did not search the pass.

    cleanup: go on until all dead stones of the opponent are captured, although the game may be won.
    Raises whatever the player raises, Resigned among it.
    """
    the_pass = position.rules.pass_action
    side = _side(position)
    settled = side * settled_points(position)
    enemies = position.board == 3 - position.to_play
    prisoners = enemies & (settled == 1)
    score = side * position.score_black()
    if settled.all() and not prisoners.any():
        return the_pass
    if score > 0 and position.consecutive_passes and not cleanup:
        return the_pass
    action = player.choose(position, rng)
    if action != the_pass and settled.flat[action] == 0:
        return action
    if not cleanup:
        if action != the_pass:
            return the_pass if score > 0 and _is_decided(position, settled) else action
        if score >= 0:
            return the_pass
    found = opinion(player, position)
    if cleanup and found.ownership is not None:
        prisoners |= enemies & (settled == 0) & (found.ownership > _SURE)
    capture = _towards_capture(position, prisoners, settled, found)
    if capture is not None:
        return capture
    return the_pass if cleanup else _untried_move(position, settled, found)


def hopeless(position: Position, chances: Sequence[float | None]) -> bool:
    """Should the side to move resign? `chances`: its win probabilities at its own moves so far, this one last.

    Yes when the last three were below `LITTLE`, the game is past its opening, and the board as it stands is lost too.
    """
    last = chances[-_IN_A_ROW:]
    return (
        len(last) == _IN_A_ROW
        and all(chance is not None and chance < LITTLE for chance in last)
        and len(position.moves) >= position.rules.num_points // 3
        and _side(position) * position.score_black() < 0
    )


def opinion(player: Player, position: Position) -> Analysis:
    """What the player thinks of a position that it has just thought about, for little more thought if it can."""
    return next(player.think(position)) if isinstance(player, Thinker) else player.analyze(position)


def settled_points(position: Position) -> np.ndarray:
    """(rows, cols) int8: +1 where the point is Black's whatever happens, -1 White's, 0 open: `GoBatch.pass_alive`."""
    return GoBatch.from_positions([position]).pass_alive()[0]


def dead_stones(position: Position, ownership: np.ndarray | None = None) -> np.ndarray:
    """(rows, cols) bool: stones that stand in the opponent's settled area, or all of whose points are held to be his.

    ownership: (rows, cols) float in [-1, 1], +1 Black's: an estimate that decides where nothing is settled; without
    it such stones are alive.
    """
    board, settled = position.board, settled_points(position)
    signs = np.select([board == BLACK, board == EMPTY], [1, 0], -1)
    dead = signs * settled < 0
    if ownership is not None:
        for chain in chains(board):
            points = tuple(np.transpose(chain))
            if (settled[points] == 0).all() and (signs[points] * ownership[points]).mean() < -_SURE:
                dead[points] = True
    return dead


def without(position: Position, stones: np.ndarray) -> Position:
    """The board with these stones (rows, cols) bool taken off, as a new start."""
    board = np.where(stones, EMPTY, position.board).ravel()
    black, white = (np.flatnonzero(board == colour).tolist() for colour in (BLACK, WHITE))
    return Position(position.rules).with_to_play(position.to_play).with_stones(black, white)


def chains(board: np.ndarray) -> list[list[tuple[int, int]]]:
    """The chains of a (rows, cols) board as lists of (row, col)."""
    found, seen = [], np.zeros(board.shape, np.bool_)
    for start in zip(*(axis.tolist() for axis in np.nonzero(board)), strict=True):
        if seen[start]:
            continue
        seen[start] = True
        chain = [start]
        for stone in chain:  # grows as it goes
            for point in _neighbours(board, stone):
                if board[point] == board[start] and not seen[point]:
                    seen[point] = True
                    chain.append(point)
        found.append(chain)
    return found


def _side(position: Position) -> int:
    return 1 if position.to_play == BLACK else -1


def _is_decided(position: Position, settled: np.ndarray) -> bool:
    """Does the side to move, +1 in `settled`, win if everything that is open goes to the opponent?"""
    sure = int((settled == 1).sum())
    return 2 * sure - position.rules.num_points > _side(position) * float(position.rules.komi or 0)


def _towards_capture(position: Position, prisoners: np.ndarray, settled: np.ndarray, found: Analysis) -> int | None:
    """A legal move that takes a liberty of a dead chain and costs no life of one's own, the player's favourite."""
    board, rules = position.board, position.rules
    legal = position.legal_mask() & ~GoBatch.from_positions([position]).own_eyes()[0]
    liberties: dict[int, int] = {}  # point -> how many liberties the weakest dead chain there has
    for chain in chains(board):
        if prisoners[chain[0]]:
            free = {point for stone in chain for point in _neighbours(board, stone) if board[point] == EMPTY}
            for row, col in free:
                point = row * rules.cols + col
                if legal[point]:
                    liberties[point] = min(len(free), liberties.get(point, len(free)))
    favour = {line.action: line.probability for line in found.lines}
    mine, side = settled == 1, _side(position)
    for point in sorted(liberties, key=lambda point: (liberties[point], -favour.get(point, 0.0), point)):
        if (side * settled_points(position.play(point))[mine] == 1).all():
            return point
    return None


def _untried_move(position: Position, settled: np.ndarray, found: Analysis) -> int:
    """The most probable open point of a player that sees a chance and did not search, or the pass."""
    searched = any(line.win_probability is not None for line in found.lines)
    if not searched and found.win_probability is not None and found.win_probability >= LITTLE:
        wasted = np.append(settled.ravel() != 0, True) | GoBatch.from_positions([position]).own_eyes()[0]
        for line in found.lines:
            if not wasted[line.action]:
                return line.action
    return position.rules.pass_action


def _neighbours(board: np.ndarray, point: tuple[int, int]) -> list[tuple[int, int]]:
    row, col = point
    around = [(row - 1, col), (row + 1, col), (row, col - 1), (row, col + 1)]
    return [(r, c) for r, c in around if 0 <= r < board.shape[0] and 0 <= c < board.shape[1]]
