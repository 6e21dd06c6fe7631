"""The rules of a game as a person asks for them."""

from typing import Any

from envs import Rules
from goagent.errors import UserError

NO_CAP = 2**31 - 1  # max_moves where people and engines play: nobody's game is cut short


def rules_from(size: int | str, **settings: Any) -> Rules:
    """`Rules.of_size` for input from a person: size 9, "9" or "5x7" (rows x columns). Raises UserError."""
    try:
        return Rules.of_size(size, **settings)
    except ValueError as error:
        raise UserError(str(error)) from error
