"""One dial for strength: a level is a short name for options of a trained agent, weakest first.

The lower half plays without search from a policy that is made ever flatter, so it errs as chance will have it; the
upper half searches ever longer. How far apart the levels are is measured by `goagent match --levels shipped`.
"""

from typing import NamedTuple


class Level(NamedTuple):
    """One step of the dial."""

    number: int
    name: str
    options: str  # of a SPEC


LEVELS = (
    Level(1, "first game", "visits=1&temperature=10"),
    Level(2, "beginner", "visits=1&temperature=5"),
    Level(3, "novice", "visits=1&temperature=3"),
    Level(4, "careless", "visits=1&temperature=2"),
    Level(5, "casual", "visits=1&temperature=1.4"),
    Level(6, "by instinct", "visits=1&temperature=1"),
    Level(7, "one look", "visits=4"),
    Level(8, "thoughtful", "visits=16"),
    Level(9, "strong", "visits=64"),
    Level(10, "full strength", "visits=400"),
)
