"""A slow referee of Go that shares nothing with `envs`: flood fills on plain bytes, and every earlier board in a set.

Start with `Referee.verdict` (may this move be played?) and `after` (what a move does to a board). It is meant to be
obviously right; the tests hold the kernels against it.
"""

from collections.abc import Iterable
from functools import cache

EMPTY, BLACK, WHITE = 0, 1, 2


@cache
def neighbours(rows: int, cols: int) -> tuple[tuple[int, ...], ...]:
    """The points next to each point, which is `row * cols + col`."""

    def of(row: int, col: int) -> tuple[int, ...]:
        around = ((row - 1, col), (row + 1, col), (row, col - 1), (row, col + 1))
        return tuple(r * cols + c for r, c in around if 0 <= r < rows and 0 <= c < cols)

    return tuple(of(row, col) for row in range(rows) for col in range(cols))


class Referee:
    """One game from the empty board, changed in place by `play`. The arguments are those of `envs.Rules`."""

    def __init__(
        self,
        rows: int,
        cols: int,
        komi: float = 0.0,
        ko: str = "positional",
        suicide: bool = False,
        objective: str = "area",
        max_moves: int = 10**9,
    ) -> None:
        self.rows, self.cols, self.komi, self.ko = rows, cols, komi, ko
        self.suicide, self.objective, self.max_moves = suicide, objective, max_moves
        self.next_to = neighbours(rows, cols)
        self.board = bytes(rows * cols)
        self.to_play = BLACK
        self.moves: list[int] = []
        self.winner = EMPTY  # of Capture-Go
        self.before: bytes | None = None  # the board that the last move was played on
        self.past = {self.situation(self.board, self.to_play)}

    @property
    def pass_action(self) -> int:
        return len(self.board)

    @property
    def is_over(self) -> bool:
        return self.ended or len(self.moves) >= self.max_moves

    @property
    def truncated(self) -> bool:
        return self.is_over and not self.ended

    @property
    def ended(self) -> bool:
        """By the rules, not for its length."""
        return self.moves[-2:] == [self.pass_action] * 2 or self.winner != EMPTY

    def situation(self, board: bytes, to_play: int) -> object:
        """What superko forbids to come again."""
        return (board, to_play) if self.ko == "situational" else board

    def connected(self, board: bytes | bytearray, point: int) -> set[int]:
        """The points of one colour connected to `point`: a chain of stones, or an empty region."""
        found, todo = {point}, [point]
        while todo:
            for q in self.next_to[todo.pop()]:
                if board[q] == board[point] and q not in found:
                    found.add(q)
                    todo.append(q)
        return found

    def around(self, points: set[int]) -> set[int]:
        """The points next to these, without these."""
        return {q for point in points for q in self.next_to[point]} - points

    def liberties(self, board: bytes | bytearray, point: int) -> set[int]:
        """Those of the chain of the stone on `point`."""
        return {q for q in self.around(self.connected(board, point)) if board[q] == EMPTY}

    def remove_if_dead(self, board: bytearray, point: int) -> int:
        """Take the chain of `point` off the board when it has no liberty; returns the number of stones taken."""
        if any(board[q] == EMPTY for q in self.next_to[point]) or self.liberties(board, point):
            return 0
        stones = self.connected(board, point)
        for stone in stones:
            board[stone] = EMPTY
        return len(stones)

    def after(self, point: int) -> tuple[bytes, int, int]:
        """(board, enemy stones captured, own stones lost) once the side to move has played on `point`."""
        board = bytearray(self.board)
        board[point] = self.to_play
        captured = 0
        for q in self.next_to[point]:
            if board[q] == 3 - self.to_play:
                captured += self.remove_if_dead(board, q)
        lost = self.remove_if_dead(board, point)
        return bytes(board), captured, lost

    def verdict(self, action: int) -> str:
        """ "legal", or why not: "over", "occupied", "suicide", "ko" (it would undo the last move) or "superko"."""
        if self.is_over:
            return "over"
        if action == self.pass_action:
            return "legal"
        if self.board[action] != EMPTY:
            return "occupied"
        board, _, lost = self.after(action)
        if lost == 1 or (lost and not self.suicide):
            return "suicide"
        if board == self.before:
            return "ko"
        if self.ko != "simple" and self.situation(board, 3 - self.to_play) in self.past:
            return "superko"
        return "legal"

    def verdicts(self) -> list[str]:
        """One for every action, the pass last."""
        return [self.verdict(action) for action in range(len(self.board) + 1)]

    def play(self, action: int) -> None:
        """Play for the side to move, legal or not; a stone in the way is replaced."""
        self.moves.append(action)
        self.before = self.board
        captured = 0
        if action != self.pass_action:
            self.board, captured, _ = self.after(action)
        if captured and self.objective == "capture":
            self.winner = self.to_play
        self.to_play = 3 - self.to_play
        if action != self.pass_action or self.ko == "situational":
            self.past.add(self.situation(self.board, self.to_play))

    def hand_over(self) -> None:
        """Give the move to the other side without a pass."""
        self.to_play = 3 - self.to_play
        self.before = None
        self.past.add(self.situation(self.board, self.to_play))

    def ownership(self) -> list[int]:
        """+1, -1 or 0 for each point: a stone, or an empty region that reaches only one colour."""
        owners = [0] * len(self.board)
        todo = set(range(len(self.board)))
        while todo:
            point = todo.pop()
            region = self.connected(self.board, point)
            todo -= region
            colours = {self.board[point]} - {EMPTY} or {self.board[q] for q in self.around(region)}
            for member in region:
                owners[member] = {(BLACK,): 1, (WHITE,): -1}.get(tuple(colours), 0)
        return owners

    def score_black(self) -> float:
        """Black's area - White's - komi; under Capture-Go +1, -1 or 0."""
        if self.objective == "capture":
            return {EMPTY: 0.0, BLACK: 1.0, WHITE: -1.0}[self.winner]
        return sum(self.ownership()) - self.komi


def referee(rules: object, moves: Iterable[int] = ()) -> Referee:
    """The referee of a game under an `envs.Rules`, after these moves."""
    names = ("rows", "cols", "komi", "ko", "suicide", "objective", "max_moves")
    game = Referee(**{name: getattr(rules, name) for name in names})
    for move in moves:
        game.play(move)
    return game
