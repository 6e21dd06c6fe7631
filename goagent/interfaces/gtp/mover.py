"""A player at a GTP board: how it comes to its moves, on a clock, with manners, and for whatever rules are set.

`Mover` has the game, the clock and the player; `engine.py` makes commands of it.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np

from envs import BLACK, WHITE, IllegalMove, Position, Rules
from goagent.errors import UserError
from goagent.interfaces.gtp import clock
from goagent.interfaces.gtp.analysis import Thoughts
from goagent.interfaces.gtp.game import GtpGame, Terms
from goagent.players import manners
from goagent.players.player import Analysis, Player, Resigned, Thinker, ThinksAloud

_WARM_UP = 0.2  # seconds of each of the first thoughts, which nobody counts
_WARM_UP_PLIES = 4
_LAST_WAIT = 5.0  # seconds for a player that cannot be interrupted


class Mover:
    """The game, the clock and the player.

    load: the player for some rules; called again when `depends_on` of the rules changes. resigns: whether it may.
    """

    def __init__(
        self,
        load: Callable[[Rules], Player],
        depends_on: Callable[[Rules], object],
        terms: Terms,
        seed: int | None,
        resigns: bool = True,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.game = GtpGame(terms)
        self.clock = clock.Clock()
        self.chances: dict[int, list[float | None]] = {}  # what each side thought of its own at its moves
        self.rng = np.random.default_rng(seed)
        self.thoughts: Thoughts | None = None  # what the player is or was thinking about beside the session
        self._load, self._depends_on, self._resigns, self._now = load, depends_on, resigns, now
        self._employ(load(self.game.rules), self.game.rules)

    @property
    def player(self) -> Player:
        """The player, when it has finished what it was thinking about."""
        if self.thoughts is not None:
            self.thoughts.wait()
            self.thoughts = None
        return self._player

    def generate(
        self,
        colour: int,
        cleanup: bool = False,
        hear: Callable[[Analysis], None] | None = None,
        interval: float = 1.0,
    ) -> tuple[int | None, Analysis | None]:
        """The move that it has played, None for its resignation, and its opinion if it has one and time to say it.

        hear: is told its opinions while it thinks, every `interval` seconds, if it thinks aloud.
        """
        begun = self._now()
        player = self.player
        position = self.game.turn_of(colour, forget_passes=cleanup)
        to_come = int((0.8 * position.rules.num_points - len(self.game.moves)) / 2)
        allowed = self.clock.allowed(colour, to_come)
        left = None if allowed is None else allowed - (self._now() - begun)  # it may have had a thought to finish
        hurried = left is not None and left <= clock.AT_ONCE
        aloud = player.aloud(hear, interval) if hear and isinstance(player, ThinksAloud) else nullcontext()
        found = None
        try:
            with self.limited(left):
                with aloud:
                    action = manners.polite_move(player, position, self.rng, cleanup)
                if self.judges and not (cleanup or hurried):
                    found = manners.opinion(player, position)
            if self._resigns and found is not None and not cleanup:
                chances = self.chances.setdefault(colour, [])
                chances.append(found.win_probability)
                if action != position.rules.pass_action and manners.hopeless(position, chances):
                    raise Resigned
            self.game.play(colour, action)
        except Resigned:
            return None, found
        except IllegalMove as error:
            raise UserError(f"{player.name} broke the rules: {error}") from error
        finally:
            self.clock.spend(colour, self._now() - begun, allowed)
        return action, found

    @contextmanager
    def limited(self, seconds: float | None) -> Iterator[None]:
        """Within, the player takes no longer, for a move and what it thinks of it, but `AT_ONCE` at least.

        One that gives each opinion only after another search has a third for each of at most three. In the last need a
        player that counts `visits` makes two.
        """
        player: Any = self.player
        kept = {name: getattr(player, name) for name in ("seconds", "visits") if hasattr(player, name)}
        if seconds is not None and "seconds" in kept:
            seconds = max(clock.AT_ONCE, seconds if isinstance(player, Thinker) else seconds / 3)
            player.seconds = seconds if kept["seconds"] is None else min(kept["seconds"], seconds)
            if seconds <= clock.AT_ONCE and "visits" in kept:
                player.visits = min(2, kept["visits"])
        try:
            yield
        finally:
            for name, value in kept.items():
                setattr(player, name, value)

    def dead(self) -> np.ndarray:
        """(rows, cols) bool. Whoever is to move may save his stones, so its opinion counts for both sides to move."""
        if not self.judges:
            return manners.dead_stones(self.game.position)
        owners = []
        for colour, sign in ((BLACK, 1), (WHITE, -1)):
            found = manners.opinion(self.player, self.game.turn_of(colour, forget_passes=True))
            if found.ownership is not None:
                owners.append(sign * found.ownership)
        return manners.dead_stones(self.game.position, np.mean(owners, axis=0) if owners else None)

    def for_rules(self, rules: Rules) -> None:
        """A player made for other rules is loaded anew."""
        if self._depends_on(rules) != self._made_for:
            self._employ(self._load(rules), rules)

    def _employ(self, player: Player, rules: Rules) -> None:
        """Compiling kernels or starting an engine is not to happen on the clock; and does it judge positions?"""
        self._player, self._made_for = player, self._depends_on(rules)
        self.judges = False
        player.reset()
        position = Position(rules)
        try:
            with self.limited(_WARM_UP):
                rng, ply = np.random.default_rng(0), position
                for _ in range(_WARM_UP_PLIES):
                    if not ply.is_over:
                        ply = ply.play(player.choose(ply, rng))
                self.judges = manners.opinion(player, position).win_probability is not None
        except Exception as error:  # genmove will say it again
            print(f"{player.name}: {type(error).__name__}: {error}", file=sys.stderr)
        player.reset()
        print(f"{player.name} plays on {rules.size}", file=sys.stderr)

    def rest(self) -> None:
        """Think no more, before Python ends."""
        if self.thoughts is not None:
            self.thoughts.wait(_LAST_WAIT)

    def forget(self) -> None:
        """Another game, or another part of this one."""
        self.player.reset()
        self.chances.clear()
