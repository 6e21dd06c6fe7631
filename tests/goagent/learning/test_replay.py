"""The replay buffer gives back what was put in, turned by a symmetry, and only the newest of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs import GoBatch, Rules
from envs.symmetry import action_table, transform, transform_board
from goagent.learning.replay import Replay, from_bytes, pack, to_bytes, unpack


def positions(rules, count, seed=0):
    """Unfinished random positions, each with a komi of its own."""
    rng = np.random.default_rng(seed)
    games = GoBatch(rules, count)
    games.komi[:] = rng.integers(-20, 20, size=count) / 2
    for _ in range(int(rng.integers(1, rules.num_points + 1))):
        points = games.legal_mask().copy()
        points[:, -1] = ~points[:, :-1].any(axis=1)
        games.step(np.where(points.any(axis=1), np.where(points, rng.random(points.shape), -1).argmax(axis=1), -1))
    return games.observe(), games.legal_mask().copy()


def filled(rules, count, seed=0):
    """Rows with random targets."""
    rng = np.random.default_rng(seed)
    rows = pack(rules, *positions(rules, count, seed))
    rows["policy"] = rng.dirichlet(np.ones(rules.num_actions), size=count)
    rows["ownership"] = rng.integers(-1, 2, size=(count, rules.num_points))
    rows["value"], rows["score"] = rng.integers(-1, 2, size=count), rng.normal(size=count)
    return rows


@given(st.integers(1, 7), st.integers(1, 7), st.integers(0, 100))
def test_packing_loses_nothing(rows, cols, seed):
    rules = Rules(rows, cols)
    planes, legal = positions(rules, 5, seed)
    again, mask = unpack(rules, from_bytes(rules, to_bytes(pack(rules, planes, legal))))
    assert (again == planes).all() and (mask == legal).all()


@pytest.mark.parametrize("rules", [Rules(4, 4), Rules(3, 5)], ids=str)
def test_a_sample_is_a_row_in_one_of_the_symmetries(rules):
    replay, rng = Replay(rules, 50), np.random.default_rng(1)
    replay.add(filled(rules, 30))
    rows = replay.rows[:30]
    planes, legal = unpack(rules, rows)
    sample = replay.sample(60, rng)
    seen = set()

    def same(r, i, k):
        turned = (legal[r], rows["policy"][r].astype(np.float32), rows["ownership"][r])
        drawn = (sample["legal"][i], sample["policy"][i], sample["ownership"][i].ravel())
        return (
            np.array_equal(transform_board(planes[r], k), sample["planes"][i])
            and all(
                np.array_equal(transform(a, k, rules.rows, rules.cols), b) for a, b in zip(turned, drawn, strict=True)
            )
            and (sample["value"][i], sample["score"][i]) == (rows["value"][r], rows["score"][r])
        )

    for i in range(60):
        symmetries = range(len(action_table(rules.rows, rules.cols)))
        found = {k for r in range(30) for k in symmetries if same(r, i, k)}
        assert found
        seen |= found
    assert len(seen) == len(action_table(rules.rows, rules.cols))


@given(st.lists(st.integers(0, 40), max_size=8), st.integers(1, 60))
def test_the_ring_holds_the_newest(counts, capacity):
    rules = Rules(2, 2)
    replay, number = Replay(rules, capacity), 0
    for count in counts:
        rows = pack(rules, *(part[:1].repeat(count, axis=0) for part in positions(rules, 1)))
        rows["score"] = number + np.arange(count)
        number += count
        replay.add(rows)
    assert replay.added == number
    if number:
        drawn = replay.sample(200, np.random.default_rng(0))["score"]
        assert drawn.min() >= number - min(number, capacity) and drawn.max() < number


@given(st.integers(0, 10**7))
def test_the_window_grows_ever_more_slowly(added):
    replay = Replay(Rules(1, 1), 10**6)
    replay.added = added
    window = replay.window
    assert window == added if added <= 20_000 else 20_000 <= window <= min(added, 10**6)
    replay.added += 1000
    assert 0 <= replay.window - window <= 1000


def test_a_restored_buffer_draws_the_same():
    rules = Rules(3, 3)
    replay, copy = Replay(rules, 64), Replay(rules, 64)
    for seed in range(3):
        replay.add(filled(rules, 30, seed))
    copy.restore(*replay.state())
    ours, theirs = (r.sample(100, np.random.default_rng(5)) for r in (replay, copy))
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)
    with pytest.raises(ValueError):
        copy.restore(replay.state()[0], replay.state()[1][:10])
    with pytest.raises(ValueError, match="bytes"):
        copy.restore(replay.state()[0], replay.state()[1][:, :-1])
