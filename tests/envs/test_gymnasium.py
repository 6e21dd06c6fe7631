"""The Gymnasium environments: one game, and the vector environment that must be many of them."""

import copy
import pickle
import subprocess
import sys
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env, data_equivalence
from gymnasium.vector import AutoresetMode

import envs
from envs.gymnasium_go import random_opponent, random_opponents
from envs.image import CELL
from envs.planes import PLANES

pytestmark = pytest.mark.filterwarnings("error")
MODES = [mode.value for mode in AutoresetMode]


def passing(position, rng):
    return position.rules.pass_action


def counting(position, rng):
    """A legal move that depends on the whole game and on no generator; now and then a pass."""
    legal = np.flatnonzero(position.legal_mask())
    return int(legal[(7 * len(position.moves) + sum(position.moves)) % len(legal)])


def counting_batch(batch, which, rng):
    return np.array([counting(batch.position(i), rng) if which[i] else 0 for i in range(batch.num_games)])


def play(env, rng):
    """Random legal actions to the end of one episode, already reset; the last step's answer."""
    while True:
        step = env.step(int(rng.choice(np.flatnonzero(env.unwrapped.action_masks()))))
        if step[2] or step[3]:
            return step


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"size": "5x7", "colour": "white", "opponent": passing},
        {"size": 4, "opponent": None, "komi": 24.5},
        {"size": 19, "ko": "situational", "suicide": True},
        {"size": "1x2", "max_moves": 3},
        {"size": 7, "objective": "capture"},
    ],
)
def test_gymnasium_finds_nothing_to_complain_about(settings):
    check_env(gymnasium.make("goagent/Go-v0", **settings).unwrapped)


def test_the_id_alone_imports_the_package():
    code = "import gymnasium; gymnasium.make('envs:goagent/Go-v0', size=5).reset()"
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


@pytest.mark.parametrize("colour, sign", [("black", 1), ("white", -1)])
def test_the_reward_is_the_agents_result(colour, sign):
    rng = np.random.default_rng(0)
    env = gymnasium.make("goagent/Go-v0", size=3, komi=0, colour=colour)
    rewards = set()
    for seed in range(40):
        _, info = env.reset(seed=seed)
        assert info["to_play"] == env.unwrapped.position.to_play == (envs.BLACK if colour == "black" else envs.WHITE)
        _, reward, _, _, _ = play(env, rng)
        assert reward == sign * np.sign(env.unwrapped.position.score_black())
        rewards.add(reward)
    assert rewards == {1, 0, -1}


def test_without_an_opponent_the_reward_is_of_the_side_that_moved():
    env = gymnasium.make("goagent/Go-v0", size=3, komi=-0.5, opponent=None).unwrapped
    for moves, reward in (("B2 pass pass", 1), ("pass pass", -1)):  # Black wins both, and White ends the second
        env.reset()
        *earlier, last = moves.split()
        for vertex in earlier:
            assert env.step(env.rules.action(vertex))[1:3] == (0, False)
        assert env.step(env.rules.action(last))[1:3] == (reward, True)


def test_truncation_pays_and_a_draw_is_worth_nothing():
    env = gymnasium.make("goagent/Go-v0", size=3, komi=9, max_moves=2, opponent=passing).unwrapped
    env.reset()
    assert env.step(4)[1:4] == (0, False, True)
    env = gymnasium.make("goagent/Go-v0", size=3, komi=8.5, max_moves=2, opponent=passing).unwrapped
    env.reset()
    assert env.step(4)[1:4] == (1, False, True)


def test_the_last_observation_is_still_the_agents():
    env = gymnasium.make("goagent/Go-v0", size=3, opponent=passing).unwrapped
    env.reset()
    env.step(4)
    observation, _, terminated, _, info = env.step(env.rules.pass_action)
    assert terminated and info["to_play"] == envs.BLACK
    assert observation[0, 1, 1] == 1 and observation[1].sum() == 0  # own stone in the middle, none of the enemy's


def test_an_illegal_action_changes_nothing():
    env = gymnasium.make("goagent/Go-v0", size=3, opponent=counting).unwrapped
    env.reset()
    env.step(4)
    before = env.position
    for action in (4, -1, 10, 2.5):
        with pytest.raises(envs.IllegalMove):
            env.step(action)
    assert env.position == before
    play(env, np.random.default_rng(0))
    with pytest.raises(envs.IllegalMove, match="the game is over"):
        env.step(env.rules.pass_action)


