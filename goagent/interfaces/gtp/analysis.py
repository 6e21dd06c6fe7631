"""A player's opinion as GUIs read it: `lz-analyze`, `kata-analyze`, CGOS's JSON, and GoGui's graphics.

`Thoughts` lets a player think while the controller is listened to. Everything is said for the side to move, apart from
GoGui's, where Black's is positive.
"""

import json
import math
import threading
import time
from typing import NamedTuple

import numpy as np

from envs import BLACK, Position, Rules
from goagent.interfaces.gtp.arguments import COLOURS
from goagent.players.player import Analysis, Interrupted, Line, Player, Thinker

_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_PATIENCE = 0.02  # seconds in which a thinker may stop by itself


class Request(NamedTuple):
    """What an analysis command asks for."""

    colour: int
    interval: float = 1.0  # seconds
    most: int | None = None  # moves
    root: bool = False
    ownership: bool = False
    allowed: frozenset[int] | None = None  # the moves that are asked about; None for all


class Thoughts:
    """A player that thinks about a position in a thread of its own. `latest` is its newest opinion."""

    def __init__(self, player: Player, position: Position, allowed: np.ndarray | None = None) -> None:
        """allowed (num_actions,) bool: the moves to think about, where the player is a thinker."""
        self.latest: Analysis | None = None
        self.fault: Exception | None = None
        self._player = player
        self._position = position
        self._allowed = allowed
        self._stopped = False
        self._thread = threading.Thread(target=self._think, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """The player is told to stop, without waiting for it; what is no thinker goes on until it has its opinion."""
        self._stopped = True
        self._thread.join(_PATIENCE)
        if self._thread.is_alive() and isinstance(self._player, Thinker):
            self._player.interrupt()

    def wait(self, seconds: float = math.inf) -> None:
        """Stop, and wait until the player can be asked something else, so long at most."""
        end = time.monotonic() + seconds
        self.stop()
        while self._thread.is_alive() and time.monotonic() < end:
            self.stop()  # it may not have begun when it was told

    def _think(self) -> None:
        try:
            if isinstance(self._player, Thinker):
                for opinion in self._player.think(self._position, self._allowed):
                    self.latest = opinion
                    if self._stopped:
                        return
            else:
                self.latest = self._player.analyze(self._position)
        except Interrupted:
            pass
        except Exception as fault:  # the session goes on without it
            self.fault = fault


def read_request(words: list[str], rules: Rules, to_play: int, kata: bool) -> Request:
    """The arguments of an analysis command. Raises ValueError."""
    words = [word.lower() for word in words]
    found = Request(COLOURS.get(words[0], to_play) if words else to_play)
    words = words[1:] if words and words[0] in COLOURS else words
    if words and words[0][0].isdigit():
        words = ["interval", *words]
    rest = iter(words)
    for key in rest:
        value = next(rest, "")
        if key in ("avoid", "allow"):
            vertices, depth = next(rest, ""), next(rest, "")
            int(depth)  # whatever it is, only the first move is restricted
            named = {rules.action(vertex) for vertex in vertices.split(",")}
            if value not in COLOURS:
                raise ValueError("syntax error")
            if COLOURS[value] == found.colour:
                allowed = frozenset(range(rules.num_actions)) if found.allowed is None else found.allowed
                found = found._replace(allowed=allowed & named if key == "allow" else allowed - named)
        elif key == "interval":
            found = found._replace(interval=_within(float(value), 1, 1e8) / 100)
        elif key == "maxmoves":
            found = found._replace(most=int(_within(int(value), 1, 1000)))
        elif key == "minmoves":
            int(value)  # moves without a visit have nothing to tell
        elif not kata or value not in ("true", "false"):
            raise ValueError("syntax error")
        elif key == "rootinfo":
            found = found._replace(root=value == "true")
        elif key == "ownership":
            found = found._replace(ownership=value == "true")
        elif key != "pvvisits" and value == "true":
            raise ValueError(f"{key} is not supported")
    return found


def _within(number: float, least: float, most: float) -> float:
    """The nearest number that makes sense. Raises ValueError for none at all."""
    if math.isnan(number):
        raise ValueError("syntax error")
    return min(max(number, least), most)


def lz_line(position: Position, found: Analysis, request: Request) -> str:
    """All moves on one line, with chances in ten thousandths."""
    moves = []
    for order, line in enumerate(found.lines[: request.most]):
        chance, prior, low = (
            round(10_000 * part) for part in (_chance(found, line), line.probability, _low(found, line))
        )
        moves.append(
            f"info move {position.rules.vertex(line.action)} visits {_visits(line)} winrate {chance} prior {prior}"
            f" lcb {low} order {order} pv {_variation(position.rules, line)}"
        )
    return " ".join(moves)


def kata_line(position: Position, found: Analysis, request: Request) -> str:
    """All moves on one line with chances from 0 to 1; the score, of the position, stands with the best move."""
    moves = []
    for order, line in enumerate(found.lines[: request.most]):
        chance, low = _chance(found, line), _low(found, line)
        moves.append(
            f"info move {position.rules.vertex(line.action)} visits {_visits(line)} utility {2 * chance - 1:.6f}"
            f" winrate {chance:.6f}{'' if order else _score(found)} prior {line.probability:.6f} lcb {low:.6f}"
            f" utilityLcb {2 * low - 1:.6f} order {order} pv {_variation(position.rules, line)}"
        )
    if request.root and found.lines:
        chance = _chance(found)
        visits = sum(_visits(line) for line in found.lines)
        moves.append(f"rootInfo visits {visits} utility {2 * chance - 1:.6f} winrate {chance:.6f}{_score(found)}")
    if request.ownership and found.ownership is not None:
        moves.append("ownership " + " ".join(f"{owner:.4f}" for owner in found.ownership.ravel()))
    return " ".join(moves)


def cgos_line(position: Position, found: Analysis) -> str:
    """One line of JSON."""
    said: dict[str, object] = {"winrate": round(_chance(found), 4), "visits": sum(map(_visits, found.lines))}
    if found.score is not None:
        said["score"] = round(found.score, 2)
    moves: list[dict[str, object]] = []
    for line in found.lines:
        move: dict[str, object] = {
            "move": position.rules.vertex(line.action),
            "winrate": round(_chance(found, line), 4),
            "prior": round(line.probability, 4),
            "visits": _visits(line),
            "pv": _variation(position.rules, line._replace(variation=line.variation[1:])),
        }
        if not moves and found.score is not None:
            move["score"] = round(found.score, 2)
        moves.append(move)
    said["moves"] = moves
    if found.ownership is not None:
        said["ownership"] = "".join(_BASE64[round(31 * (owner + 1))] for owner in found.ownership.ravel().clip(-1, 1))
    return json.dumps(said, separators=(",", ":"))


def policy_graphics(rules: Rules, probabilities: np.ndarray) -> str:
    """The policy (num_actions,) as a heat map in GoGui's `gfx`: redder is likelier, with percentages."""
    colours, labels = [], []
    for action in np.argsort(-probabilities[:-1], kind="stable"):
        if probabilities[action] >= 0.01:
            faint = round(230 * (1 - math.sqrt(probabilities[action] / probabilities[:-1].max())))
            colours.append(f"COLOR #ff{faint:02x}{faint:02x} {rules.vertex(action)}")
            labels.append(f"{rules.vertex(action)} {100 * probabilities[action]:.0f}")
    label = [f"LABEL {' '.join(labels)}"] if labels else []
    return "\n".join([*colours, *label, f"TEXT pass {100 * probabilities[-1]:.1f} %"])


def owners_board(position: Position, found: Analysis) -> str:
    """Ownership as GoGui's `dboard`, Black's positive; zeros for a player that has no opinion of it."""
    owners = np.zeros((position.rules.rows, position.rules.cols)) if found.ownership is None else found.ownership
    owners = owners if position.to_play == BLACK else -owners
    return "\n".join(" ".join(f"{owner:.2f}" for owner in row) for row in owners + 0.0)


def value_text(position: Position, found: Analysis) -> str:
    """Who is ahead, in a sentence."""
    if found.win_probability is None:
        return "no opinion"
    black = found.win_probability if position.to_play == BLACK else 1 - found.win_probability
    said = f"Black wins with {100 * black:.1f} %"
    if found.score is None:
        return said
    return f"{said}, by {found.score if position.to_play == BLACK else -found.score:.1f} points"


def _chance(found: Analysis, line: Line | None = None) -> float:
    """The win probability of a line, or of the position; half where the player has no opinion of it."""
    chance = line.win_probability if line is not None else None
    chance = found.win_probability if chance is None else chance
    return 0.5 if chance is None else chance


def _low(found: Analysis, line: Line) -> float:
    """A lower bound of the chance: the normal 97.5 % one, each visit taken for a game."""
    chance = _chance(found, line)
    return max(0.0, chance - 1.96 * math.sqrt(chance * (1 - chance) / _visits(line)))


def _visits(line: Line) -> int:
    """At least 1: a player that does not search has looked once."""
    return max(1, line.visits)


def _score(found: Analysis) -> str:
    if found.score is None:
        return ""
    return "".join(f" {name} {found.score:.3f}" for name in ("scoreMean", "scoreLead", "scoreSelfplay"))


def _variation(rules: Rules, line: Line) -> str:
    return " ".join(map(rules.vertex, line.variation))
