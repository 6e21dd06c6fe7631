"""What turns with the board answers a symmetric one with its centre; what is right of a draw is what the loss says."""

import math
from itertools import product

import numpy as np
import pytest
import torch

from envs.symmetry import action_table, transform_board
from goagent.lab.capture_go import observe, random_boards
from goagent.lab.core import Result
from goagent.lab.one_to_many.buridan import (
    CATEGORICAL,
    ENERGY,
    EXACT,
    EXPERIMENT,
    LOSSES,
    NEAREST,
    POINT,
    SQUARED,
    centred,
    collapse,
    fresh_model,
    turned,
)
from goagent.lab.one_to_many.noise_channel import NoiseChannel, energy_score, nearest_draw, squared_error
from goagent.lab.one_to_many.suites import SHEETS
from goagent.lab.runner import run_experiment
from tests.goagent.lab.laws import assert_a_function_of_its_arguments

CORNERS = torch.tensor(list(product((-2.0, 2.0), repeat=2)))


@pytest.fixture(scope="module")
def result() -> Result:
    return run_experiment(EXPERIMENT, "test", [0])


def test_the_equivariant_point_of_a_symmetric_board_is_its_centre_without_any_training() -> None:
    """Lemma 4."""
    rng = np.random.default_rng(0)
    boards = [sheet.board[None] for sheet in SHEETS if not sheet.name.startswith("S0")]
    boards += [random_boards(7, 30, rng, "C2").boards, random_boards(7, 30, rng, "D4").boards]
    for seed in range(3):
        measured = centred(fresh_model(POINT, seed), boards)
        assert measured["on centre"] == 1 and measured["farthest"] <= EXACT
    without = centred(fresh_model(POINT, 0), [random_boards(7, 30, rng).boards])
    assert without["on centre"] < 0.1, "no symmetry, no centre"


def moved(points: torch.Tensor, k: int, size: int) -> torch.Tensor:
    """Places (..., 2), row and column, as symmetry `k` moves them: where three corners go says where all go."""
    corners = torch.tensor([0, size - 1, size * (size - 1)])
    others = torch.from_numpy(action_table(size, size)[k, corners.numpy()])
    before, after = (torch.stack([c // size, c % size], dim=1).float() for c in (corners, others))
    affine = torch.linalg.solve(torch.cat([before, torch.ones(3, 1)], dim=1), after)
    return torch.cat([points, torch.ones_like(points[..., :1])], dim=-1) @ affine


def test_under_a_mirror_the_point_is_on_its_axis() -> None:
    boards = random_boards(7, 30, np.random.default_rng(0), "D1").boards  # one batch: one mirror
    (mirror,) = (k for k in range(1, 8) if (transform_board(boards, k) == boards).all())
    with torch.no_grad():
        points = fresh_model(POINT, 0)(torch.from_numpy(observe(boards))).raw[:, :2]
    assert torch.allclose(moved(points, mirror, 7), points, atol=EXACT)
    assert (points - 3).norm(dim=1).max() > 1e-3, "which need not be the centre"


@pytest.mark.parametrize("k", range(8))
def test_with_noise_the_answer_turns_with_the_board_and_the_noise(k: int) -> None:
    torch.manual_seed(0)
    head = NoiseChannel(6, energy_score)
    features, noise = torch.randn(2, 6, 5, 5), torch.randn(2, 3, 5, 5)
    with torch.no_grad():
        straight = head.points(features, noise)
        other = head.points(*(torch.from_numpy(transform_board(x.numpy(), k)) for x in (features, noise)))
        still = head.points(features, torch.zeros_like(noise))
    assert torch.allclose(moved(straight, k, 5), other, atol=1e-4)
    assert (straight[:, 0] - straight[:, 1]).norm(dim=1).min() > 0.01
    assert torch.allclose(still[:, 0], still[:, 1])


def expected(loss: str, points: torch.Tensor) -> float:
    """The loss of draws (n, 2) over moves in the corners."""
    return LOSSES[loss](points.expand(4, -1, -1), CORNERS[:, None]).mean().item()


def test_squared_error_wants_the_centre_and_the_energy_score_the_corners() -> None:
    centre, corners, one = torch.zeros(8, 2), CORNERS.repeat(2, 1), CORNERS[:1].repeat(8, 1)
    assert expected(SQUARED, centre) == pytest.approx(8)
    assert expected(SQUARED, corners) == expected(SQUARED, one) == pytest.approx(16)
    assert expected(NEAREST, corners) == 0
    astray = torch.cat([CORNERS, torch.zeros(4, 2)])
    assert expected(NEAREST, astray) == 0, "the nearest draw's loss does not care about the others"
    assert expected(ENERGY, corners) < min(expected(ENERGY, points) for points in (centre, one, astray))


def test_the_energy_score_is_least_for_draws_from_the_right_distribution() -> None:
    generator = torch.Generator().manual_seed(0)
    moves = CORNERS[torch.randint(4, (20_000, 1), generator=generator)]
    scores = {}
    for share in (0.0, 0.4, 0.7, 1.0):  # of draws that are corners; the rest are the centre
        draws = CORNERS[torch.randint(4, (20_000, 8), generator=generator)]
        draws = draws * (torch.rand(20_000, 8, 1, generator=generator) < share)
        scores[share] = energy_score(draws, moves).mean().item()
    assert sorted(scores, key=lambda share: scores[share]) == [1.0, 0.7, 0.4, 0.0]


def test_losses_agree_on_a_single_place() -> None:
    points, move = torch.randn(5, 1, 2).expand(-1, 4, -1), torch.zeros(5, 1, 2)
    assert torch.allclose(squared_error(points, move), nearest_draw(points, move))
    assert torch.allclose(energy_score(points, move), points[:, 0].norm(dim=1), atol=0.02)


def test_collapse_is_one_for_draws_that_do_not_vary_and_less_for_others() -> None:
    suites = [random_boards(7, 20, np.random.default_rng(0), "C2", (2, 9))]
    model = fresh_model(SQUARED, 0)
    assert collapse(model, suites) < 0.99
    with torch.no_grad():
        model.head.maps.weight[1] = 0  # the noise counts for nothing
        model.head.maps.bias[1] = 0
    assert collapse(model, suites) == pytest.approx(1, abs=1e-5)


def test_the_distribution_turns_with_the_board() -> None:
    boards = random_boards(7, 20, np.random.default_rng(0)).boards
    assert turned(fresh_model(CATEGORICAL, 0), boards) <= 1e-5


def test_it_runs_and_its_figures_are_finite(result: Result) -> None:
    assert {criterion.figure for criterion in EXPERIMENT.criteria} <= set(result.estimates)
    assert all(math.isfinite(estimate.mean) for estimate in result.estimates.values())
    for figure in ("untrained on centre", "on centre"):  # lemma 4 is exact
        assert result.mean(f"{POINT}: {figure}") == 1
    assert result.mean(f"{CATEGORICAL}: turned") <= 1e-5
    assert f"{result.mean(f'{ENERGY}: S3 wins'):.0%}" in EXPERIMENT.conclude(result)
    assert EXPERIMENT.draw(result).axes


def test_a_cell_is_a_function_of_its_arguments(result: Result) -> None:
    assert_a_function_of_its_arguments(result, ENERGY)
