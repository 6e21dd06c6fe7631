"""What passes a bottleneck and is read, against cases known by hand; that rates are held; and that it runs."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from goagent.lab.capture_go import PLANES, random_boards
from goagent.lab.core import Result
from goagent.lab.information.exact_bits import (
    ARMS,
    AT_ONCE,
    BOARDS,
    CHANNELS,
    EXPERIMENT,
    HELD,
    KNOWN,
    LED,
    SET,
    SIZE,
    VECTORS,
    Points,
    board_task,
    build,
    learn,
    passing,
    vector_task,
)
from goagent.lab.runner import run_experiment
from goagent.noise.bottleneck import VariationalBottleneck
from tests.goagent.lab.laws import assert_a_function_of_its_arguments

TEST = EXPERIMENT.settings["test"]


@pytest.fixture(scope="module")
def result() -> Result:
    return run_experiment(EXPERIMENT, "test", [0])


def said(mean: Tensor, std: Tensor) -> Tensor:
    """What a bottleneck has to be given for these, (m, units) each."""
    return torch.cat([mean, torch.log(torch.expm1(std)) + 5], dim=1)


def between_two(means: tuple[float, float], stds: tuple[float, float]) -> float:
    """Bits between two words and the number that arrives, by an integral."""
    z = np.linspace(-15, 15, 30_001)
    mean, std = np.array(means)[:, None], np.array(stds)[:, None]
    each = np.exp(-0.5 * ((z - mean) / std) ** 2) / (std * math.sqrt(2 * math.pi))
    ratio = np.clip(each / np.clip(each.mean(axis=0), 1e-300, None), 1e-300, None)
    return float((each * np.log2(ratio)).sum(axis=1).mean() * (z[1] - z[0]))


@pytest.mark.parametrize(("means", "stds"), [((-1, 1), (1, 1)), ((0, 0), (0.2, 2)), ((0, 1.5), (0.5, 1.2))])
def test_what_passes_of_two_words(means: tuple[float, float], stds: tuple[float, float]) -> None:
    torch.manual_seed(0)
    words = said(torch.tensor(means)[:, None], torch.tensor(stds)[:, None]).repeat_interleave(100, 0)
    # 200 inputs of two kinds: which kind it was is all that can pass
    assert passing(words, 100) == pytest.approx(between_two(means, stds), abs=0.03)


def test_nothing_passes_that_is_said_alike_and_all_that_is_far_apart() -> None:
    torch.manual_seed(0)
    units = torch.full((64, 3), 0.5)
    assert passing(said(torch.full((64, 3), 4.0), units), 4) == pytest.approx(0, abs=1e-6), "whatever its rate"
    assert passing(said(torch.arange(64.0)[:, None].expand(64, 3) * 10, units), 4) == pytest.approx(6, abs=1e-3)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 999), st.floats(0.1, 3), st.floats(-3, 1))
def test_no_more_passes_than_the_rate(seed: int, reach: float, spread: float) -> None:
    torch.manual_seed(seed)
    words = said(reach * torch.randn(256, 4), torch.exp(spread + 0.5 * torch.randn(256, 4)).clamp(0.02, 3))
    layer = VariationalBottleneck()
    layer(words)
    assert layer.bits is not None
    assert passing(words, 8) < float(layer.bits.mean()) + 0.15


def test_what_is_read_of_vectors() -> None:
    torch.manual_seed(0)
    task = vector_task()
    assert len({tuple(one) for one in task.x.tolist()}) == 2**KNOWN
    sure = task.x.expand(2, *task.x.shape)
    assert task.read(50 * sure) == pytest.approx(KNOWN, abs=1e-6)
    assert task.read(0 * sure) == pytest.approx(0, abs=1e-6)
    half = sure.clone()
    half[:, :, 5:] = 0  # but the first five of the signs, which are random
    assert task.read(50 * half) == pytest.approx(5, abs=1e-6)
    assert float(task.error(0 * sure[:, :7], torch.arange(7))) == pytest.approx(2 * 7 * 32 * math.log(2), rel=1e-5)
    assert float(task.error(50 * sure[:, :7], torch.arange(7))) == pytest.approx(0, abs=1e-6)


def test_what_is_read_of_boards() -> None:
    task, n = board_task(0, TEST), TEST.boards
    found = random_boards(SIZE, n + TEST.fresh, np.random.default_rng(0)).answers
    shares = torch.from_numpy(found / found.sum(axis=1, keepdims=True))
    frequencies = shares[n:].mean(dim=0)
    assert task.read(frequencies.clamp_min(1e-30).log().expand(2, TEST.fresh, -1)) == pytest.approx(0, abs=1e-6)
    entropy = -float(torch.special.xlogy(frequencies, frequencies).sum()) / math.log(2)
    answers = np.log2(found.sum(axis=1))
    sure = shares.clamp_min(1e-12).log()
    assert task.read(sure[None, n:]) == pytest.approx(entropy - answers[n:].mean(), abs=1e-4)
    chosen = torch.tensor([3, 1])
    assert float(task.error(sure[None, chosen], chosen)) == pytest.approx(answers[[3, 1]].sum() * math.log(2), abs=1e-4)
    assert len(task.x) == n and len(task.told) == TEST.fresh
    assert not (task.x[:, None] == task.told).flatten(2).all(dim=2).any(), "fresh"


def test_networks_see_points_each_with_its_own_filters() -> None:
    torch.manual_seed(0)
    points, x = Points(3), torch.rand(3, 5, PLANES, SIZE, SIZE)
    together = points(x)
    for index, (weight, bias) in enumerate(
        zip(points.convolution.weight.chunk(3), points.convolution.bias.chunk(3), strict=True)
    ):
        alone = torch.nn.functional.conv2d(x[index], weight, bias, padding=1).relu().flatten(1)
        assert alone.shape[1] == CHANNELS * SIZE * SIZE
        torch.testing.assert_close(together[index], alone)


def test_rates_are_held_at_once_and_led_down_slowly() -> None:
    torch.manual_seed(0)
    steps = 120
    course = np.array(learn(VECTORS, build(VECTORS), vector_task(), steps))
    rates = dict(zip(ARMS, course[-1, 1:], strict=True))
    for arm, (bits, _) in AT_ONCE.items():
        assert rates[arm] == pytest.approx(bits, rel=0.2)
    assert 2 < rates["price 1"] < 20, "and a price has it fall, too"
    assert (np.diff(course[:, 0]) == 2).all() and course[0, 0] == 0
    for arm in LED:
        assert rates[arm] > 0.9 * course[0, 1] * 0.99**steps, "a hundredth a step"


def test_it_runs_and_its_figures_are_finite(result: Result) -> None:
    assert {criterion.figure for criterion in EXPERIMENT.criteria} <= set(result.estimates)
    assert all(math.isfinite(estimate.mean) for estimate in result.estimates.values())
    for cell in (VECTORS, BOARDS):
        rates = {arm: result.mean(f"{cell}: {arm}, rate") for arm in ARMS}
        assert result.mean(f"{cell}: off") == pytest.approx(max(abs(rates[f"{bits} bits"] / bits - 1) for bits in SET))
        read = [result.mean(f"{cell}: {arm}, read") - bits for arm, (bits, _) in HELD.items()]
        assert result.mean(f"{cell}: over") == pytest.approx(max(read))
        passed = [result.mean(f"{cell}: {arm}, passing") for arm in ARMS]
        assert all(-0.1 < bits <= KNOWN + 0.1 for bits in passed)
        assert result.mean(f"{cell}: excess") == pytest.approx(max(np.subtract(passed, list(rates.values()))))
    assert f"{result.mean(f'{BOARDS}: price 1, rate'):.2f}." in EXPERIMENT.conclude(result)
    assert EXPERIMENT.draw(result).axes


def test_a_cell_is_a_function_of_its_arguments(result: Result) -> None:
    for cell in (VECTORS, BOARDS):
        assert_a_function_of_its_arguments(result, cell)
