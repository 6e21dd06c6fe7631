"""Go agents that learn, and the arena that measures them. Start with `load_agent(SPEC, rules)`: it gives a player."""

from typing import Any

__all__ = ["load_agent"]


def __getattr__(name: str) -> Any:
    if name == "load_agent":  # late: `import goagent` stays free of torch
        from goagent.players.spec import load_agent

        return load_agent
    raise AttributeError(f"module 'goagent' has no attribute {name!r}")
