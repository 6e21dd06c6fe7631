"""The rollout player: what it says of a position, when it passes, and that it beats those it must beat."""

import numpy as np
import pytest

from envs import BLACK, WHITE, GoBatch, Position, Rules
from goagent.arena.match import play_match
from goagent.players.random import RandomPlayer
from goagent.players.rollout import RolloutPlayer
from goagent.search.rollout import VERSION

PASS = 25


def test_its_name_says_version_and_limits():
    assert RolloutPlayer().name == f"rollout{VERSION}?playouts=200"
    assert RolloutPlayer(50).name == f"rollout{VERSION}?playouts=50"
    assert RolloutPlayer(seconds=0.5).name == f"rollout{VERSION}?seconds=0.5"
    assert RolloutPlayer(1000, 2).name == f"rollout{VERSION}?playouts=1000&seconds=2"


def test_it_takes_what_wins():
    rules = Rules.square(4, objective="capture")
    position = Position.from_diagram(". . . .\n. X . .\nX O . .\n. X . .", rules)
    player = RolloutPlayer(300)
    assert {player.choose(position, np.random.default_rng(seed)) for seed in range(3)} == {rules.action("C2")}
    opinion = player.analyze(position)
    assert opinion.win_probability == 1
    assert opinion.lines[0].action == rules.action("C2")
    assert sum(line.visits for line in opinion.lines) == 300
    assert [line.probability for line in opinion.lines] == [line.visits / 300 for line in opinion.lines]


def test_it_speaks_for_the_side_to_move():
    position = Position.from_diagram("X X X X X\nX . X . X\nX X X X X\n. . . . .\n. . . . .", to_play=WHITE)
    opinion = RolloutPlayer(100).analyze(position)
    assert opinion.win_probability < 0.2
    assert opinion.score < -5
    assert (opinion.ownership[:3] == -1).all()


def test_seconds_alone_are_a_limit():
    position = Position(Rules.square(5))
    player = RolloutPlayer(seconds=0.02)
    assert player.playouts > 10_000
    assert position.why_illegal(player.choose(position, np.random.default_rng(0))) is None


def test_it_passes_to_win_and_not_to_lose():
    won = Position.from_diagram(". X . . .\nX X X X X\n. X . . .\n. . . . .\n. . . . .").with_to_play(WHITE).play(PASS)
    player = RolloutPlayer(20)
    assert player.choose(won, np.random.default_rng(0)) == PASS
    assert player.distribution(won)[PASS] == 1
    assert player.analyze(won).win_probability == 1
    lost = Position.from_diagram("O O O O O\n. O . . .\n. . . . .\n. . . . .\n. . . . .").with_to_play(BLACK)
    assert player.distribution(lost)[PASS] == 0
    nothing_left = Position.from_diagram("O . O O O\nO O O O O\nO . O O O\nO O O O O\nO O O O O")
    assert player.choose(nothing_left, np.random.default_rng(0)) == PASS


@pytest.mark.parametrize("size", ["5", "3x6"])
def test_it_repeats_itself_with_a_seed_and_finishes_its_games_without_filling_its_eyes(size):
    player = RolloutPlayer(20)

    def play(seed):
        rng = np.random.default_rng(seed)
        position = Position(Rules.of_size(size))
        while not position.is_over:
            action = player.choose(position, rng)
            assert not GoBatch.from_positions([position]).own_eyes()[0, action]
            position = position.play(action)
        return position

    games = [play(seed) for seed in (1, 1, 2)]
    assert games[0] == games[1] != games[2]
    assert not any(game.truncated for game in games)


def test_it_beats_random_and_more_playouts_play_better():
    rules = Rules.square(5, komi=7)  # with the default komi Black wins too easily
    assert play_match(RolloutPlayer(40), RandomPlayer(), rules, 12, np.random.default_rng(0)).score == 1
    assert play_match(RolloutPlayer(160), RolloutPlayer(10), rules, 16, np.random.default_rng(1)).score > 0.7
