"""SPEC -> Player: how an agent is named wherever one is asked for.

    NAME?key=value&key=value      as in rollout?playouts=50 or runs/first?temperature=0

`describe_agents()` lists the names. Everything after `gtp:` is the engine's command and has no options of ours.
"""

import difflib
import importlib
import math
import os
import shlex
import shutil
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from envs import Rules
from goagent.errors import UserError
from goagent.players.external import ExternalPlayer
from goagent.players.levels import LEVELS
from goagent.players.player import Player
from goagent.players.random import RandomPlayer
from goagent.players.rollout import RolloutPlayer
from goagent.players.shipped import shipped_for

_PLAYER = ("name", "reset", "choose", "distribution", "analyze")  # what the `Player` protocol asks for


class SpecError(UserError):
    """A SPEC that names no agent, or not in a way that can be used."""


class Option(NamedTuple):
    """One option of a SPEC."""

    read: Callable[[str], Any]  # raises ValueError
    expected: str
    default: Any


class AgentKind(NamedTuple):
    """One way to name an agent."""

    spec: str
    what: str
    options: dict[str, Option]


def describe_agents() -> list[AgentKind]:
    """Everything that a SPEC can begin with."""
    return [_SHIPPED, _RANDOM, _ROLLOUT, _TRAINED, _OWN, _ENGINE]


def load_agent(spec: str, rules: Rules) -> Player:
    """The player that `spec` names, to play under `rules`. Raises SpecError, and CheckpointError for broken weights."""
    if spec.startswith("gtp:"):
        return _engine(spec.removeprefix("gtp:"))
    name, _, text = spec.partition("?")
    options = _split(spec, text)
    if name.startswith("py:"):
        return _own(name, rules, {key: _literal(value) for key, value in options.items()})
    if name == _RANDOM.spec:
        return RandomPlayer(**_values(_RANDOM, options))
    if name == _ROLLOUT.spec:
        return RolloutPlayer(**_values(_ROLLOUT, options))
    if name == _SHIPPED.spec:
        return _shipped(rules, _values(_SHIPPED, options))
    if not os.path.exists(name):
        raise SpecError(f"{name!r} is no agent: expected {_names()}, or the path of a trained one{_nearest(name)}")
    values = _values(_TRAINED, options)
    from goagent.players.search import load_trained_player  # late: it needs torch

    return load_trained_player(Path(name), **values)


def anywhere(spec: str) -> str:
    """The SPEC as it reads in any working folder: the path of a trained agent in full."""
    name, mark, options = spec.partition("?")
    is_named = ":" in name or name in (_SHIPPED.spec, _RANDOM.spec, _ROLLOUT.spec)
    return spec if is_named or not os.path.exists(name) else f"{os.path.abspath(name)}{mark}{options}"


def _split(spec: str, text: str) -> dict[str, str]:
    options: dict[str, str] = {}
    for part in text.split("&") if text else []:
        key, equals, value = part.partition("=")
        if not (key and equals and value) or key in options:
            raise SpecError(f"cannot read {part!r} in {spec!r}: expected NAME?key=value&key=value, each key once")
        options[key] = value
    return options


def _values(kind: AgentKind, options: dict[str, str]) -> dict[str, Any]:
    """The options as the player takes them; a level's, where they are not given themselves."""
    values = {}
    for key, text in options.items():
        if key not in kind.options:
            known = ", ".join(kind.options) or "none"
            raise SpecError(f"{kind.spec} has no option {key!r}: its options are: {known}")
        option = kind.options[key]
        try:
            values[key] = option.read(text)
        except ValueError as error:
            raise SpecError(f"{key} is {text!r}: expected {option.expected}") from error
    return values.pop("level", {}) | values


def _shipped(rules: Rules, options: dict[str, Any]) -> Player:
    from goagent.players.search import load_trained_player  # late: it needs torch

    found = shipped_for(rules)
    if found is None:
        raise SpecError("no trained agent ships with this version: train one with `python train.py --size 5`")
    path, fits = found
    if not fits:
        _say_once(f"shipped: no weights for {rules.size} yet, so those for {path.name} play")
    return load_trained_player(path, **options)


