"""The game as GTP sees it: either side may move at any time, and no pass or number of moves ends it."""

import json
from dataclasses import dataclass, replace
from typing import Any

from envs import WHITE, Position, Rules
from goagent.records.sgf import Game
from goagent.rules import NO_CAP

_BONUSES = {"0": lambda stones: 0, "N-1": lambda stones: stones - 1, "N": lambda stones: stones}


@dataclass(frozen=True)
class Terms:
    """What is agreed on before a game.

    komi: None for the size's default. bonus: what White gets for N handicap stones: "0", "N-1" or "N" points.
    """

    rows: int = 9
    cols: int = 9
    komi: float | None = None
    ko: str = "positional"
    suicide: bool = False
    bonus: str = "0"

    def rules(self, handicap: int = 0) -> Rules:
        """The rules of a game with so many handicap stones; one is none. Raises ValueError."""
        rules = Rules(self.rows, self.cols, self.komi, self.ko, self.suicide, max_moves=NO_CAP)
        extra = _BONUSES[self.bonus](handicap) if handicap > 1 else 0
        return replace(rules, komi=min((rules.komi or 0) + extra, 361)) if extra else rules


# By the names of KataGo; "cgos" besides. Ko, suicide, and White's bonus in handicap games.
_NAMED = {
    "tromp-taylor": ("positional", True, "0"),
    "cgos": ("positional", False, "0"),
    "chinese": ("simple", False, "N"),
    "chinese-ogs": ("positional", False, "N"),
    "chinese-kgs": ("positional", False, "N"),
    "aga": ("situational", False, "N-1"),
    "bga": ("situational", False, "N-1"),
    "new-zealand": ("situational", True, "0"),
}
_FIXED = {"scoring": "AREA", "tax": "NONE", "hasButton": False}  # what there is no other of
_IGNORED = "friendlyPassOk"  # says whether dead stones may stay on the board; this engine captures what it needs


def named_terms(terms: Terms, name: str) -> Terms:
    """The terms under one of the named rules. Raises ValueError."""
    found = _NAMED.get(name.lower().replace("_", "-"))
    if found is None:
        raise ValueError(f"unsupported rules {name}: expected {', '.join(_NAMED)}, all of them with area scoring")
    return replace(terms, ko=found[0], suicide=found[1], bonus=found[2])


def read_terms(terms: Terms, text: str) -> Terms:
    """The terms with the rules of a name, or of a JSON object as `write_terms` gives it. Raises ValueError."""
    if not text.startswith("{"):
        return named_terms(terms, text)
    said = json.loads(text)
    for key, value in said.items():
        if key in _FIXED and value != _FIXED[key]:
            raise ValueError(f"unsupported {key} {value}: expected {_FIXED[key]}")
        if key not in (*_FIXED, _IGNORED, "ko", "suicide", "whiteHandicapBonus"):
            raise ValueError(f"unknown rule {key}")
    ko, suicide = str(said.get("ko", terms.ko)).lower(), said.get("suicide", terms.suicide)
    bonus = str(said.get("whiteHandicapBonus", terms.bonus))
    if bonus not in _BONUSES:
        raise ValueError(f"unsupported whiteHandicapBonus {bonus}: expected {', '.join(_BONUSES)}")
    changed = replace(terms, ko=ko, suicide=suicide, bonus=bonus)
    changed.rules()  # says what is wrong with ko or suicide
    return changed


def write_terms(terms: Terms) -> str:
    """The rules as `kata-get-rules` says them."""
    said: dict[str, Any] = {
        "ko": terms.ko.upper(),
        **_FIXED,
        "suicide": terms.suicide,
        "whiteHandicapBonus": terms.bonus,
        _IGNORED: False,
    }
    return json.dumps(said, separators=(",", ":"), sort_keys=True)


class GtpGame:
    """One game: where it begins, its moves, and the position after each, none of which is ever over."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.clear()

    @property
    def rules(self) -> Rules:
        return self._start.rules

    @property
    def komi(self) -> float:
        """Without the bonus of a handicap."""
        return float(self.terms.rules().komi or 0)

    @property
    def moves(self) -> list[tuple[int, int]]:
        """(colour, action) of each move; a copy."""
        return list(self._moves)

    @property
    def is_empty(self) -> bool:
        return not self._moves and not self.position.board.any()

    @property
    def position(self) -> Position:
        return self._positions[-1]

    def turn_of(self, colour: int, forget_passes: bool = False) -> Position:
        """The position with `colour` to move; forget_passes: as if nobody had passed since the last stone."""
        back = 1
        while forget_passes and back < len(self._positions) and self._moves[-back][1] == self.rules.pass_action:
            back += 1
        return self._positions[-back].with_to_play(colour)

    def clear(self, terms: Terms | None = None) -> None:
        """An empty board."""
        self.terms = terms or self.terms
        self._begin(Game(self.terms.rules()))

    def place(self, points: list[int]) -> None:
        """A handicap, on an empty board."""
        self._begin(Game(self.rules, black_stones=tuple(sorted(points)), to_play=WHITE))

    def terms_of(self, game: Game) -> Terms:
        """The terms with the size and komi of a recorded game."""
        return replace(self.terms, rows=game.rules.rows, cols=game.rules.cols, komi=game.rules.komi)

    def load(self, game: Game, moves: int | None = None) -> None:
        """A recorded game, or its first `moves`, under `terms_of` it; illegal moves are executed."""
        self.terms = self.terms_of(game)
        self._begin(replace(game, moves=[], result=None))
        for colour, action in game.moves[:moves]:
            self.play(colour, action, check=False)

    def change(self, terms: Terms) -> None:
        """The same moves under other terms."""
        start, moves = self._start, self._moves
        self.terms = terms
        self._begin(start)
        for colour, action in moves:
            self.play(colour, action, check=False)

    def play(self, colour: int, action: int, check: bool = True) -> None:
        """A move of either side. Raises IllegalMove, and then nothing has changed."""
        position = self.position.with_to_play(colour)
        if action == self.rules.pass_action and position.consecutive_passes:
            after = position.with_to_play(3 - colour)  # a second pass would end the game
        else:
            after = position.play(action, check)
        self._moves.append((colour, action))
        self._positions.append(after)

    def undo(self) -> None:
        """Take the last move back. Raises IndexError when there is none."""
        self._moves.pop()
        self._positions.pop()

    def record(self) -> Game:
        """The game so far, with the komi that was agreed on."""
        return replace(self._start, rules=replace(self.rules, komi=self.komi), moves=list(self._moves))

    def _begin(self, start: Game) -> None:
        """From these stones, under the terms."""
        handicap = 0 if start.white_stones else len(start.black_stones)
        self._start = replace(start, rules=self.terms.rules(handicap))
        self._moves: list[tuple[int, int]] = []
        self._positions = [self._start.start()]
