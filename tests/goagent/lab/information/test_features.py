"""Features say what is on the board, learned ones keep to their examples, and capacity and clearness keep to theory."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from envs.symmetry import action_table
from goagent.lab.capture_go import OWN, judge_moves
from goagent.lab.core import Result
from goagent.lab.information.features import BITS, COLOURS, EXPERIMENT, Settings, fit, judged, learned
from goagent.lab.information.move_features import EDGE, MADE, SIZE, beside, hand_made, items, raw, windows
from goagent.lab.runner import run_experiment
from tests.goagent.lab.laws import assert_a_function_of_its_arguments

TEST = EXPERIMENT.settings["test"]
Items = tuple[np.ndarray, np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def result() -> Result:
    return run_experiment(EXPERIMENT, "test", [0])


@pytest.fixture(scope="module")
def drawn() -> Items:
    return items(600, np.random.default_rng(0))


def test_half_of_the_moves_leave_their_chain_to_be_captured(drawn: Items) -> None:
    boards, points, answers = drawn
    assert len(boards) > 60 and answers.mean() == 0.5
    verdicts = judge_moves(boards, points)
    assert not verdicts.illegal.any() and not verdicts.wins.any()
    assert verdicts.loses[answers].all() and not verdicts.loses[~answers].all()
    assert all((a == b).all() for a, b in zip(items(600, np.random.default_rng(0)), drawn, strict=True))


def test_windows_show_the_board_around_the_move(drawn: Items) -> None:
    boards, points, _ = drawn
    seen = windows(boards, points)
    for board, point, window in zip(boards, points, seen, strict=True):
        for (down, right), value in np.ndenumerate(window):
            row, column = point // SIZE + down - 2, point % SIZE + right - 2
            inside = 0 <= row < SIZE and 0 <= column < SIZE
            assert value == (board[row, column] if inside else EDGE)


def test_raw_bits_begin_with_the_points_beside_the_move(drawn: Items) -> None:
    boards, points, _ = drawn
    bits, (stones, _) = raw(windows(boards, points)), beside(boards, points)
    assert bits.shape == (len(boards), 48)
    own, enemy = bits[:, 0:8:2], bits[:, 1:8:2]
    assert (own == ((stones == OWN) | (stones == EDGE))).all()
    assert (enemy == ((stones == -OWN) | (stones == EDGE))).all()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from([-1, 0, 0, 1]), min_size=SIZE**2, max_size=SIZE**2), st.integers(0, SIZE**2 - 1))
def test_liberties_are_those_of_a_flood(stones: list[int], point: int) -> None:
    board = np.array(stones, np.int8).reshape(SIZE, SIZE)
    board.flat[point] = 0
    colours, free = beside(board[None], np.array([point]))
    around = [divmod(point, SIZE)[0] + a for a in (-1, 0, 0, 1)], [point % SIZE + b for b in (0, -1, 1, 0)]
    for colour, count, row, column in zip(colours[0], free[0], *around, strict=True):
        if not (0 <= row < SIZE and 0 <= column < SIZE):
            assert (colour, count) == (EDGE, 0)
            continue
        assert colour == board[row, column]
        chain, liberties, waiting = set(), set(), [(row, column)] if colour else []
        while waiting:
            here = waiting.pop()
            chain.add(here)
            for there in ((here[0] + a, here[1] + b) for a, b in ((-1, 0), (0, -1), (0, 1), (1, 0))):
                if min(there) >= 0 and max(there) < SIZE and there not in chain:
                    if board[there] == colour:
                        waiting.append(there)
                    elif board[there] == 0:
                        liberties.add(there)
        assert count == len(liberties)


@pytest.mark.parametrize("symmetry", range(8))
def test_hand_made_features_do_not_change_when_the_board_is_turned(drawn: Items, symmetry: int) -> None:
    boards, points, _ = drawn
    table = action_table(SIZE, SIZE)[symmetry]
    turned = np.empty_like(boards.reshape(len(boards), -1))
    turned[:, table[:-1]] = boards.reshape(len(boards), -1)
    board = turned.reshape(boards.shape)
    all_of_them = np.arange(len(boards))
    made = hand_made(boards, points, windows(boards, points), all_of_them)
    assert made.shape == (len(boards), MADE) and made.any(axis=0).all()
    assert (hand_made(board, table[points], windows(board, table[points]), all_of_them) == made).all()


def test_filters_learn_from_their_own_copy_alone() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randint(1, 3, (2, 80, 2), generator=generator).float()  # 1 and 2: without an offset nothing parts them
    answers = torch.stack([x[0, :, 0], x[1, :, 1]]) - 1
    longer = Settings(steps=150)

    def codes() -> torch.Tensor:
        return learned(x, answers, x[0], 4, longer, torch.Generator().manual_seed(1))

    first = codes()
    assert first.shape == (2, 80, 4) and set(first.unique().tolist()) == {-1, 1}
    agreement = (first * (2 * x[0].T[..., None] - 3)).mean(dim=1).abs().amax(dim=1)
    assert (agreement == 1).all()  # a filter for each answer, on the other copy's examples as well
    answers[1] = 1 - answers[1]
    assert torch.equal(codes()[0], first[0]) and not torch.equal(codes()[1], first[1])


def test_the_fit_is_where_the_slope_is_zero() -> None:
    generator = torch.Generator().manual_seed(0)
    codes = torch.randn(3, 50, 4, generator=generator).sign().double().requires_grad_()
    answers = torch.randint(2, (3, 50), generator=generator).float()
    weights = fit(codes, answers).detach().requires_grad_()
    logits = (codes @ weights[..., None])[..., 0]
    loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, answers.double(), reduction="sum")
    (slope,) = torch.autograd.grad(loss + 0.5 * weights.square().sum(), weights)
    assert slope.abs().max() < 1e-9


def test_capacity_keeps_to_wilks_and_clearness_to_its_formula() -> None:
    """Bits that agree with the truth by (1 + r) / 2 give gradients of clearness r² / (1 - r²)."""
    generator = torch.Generator().manual_seed(0)
    copies, bits, r = 60, 16, 0.4
    truth = torch.randint(2, (20_000,), generator=generator).float()
    agree = torch.where(torch.rand(1, len(truth), bits, generator=generator) < (1 + r) / 2, 1.0, -1.0)
    codes = (agree * (2 * truth[:, None] - 1)).expand(2 * copies, -1, -1)
    chosen = torch.randint(len(truth), (2 * copies, 300), generator=generator)
    answers = torch.cat([truth[chosen[:copies]], torch.randint(2, (copies, 300), generator=generator).float()])
    seen = codes[torch.arange(2 * copies)[:, None], chosen]
    capacity, gap, loss, right, clearness = judged(seen, answers, codes, truth)
    assert capacity == pytest.approx((bits + 1) / (2 * math.log(2)), rel=0.15)
    assert clearness == pytest.approx(r**2 / (1 - r**2), rel=0.05)
    assert gap > 0 and right > 0.9 and loss < 0.3


def test_clearness_is_nothing_by_chance() -> None:
    generator = torch.Generator().manual_seed(0)
    codes = torch.randn(200, 100, 50, generator=generator).sign()
    truth = torch.randint(2, (100,), generator=generator).float()
    assert abs(judged(codes, truth.expand(200, -1), codes, truth)[-1]) < 0.001


def test_it_runs_and_its_figures_are_finite(result: Result) -> None:
    assert {criterion.figure for criterion in EXPERIMENT.criteria} <= set(result.estimates)
    assert all(math.isfinite(estimate.mean) for estimate in result.estimates.values())
    assert all(len(result.first(f"{kind}: gap by bits")) == len(BITS) for kind in COLOURS)
    assert f"{result.mean('gap by capacity'):.2f}" in EXPERIMENT.conclude(result)
    assert EXPERIMENT.draw(result).axes


def test_it_is_a_function_of_its_arguments(result: Result) -> None:
    assert_a_function_of_its_arguments(result, "")
