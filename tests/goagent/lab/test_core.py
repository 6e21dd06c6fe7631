"""What a verdict follows from: estimates, outcomes, and the rule over all of their combinations."""

import json
import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from goagent.lab import catalogue
from goagent.lab.core import (
    DEVELOPMENT_SEEDS,
    JUDGING_SEEDS,
    RULE,
    Claim,
    Criterion,
    Estimate,
    Outcome,
    Result,
    Role,
    Verdict,
    judge,
)
from goagent.lab.runner import run_experiment
from tests.goagent.lab.fake import COIN

NUMBERS = st.floats(-1e6, 1e6)
SEVERAL = st.lists(NUMBERS, min_size=2, max_size=12)
MARKS = list(product(Role, Outcome))


def verdict_by_the_rule(outcomes):
    """`RULE` read sentence by sentence."""
    claim = {outcome for role, outcome in outcomes if role is Role.CLAIM}
    control = {outcome for role, outcome in outcomes if role is Role.CONTROL}
    condition = {outcome for role, outcome in outcomes if role is Role.CONDITION}
    if control - {Outcome.MET} or not claim:
        return "NOT TESTABLE"
    if claim == {Outcome.MET}:
        return "REPRODUCED" + " WITH CONDITION" * (Outcome.MET in condition)
    return "REFUTED" if Outcome.CONTRADICTED in claim else "NOT REPRODUCED"


@pytest.mark.parametrize("count", range(4))
def test_the_verdict_is_the_rule_s_for_all_roles_and_outcomes(count, tally):
    combinations = list(product(MARKS, repeat=count))
    for outcomes in combinations:
        assert judge(outcomes) == verdict_by_the_rule(outcomes), outcomes
    tally("verdicts with the rule", len(combinations))


def test_the_rule_names_every_verdict():
    assert all(verdict.removeprefix("REPRODUCED ") in RULE for verdict in Verdict)


@given(st.lists(st.sampled_from(MARKS)), st.randoms())
def test_order_and_repetition_change_no_verdict(outcomes, random):
    shuffled = outcomes * 2
    random.shuffle(shuffled)
    assert judge(shuffled) == judge(outcomes)


@given(st.lists(st.sampled_from(MARKS)), st.sampled_from(Outcome))
def test_details_decide_nothing(outcomes, outcome):
    assert judge([*outcomes, (Role.DETAIL, outcome)]) == judge(outcomes)


@given(st.lists(st.sampled_from(MARKS)), st.sampled_from([Outcome.NOT_MET, Outcome.CONTRADICTED]))
def test_nothing_outweighs_a_control_that_fails(outcomes, outcome):
    assert judge([*outcomes, (Role.CONTROL, outcome)]) == Verdict.NOT_TESTABLE


@given(SEVERAL)
def test_the_interval_is_scipy_s(values):
    estimate = Estimate.of(values)
    assert estimate.values == tuple(values)
    assert estimate.mean == pytest.approx(np.mean(values), abs=1e-6)
    spread = stats.sem(values)
    if spread < 1e-6:
        assert estimate.high - estimate.low < 1e-4
        return
    low, high = stats.t.interval(0.95, len(values) - 1, loc=np.mean(values), scale=spread)
    assert (estimate.low, estimate.high) == (pytest.approx(low, abs=1e-6), pytest.approx(high, abs=1e-6))


def test_one_seed_has_no_interval_and_contradicts_nothing():
    estimate = Estimate.of([0.2])
    assert (estimate.mean, estimate.low, estimate.high) == (0.2, -math.inf, math.inf)
    assert Criterion("", "", Role.CLAIM, at_least=0.9).outcome(estimate) == Outcome.NOT_MET


def test_the_mean_of_equal_figures_is_that_figure():
    assert Estimate.of([0.1] * 10).mean == 0.1  # or else "at least 0.1" would not be met


@given(SEVERAL, NUMBERS, NUMBERS)
def test_an_outcome_is_where_mean_and_interval_lie(values, one, other):
    low, high = sorted((one, other))
    estimate = Estimate.of(values)
    for least, most in ((low, high), (low, math.inf), (-math.inf, high)):
        outcome = Criterion("", "", Role.CLAIM, at_least=least, at_most=most).outcome(estimate)
        assert (outcome == Outcome.MET) == (least <= estimate.mean <= most)
        reaches = max(estimate.low, least) <= min(estimate.high, most)
        assert (outcome == Outcome.CONTRADICTED) == (not reaches)


