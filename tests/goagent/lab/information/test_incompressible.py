"""Pi by two formulas, fractions by division, chaos by what is known of it; and the figures are there."""

import math
import sys

import numpy as np
import pytest

from goagent.lab.core import Result
from goagent.lab.information.incompressible import (
    APART,
    CHAOS,
    DICE,
    EXPERIMENT,
    PI,
    chaos_digits,
    distances,
    fraction_digits,
    lyapunov_exponent,
    orbit,
    pi_digits,
    program_figures,
    program_text,
    run_program,
    written,
)
from goagent.lab.information.measures import compressed_bits
from goagent.lab.runner import run_experiment
from tests.goagent.lab.laws import assert_a_function_of_its_arguments


@pytest.fixture(scope="module")
def result() -> Result:
    return run_experiment(EXPERIMENT, "test", [0])


def test_pi_is_known() -> None:
    assert pi_digits(50) == "31415926535897932384626433832795028841971693993751"
    assert pi_digits(768)[-6:] == "999999", "Feynman's point"
    assert pi_digits(3000)[:1234] == pi_digits(1234)


def test_long_digits_need_no_global_setting() -> None:
    before = sys.get_int_max_str_digits()
    assert len(pi_digits(6000)) == 6000 > before > 0
    assert sys.get_int_max_str_digits() == before


@pytest.mark.parametrize("number", [1, 2, 999, 5000])
def test_the_program_prints_as_many_digits_as_it_says(number: int) -> None:
    assert run_program(number) == pi_digits(number)
    assert str(number) in program_text(number) and len(program_text(number)) <= 150


def test_the_program_holds_no_digits_of_pi() -> None:
    """The same text for another number of digits differs in that number alone."""
    bare = [program_text(number).replace(str(number), "").replace(str(number + 9), "") for number in (5000, 70)]
    assert bare[0] == bare[1]


def test_wrong_digits_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    module = sys.modules[pi_digits.__module__]
    for printed, share in (("31415", 0.5), ("3141692653", 0.9), ("3141592653", 1), ("31415926535" + "0" * 9, 0.5)):
        monkeypatch.setattr(module, "run_program", lambda _, printed=printed: printed)
        assert program_figures(10)["regenerated"] == share


def test_a_fraction_repeats() -> None:
    text = fraction_digits(400)
    assert text == str(355 * 10**399 // 113)
    assert text[1:113] == text[113:225]
    assert compressed_bits(text, "zlib") < compressed_bits(pi_digits(400), "zlib") / 2


def test_chaos_makes_a_bit_a_step() -> None:
    """Conjugate to the tent map, whose slope is 2: the sum telescopes, so short orbits do."""
    for start in (0.2, 0.123, 0.39):
        assert lyapunov_exponent(start, 20_000) == pytest.approx(math.log(2), abs=0.005)
    assert lyapunov_exponent(0.75, 5) == pytest.approx(math.log(2)), "the fixed point"


def test_orbits_stay_and_neighbours_part() -> None:
    points = orbit(0.2, 1000)
    assert points[:3].tolist() == pytest.approx([0.2, 0.64, 0.9216])
    assert ((points >= 0) & (points <= 1)).all()
    apart = distances(0.2)
    assert apart[0] == pytest.approx(APART, rel=1e-3) and max(apart[:20]) < 1e-4 and max(apart[40:]) > 0.1


def test_digits_of_chaos_are_even() -> None:
    text = chaos_digits(0.2, 20_000)
    counts = np.array([text.count(str(digit)) for digit in range(10)])
    assert len(text) == 20_000 and (abs(counts - 2000) < 200).all()


def test_digits_are_written_as_text() -> None:
    assert written(np.array([3, 0, 9])) == "309"


def test_it_runs_and_its_figures_are_finite(result: Result) -> None:
    assert {criterion.figure for criterion in EXPERIMENT.criteria} <= set(result.estimates)
    assert all(math.isfinite(estimate.mean) for estimate in result.estimates.values())
    assert result.mean(f"{PI}: regenerated") == 1
    assert result.mean("zlib apart") == abs(result.mean(f"{PI}: zlib") - result.mean(f"{DICE}: zlib"))
    assert f"{result.mean(f'{PI}: program bytes'):.0f} bytes" in EXPERIMENT.conclude(result)
    assert EXPERIMENT.draw(result).axes


@pytest.mark.parametrize("cell", [DICE, CHAOS])
def test_a_cell_is_a_function_of_its_arguments(cell: str, result: Result) -> None:
    assert_a_function_of_its_arguments(result, cell)


def test_pi_does_not_depend_on_the_seed() -> None:
    settings = EXPERIMENT.settings["test"]
    assert EXPERIMENT.measure(PI, 0, settings) == EXPERIMENT.measure(PI, 1, settings)
