"""PettingZoo: both sides as agents that take turns (AEC). Reached as `envs.go_v0`; start with `env`."""

from typing import Any

import numpy as np
from gymnasium.spaces import Box, Dict, Discrete
from pettingzoo import AECEnv
from pettingzoo.utils.wrappers import OrderEnforcingWrapper

from envs.gymnasium_go import action_mask, planes_space, result
from envs.image import RENDER_MODES, check_mode, render
from envs.position import Position
from envs.rules import Rules
from envs.state import BLACK, WHITE

_COLOURS = {"black_0": BLACK, "white_0": WHITE}


def env(render_mode: str | None = None, **rules: Any) -> OrderEnforcingWrapper:
    """The game of `raw_env`, which complains when it is used out of order."""
    return OrderEnforcingWrapper(raw_env(render_mode, **rules))


class raw_env(AECEnv):
    """One game between the agents "black_0" and "white_0".

    rules: rows, cols, komi, ko, suicide, objective and max_moves of `Rules`. An observation is a dict of "observation",
    (planes, rows, cols) float32 as in `planes.py` with the agent as the side to move, and "action_mask",
    (num_actions,) int8: all 0 for the agent whose turn it is not, and the pass alone after the end. The end pays +1, 0
    or -1 to each agent; at `max_moves` both are truncated, and paid just so. An illegal action raises IllegalMove and
    changes nothing. Copies and pickles in mid-game.
    """

    metadata = {"name": "go_v0", "render_modes": list(RENDER_MODES), "render_fps": 2, "is_parallelizable": False}  # noqa: RUF012

    def __init__(self, render_mode: str | None = None, **rules: Any) -> None:
        super().__init__()
        self.rules = Rules(**rules)
        check_mode(render_mode)
        self.render_mode = render_mode
        self.possible_agents = list(_COLOURS)
        mask = Box(0, 1, (self.rules.num_actions,), np.int8)
        self.observation_spaces = {
            agent: Dict({"observation": planes_space(self.rules), "action_mask": mask}) for agent in _COLOURS
        }
        self.action_spaces = {agent: Discrete(self.rules.num_actions) for agent in _COLOURS}

    def observation_space(self, agent: str) -> Dict:
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Discrete:
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict | None = None) -> None:
        """A new game. Nothing in it is random, so the seed is not needed."""
        self.position = Position(self.rules)
        self.agents = list(_COLOURS)
        self.agent_selection = "black_0"
        self.rewards = dict.fromkeys(_COLOURS, 0.0)
        self._cumulative_rewards = dict.fromkeys(_COLOURS, 0.0)
        self.terminations = dict.fromkeys(_COLOURS, False)
        self.truncations = dict.fromkeys(_COLOURS, False)
        self.infos: dict[str, dict] = {agent: {} for agent in _COLOURS}

    def step(self, action: Any) -> None:
        """Play an action; None for an agent whose game is over. Raises IllegalMove; then nothing has changed."""
        agent = self.agent_selection
        if self.terminations[agent] or self.truncations[agent]:
            self._was_dead_step(action)
            return
        self.position = position = self.position.play(action)
        self.agent_selection = "white_0" if agent == "black_0" else "black_0"
        if position.is_over:
            score = position.score_black()
            self.rewards = {agent: result(score, colour) for agent, colour in _COLOURS.items()}
            self.terminations = dict.fromkeys(_COLOURS, not position.truncated)
            self.truncations = dict.fromkeys(_COLOURS, position.truncated)
        self._accumulate_rewards()

    def observe(self, agent: str) -> dict[str, np.ndarray]:
        position = self.position.with_to_play(_COLOURS[agent])
        mask = action_mask(position.legal_mask())
        if position.to_play != self.position.to_play and not position.is_over:
            mask[:] = 0
        return {"observation": position.observe(), "action_mask": mask}

    def render(self) -> str | np.ndarray | None:
        return render(self.position, self.render_mode)

    def close(self) -> None:
        pass