@pytest.mark.parametrize(
    ("values", "outcome"),
    [
        ([0.9, 0.9], Outcome.MET),
        ([0.91, 0.88], Outcome.NOT_MET),
        ([0.5, 0.5], Outcome.CONTRADICTED),
        ([math.nan, 1.0], Outcome.NOT_MET),
    ],
)
def test_outcomes_by_example(values, outcome):
    assert Criterion("", "", Role.CLAIM, at_least=0.9).outcome(Estimate.of(values)) == outcome


@pytest.mark.parametrize(
    ("bounds", "said"),
    [({"at_least": 0.97}, "≥ 0.97"), ({"at_most": 2}, "≤ 2"), ({"at_least": 1, "at_most": 2}, "1 to 2")],
)
def test_a_bound_is_printed(bounds, said):
    assert Criterion("", "", Role.CLAIM, **bounds).bound == said


@pytest.mark.parametrize("bounds", [{}, {"at_least": 2, "at_most": 1}, {"at_most": math.nan}])
def test_a_criterion_without_a_bound_is_refused(bounds):
    with pytest.raises(ValueError, match="keep and miss"):
        Criterion("figure", "it is large", Role.CLAIM, **bounds)


@pytest.mark.parametrize(
    ("scale", "seeds", "judged"),
    [
        ("full", JUDGING_SEEDS, True),
        ("quick", JUDGING_SEEDS, False),
        ("full", JUDGING_SEEDS[1:], False),
        ("full", DEVELOPMENT_SEEDS, False),
    ],
)
def test_only_a_full_run_on_all_judging_seeds_is_judged(scale, seeds, judged):
    result = run_experiment(COIN, scale, seeds)
    assert result.judged is judged
    assert result.to_json()["judged"] is judged


def test_development_and_judging_seeds_differ():
    assert not set(DEVELOPMENT_SEEDS) & set(JUDGING_SEEDS)
    assert len(JUDGING_SEEDS) == 10


def test_a_result_says_everything_as_json():
    result = run_experiment(COIN, "full", JUDGING_SEEDS)
    said = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert said["experiment"] == "coin"
    assert said["claim"].keys() == Claim.__dataclass_fields__.keys()
    assert said["settings"] == {"throws": 64, "sides": ["heads", "tails"]}
    assert said["seeds"] == list(JUDGING_SEEDS)
    assert said["command"] == "goagent lab run coin --full --seeds 100 101 102 103 104 105 106 107 108 109"
    assert said["versions"].keys() >= {"python", "numpy", "torch"}
    assert (said["version"], said["scale"], said["rule"]) == (1, "full", RULE)
    assert said["verdict"] == "REPRODUCED"
    assert [c["outcome"] for c in said["criteria"]] == ["met", "met", "contradicted", "contradicted"]
    first = said["criteria"][0]
    estimate = result.estimates["heads: share"]
    assert (first["mean"], first["interval"]) == (estimate.mean, [estimate.low, estimate.high])
    assert said["figures"]["heads: share"]["by seed"] == [0.5 + (seed % 3 - 1) / 64 for seed in JUDGING_SEEDS]
    assert "heads: curve" not in said["figures"]  # lists are for pictures


def test_what_is_no_number_is_none_in_json():
    one = {"heads: share": math.nan, "sum": 1.0, "difference": math.inf, "tails: share": 0.5}
    said = Result(COIN, "quick", (0, 1), (one, one | {"difference": 0.0})).to_json() | {"conclusion": ""}
    json.dumps(said, allow_nan=False)
    assert [c["mean"] for c in said["criteria"]] == [None, 1.0, None, 0.5]
    assert said["criteria"][0]["outcome"] == "not met"


def test_the_catalogue_s_names_are_its_modules():
    names = [name for chapter in catalogue.names().values() for name in chapter]
    assert len(set(names)) == len(names) > 0
    assert not any("_" in name for name in names)
