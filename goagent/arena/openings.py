"""Short random openings, so that the games of a match differ even between players that never vary."""

import numpy as np

from envs import Position, Rules
from envs.symmetry import canonical

_ATTEMPTS = 50  # at an opening that is not there yet, before repeats are accepted


def random_openings(rules: Rules, count: int, plies: int, rng: np.random.Generator) -> list[tuple[int, ...]]:
    """`count` openings of `plies` uniformly random legal moves that are no passes and end no game.

    No two lead to the same position up to symmetry while there are others; after that repeats are spread evenly. An
    opening is shorter where no such move is left.
    """
    openings: list[tuple[int, ...]] = []
    seen: set[bytes] = set()
    while len(openings) < count:
        for _ in range(_ATTEMPTS):
            position = _random_position(rules, plies, rng)
            key = canonical(position.board)
            if key not in seen:
                break
        else:
            seen.clear()
        seen.add(key)
        openings.append(position.moves)
    return openings


def _random_position(rules: Rules, plies: int, rng: np.random.Generator) -> Position:
    position = Position(rules)
    for _ in range(plies):
        points = np.flatnonzero(position.legal_mask()[:-1])
        if not len(points):
            break
        after = position.play(int(rng.choice(points)))
        if after.is_over:
            break
        position = after
    return position
