"""What a game and a match say once they are played. Start with `MatchResult`."""

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from rich.markup import escape
from rich.table import Table

from envs import BLACK, EMPTY, WHITE, Rules
from envs.symmetry import canonical_moves
from goagent.records.sgf import Game

Ending = Literal["passes", "capture", "length", "resignation", "failure"]

Z95 = 1.959964  # of the normal distribution: a 95 % interval reaches this many standard deviations
_OPENING_PLIES = 6  # that `opening_entropy` looks at


@dataclass(frozen=True)
class GameRecord:
    """One game between two players."""

    rules: Rules
    moves: tuple[int, ...]
    winner: int  # BLACK, WHITE, or EMPTY for a draw
    score_black: float | None  # None where nothing was counted: a resignation, a failure
    ending: Ending
    problem: str = ""  # what the losing player did, when the ending is a failure
    seconds_black: tuple[float, ...] = field(default=(), compare=False, repr=False)  # that Black took for each move
    seconds_white: tuple[float, ...] = field(default=(), compare=False, repr=False)

    def to_game(self, black_name: str, white_name: str) -> Game:
        """As it is written to SGF."""
        game = Game.from_moves(self.rules, self.moves, self.score_black, black_name, white_name)
        if self.score_black is None:
            game.result = f"{'B' if self.winner == BLACK else 'W'}+{'R' if self.ending == 'resignation' else 'F'}"
        game.comment = self.problem
        return game

    def canonical_moves(self, plies: int | None = None) -> tuple[int, ...]:
        """Of the first `plies`, or all: the same for games that are mirror images or rotations of each other."""
        return canonical_moves(self.moves[:plies], self.rules.rows, self.rules.cols)


@dataclass(frozen=True)
class MatchResult:
    """The games of a match; `a` has Black in every other one, beginning with the first, or without `swap` in all."""

    a: str
    b: str
    games: tuple[GameRecord, ...]
    swap: bool = True

    @property
    def a_is_black(self) -> np.ndarray:
        """(games,) bool"""
        return (np.arange(len(self.games)) % 2 == 0) | (not self.swap)

    @property
    def points(self) -> np.ndarray:
        """(games,) float: 1 where `a` won, 0.5 for a draw, 0 where `b` won."""
        winners = np.array([game.winner for game in self.games])
        return np.where(winners == EMPTY, 0.5, winners == np.where(self.a_is_black, BLACK, WHITE))

    @property
    def score(self) -> float:
        """The share of the points that `a` took."""
        return float(self.points.mean())

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % Wilson interval of `score`."""
        return wilson_interval(self.score, len(self.games))

    @property
    def unique_games(self) -> int:
        """How many games differ, symmetric ones counted once."""
        return len({game.canonical_moves() for game in self.games})

    @property
    def opening_entropy(self) -> float:
        """Nats: how varied the first six plies are, symmetric ones taken as one; 0 if all agree, log(games) at most."""
        counts = Counter(game.canonical_moves(_OPENING_PLIES) for game in self.games)
        shares = np.array(list(counts.values())) / len(self.games)
        return float(-(shares @ np.log(shares))) + 0.0  # no -0.0

    def seconds_per_move(self) -> dict[str, dict[str, float] | None]:
        """{"a": {"mean", "max"}, "b": ...}: what each player took for a move; None where it never had to choose."""
        seconds: dict[str, list[float]] = {"a": [], "b": []}
        for game, a_is_black in zip(self.games, self.a_is_black, strict=True):
            black, white = ("a", "b") if a_is_black else ("b", "a")
            seconds[black] += game.seconds_black
            seconds[white] += game.seconds_white
        return {
            name: {"mean": float(np.mean(values)), "max": max(values)} if values else None
            for name, values in seconds.items()
        }

    def summary(self) -> dict[str, Any]:
        """The match in numbers, as JSON can hold them."""
        points, (low, high) = self.points, self.interval
        return {
            "a": self.a,
            "b": self.b,
            "games": len(points),
            "wins": int((points == 1).sum()),
            "draws": int((points == 0.5).sum()),
            "losses": int((points == 0).sum()),
            "score": self.score,
            "interval": [low, high],
            "score_as_black": float(points[self.a_is_black].mean()),
            "score_as_white": None if self.a_is_black.all() else float(points[~self.a_is_black].mean()),
            "unique_games": self.unique_games,
            "opening_entropy": self.opening_entropy,
            "mean_length": float(np.mean([len(game.moves) for game in self.games])),
            "seconds_per_move": self.seconds_per_move(),
            "endings": dict(Counter(game.ending for game in self.games)),
        }

    def __rich__(self) -> Table:
        s = self.summary()
        table = Table(title=f"{escape(self.a)} against {escape(self.b)}", min_width=48)
        table.add_column(f"for {escape(self.a)}")
        table.add_column("", justify="right")
        table.add_row("won, drawn, lost", f"{s['wins']}, {s['draws']}, {s['losses']}")
        table.add_row("score", f"{s['score']:.1%}")
        table.add_row("95 % interval", f"{s['interval'][0]:.1%} to {s['interval'][1]:.1%}")
        table.add_row("score as Black", f"{s['score_as_black']:.1%}")
        if s["score_as_white"] is not None:
            table.add_row("score as White", f"{s['score_as_white']:.1%}")
        table.add_row("games, different ones", f"{s['games']}, {s['unique_games']}")
        table.add_row("opening entropy", f"{s['opening_entropy']:.2f} of at most {math.log(s['games']):.2f} nats")
        table.add_row("mean length", f"{s['mean_length']:.0f} moves")
        for name, spec in (("a", self.a), ("b", self.b)):
            if taken := s["seconds_per_move"][name]:
                taken_by = f"a move of {escape(spec)}"
                table.add_row(taken_by, f"mean {_duration(taken['mean'])}, max {_duration(taken['max'])}")
        table.add_row("ended by", ", ".join(f"{name} {count}" for name, count in s["endings"].items()))
        return table


def _duration(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 0.1 else f"{1000 * seconds:.3g} ms"


def wilson_interval(score: float, games: int) -> tuple[float, float]:
    """The 95 % interval of a share `score` seen in `games` games (Wilson 1927); draws count half in it."""
    shrink = 1 + Z95**2 / games
    centre = (score + Z95**2 / (2 * games)) / shrink
    reach = Z95 * math.sqrt(score * (1 - score) / games + Z95**2 / (4 * games**2)) / shrink
    return max(0.0, centre - reach), min(1.0, centre + reach)
