"""A game seen through a player's eyes: what it would have played, and what each move gave away. Start with `review`."""

from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from typing import NamedTuple

import numpy as np

from envs import BLACK, Position
from goagent.players.player import Analysis, Player
from goagent.records.sgf import Game

MISTAKE = 0.05  # of win probability: a move that gives away less is none, as a search is no surer than that
_FAIR_SHARE = 0.5  # of the best line's visits: with fewer, a line's own win probability is a guess


class Remark(NamedTuple):
    """What a player has to say about one move of a game. None: it has no such opinion."""

    number: int  # of the move, from 1
    position: Position  # before the move, with `colour` to move
    colour: int  # BLACK or WHITE
    action: int  # the move played
    problem: str  # why the rules forbid the move, which the record executes all the same; "" for a legal one
    analysis: Analysis  # of `position`, for `colour`; where the game was over already, its result
    distribution: np.ndarray  # (num_actions,) float: the player's there; zero where the game was over already
    probability: float  # of the move played
    rank: int  # 1 for the most probable move; equals share the better rank; num_actions for a forbidden move
    win_probability: float | None  # for `colour`, after the move
    score: float | None  # in points for `colour`, komi included, after the move
    loss: float | None  # >= 0: the win probability given away compared with the best move; None for a forbidden one
    score_loss: float | None  # >= 0: the same in points

    @property
    def win_probability_black(self) -> float | None:
        """Black's, after the move."""
        if self.win_probability is None or self.colour == BLACK:
            return self.win_probability
        return 1 - self.win_probability

    @property
    def score_black(self) -> float | None:
        """Black's lead in points after the move, komi included."""
        return self.score if self.score is None or self.colour == BLACK else -self.score

    @property
    def is_mistake(self) -> bool:
        """It gave away at least `MISTAKE`."""
        return self.loss is not None and self.loss >= MISTAKE

    @property
    def choice(self) -> int | None:
        """The player's most probable move; None where the game was over already."""
        return int(self.distribution.argmax()) if self.distribution.any() else None


def review(game: Game, player: Player) -> Iterator[Remark]:
    """A remark on each move, made when it is asked for.

    The player looks at each position once, and at the one after a move before it judges the move. The win probability
    after a move is that of its line in the player's analysis if it got at least half the visits of the best line, else
    what the player says of the position after it. The player's own first choice gives nothing away. Raises what the
    player raises, and ValueError where the game's stones leave a chain without a liberty.
    """
    player.reset()
    seen: tuple[Position, Analysis] | None = None
    for number, (position, _, action) in enumerate(game.positions(), 1):
        analysis = seen[1] if seen and seen[0] == position else _analyze(player, position)
        distribution = _distribution(player, position, analysis)
        if position.why_illegal(action):
            player.reset()  # nothing thought so far leads through a forbidden move
        after = position.play(action, check=False)
        seen = after, _analyze(player, after)
        yield _judge(number, position, action, analysis, distribution, *seen)


def mistakes(remarks: Iterable[Remark], count: int = 5) -> list[Remark]:
    """The moves that gave away the most win probability, the worst first; at most `count`, all of them mistakes."""
    return sorted((remark for remark in remarks if remark.is_mistake), key=lambda remark: -(remark.loss or 0))[:count]


@dataclass(frozen=True)
class Tally:
    """What some moves come to. Forbidden ones are not counted."""

    moves: int = 0
    agreed: int = 0  # moves that were the player's first choice
    judged: int = 0  # moves with a loss that is known
    loss: float = 0.0  # of win probability, all together
    mistakes: int = 0

    @classmethod
    def of(cls, remarks: Iterable[Remark]) -> "Tally":
        legal = [remark for remark in remarks if not remark.problem]
        losses = [remark.loss for remark in legal if remark.loss is not None]
        agreed = sum(remark.rank == 1 for remark in legal)
        return cls(len(legal), agreed, len(losses), sum(losses), sum(remark.is_mistake for remark in legal))

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(*(mine + yours for mine, yours in zip(astuple(self), astuple(other), strict=True)))


def _judge(
    number: int,
    position: Position,
    action: int,
    analysis: Analysis,
    distribution: np.ndarray,
    after: Position,
    reply: Analysis,
) -> Remark:
    """`reply` is the opinion of the position `after` the move, for the opponent."""
    problem = position.why_illegal(action) or ""
    probability = float(distribution[action])
    rank = position.rules.num_actions if problem else 1 + int((distribution > probability).sum())
    best = analysis.lines[0] if analysis.lines else None
    line = next((line for line in analysis.lines if line.action == action), None)
    win = None if reply.win_probability is None else 1 - reply.win_probability
    if best and line and line.win_probability is not None and not after.is_over:
        win = line.win_probability if line.visits >= _FAIR_SHARE * best.visits else win
    score = None if reply.score is None else 0.0 - reply.score  # no -0.0
    ideal = analysis.win_probability if best is None or best.win_probability is None else best.win_probability
    loss, score_loss = _given_away(ideal, win), _given_away(analysis.score, score)
    if rank == 1 or (best and best.action == action):
        loss, score_loss = (None if lost is None else 0.0 for lost in (loss, score_loss))
    if problem:
        loss = score_loss = None
    return Remark(
        number, position, position.to_play, action, problem, analysis, distribution, probability, rank, win, score,
        loss, score_loss,
    )  # fmt: skip


def _given_away(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else max(0.0, before - after)


def _analyze(player: Player, position: Position) -> Analysis:
    """The player's opinion of a position; of a finished game, what the board says."""
    if not position.is_over:
        return player.analyze(position)
    sign = 1 if position.to_play == BLACK else -1
    score = sign * position.score_black()
    return Analysis((float(np.sign(score)) + 1) / 2, score, sign * position.ownership().astype(np.float64), [])


def _distribution(player: Player, position: Position, analysis: Analysis) -> np.ndarray:
    """The player's distribution: its lines where they name every move that it may play, else it is asked."""
    distribution = np.zeros(position.rules.num_actions)
    if position.is_over:
        return distribution
    for line in analysis.lines:
        distribution[line.action] = line.probability
    return distribution if abs(distribution.sum() - 1) < 1e-6 else player.distribution(position)