@cache
def _say_once(line: str) -> None:
    """A test of an agent may load it many times."""
    print(line, file=sys.stderr)


def _engine(command: str) -> ExternalPlayer:
    try:
        program = shlex.split(command)[:1]
    except ValueError as error:
        raise SpecError(f"cannot read the command {command!r}: {error}") from error
    if not program or shutil.which(program[0]) is None:
        raise SpecError(
            f"there is no program {program[0] if program else ''!r}: expected gtp:COMMAND, as in gtp:gnugo --mode gtp"
        )
    return ExternalPlayer(command)


def _own(name: str, rules: Rules, options: dict[str, Any]) -> Player:
    """An object of the user's class, made as `Class(rules, **options)`; modules of the working directory count."""
    try:
        _, module, attribute = name.split(":")
    except ValueError:
        raise SpecError(f"cannot read {name!r}: expected py:MODULE:CLASS") from None
    here = os.getcwd()
    sys.path.insert(0, here)
    try:
        player = getattr(importlib.import_module(module), attribute)(rules, **options)
    except UserError:
        raise
    except Exception as error:  # whatever the user's own code does
        raise SpecError(f"{name} cannot be made: {type(error).__name__}: {error}") from error
    finally:
        sys.path.remove(here)
    missing = [member for member in _PLAYER if not hasattr(player, member)]
    if missing:
        raise SpecError(f"{name} is no Player: it lacks {', '.join(missing)} (see goagent/players/player.py)")
    return player


def _literal(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


def _names() -> str:
    return ", ".join(kind.spec for kind in describe_agents() if kind is not _TRAINED)


def _nearest(name: str) -> str:
    """A question: was it one of the names, or of what lies where the path points?"""
    parent = Path(name).parent
    beside = [str(path) for path in parent.glob("*")] if os.path.isdir(parent) else []
    near = difflib.get_close_matches(name, [_SHIPPED.spec, _RANDOM.spec, _ROLLOUT.spec, *beside], n=3)
    return f"; did you mean {' or '.join(near)}?" if near else ""


def _visits(text: str) -> int:
    value = int(text)
    if not 1 <= value <= 1_000_000:
        raise ValueError
    return value


def _level(text: str) -> dict[str, Any]:
    """The options of a level."""
    number = int(text)
    if not 1 <= number <= len(LEVELS):
        raise ValueError
    options = dict(part.split("=") for part in LEVELS[number - 1].options.split("&"))
    return {key: _SEARCH[key].read(value) for key, value in options.items()}


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value <= 86400:
        raise ValueError
    return value


def _search(text: str) -> str:
    if text not in ("gumbel", "puct"):
        raise ValueError
    return text


def _temperature(text: str) -> float:
    value = float(text)
    if not (value >= 0 and math.isfinite(value)):
        raise ValueError
    return value


_RANDOM = AgentKind("random", "uniform over the legal points; passes when it must or its opponent has", {})
_ROLLOUT = AgentKind(
    "rollout",
    "tree search by random games, no network",
    {
        "playouts": Option(_visits, "a whole number from 1 to 1000000", 200),
        "seconds": Option(_seconds, "a number above 0: think that long instead", None),
    },
)
_SEARCH = {
    "visits": Option(_visits, "a whole number from 1 (the bare policy) to 1000000", 64),
    "seconds": Option(_seconds, "a number above 0: think that long, or until the visits given are spent", None),
    "temperature": Option(_temperature, "a number, 0 (no chance) or more", 1.0),
    "search": Option(_search, "gumbel or puct", "gumbel"),
    "level": Option(_level, f"a whole number from 1 (weakest) to {len(LEVELS)}: visits and temperature", None),
}
_SHIPPED = AgentKind("shipped", "the trained agent in the package for this board, or for the nearest size", _SEARCH)
_TRAINED = AgentKind("RUN or CHECKPOINT", "the trained agent in this folder; of a run, its newest checkpoint", _SEARCH)
_OWN = AgentKind("py:MODULE:CLASS", "your own Player, made as CLASS(rules, **options)", {})
_ENGINE = AgentKind("gtp:COMMAND", "any GTP engine, as in gtp:gnugo --mode gtp --chinese-rules --capture-all-dead", {})
