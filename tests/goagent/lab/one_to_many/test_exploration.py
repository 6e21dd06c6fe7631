import numpy as np
import torch

from envs import GoBatch, Rules
from envs.state import SKIP
from envs.symmetry import action_table
from goagent.lab.batched_play import play_batch, policy_mover, random_mover
from goagent.lab.core import Result
from goagent.lab.one_to_many.exploration import (
    EXPERIMENT,
    Exploiters,
    learn,
    puct_mover,
    sometimes_random,
    unique_games,
)
from goagent.players.evaluator import evaluator
from goagent.policies.network import NetworkConfig, PolicyNetwork

RULES = Rules.square(5, max_moves=20)
TEST = EXPERIMENT.settings["test"]


def network() -> PolicyNetwork:
    torch.manual_seed(0)
    return PolicyNetwork(NetworkConfig(channels=8, blocks=1)).eval()


def lowest(games: GoBatch) -> np.ndarray:
    """The first legal point, or the pass."""
    return games.legal_mask().argmax(axis=1)


def highest(games: GoBatch) -> np.ndarray:
    """The last legal point, or the pass where there is none."""
    points = games.legal_mask()[:, :-1]
    last = points.shape[1] - 1 - points[:, ::-1].argmax(axis=1)
    return np.where(points.any(axis=1), last, games.rules.pass_action)


def test_mirror_images_are_other_games_but_one_up_to_symmetry():
    game = np.array([0, 7, 12, 25, 25, SKIP])
    turned = np.append(action_table(5, 5)[:, game[:-1]], np.full((8, 1), SKIP), axis=1)
    longer = np.array([[0, 7, 12, 13, 25, 25]])
    assert unique_games(turned, RULES) == (8, 1)
    assert unique_games(np.concatenate([turned, turned, longer]), RULES) == (9, 2)


def test_greedy_self_play_is_one_game_and_sampled_play_many():
    rng = np.random.default_rng(0)
    for temperature, least, most in ((0, 1, 1), (1, 20, 20)):
        mover = policy_mover(network(), rng, temperature)
        count, _ = unique_games(play_batch(RULES, 20, mover, mover).moves, RULES)
        assert least <= count <= most


def test_search_repeats_itself_only_without_noise():
    rng = np.random.default_rng(0)
    counts = []
    for noise in (0.0, 0.25):
        mover = puct_mover(evaluator(network()), 4, noise, rng)
        counts.append(unique_games(play_batch(RULES, 6, mover, mover).moves, RULES)[0])
    assert counts[0] == 1
    assert counts[1] > 1


def test_epsilon_is_the_share_of_random_moves():
    games = GoBatch(RULES, 2000)
    mover = sometimes_random(lowest, 0.2, np.random.default_rng(0))
    other = (mover(games) != 0).mean()
    assert abs(other - 0.2 * 24 / 25) < 0.03
    assert (sometimes_random(lowest, 0.0, np.random.default_rng(0))(games) == 0).all()


def test_an_exploiter_replays_its_first_win_exactly():
    players = Exploiters(8, RULES, random_mover(np.random.default_rng(0)))
    firsts: dict[int, list[int]] = {}
    replayed = 0
    for _ in range(30):
        games = play_batch(RULES, 8, players.choose, lowest)
        for i in np.flatnonzero(players.found):
            assert games.position(int(i)).moves == tuple(firsts[int(i)])
            replayed += 1
        for i in np.flatnonzero(players.remember(games)):
            firsts.setdefault(int(i), list(games.position(int(i)).moves))
    assert replayed > 0
    assert set(np.flatnonzero(players.found).tolist()) == set(firsts)


def test_an_exploiter_leaves_its_line_when_the_answer_is_another():
    players = Exploiters(4, RULES, lowest)
    players.lines[:, :5] = [24, 0, 23, 1, 22]
    play = play_batch(RULES, 4, players.choose, lowest)
    assert (play.moves[:, :5] == [24, 0, 23, 1, 22]).all()
    other = play_batch(RULES, 4, players.choose, highest)
    assert (other.moves[:, :4] == [24, 23, 0, 22]).all()  # after the first answer it explores, and 0 is the lowest


def test_an_exploiter_remembers_no_lost_game():
    players = Exploiters(3, RULES, lambda games: np.full(3, games.rules.pass_action))
    games = play_batch(RULES, 3, players.choose, lowest)
    assert not players.remember(games).any()
    assert not players.found.any()


def test_learners_share_their_start_and_repeat_themselves():
    start = [learn(TEST, 3, 0, temperature) for temperature in (0, 1)]
    assert all(torch.equal(a, b) for a, b in zip(*(net.parameters() for net in start), strict=True))
    greedy, sampled, again = (learn(TEST, 3, 1, temperature) for temperature in (0, 1, 1))
    assert not torch.equal(greedy.trunk.stem.weight, sampled.trunk.stem.weight)
    assert torch.equal(again.trunk.stem.weight, sampled.trunk.stem.weight)


def test_every_figure_is_there():
    figures = {
        f"{cell}: {name}": value
        for cell in EXPERIMENT.cells(TEST)
        for name, value in EXPERIMENT.measure(cell, 0, TEST).items()
    }
    assert all(np.isfinite(value).all() for value in figures.values())
    assert figures["diversity: greedy"] == 1
    result = Result(EXPERIMENT, "test", (0,), (figures,))
    assert len(result.outcomes) == len(EXPERIMENT.criteria)
    assert "1 differ with greedy moves" in EXPERIMENT.conclude(result)
    assert len(EXPERIMENT.draw(result).axes) == 3
