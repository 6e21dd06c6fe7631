"""What the words after a command mean."""

from envs import BLACK, WHITE

COLOURS = {"b": BLACK, "black": BLACK, "w": WHITE, "white": WHITE}


class Refused(Exception):
    """A command fails; the message is the answer."""


def read_colour(words: list[str]) -> int:
    """The first word as a colour. Raises Refused."""
    try:
        return COLOURS[words[0].lower()]
    except (IndexError, KeyError):
        raise Refused("syntax error") from None


def read_number(words: list[str], least: float = -1e9) -> float:
    """The first word as a number from `least` to 1e9. Raises Refused."""
    try:
        found = float(words[0])
    except (IndexError, ValueError):
        raise Refused("syntax error") from None
    if not least <= found <= 1e9:
        raise Refused("syntax error")
    return found


def read_whole(words: list[str]) -> int:
    """The first word as a whole number. Raises Refused."""
    found = read_number(words)
    if found != int(found):
        raise Refused("syntax error")
    return int(found)
