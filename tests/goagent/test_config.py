"""The configuration: every bad value is one line that names it."""

from dataclasses import replace

import pytest

from goagent.errors import UserError
from goagent.learning.config import TrainConfig, resumed


@pytest.mark.parametrize(
    "name, value",
    [
        ("size", "0"), ("size", "20"), ("size", "5x"), ("size", "-5"), ("policy", "oracle"), ("algorithm", "magic"),
        ("minutes", 0), ("minutes", float("nan")), ("steps", 0), ("threads", 0), ("channels", 0), ("channels", 10**9),
        ("batch_size", -1), ("learning_rate", 0.0), ("learning_rate", 2.0), ("seed", -1), ("holdout", 1.0),
        ("clip", 0.0), ("gae_lambda", 1.5), ("temperature", 0.0), ("device", "abacus"), ("komi", 0.3), ("ko", "none"),
        ("averaging", 1.0),
        ("seed", 2**63), ("num_games", 2 * 10**9), ("horizon", 10**9), ("komi", 1e9), ("threads", 10**11),
        ("entropy_bonus", -1.0), ("checkpoint_every", 0),
    ],
)  # fmt: skip
def test_a_bad_value_is_named(name, value):
    with pytest.raises(UserError, match="size|rows" if name == "size" else name) as caught:
        TrainConfig(**{name: value})
    assert "\n" not in str(caught.value)


def test_a_policy_that_cannot_learn_that_way_says_why():
    for policy in ("regression", "mixture", "latent"):
        with pytest.raises(UserError, match="gives none to move"):
            TrainConfig(policy=policy, algorithm="ppo")
        assert TrainConfig(policy=policy, algorithm="imitation")


def test_two_budgets_are_refused():
    with pytest.raises(UserError, match="one budget"):
        TrainConfig(minutes=1, steps=1)


def test_a_configuration_survives_json():
    config = TrainConfig(size="5x7", steps=3, komi=1.5, algorithm="imitation", seed=9)
    assert TrainConfig.from_dict(config.to_dict()) == config


@pytest.mark.parametrize("content", [{"colour": 1}, {"size": "5", "stepz": 3}])
def test_an_unknown_key_is_an_error(content):
    with pytest.raises(UserError, match="unknown key"):
        TrainConfig.from_dict(content)


@pytest.mark.parametrize(
    "content", [{"device": 5}, {"run": 5}, {"size": []}, {"learning_rate": "fast"}, {"steps": "x"}]
)
def test_a_value_of_another_type_is_an_error(content):
    with pytest.raises(UserError):
        TrainConfig.from_dict(content)


def test_a_resumed_run_may_be_longer_but_not_another(tmp_path):
    saved = TrainConfig(size="7", steps=10, run=tmp_path)
    asked = TrainConfig(run=tmp_path, resume=True, minutes=3.0)
    assert resumed(asked, saved) == replace(saved, steps=None, minutes=3.0, resume=True)
    with pytest.raises(UserError, match="size"):
        resumed(TrainConfig(run=tmp_path, resume=True, size="9"), saved)
    with pytest.raises(UserError, match="init"):
        resumed(TrainConfig(run=tmp_path, resume=True, init="other"), saved)
    with pytest.raises(UserError, match="--run"):
        TrainConfig(resume=True)


def test_without_a_name_a_run_finds_a_free_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = TrainConfig().folder
    first.mkdir(parents=True)
    assert TrainConfig().folder != first
