"""An evaluator that remembers: positions that it has seen are answered from a table.

A position is recognised by its planes alone. They say everything a network is told, and the legal moves of a game that
goes on as well: the points without a stone that the plane "illegal" leaves free, and the pass.
"""

import numpy as np

from envs.jit import kernel, njit
from envs.lockstep import below
from goagent.search.evaluation import Evaluate, Evaluation


class CachedEvaluator:
    """`evaluate`, with the answers to at most `capacity` positions kept; itself an `Evaluate`.

    Every position has one slot, and the latest one to need a slot has it. The answers equal those of `evaluate`, if
    that is a function of the planes, row by row: a network's last digits may depend on the size of the batch. Call
    `clear` when the network has changed. The memory is taken with the first batch, whose shapes all others must have.

    hits, evaluated: how many positions were answered from memory (or were twice in a batch), and how many were not.
    """

    def __init__(self, evaluate: Evaluate, capacity: int) -> None:
        if not 1 <= capacity < 2**32:
            raise ValueError(f"capacity is {capacity!r}: expected a number of positions from 1 to 2**32 - 1")
        self.evaluate = evaluate
        self.capacity = capacity
        self.hits = 0
        self.evaluated = 0
        self._shape: tuple[int, ...] | None = None
        self._keys = np.zeros((capacity, 2), np.uint64)  # (0, 0) where there is nothing
        self._answers: tuple[np.ndarray, ...] = ()  # the parts of an `Evaluation`, (capacity, ...) each

    def __call__(self, planes: np.ndarray) -> Evaluation:
        """The evaluation of planes (batch, planes, rows, cols) float32. Raises ValueError for another shape."""
        batch = len(planes)
        if batch == 0:
            return self.evaluate(planes)
        if self._shape is None:
            self._shape = planes.shape[1:]
            length = int(np.prod(self._shape)) + 1
            self._factors = np.random.Generator(np.random.PCG64(1979)).integers(0, 2**64, (2, length), np.uint64)
        if planes.shape[1:] != self._shape or planes.dtype != np.float32:
            raise ValueError(
                f"planes have shape {planes.shape} and type {planes.dtype}: "
                f"expected float32 and, after the batch, {self._shape} as at first"
            )
        keys = np.empty((batch, 2), np.uint64)
        slots, source, first = np.empty((3, batch), np.int64)
        words = np.ascontiguousarray(planes).reshape(batch, -1).view(np.uint32)
        misses = find(words, self._factors, self._keys, keys, slots, source, first)
        first = first[:misses]
        self.hits += batch - misses
        self.evaluated += misses
        if misses == 0:
            return self._recall(slots)

        fresh = self.evaluate(planes if misses == batch else planes[first])
        if not self._answers:
            self._answers = tuple(np.zeros((self.capacity, *part.shape[1:]), part.dtype) for part in fresh)
        answer = fresh
        if misses < batch:
            missed = source >= 0
            answer = self._recall(slots)
            for part, new in zip(answer, fresh, strict=True):
                part[missed] = new[source[missed]]
        slots = slots[first]
        self._keys[slots] = keys[first]  # of two that need the same slot, numpy leaves the last, here and below
        for known, new in zip(self._answers, fresh, strict=True):
            known[slots] = new
        return answer

    def _recall(self, slots: np.ndarray) -> Evaluation:
        return Evaluation(*(known.take(slots, axis=0) for known in self._answers))

    def clear(self) -> None:
        """Forget all positions; the counters go on."""
        self._keys[:] = 0

    @property
    def nbytes(self) -> int:
        """Bytes of the table."""
        return self._keys.nbytes + sum(part.nbytes for part in self._answers)


@kernel(forceinline=True)
def fingerprint(words: np.ndarray, factors: np.ndarray, row: int) -> tuple:
    """128 bits, as two numbers, of the words (batch, n) uint32 of a row; factors (2, n + 1) are random 64-bit numbers.

    Multilinear hashing (Carter and Wegman 1979): factors[:, n] + sum of word * factor, modulo 2**64, twice. Planes that
    differ in a 0 or 1 have the same two sums with probability 2**-128. For this the difference of the two words has to
    be odd, so each is first turned until the exponent of the float is at the low end, where a 1 has 127.
    """
    n = words.shape[1]
    low = factors[0, n]
    high = factors[1, n]
    for i in range(n):  # this becomes vector instructions, as the words stay within 32 bits
        word = np.uint64(words[row, i])
        word = ((word >> np.uint64(23)) | (word << np.uint64(9))) & np.uint64(0xFFFFFFFF)
        low += word * factors[0, i]
        high += word * factors[1, i]
    return low, high


@njit()
def find(
    words: np.ndarray,
    factors: np.ndarray,
    known: np.ndarray,
    keys: np.ndarray,
    slots: np.ndarray,
    source: np.ndarray,
    first: np.ndarray,
) -> int:
    """Look up a batch in the keys `known` (capacity, 2); returns the number of different positions that are missing.

    Fills keys (batch, 2) and slots (batch,) of the positions, source (batch,): -1 for a known one, else its number
    among the missing ones, and first: the row where each of those comes first.
    """
    size = 2
    while size < 2 * len(words):
        size *= 2
    numbers = np.full(size, -1, np.int64)  # a hash table of the missing ones, with linear probing
    misses = 0
    for row in range(len(words)):
        low, high = fingerprint(words, factors, row)
        keys[row, 0] = low
        keys[row, 1] = high
        slot = below(low, len(known))
        slots[row] = slot
        source[row] = -1
        if known[slot, 0] == low and known[slot, 1] == high:
            continue
        i = np.int64(high >> np.uint64(32)) & (size - 1)
        while numbers[i] >= 0 and (keys[first[numbers[i]], 0] != low or keys[first[numbers[i]], 1] != high):
            i = (i + 1) & (size - 1)
        if numbers[i] < 0:
            numbers[i] = misses
            first[misses] = row
            misses += 1
        source[row] = numbers[i]
    return misses
