"""Where a source of noise acts: the five places of Kukačka, Golkov and Cremers 2017, arXiv:1710.10686.

What is learned depends on the data, the family of functions, the error, the regularisation term and the optimiser:
minimise over w the mean of E(f_w(x), t) + R. A source stands where it has to be hooked in; one that adds a term to the
loss therefore counts as regularisation, whatever else it changes.
"""

from enum import Enum
from typing import NamedTuple


class Place(Enum):
    DATA = "data"
    ARCHITECTURE = "architecture"
    ERROR = "error term"
    REGULARISATION = "regularisation term"
    OPTIMISATION = "optimisation"


class Source(NamedTuple):
    place: Place
    paper: str
