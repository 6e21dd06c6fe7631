"""The works are as many as stated and judged as stated; the mean is the answer of squared error, and not a work."""

import math
from itertools import product

import numpy as np
import pytest
import torch

from envs.symmetry import canonical, transform
from goagent.lab.core import Result
from goagent.lab.one_to_many.blank_sheet import EXPERIMENT, Autoregressive, Settings, perfect_recall, rounded
from goagent.lab.one_to_many.works import NOTES, SHEETS, SIDE, is_picture, is_tune, motifs, pictures, tunes
from goagent.lab.runner import run_experiment
from tests.goagent.lab.laws import assert_a_function_of_its_arguments


@pytest.fixture(scope="module")
def result() -> Result:
    return run_experiment(EXPERIMENT, "test", [0])


def test_eight_motifs_without_symmetry_make_64_pictures_closed_under_the_square() -> None:
    assert len({canonical(motif.reshape(SIDE, SIDE)) for motif in motifs()}) == 8
    every = {picture.tobytes() for picture in pictures()}
    assert len(every) == 64
    for k in range(8):
        assert {transform(picture, k, SIDE, SIDE).tobytes() for picture in pictures()} == every


@pytest.mark.parametrize("kind", SHEETS)
def test_the_judge_knows_the_works_and_nothing_near_them(kind: str) -> None:
    sheet = SHEETS[kind]
    works = sheet.works()
    every = {work.tobytes() for work in works}
    assert len(every) == 64 and sheet.valid(works).all()
    rng = np.random.default_rng(0)
    strange = rng.integers(sheet.values, size=(2000, works.shape[1]))
    near = works[rng.integers(64, size=2000)]
    near[np.arange(2000), rng.integers(works.shape[1], size=2000)] = rng.integers(sheet.values, size=2000)
    judged = np.concatenate([strange, near])
    assert sheet.valid(judged).tolist() == [work.tobytes() in every for work in judged]


def test_the_grammar_derives_64_tunes_whatever_bar_is_put_into_one() -> None:
    every = {tune.tobytes() for tune in tunes()}
    bars = np.array(list(product(range(NOTES), repeat=4)))
    for tune in tunes()[::9]:
        for bar in range(4):
            changed = np.repeat(tune[None], len(bars), axis=0)
            changed[:, 4 * bar : 4 * bar + 4] = bars
            assert {work.tobytes() for work in changed[is_tune(changed)]} == {
                work.tobytes() for work in changed
            } & every


@pytest.mark.parametrize("kind", SHEETS)
def test_squared_error_is_least_at_the_mean_which_is_no_work(kind: str) -> None:
    sheet = SHEETS[kind]
    works = sheet.works().astype(float)
    best = np.linalg.lstsq(np.ones((len(works), 1)), works, rcond=None)[0]
    assert np.allclose(best, works.mean(axis=0))
    assert not sheet.valid(rounded(best, sheet.values)).any()


def test_the_mean_picture_is_no_work_at_any_threshold() -> None:
    mean = pictures().mean(axis=0)
    for k in range(8):
        assert np.allclose(transform(mean, k, SIDE, SIDE), mean)
    for threshold in np.unique(mean):
        assert not is_picture((mean >= threshold).astype(int)[None]).any()


def test_place_by_place_is_a_distribution_over_works() -> None:
    torch.manual_seed(0)
    decoder = Autoregressive(3, 2, Settings(width=8))
    works = torch.tensor(list(product(range(2), repeat=3)))
    with torch.no_grad():
        likelihood = decoder.log_likelihood(works).exp()
        drawn = decoder.draw(20_000)
    assert math.isclose(likelihood.sum().item(), 1, rel_tol=1e-5)
    shares = (drawn[:, None] == works).all(dim=2).float().mean(dim=0)
    assert torch.allclose(shares, likelihood, atol=0.02)
    assert len(decoder.draw(5, greedy=True).unique(dim=0)) == 1


def test_a_perfect_sampler_misses_a_fifth_of_64_in_100_draws() -> None:
    rng = np.random.default_rng(0)
    seen = [len(np.unique(rng.integers(64, size=100))) / 64 for _ in range(500)]
    assert abs(np.mean(seen) - perfect_recall(64, 100)) < 0.01
    assert 0.79 < perfect_recall(64, 100) < 0.8


def test_it_runs_and_its_figures_are_finite(result: Result) -> None:
    assert {criterion.figure for criterion in EXPERIMENT.criteria} <= set(result.estimates)
    assert all(math.isfinite(estimate.mean) for estimate in result.estimates.values())
    for kind in SHEETS:
        assert result.mean(f"{kind}, squared error: distinct") == 1
        assert result.mean(f"{kind}, autoregressive: greedy distinct") == 1
    assert f"{result.mean('pictures, noise and squared error: collapse'):.3f}" in EXPERIMENT.conclude(result)
    assert EXPERIMENT.draw(result).axes


def test_a_cell_is_a_function_of_its_arguments(result: Result) -> None:
    assert_a_function_of_its_arguments(result, "melodies, autoencoder")
