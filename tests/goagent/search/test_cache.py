"""A cached evaluator gives the answers of the one inside, and asks it as little as its memory allows."""

import zlib
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs import GoBatch, Rules
from envs.planes import NUM_PLANES, OFFSETS
from goagent.search.cache import CachedEvaluator
from goagent.search.evaluation import Evaluation
from tests.envs.games import KO_RULES, random_batch, random_positions


class Digest:
    """An evaluator whose answer to a position comes from a checksum of its planes; it notes how it is asked."""

    def __init__(self) -> None:
        self.batches: list[np.ndarray] = []
        self.salt = 0

    def __call__(self, planes: np.ndarray) -> Evaluation:
        self.batches.append(planes.copy())
        rows, cols = planes.shape[2:]
        points = rows * cols
        noise = np.empty((len(planes), 2 * points + 3), np.float32)
        for row, position in zip(noise, planes, strict=True):
            row[:] = zlib.crc32(position.tobytes(), self.salt) * np.arange(1, len(row) + 1) % 2003 / 1001 - 1
        logits, value, score, ownership = np.split(noise, [points + 1, points + 2, points + 3], axis=1)
        return Evaluation(logits, value[:, 0], score[:, 0], ownership.reshape(-1, rows, cols))

    @property
    def asked(self) -> int:
        return sum(len(batch) for batch in self.batches)


@cache
def pool(rows: int = 3, cols: int = 4) -> np.ndarray:
    """(positions, planes, rows, cols): 20 positions that differ."""
    positions = list(random_positions(Rules(rows, cols, komi=3, max_moves=100), seed=3, plies=19, pass_weight=0))
    planes = GoBatch.from_positions(positions).observe()
    assert len({position.tobytes() for position in planes}) == len(planes) == 20
    return planes


def assert_same(one: Evaluation, other: Evaluation) -> None:
    assert isinstance(one, Evaluation)
    for a, b in zip(one, other, strict=True):
        assert a.dtype == b.dtype and a.shape == b.shape and (a == b).all()


@given(
    st.lists(st.lists(st.integers(0, 19), min_size=1, max_size=12), max_size=20),
    st.sampled_from([1, 2, 5, 16, 1000]),
    st.integers(-1, 19),
)
def test_any_sequence_of_batches_is_answered_as_without_a_cache(batches, capacity, cleared_before):
    planes = pool()
    inner = Digest()
    cached = CachedEvaluator(inner, capacity)
    for i, which in enumerate(batches):
        if i == cleared_before:
            cached.clear()
            inner.salt = 1  # the network has changed
        reference = Digest()
        reference.salt = inner.salt
        answer = cached(planes[which])
        assert_same(answer, reference(planes[which]))
        for part in answer:
            part[:] = 7  # what is returned is the caller's own
    for asked in inner.batches:
        assert 0 < len(asked) == len({position.tobytes() for position in asked})
    assert cached.evaluated == inner.asked
    assert cached.hits + cached.evaluated == sum(len(which) for which in batches)


def test_a_position_is_evaluated_once():
    planes = pool()
    inner = Digest()
    cached = CachedEvaluator(inner, 10**5)
    cached(planes[[4, 4, 1, 4]])
    assert (inner.batches[0] == planes[[4, 1]]).all()
    cached(planes[[1, 2, 4, 2]])
    assert (inner.batches[1] == planes[[2]]).all()
    cached(planes[[4, 2, 1]])
    assert len(inner.batches) == 2 and (cached.hits, cached.evaluated) == (8, 3)
    cached.clear()
    cached(planes[[4]])
    assert (cached.hits, cached.evaluated) == (8, 4)


def test_a_difference_anywhere_in_the_planes_is_another_position():
    position = pool()[9]
    planes = np.stack([position] * (position.size + 1))
    for i in range(position.size):
        planes[i].ravel()[i] = 1 - planes[i].ravel()[i]
    cached = CachedEvaluator(Digest(), 64)
    assert_same(cached(planes), Digest()(planes))
    assert cached.evaluated == len(planes)
    tiny = np.stack([position, position])
    tiny[1, OFFSETS["komi"]] = np.nextafter(tiny[0, OFFSETS["komi"]], np.float32(1))
    assert_same(cached(tiny), Digest()(tiny))


@pytest.mark.parametrize("ko", KO_RULES)
def test_planes_tell_the_legal_moves_of_a_game_that_goes_on(ko):
    for seed in range(5):
        batch = random_batch(Rules(3, 4, ko=ko, suicide=seed % 2 == 0, max_moves=200), 50, seed, 60, pass_weight=0.02)
        planes, going = batch.observe(), ~batch.is_over
        free = (
            planes[:, OFFSETS["own stones"]] + planes[:, OFFSETS["enemy stones"]] + planes[:, OFFSETS["illegal"]] == 0
        )
        assert going.sum() > 10
        assert (free.reshape(50, -1)[going] == batch.legal_mask()[going, :-1]).all() and batch.legal_mask()[
            going, -1
        ].all()


def test_memory_is_bounded_by_the_capacity():
    planes = pool(5, 5)
    cached = CachedEvaluator(Digest(), 7)
    sizes = set()
    for _ in range(3):
        cached(planes)
        sizes.add(cached.nbytes)
    assert sizes == {7 * (16 + 4 * (26 + 1 + 1 + 25))}


def test_a_failure_inside_leaves_nothing_behind():
    planes = pool()
    inner = Digest()
    broken = True

    def evaluate(planes: np.ndarray) -> Evaluation:
        if broken:
            raise RuntimeError("out of memory")
        return inner(planes)

    cached = CachedEvaluator(evaluate, 100)
    with pytest.raises(RuntimeError):
        cached(planes)
    broken = False
    assert_same(cached(planes), Digest()(planes))


def test_planes_in_any_memory_layout():
    planes = pool()
    cached = CachedEvaluator(Digest(), 10**5)
    cached(planes)
    assert_same(cached(planes[::-2]), Digest()(planes[::-2]))
    assert_same(cached(np.asfortranarray(planes)), Digest()(planes))
    assert cached.evaluated == len(planes)


def test_bad_arguments_say_what_is_wrong():
    with pytest.raises(ValueError, match="capacity is 0"):
        CachedEvaluator(Digest(), 0)
    cached = CachedEvaluator(Digest(), 10)
    cached(pool())
    with pytest.raises(ValueError, match=rf"\(1, {NUM_PLANES}, 5, 5\) and type float32: expected .*\(17, 3, 4\)"):
        cached(pool(5, 5)[:1])
    with pytest.raises(ValueError, match="float64"):
        cached(pool().astype(np.float64))