def test_an_opponents_illegal_move_is_named_and_changes_nothing():
    env = gymnasium.make("goagent/Go-v0", size=3, opponent=lambda position, rng: 4).unwrapped
    env.reset()
    with pytest.raises(envs.IllegalMove, match="White may not play B2"):
        env.step(4)
    assert env.position.moves == ()


@pytest.mark.parametrize("make", [gymnasium.make, gymnasium.make_vec])
@pytest.mark.parametrize(
    "settings, message",
    [
        ({"size": 0}, "rows is 0"),
        ({"size": "nine"}, "size 'nine'"),
        ({"colour": "red"}, "colour is 'red'"),
        ({"ko": "super"}, "ko is 'super'"),
        ({"colour": "white", "max_moves": 1}, "max_moves is 1"),
    ],
)
def test_bad_settings_are_refused(make, settings, message):
    with pytest.raises(ValueError, match=message):
        make("goagent/Go-v0", **settings)


def test_the_seed_decides_the_colour_and_the_opponent():
    def episode(seed):
        env = gymnasium.make("goagent/Go-v0", size=5, colour="random")
        env.reset(seed=seed)
        play(env, np.random.default_rng(0))
        return env.unwrapped.position

    games = [episode(seed) for seed in range(8)]
    assert games == [episode(seed) for seed in range(8)]
    assert len({game.moves for game in games}) == 8
    env = gymnasium.make("goagent/Go-v0", colour="random")
    colours = [env.reset(seed=seed)[1]["to_play"] for seed in range(40)]
    assert 8 < colours.count(envs.BLACK) < 32


def test_copies_and_pickles_go_their_own_way_in_mid_game():
    env = gymnasium.make("goagent/Go-v0", size=5).unwrapped
    env.reset(seed=3)
    env.step(12)
    copies = [copy.deepcopy(env), pickle.loads(pickle.dumps(env))]
    play(env, np.random.default_rng(0))
    for other in copies:
        assert len(other.position.moves) == 2
        play(other, np.random.default_rng(0))
        assert other.position == env.position


def test_rendering():
    env = gymnasium.make("goagent/Go-v0", size="2x3", opponent=passing, render_mode="ansi")
    env.reset()
    env.step(4)
    assert env.render() == "   A B C\n 2 . . .\n 1 . X .\nBlack to play, move 3"
    env = gymnasium.make("goagent/Go-v0", size="2x3", opponent=counting, render_mode="rgb_array")
    env.reset()
    empty = env.render()
    env.step(4)
    picture = env.render()
    assert picture.shape == (2 * CELL, 3 * CELL, 3) and picture.dtype == np.uint8
    changed = (picture != empty).any(axis=-1).reshape(2, CELL, 3, CELL).any(axis=(1, 3))
    assert (changed == (env.unwrapped.position.board != envs.EMPTY)).all()
    with pytest.raises(ValueError, match="render_mode is 'human'"):
        envs.gymnasium_go.GoEnv(render_mode="human")


def test_the_random_opponents_pass_only_when_they_must_or_may_end_the_game():
    full = envs.Position.from_diagram("X . X\n. X X", to_play=envs.WHITE)
    start = envs.Position(full.rules)
    batch = envs.GoBatch.from_positions([full, start.play(full.rules.pass_action), start])
    for seed in range(50):
        rng = np.random.default_rng(seed)
        must, may, opening = random_opponents(batch, np.ones(3, np.bool_), rng)
        assert must == may == full.rules.pass_action != opening
        assert random_opponent(batch.position(0), rng) == random_opponent(batch.position(1), rng) == must
        assert random_opponent(start, rng) < must


def test_the_page_lists_the_planes_as_they_are():
    page = (Path(__file__).parents[2] / "docs/environments.md").read_text()
    rows = [line.split("|") for line in page[page.index("| planes | number |") :].splitlines()[2:]]
    assert tuple((row[1].strip(), int(row[2])) for row in rows) == PLANES


# The vector environment


def make_vec(num_envs=6, **settings):
    return gymnasium.make_vec("goagent/Go-v0", num_envs=num_envs, **settings)


def sample(mask, rng):
    """A legal action for each row."""
    return (rng.random(mask.shape) * mask).argmax(axis=1)


