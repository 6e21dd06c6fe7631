"""The levels of an agent, rated against each other. The agents here are rollouts, the longer the higher the level."""

import pytest

from goagent.arena import ladder
from goagent.arena.match import MatchConfig, match
from goagent.errors import UserError
from goagent.players.levels import LEVELS
from goagent.players.rollout import RolloutPlayer


def test_every_level_meets_its_neighbours_and_the_yardstick(monkeypatch, capsys):
    asked = []

    def load(spec, rules):
        asked.append(spec)
        return RolloutPlayer(2 * int(spec.partition("level=")[2] or 1))

    monkeypatch.setattr(ladder, "load_agent", load)
    assert match(MatchConfig(levels="shipped?search=puct", size="3", games=2)) == 0
    said = capsys.readouterr().out
    assert asked == [f"shipped?search=puct&level={level.number}" for level in LEVELS] + [ladder.ANCHOR]
    assert all(f"level {level.number} " in said for level in LEVELS) and "anchored" in said
    pairings = 2 * len(LEVELS) - 3 + len(LEVELS)
    assert f"{2 * pairings} games on 3, komi 0.5, 2 in each of {pairings} pairings" in " ".join(said.split())


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"levels": "shipped?level=3"}, "expected a SPEC without a level"),
        ({"levels": "shipped?visits=2"}, "expected a SPEC without a level"),
        ({"levels": "shipped", "a": "random"}, "levels and a SPEC are both given"),
        ({"levels": "shipped", "jobs": 2}, "levels and jobs are both given"),
        ({"levels": "shipped", "ladder": "runs"}, "levels and ladder are both given"),
    ],
)
def test_what_makes_no_sense_with_it_is_said(settings, says):
    with pytest.raises(UserError, match=says):
        match(MatchConfig(**settings))
