"""SPECs: every way to name an agent, and one clear line for everything else."""

import subprocess
import sys

import numpy as np
import pytest

from envs import Position, Rules
from goagent import load_agent
from goagent.errors import UserError
from goagent.players import spec
from goagent.players.external import ExternalPlayer
from goagent.players.levels import LEVELS
from goagent.players.random import RandomPlayer
from goagent.players.rollout import RolloutPlayer
from goagent.players.spec import SpecError, describe_agents

RULES = Rules.square(5)


def test_the_players_of_the_package():
    assert isinstance(load_agent("random", RULES), RandomPlayer)
    assert load_agent("rollout", RULES).playouts == spec.describe_agents()[2].options["playouts"].default
    player = load_agent("rollout?playouts=50", RULES)
    assert isinstance(player, RolloutPlayer)
    assert (player.playouts, player.name) == (50, "rollout2?playouts=50")


def test_everything_after_gtp_is_the_command():
    player = load_agent(f"gtp:{sys.executable} -c 'a?b=c&d'", RULES)
    assert isinstance(player, ExternalPlayer)
    assert player.command == f"{sys.executable} -c 'a?b=c&d'"


def test_a_player_of_the_users_own(tmp_path, monkeypatch):
    (tmp_path / "my_own_bot.py").write_text(
        "from goagent.players.random import RandomPlayer\n"
        "class Bot(RandomPlayer):\n"
        "    def __init__(self, rules, depth=1, style='', speed=0.5):\n"
        "        self.options = rules.size, depth, style, speed\n"
        "class Strange:\n"
        "    def __init__(self, rules): self.name = 'strange'\n"
    )
    monkeypatch.chdir(tmp_path)
    before = list(sys.path)
    player = load_agent("py:my_own_bot:Bot?depth=3&style=wild&speed=0.25", RULES)
    assert player.options == ("5", 3, "wild", 0.25)
    assert sys.path == before
    for wrong, says in [
        ("py:my_own_bot:Bot?width=3", "TypeError"),
        ("py:my_own_bot:Missing", "AttributeError"),
        ("py:no_such_module:Bot", "ModuleNotFoundError"),
        ("py:my_own_bot:Strange", "lacks reset, choose, distribution, analyze"),
        ("py:my_own_bot", "expected py:MODULE:CLASS"),
    ]:
        with pytest.raises(SpecError, match=says):
            load_agent(wrong, RULES)


def test_a_trained_agent_is_named_by_its_path(tmp_path, monkeypatch):
    taken = []
    monkeypatch.setattr(
        "goagent.players.search.load_trained_player", lambda path, **options: taken.append((path, options))
    )
    load_agent(f"{tmp_path}?temperature=0", RULES)
    load_agent(f"{tmp_path}", RULES)
    assert taken == [(tmp_path, {"temperature": 0.0}), (tmp_path, {})]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("", "'' is no agent: expected shipped, random"),
        ("rolout", "did you mean rollout?"),
        ("runs/frist", "did you mean runs/first?"),
        ("shipped?playouts=64", "its options are: visits, seconds, temperature, search, level"),
        ("shipped?search=mcts", "search is 'mcts': expected gumbel or puct"),
        ("shipped?visits=0", "visits is '0': expected a whole number from 1"),
        ("random?temperature=1", "random has no option 'temperature': its options are: none"),
        ("rollout?playout=5", "rollout has no option 'playout': its options are: playouts, seconds"),
        ("rollout?playouts=many", "playouts is 'many': expected a whole number from 1 to 1000000"),
        ("rollout?playouts=0", "playouts is '0'"),
        ("rollout?playouts", "cannot read 'playouts'"),
        ("rollout?playouts=", "cannot read 'playouts='"),
        ("rollout?playouts=1&playouts=2", "each key once"),
        ("runs/first?temperature=-1", "temperature is '-1': expected a number, 0"),
        ("runs/first?temperature=nan", "temperature is 'nan'"),
        ("runs/first?playouts=3", "its options are: visits, seconds, temperature, search, level"),
        ("shipped?search=mcts", "search is 'mcts': expected gumbel or puct"),
        ("gtp:", "there is no program ''"),
        ("gtp:no-such-engine --gtp", "there is no program 'no-such-engine'"),
        ("gtp:'unclosed", "cannot read the command"),
        ("x" * 5000, "is no agent"),
    ],
)
def test_bad_specs_are_refused_in_one_line(wrong, says, tmp_path, monkeypatch):
    (tmp_path / "runs" / "first").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as error:
        load_agent(wrong, RULES)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_every_kind_of_agent_is_described():
    kinds = describe_agents()
    assert [kind.spec for kind in kinds][:2] == ["shipped", "random"]
    assert all(kind.what and option.expected for kind in kinds for option in kind.options.values())


def test_naming_agents_needs_no_torch():
    code = "import sys, goagent, envs; goagent.load_agent('rollout', envs.Rules()); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_board_has_a_shipped_agent_and_a_borrowed_one_is_named(capsys):
    for size, says in (("7", ""), ("6x8", "no weights for 6x8 yet, so those for 7x7 play"), ("19", "for 9x9 play")):
        rules = Rules.of_size(size)
        player = load_agent("shipped?visits=2", rules)
        err = capsys.readouterr().err
        assert says in err and ("no weights" in err) == bool(says)
        assert Position(rules).legal_mask()[player.choose(Position(rules), np.random.default_rng(0))]


def test_a_level_is_short_for_options_which_can_still_be_given():
    assert [level.number for level in LEVELS] == list(range(1, len(LEVELS) + 1))
    for level in LEVELS:
        short, long = (load_agent(f"shipped?{options}", RULES) for options in (f"level={level.number}", level.options))
        assert type(short) is type(long) and short.temperature == long.temperature
        assert getattr(short, "visits", 1) == getattr(long, "visits", 1)
    assert load_agent("shipped?temperature=0.5&level=10", RULES).temperature == 0.5
    for wrong in ("0", "11", "high"):
        with pytest.raises(SpecError, match="expected a whole number from 1"):
            load_agent(f"shipped?level={wrong}", RULES)
