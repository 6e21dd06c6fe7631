import math

import numpy as np
import pytest
import torch

from envs import BLACK, GoBatch, Position, Rules
from envs.state import SKIP
from envs.symmetry import action_table, transform_board
from goagent.lab.batched_play import (
    draw,
    match,
    play_batch,
    plies_of,
    policy_mover,
    random_mover,
)
from goagent.lab.core import Result
from goagent.lab.one_to_many.alphago_recipe import EXPERIMENT, combined, fresh, imitation_loss, q_loss
from goagent.lab.one_to_many.from_games import fit
from goagent.players.evaluator import evaluator

RULES = Rules.square(3, max_moves=20)
TEST = EXPERIMENT.settings["test"]


def lowest(games: GoBatch) -> np.ndarray:
    """The first legal point, or the pass."""
    return games.legal_mask().argmax(axis=1)


def passing(games: GoBatch) -> np.ndarray:
    return np.full(games.num_games, games.rules.pass_action)


class Recorder:
    """A mover that notes the side and the last two moves that it found in each game."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, tuple[int, ...]]] = []

    def __call__(self, games: GoBatch) -> np.ndarray:
        self.seen += [(int(games.to_play[i]), games.position(i).moves[:2]) for i in range(games.num_games)]
        return passing(games)


def test_match_gives_each_opening_to_both_colours():
    a, b = Recorder(), Recorder()
    match(a, b, RULES, 10, np.random.default_rng(0))
    openings = {side: sorted(moves for s, moves in set(a.seen) if s == side) for side in (1, 2)}
    assert len(openings[1]) == 5
    assert openings[1] == openings[2]
    assert all(len(moves) == 2 for moves in openings[1])


def test_match_from_the_other_side_is_the_complement():
    forwards = match(lowest, passing, RULES, 20, np.random.default_rng(3))
    backwards = match(passing, lowest, RULES, 20, np.random.default_rng(3))
    assert forwards[:10].tolist() == (1 - backwards[10:]).tolist()
    assert forwards[10:].tolist() == (1 - backwards[:10]).tolist()
    assert match(lowest, lowest, RULES, 20, np.random.default_rng(3)).mean() == 0.5


def test_a_lockstep_game_is_the_game_played_alone():
    rng = np.random.default_rng(1)
    games = play_batch(RULES, 5, random_mover(rng), lowest)
    for i in range(5):
        position = Position(RULES)
        for action in games.position(i).moves:
            position = position.play(action)
        assert position.is_over
        assert position.score_black() == games.score_black()[i]


def test_plies_hold_what_each_side_saw_and_how_it_ended():
    games = play_batch(RULES, 4, random_mover(np.random.default_rng(2)), lowest)
    plies = plies_of(RULES, games.moves)
    assert len(plies.actions) == games.num_moves.sum()
    for i in range(4):
        position, mine = Position(RULES), plies.where(plies.games == i)
        assert mine.actions.tolist() == list(games.position(i).moves)
        for planes, legal, action, result in zip(*mine[:4], strict=True):
            assert (planes == position.observe()).all()
            assert (legal == position.legal_mask()).all()
            sign = 1 if position.to_play == BLACK else -1
            assert result == np.sign(games.score_black()[i]) * sign
            position = position.play(int(action))


def test_draw_follows_the_probabilities_and_never_takes_what_has_none():
    probabilities = np.array([[0.0, 0.25, 0.0, 0.75, 0.0]] * 4000, np.float32)
    drawn = draw(probabilities, np.random.default_rng(0))
    assert set(drawn.tolist()) == {1, 3}
    assert (drawn == 3).mean() == pytest.approx(0.75, abs=0.03)


def test_policy_mover_skips_finished_games_and_plays_legal_moves():
    torch.manual_seed(0)
    games = GoBatch(RULES, 2)
    games.step(np.array([RULES.pass_action, 4]))
    games.step(np.array([RULES.pass_action, 0]))
    actions = policy_mover(fresh(TEST).eval(), np.random.default_rng(0))(games)
    assert actions[0] == SKIP
    assert games.legal_mask()[1, actions[1]]


def test_learning_one_move_makes_it_the_most_probable_in_every_symmetry():
    torch.manual_seed(0)
    rules = Rules.square(5)
    corner, beside = rules.action("A1"), rules.action("B2")
    plies = plies_of(rules, np.array([[corner, beside]])).where(np.array([1]))
    rng = np.random.default_rng(0)
    learned = fit(fresh(TEST), plies, 150, imitation_loss, rng, batch_size=16, learning_rate=1e-2)
    for k, table in enumerate(action_table(5, 5)):
        said = learned.answer(transform_board(plies.planes, k).copy(), plies.legal[:, np.argsort(table)])
        assert int(said.moves.mode()) == table[beside]


def test_q_learns_only_of_the_move_that_was_played():
    torch.manual_seed(0)
    network = fresh(TEST)
    plies = plies_of(RULES, np.array([[4, 0, RULES.pass_action, RULES.pass_action]]))
    said = network(torch.from_numpy(plies.planes), torch.from_numpy(plies.legal))
    said.moves.raw.retain_grad()
    q_loss(said, torch.from_numpy(plies.actions), torch.from_numpy(plies.results)).backward()
    touched = said.moves.raw.grad != 0
    assert touched.sum(dim=1).tolist() == [1] * 4
    assert touched.int().argmax(dim=1).tolist() == plies.actions.tolist()


def test_search_takes_moves_from_the_policy_and_the_value_from_the_other_network():
    torch.manual_seed(0)
    policy, value = fresh(TEST), fresh(TEST)
    planes = Position(RULES).observe()[None]
    both = combined(policy, value)(planes)
    assert (both.logits == evaluator(policy)(planes).logits).all()
    assert (both.value == evaluator(value)(planes).value).all()


def test_every_figure_is_there_and_the_same_again():
    figures = EXPERIMENT.measure("", 0, TEST)
    again = EXPERIMENT.measure("", 0, TEST)
    assert figures == again
    assert all(math.isfinite(value) for value in figures.values())
    result = Result(EXPERIMENT, "test", (0,), (figures,))
    assert len(result.outcomes) == len(EXPERIMENT.criteria)
    assert f"{figures['RL against imitation']:.0%}" in EXPERIMENT.conclude(result)
    assert EXPERIMENT.draw(result).axes
