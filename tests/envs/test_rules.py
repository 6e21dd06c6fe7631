"""`Rules`: defaults, and one clear sentence for each setting that makes no sense."""

import copy
import pickle

import numpy as np
import pytest

from envs import Rules


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("rows", value) for value in (0, 20, -1, 9.0, "9", None, True, float("nan"))),
        *(("cols", value) for value in (0, 20, 5.5, "x")),
        *(("komi", value) for value in (0.25, float("nan"), float("inf"), "7.5", True, 1j)),
        *(("ko", value) for value in ("super", "", None, "Positional", 1)),
        *(("suicide", value) for value in (1, 0, "no", None)),
        *(("objective", value) for value in ("territory", None)),
        *(("max_moves", value) for value in (0, -1, 1.5, "many", True, 2**31)),
    ],
)
def test_a_bad_setting_is_named(name, value):
    with pytest.raises(ValueError, match=f"^{name} is .*: expected") as error:
        Rules(**{name: value})
    assert repr(value) in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("settings", [{"komi": 7.5}, {"suicide": True}])
def test_capture_go_has_no_komi_and_no_suicide(settings):
    with pytest.raises(ValueError, match="objective 'capture' has no suicide and no komi"):
        Rules(objective="capture", **settings)


def test_the_default_komi_of_each_size():
    known = {(1, 1): 0, (2, 2): 1, (3, 3): 0.5, (4, 4): 2, (5, 5): 0.5, (6, 6): 4, (7, 7): 9, (8, 8): 10, (9, 9): 7}
    for rows in range(1, 20):
        for cols in range(1, 20):
            assert Rules(rows, cols).komi == known.get((rows, cols), 7.5)
    assert Rules(9, 9, objective="capture").komi == 0
    assert Rules(9, 9, komi=0).komi == 0 and Rules(9, 9, komi=-6.5).komi == -6.5


def test_the_default_move_limit():
    assert Rules(5, 5).max_moves == 100 and Rules(9, 9).max_moves == 243 and Rules(19, 19).max_moves == 1083


def test_rules_are_values():
    rules = Rules(np.int64(5), 7, komi=np.float32(3.5), suicide=np.bool_(True), max_moves=np.int32(50))
    assert rules == Rules(5, 7, komi=3.5, suicide=True, max_moves=50) and hash(rules) == hash(Rules(**vars(rules)))
    assert [type(value) for value in vars(rules).values()] == [int, int, float, str, bool, str, int]
    _ = rules.tables
    for same in (pickle.loads(pickle.dumps(rules)), copy.deepcopy(rules)):
        assert same == rules and hash(same) == hash(rules)
    assert Rules.square(9) == Rules(9, 9) == Rules.of_size(9) != Rules(9, 9, ko="simple")
    with pytest.raises(AttributeError):
        rules.rows = 6


def test_actions_and_names():
    rules = Rules(5, 7)
    assert (rules.num_points, rules.num_actions, rules.pass_action) == (35, 36, 35)
    assert rules.action("A5") == 0 and rules.action("G1") == 34 and rules.action("pass") == 35
    assert [rules.vertex(action) for action in (0, 34, 35)] == ["A5", "G1", "pass"]
