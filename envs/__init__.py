"""Small-board Go, exact and fast. Knows nothing of agents.

Start with `Position` (one game, immutable) or `GoBatch` (thousands in lock-step); both follow a `Rules`. The rules
themselves are in `kernel.py`. `envs.go_v0` is the PettingZoo environment and "goagent/Go-v0" the Gymnasium one.
"""

from importlib import import_module
from typing import Any

import gymnasium

from envs.batch import GoBatch, play_random_games
from envs.position import Position
from envs.rules import IllegalMove, Rules
from envs.state import BLACK, EMPTY, SKIP, WHITE

__all__ = [
    "BLACK",
    "EMPTY",
    "SKIP",
    "WHITE",
    "GoBatch",
    "IllegalMove",
    "Position",
    "Rules",
    "go_v0",
    "play_random_games",
]


def __getattr__(name: str) -> Any:
    if name == "go_v0":  # imported when asked for: PettingZoo is not needed to play or train
        return import_module("envs.pettingzoo_go")
    raise AttributeError(f"module 'envs' has no attribute {name!r}")


gymnasium.register(
    id="goagent/Go-v0",
    entry_point="envs.gymnasium_go:GoEnv",
    vector_entry_point="envs.gymnasium_go:GoVectorEnv",
)
