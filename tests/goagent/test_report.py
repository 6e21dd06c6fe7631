"""What a run says at its end."""

import gzip
import io
from pathlib import Path

import matplotlib.image
import pytest
import torch
from rich.console import Console

import envs
from goagent.learning.collapse import describe_answer, symmetric_positions
from goagent.learning.config import TrainConfig
from goagent.learning.dataset import PACKAGED
from goagent.learning.train import train
from goagent.policies.distributions import CategoricalMoves, PointMoves

TINY = {"steps": 1, "channels": 4, "blocks": 1, "threads": 1, "batch_size": 16}


def output(config: TrainConfig) -> str:
    text = io.StringIO()
    assert train(config, Console(file=text, width=120)) == 0
    return text.getvalue()


def test_self_play_ends_with_its_score_against_three_opponents(tmp_path):
    text = output(TrainConfig(size="3", run=tmp_path / "run", num_games=4, horizon=4, report_games=2, **TINY))
    for opponent in ("random", "its own weights before training", "rollout2?playouts=50"):
        assert opponent in text
    assert f"goagent play --size 3 --agent {tmp_path / 'run'}" in text


@pytest.fixture(scope="module")
def few_games(tmp_path_factory) -> Path:
    """Twenty of the package's 9x9 games."""
    folder = tmp_path_factory.mktemp("games")
    lines = gzip.decompress((PACKAGED / "9x9.sgfs.gz").read_bytes()).decode().splitlines()[:20]
    (folder / "games.sgfs").write_text("\n".join(lines))
    return folder


def test_imitation_ends_with_both_policies_side_by_side(tmp_path, few_games):
    common = {"size": "9", "algorithm": "imitation", "data": few_games} | TINY
    output(TrainConfig(run=tmp_path / "a", **common))
    text = output(TrainConfig(run=tmp_path / "b", policy="regression", **common))
    rows = [line.split("│")[1:-1] for line in text.splitlines() if line.startswith("│")]
    named = {row[0].strip(): row for row in rows if row[0].strip()}
    assert set(named) == {"regression", "categorical"}
    assert "from the centre" in named["regression"][-1] and "bits" in named["categorical"][-1]
    picture = matplotlib.image.imread(tmp_path / "b" / "answers.png")
    assert picture.shape[0] > 500 and picture.std() > 0.05


def test_a_run_on_other_games_is_not_put_beside_it(tmp_path, few_games):
    common = {"size": "9", "algorithm": "imitation", "data": few_games} | TINY
    output(TrainConfig(run=tmp_path / "a", **common))
    text = output(TrainConfig(run=tmp_path / "b", policy="regression", **common | {"holdout": 0.5}))
    assert "categorical" not in text.split("held-out positions")[1]


def test_answers_in_words():
    rules = envs.Rules.square(3)
    legal = torch.ones(1, 10, dtype=torch.bool)
    assert (
        describe_answer(PointMoves(torch.tensor([[1.0, 1.5, -9.0]]), legal, 3, 3), rules)
        == "a point 0.50 from the centre"
    )
    four = torch.full((1, 10), -1e9)
    four[0, [0, 2, 6, 8]] = 0
    assert describe_answer(CategoricalMoves(four, legal), rules) == "2.0 bits; most often A3, 25%"


def test_the_positions_of_the_picture_are_symmetric():
    for size in ("4", "5", "5x7"):
        for position in symmetric_positions(envs.Rules.of_size(size)).values():
            board = position.board
            assert (board == board[::-1]).all() and (board == board[:, ::-1]).all()
