"""Gymnasium: one agent against an opponent, or playing both sides.

`GoEnv` is one game and shows the conventions; `GoVectorEnv` is many games over a `GoBatch`. Both take an observation
from the side that the agent plays, carry the legal moves in `info["action_mask"]`, and pay +1, 0 or -1 at the end.
"""

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from envs.batch import GoBatch
from envs.image import RENDER_MODES, check_mode, render
from envs.planes import KOMI_SCALE, NUM_PLANES
from envs.position import Position
from envs.rules import IllegalMove, Rules
from envs.state import BLACK, SKIP, WHITE

Opponent = Callable[[Position, np.random.Generator], int]
BatchOpponent = Callable[[GoBatch, np.ndarray, np.random.Generator], np.ndarray]

METADATA: dict[str, Any] = {"render_modes": list(RENDER_MODES), "render_fps": 2}
_COLOURS = {"black": BLACK, "white": WHITE, "random": None}


def random_opponent(position: Position, rng: np.random.Generator) -> int:
    """A uniformly random legal point; it passes when there is none, or when its opponent has just passed."""
    points = np.flatnonzero(position.legal_mask()[:-1])
    if len(points) == 0 or position.consecutive_passes:
        return position.rules.pass_action
    return int(rng.choice(points))


def random_opponents(batch: GoBatch, which: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(num_games,) actions: `random_opponent` in every game of a batch."""
    points = batch.legal_mask()[:, :-1]
    actions = (rng.random(points.shape) * points).argmax(axis=1)
    passes = (batch.consecutive_passes > 0) | ~points.any(axis=1)
    return np.where(passes, batch.rules.pass_action, actions)


class GoEnv(gymnasium.Env):
    """One game. Also `gymnasium.make("goagent/Go-v0", size=9, ...)`.

    size: 9, or "5x7" (rows x columns). opponent: `(Position, rng) -> action`, called with the environment's seeded
    generator; None lets the agent play both sides. colour: what the agent plays, "black", "white" or, drawn at each
    reset, "random"; it has no meaning without an opponent. rules: komi, ko, suicide, objective and max_moves of
    `Rules`.

    Observations are (planes, rows, cols) float32 as in `planes.py`, seen from the agent's side; without an opponent
    from the side to move. The reward is the agent's result, +1, 0 or -1, at the end of the game and also where
    `max_moves` truncates it; without an opponent it is the result of the side that has just moved.
    """

    metadata = METADATA

    def __init__(
        self,
        size: int | str = 9,
        opponent: Opponent | None = random_opponent,
        colour: str = "black",
        render_mode: str | None = None,
        **rules: Any,
    ) -> None:
        self.rules = Rules.of_size(size, **rules)
        check_colour(self.rules, colour, opponent)
        check_mode(render_mode)
        self.opponent = opponent
        self.colour = colour
        self.render_mode = render_mode
        self.observation_space = planes_space(self.rules)
        self.action_space = Discrete(self.rules.num_actions)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self.position = Position(self.rules)
        self._agent = None if self.opponent is None else draw_colours(self.colour, 1, self.np_random)[0]
        self.position = self._answered(self.position)
        return self._observe(), self._info()

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Play the action and the opponent's answer.

        Raises IllegalMove when the action is illegal or the game is over; then nothing has changed.
        """
        mover = self.position.to_play
        self.position = position = self._answered(self.position.play(action))
        reward = result(position.score_black(), mover) if position.is_over else 0.0
        terminated = position.is_over and not position.truncated
        return self._observe(), reward, terminated, position.truncated, self._info()

    def action_masks(self) -> np.ndarray:
        """(num_actions,) bool: `info["action_mask"]`, under the name that sb3-contrib looks for."""
        return action_mask(self.position.legal_mask()).astype(np.bool_)

    def render(self) -> str | np.ndarray | None:
        return render(self.position, self.render_mode)

    def _answered(self, position: Position) -> Position:
        """The position after the opponent's move, where it is its turn."""
        if self.opponent is None or position.is_over or position.to_play == self._agent:
            return position
        return position.play(self.opponent(position, self.np_random))

    @property
    def _side(self) -> int:
        return self.position.to_play if self._agent is None else int(self._agent)

    def _observe(self) -> np.ndarray:
        return self.position.with_to_play(self._side).observe()

    def _info(self) -> dict[str, Any]:
        return {"action_mask": action_mask(self.position.legal_mask()), "to_play": self._side}


class GoVectorEnv(VectorEnv):
    """`num_envs` games in lock-step. Also `gymnasium.make_vec("goagent/Go-v0", num_envs=64, size=9, ...)`.

    As `GoEnv`, with one generator for all games and an opponent `(GoBatch, which, rng) -> actions`: it answers in all
    games of `which` (num_envs,) bool at once, and the other entries of its (num_envs,) actions are not read. It must
    not change the batch. `autoreset_mode` is Gymnasium's: "NextStep" (the default), "SameStep" or "Disabled".
    """

    metadata = METADATA | {"autoreset_mode": AutoresetMode.NEXT_STEP}

    def __init__(
        self,
        num_envs: int = 1,
        size: int | str = 9,
        opponent: BatchOpponent | None = random_opponents,
        colour: str = "black",
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
        **rules: Any,
    ) -> None:
        self.rules = Rules.of_size(size, **rules)
        check_colour(self.rules, colour, opponent)
        check_mode(render_mode)
        self.num_envs = num_envs
        self.opponent = opponent
        self.colour = colour
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.metadata = METADATA | {"autoreset_mode": self.autoreset_mode}
        self.render_mode = render_mode
        self.single_observation_space = planes_space(self.rules)
        self.single_action_space = Discrete(self.rules.num_actions)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.batch = GoBatch(self.rules, num_envs)
        self._agents = np.full(num_envs, BLACK, np.int8)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start all games anew, or those where `options["reset_mask"]` (num_envs,) bool is set."""
        which = (options or {}).get("reset_mask", np.ones(self.num_envs, np.bool_))
        if not isinstance(which, np.ndarray) or which.shape != (self.num_envs,) or which.dtype != np.bool_:
            raise ValueError(f"options['reset_mask'] is {which!r}: expected an array ({self.num_envs},) of bool")
        super().reset(seed=seed)
        self._begin(which)
        self._answer()
        return self._observe(), self._info(which)

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Play the actions (num_envs,) and the opponent's answers; raises IllegalMove, then nothing has changed.

        With "NextStep" a game that had ended starts anew instead, whatever its action.
        """
        ended = self.batch.is_over & (self.autoreset_mode is AutoresetMode.NEXT_STEP)
        movers = self.batch.to_play
        self.batch.step(self._checked(actions, ended))
        self._begin(ended)
        self._answer()
        over, truncated = self.batch.is_over, self.batch.truncated
        rewards = np.zeros(self.num_envs)
        for i in np.flatnonzero(over).tolist():
            rewards[i] = result(self.batch.position(i).score_black(), movers[i])
        infos: dict[str, Any] = {}
        if self.autoreset_mode is AutoresetMode.SAME_STEP and over.any():
            infos = self._final_info(over)
            self._begin(over)
            self._answer()
        infos |= self._info(np.ones(self.num_envs, np.bool_))
        return self._observe(), rewards, over & ~truncated, truncated, infos

    def action_masks(self) -> np.ndarray:
        """(num_envs, num_actions) bool: `info["action_mask"]` of all games."""
        return action_mask(self.batch.legal_mask()).astype(np.bool_)

    def render(self) -> tuple[Any, ...]:
        return tuple(render(self.batch.position(i), self.render_mode) for i in range(self.num_envs))

    def _begin(self, which: np.ndarray) -> None:
        """New games where `which` is set, the opponent's first move not played yet."""
        if which.any():
            self.batch.reset(which)
            self._agents[which] = draw_colours(self.colour, which.sum(), self.np_random)

    def _answer(self) -> None:
        """The opponent moves wherever it is its turn."""
        if self.opponent is None:
            return
        which = ~self.batch.is_over & (self.batch.to_play != self._agents)
        if which.any():
            self.batch.step(np.where(which, self.opponent(self.batch, which, self.np_random), SKIP))

    def _checked(self, actions: np.ndarray, ended: np.ndarray) -> np.ndarray:
        """The actions for the batch, which leaves the games alone that had `ended`."""
        actions = np.asarray(actions)
        if actions.shape != (self.num_envs,):
            raise ValueError(f"actions have shape {actions.shape}: expected ({self.num_envs},)")
        skipped = (actions == SKIP) & ~ended
        if skipped.any():
            last = self.rules.pass_action
            raise IllegalMove(f"game {skipped.argmax()}: {SKIP} is not an action: expected 0 to {last}, the pass")
        return np.where(ended, SKIP, actions)

    @property
    def _sides(self) -> np.ndarray:
        return self.batch.to_play if self.opponent is None else self._agents

    def _observe(self) -> np.ndarray:
        return self.batch.observe(self._sides)

    def _info(self, which: np.ndarray) -> dict[str, Any]:
        mask = action_mask(self.batch.legal_mask())
        return {
            "action_mask": np.where(which[:, None], mask, np.int8(0)),
            "_action_mask": which.copy(),
            "to_play": np.where(which, self._sides, 0).astype(np.int64),
            "_to_play": which.copy(),
        }

    def _final_info(self, over: np.ndarray) -> dict[str, Any]:
        """What the games that have just ended were last seen as, in Gymnasium's form."""
        infos: dict[str, Any] = {}
        observations, mask, sides = self._observe(), action_mask(self.batch.legal_mask()), self._sides
        for i in np.flatnonzero(over).tolist():
            final_info = {"action_mask": mask[i], "to_play": int(sides[i])}
            infos = self._add_info(infos, {"final_obs": observations[i], "final_info": final_info}, i)
        return infos


def planes_space(rules: Rules) -> Box:
    """The space of `observe()`; only the komi plane can leave [0, 1]."""
    bound = max(1.0, abs(rules.komi or 0) / KOMI_SCALE)
    return Box(-bound, bound, (NUM_PLANES, rules.rows, rules.cols), np.float32)


def action_mask(legal: np.ndarray) -> np.ndarray:
    """(..., num_actions) int8. After the end the pass stays set, so that a masked distribution stays finite."""
    mask = legal.astype(np.int8)
    mask[..., -1] = 1
    return mask


def result(score_black: float, colour: int) -> float:
    """+1, 0 or -1: the result of a game for `colour`."""
    return float(np.sign(score_black if colour == BLACK else -score_black))


def draw_colours(colour: str, games: int, rng: np.random.Generator) -> np.ndarray:
    """(games,) int8: the agent's colour in each."""
    fixed = _COLOURS[colour]
    return rng.integers(BLACK, WHITE + 1, games, np.int8) if fixed is None else np.full(games, fixed, np.int8)


def check_colour(rules: Rules, colour: str, opponent: Any) -> None:
    """Raises ValueError unless the agent's colour makes sense."""
    if colour not in _COLOURS:
        raise ValueError(f"colour is {colour!r}: expected one of {', '.join(_COLOURS)}")
    if opponent is not None and colour != "black" and rules.max_moves == 1:
        raise ValueError("max_moves is 1: expected at least 2, or White never moves")
