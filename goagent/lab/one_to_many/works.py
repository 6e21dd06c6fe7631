"""Pictures and melodies: all the works that a blank sheet can become in `blank_sheet.py`. Start with `SHEETS`.

A *work* is a sheet filled in: 49 pixels, or 16 notes. There are 64 works of either kind, all equally likely, so to know
them is to know 6 bits.

Pictures. Eight motifs without any symmetry of their own, in all eight positions of the square: 64 distinct pictures.
The set is closed under the symmetries of the square, so its mean is unchanged by each of them (lemma 1 of
centre-collapse), and so is the mean after any threshold. No picture of the set is: the mean is never a valid one.

Melodies. A tune is four bars of four notes of the scale C D E F G A B C', numbered 0 to 7:

    tune    -> motif, the same motif moved up by 1, 2, 3 or 4 steps, the motif again, cadence
    motif   -> C D E F | F E D C | C E C E | C C E F
    cadence -> G A B C' | G F D C | E D D C | A F D C

which makes 4 x 4 x 4 = 64 tunes. Their mean is between two notes in most places, and ends neither low nor high on C.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np

from envs.symmetry import action_table

SIDE = 7
MOTIFS = """
flag      note      cup       house     boat      boot      duck      key
.#.....   ...##..   .......   ...#.#.   ...#...   .###...   .##....   .###...
.####..   ...###.   #...#..   ..####.   ...##..   .###...   ###....   .#.#...
.######   ...#.##   #...###   .#####.   ...###.   .###...   .##....   .###...
.####..   ...#..#   #...#.#   #######   ...####   .###...   .##...#   ..#....
.#.....   .###...   #...###   .#...#.   ...#...   .#####.   .######   ..###..
.#.....   ####...   #####..   .#.#.#.   #######   .######   .#####.   ..#....
.#.....   .##....   .......   .#.#.#.   .#####.   .##.###   ..###..   ..#....
"""

BARS, BAR, NOTES = 4, 4, 8
OPENINGS = np.array([[0, 1, 2, 3], [3, 2, 1, 0], [0, 2, 0, 2], [0, 0, 2, 3]])
STEPS = np.array([1, 2, 3, 4])
CADENCES = np.array([[4, 5, 6, 7], [4, 3, 1, 0], [2, 1, 1, 0], [5, 3, 1, 0]])


@cache
def motifs() -> np.ndarray:
    """(8, 49) of 0 and 1: the diagrams above."""
    columns = zip(*(line.split() for line in MOTIFS.strip().splitlines()[1:]), strict=True)
    return np.array([[character == "#" for row in column for character in row] for column in columns], dtype=np.int64)


@cache
def pictures() -> np.ndarray:
    """(64, 49): every motif in all eight positions, each picture once."""
    return np.unique(motifs()[:, action_table(SIDE, SIDE)[:, :-1]].reshape(-1, SIDE * SIDE), axis=0)


def is_picture(works: np.ndarray) -> np.ndarray:
    """(n, 49) -> (n,) bool: whether one of a picture's eight positions is a motif."""
    turned = works[:, action_table(SIDE, SIDE)[:, :-1]]
    return (turned[:, :, None] == motifs()).all(axis=3).any(axis=(1, 2))


@cache
def tunes() -> np.ndarray:
    """(64, 16): the language of the grammar."""
    return np.array([[*m, *(m + step), *m, *cadence] for m in OPENINGS for step in STEPS for cadence in CADENCES])


def is_tune(works: np.ndarray) -> np.ndarray:
    """(n, 16) -> (n,) bool: whether the grammar derives the notes."""
    first, second, third, last = np.moveaxis(works.reshape(-1, BARS, BAR), 1, 0)
    moved = second - first

    def among(bars: np.ndarray, allowed: np.ndarray) -> np.ndarray:
        return (bars[:, None] == allowed).all(axis=2).any(axis=1)

    sequence = (moved == moved[:, :1]).all(axis=1) & np.isin(moved[:, 0], STEPS)
    return among(first, OPENINGS) & sequence & (third == first).all(axis=1) & among(last, CADENCES)


class Sheet(NamedTuple):
    """A kind of work: all of them, how many values a place can take, and the judge of any sheet filled in."""

    works: Callable[[], np.ndarray]
    values: int
    valid: Callable[[np.ndarray], np.ndarray]


SHEETS = {"pictures": Sheet(pictures, 2, is_picture), "melodies": Sheet(tunes, NOTES, is_tune)}
