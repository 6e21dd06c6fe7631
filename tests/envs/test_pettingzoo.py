"""The PettingZoo environment `envs.go_v0`."""

import copy
import pickle
import warnings

import numpy as np
import pytest
from pettingzoo.test import api_test, seed_test

import envs
from envs.image import CELL
from envs.planes import NUM_PLANES

pytestmark = pytest.mark.filterwarnings("error")
SETTINGS = [
    {},
    {"rows": 5, "cols": 7, "ko": "situational", "suicide": True},
    {"rows": 3, "cols": 4, "max_moves": 5},
    {"rows": 4, "cols": 4, "objective": "capture"},
]


def start(**settings):
    env = envs.go_v0.env(**settings)
    env.reset()
    return env


def play(env, *vertices):
    for vertex in vertices:
        env.step(env.unwrapped.rules.action(vertex))
    return env


def finish(env, seed):
    """Random legal play to the end; the moves."""
    rng = np.random.default_rng(seed)
    while not any((*env.terminations.values(), *env.truncations.values())):
        env.step(rng.choice(np.flatnonzero(env.last()[0]["action_mask"])))
    return env.unwrapped.position.moves


@pytest.mark.parametrize("settings", SETTINGS)
def test_pettingzoo_finds_nothing_to_complain_about(settings):
    with warnings.catch_warnings():
        # It keeps a list of the names of its own environments that may observe a Dict; this one cannot be on it.
        warnings.filterwarnings("ignore", "Observation is not a NumPy array")
        warnings.filterwarnings("ignore", "Observation space for each agent probably should be")
        api_test(envs.go_v0.env(**settings), num_cycles=300)
        seed_test(lambda: envs.go_v0.env(**settings), num_cycles=100)


def test_each_agent_sees_its_own_side():
    env = play(start(rows=3, cols=5), "A3", "E1")
    black, white = env.observe("black_0"), env.observe("white_0")
    assert black["observation"].shape == (NUM_PLANES, 3, 5) and black["observation"].dtype == np.float32
    assert black["observation"][0, 0, 0] == white["observation"][1, 0, 0] == 1
    assert black["observation"][1, 2, 4] == white["observation"][0, 2, 4] == 1
    assert black["action_mask"].sum() == 14 and white["action_mask"].sum() == 0
    assert all(env.observation_space(agent).contains(env.observe(agent)) for agent in env.agents)


@pytest.mark.parametrize("komi, rewards", [(8.5, (1, -1)), (9, (0, 0)), (9.5, (-1, 1))])
def test_the_end_pays_both_agents(komi, rewards):
    env = play(start(rows=3, cols=3, komi=komi), "B2", "pass", "pass")
    assert (env.rewards["black_0"], env.rewards["white_0"]) == rewards
    assert env.terminations == {"black_0": True, "white_0": True} and not any(env.truncations.values())
    paid = {}
    for agent in env.agent_iter():
        paid[agent] = env.last()[1]
        env.step(None)
    assert (paid["black_0"], paid["white_0"]) == rewards and env.agents == []


def test_truncation_is_for_both_agents_and_pays():
    env = play(start(rows=3, cols=3, max_moves=2), "B2", "A1")
    assert env.truncations == {"black_0": True, "white_0": True} and not any(env.terminations.values())
    assert env.rewards == {"black_0": -1, "white_0": 1}  # a stone each, the rest is nobody's, komi 0.5


def test_an_illegal_action_changes_nothing():
    env = play(start(rows=3, cols=3), "B2")
    before = env.unwrapped.position
    for action in (4, 10, -1, None):
        with pytest.raises(envs.IllegalMove):
            env.step(action)
    assert env.unwrapped.position == before and env.agent_selection == "white_0"
    with pytest.raises(ValueError, match="only valid action is None"):
        play(env, "pass", "pass", "A1")


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
def test_copies_go_their_own_way_in_mid_game(twin):
    env = play(start(rows=5, cols=5), "C3", "B2", "D4")
    other = twin(env)
    play(other, "A1")
    assert len(env.unwrapped.position.moves) == 3 and env.agent_selection == "white_0"
    again = twin(env)
    assert finish(again, seed=4) == finish(env, seed=4)
    assert again.rewards == env.rewards


def test_two_sizes_at_once():
    alone = [finish(start(rows=rows, cols=cols), seed=1) for rows, cols in ((5, 5), (3, 7))]
    pair = [start(rows=5, cols=5), start(rows=3, cols=7)]
    generators = [np.random.default_rng(1), np.random.default_rng(1)]
    while not all(any(env.terminations.values()) for env in pair):
        for env, rng in zip(pair, generators, strict=True):
            if not any(env.terminations.values()):
                env.step(rng.choice(np.flatnonzero(env.last()[0]["action_mask"])))
    assert [env.unwrapped.position.moves for env in pair] == alone


def test_rendering():
    env = play(start(rows=2, cols=3, render_mode="ansi"), "B1")
    assert env.render() == "   A B C\n 2 . . .\n 1 . X .\nWhite to play, move 2"
    assert start(rows=5, cols=4, render_mode="rgb_array").render().shape == (5 * CELL, 4 * CELL, 3)
    with pytest.raises(ValueError, match="render_mode is 'human'"):
        envs.go_v0.env(render_mode="human")
