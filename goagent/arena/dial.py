"""`goagent match --levels SPEC`: how far apart the levels of an agent are.

Every level plays those one and two steps away, and the yardstick that is rated 0. Start with `rate_levels`.
"""

from rich.console import Console

from goagent.arena.ladder import ANCHOR, pairing, play_pairings
from goagent.arena.match import MatchConfig
from goagent.arena.ratings import rate
from goagent.errors import UserError
from goagent.players.levels import LEVELS
from goagent.rules import rules_from

_APART = (1, 2)  # levels that meet


def rate_levels(config: MatchConfig) -> int:
    """Play, rate, print. Raises UserError."""
    assert config.levels is not None
    if any(f"{option}=" in config.levels for option in ("level", "visits", "temperature")):
        raise UserError(f"levels is {config.levels!r}: expected a SPEC without a level, visits or temperature")
    rules = rules_from(config.size or "9", komi=config.komi, ko=config.ko or "positional")
    joint = "&" if "?" in config.levels else "?"
    specs = {f"level {level.number}": f"{config.levels}{joint}level={level.number}" for level in LEVELS}
    names = list(specs)
    pairs = [(names[i + apart], names[i]) for apart in _APART for i in range(len(names) - apart)]
    pairs += [(name, ANCHOR) for name in names]
    results = play_pairings(config, rules, specs | {ANCHOR: ANCHOR}, pairs)
    console = Console()
    console.print(rate(map(pairing, results), {ANCHOR: 0}))
    games = sum(len(result.games) for result in results)
    console.print(
        f"{games:,} games on {rules.size}, komi {rules.komi:g}, {config.games} in each of {len(results)} pairings."
    )
    return 0
