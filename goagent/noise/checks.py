"""What the numbers that sources are made with have to be."""


def probability(name: str, value: float) -> float:
    """`value`, if it is one. Raises ValueError."""
    if not 0 <= value <= 1:
        raise ValueError(f"{name} is {value!r}: expected a probability, from 0 to 1")
    return value


def not_negative(name: str, value: float) -> float:
    """`value`, if it is at least 0 and finite. Raises ValueError."""
    if not 0 <= value < float("inf"):
        raise ValueError(f"{name} is {value!r}: expected a number of at least 0")
    return value


def positive(name: str, value: float) -> float:
    """`value`, if it is above 0 and finite. Raises ValueError."""
    if not 0 < value < float("inf"):
        raise ValueError(f"{name} is {value!r}: expected a number above 0")
    return value