def same(a, b):
    """Equal in type, shape and value, through dicts and the object array of the final observations."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, np.ndarray) and a.dtype == object:
        return b.dtype == object and all(same(x, y) for x, y in zip(a, b, strict=True))
    return data_equivalence(a, b)


def test_the_native_vector_environment_is_the_default_and_states_its_autoreset_mode():
    vector = make_vec()
    assert isinstance(vector, envs.gymnasium_go.GoVectorEnv)
    assert vector.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    assert make_vec(autoreset_mode="SameStep").metadata["autoreset_mode"] is AutoresetMode.SAME_STEP


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "settings",
    [
        {"colour": "black"},
        {"colour": "white", "size": "3x2", "komi": 1, "max_moves": 9},
        {"opponent": None, "ko": "situational", "suicide": True},
        {"objective": "capture"},
    ],
)
def test_it_equals_gymnasiums_own_vector_of_single_games(mode, settings):
    settings = {"size": 3, "opponent": counting} | settings
    batched = settings | {"opponent": settings["opponent"] and counting_batch, "autoreset_mode": mode}
    vector = make_vec(**batched)
    singles = make_vec(**settings, vectorization_mode="sync", vector_kwargs={"autoreset_mode": AutoresetMode(mode)})
    assert vector.observation_space == singles.observation_space and vector.action_space == singles.action_space
    rng = np.random.default_rng(0)
    got, expected = vector.reset(seed=1), singles.reset(seed=1)
    ends = 0
    for _ in range(60):
        assert all(same(a, b) for a, b in zip(got, expected, strict=True))
        over = got[2] | got[3] if len(got) == 5 else np.zeros(6, np.bool_)
        ends += over.sum()
        if mode == "Disabled" and over.any():
            got = vector.reset(options={"reset_mask": over})
            expected = singles.reset(options={"reset_mask": over.copy()})
            continue
        actions = sample(vector.action_masks(), rng)
        got, expected = vector.step(actions), singles.step(actions)
    assert ends > 10


def test_the_seed_decides_everything():
    def run(seed):
        vector = make_vec(32, size=5, colour="random")
        observations, infos = vector.reset(seed=seed)
        rng = np.random.default_rng(0)
        for _ in range(50):
            observations, *_, infos = vector.step(sample(infos["action_mask"], rng))
        return observations, infos["to_play"]

    assert all(np.array_equal(a, b) for a, b in zip(run(1), run(1), strict=True))
    assert not np.array_equal(run(1)[0], run(2)[0])
    assert set(run(1)[1]) == {envs.BLACK, envs.WHITE}


def test_illegal_actions_are_refused_before_anything_happens():
    vector = make_vec(3, size=3, opponent=None)
    vector.reset()
    vector.step(np.array([0, 9, 4]))
    vector.step(np.array([1, 9, 5]))  # the second game ends
    before = [vector.batch.position(i) for i in range(3)]
    for actions in ([2, 0, 4], [2, 0, -1], [2, 0, 10]):
        with pytest.raises(envs.IllegalMove, match="game 2"):
            vector.step(np.array(actions))
    for actions in ([2, 0], [[2, 0, 6]], [2.0, 0.0, 6.0]):
        with pytest.raises(ValueError, match="actions have shape"):
            vector.step(np.array(actions))
    assert [vector.batch.position(i) for i in range(3)] == before
    vector.step(np.array([2, -1, 6]))  # an ended game starts anew, whatever its action
    assert vector.batch.num_moves.tolist() == [3, 0, 3]


def test_without_autoreset_an_ended_game_refuses_moves():
    vector = make_vec(2, size=3, opponent=None, autoreset_mode="Disabled")
    vector.reset()
    vector.step(np.array([9, 0]))
    vector.step(np.array([9, 1]))
    with pytest.raises(envs.IllegalMove, match=r"game 0: .* the game is over"):
        vector.step(np.array([0, 2]))
    for mask in ([True, False], np.array([1, 0]), np.ones(3, np.bool_)):
        with pytest.raises(ValueError, match="reset_mask"):
            vector.reset(options={"reset_mask": mask})


def test_vector_rendering():
    vector = make_vec(2, size=3, opponent=None, render_mode="ansi")
    vector.reset()
    vector.step(np.array([0, 9]))
    first, second = vector.render()
    assert first.startswith("   A B C\n 3 X . .") and "X" not in second
