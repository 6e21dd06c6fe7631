"""Checkpoints: whole or absent, and a stranger's file can be wrong but not dangerous."""

import json
import pickle

import pytest
import torch
from safetensors.torch import save_file

from goagent.players.policy import load_network
from goagent.policies.network import NetworkConfig, PolicyNetwork
from goagent.records import checkpoint
from goagent.records.checkpoint import CheckpointError


@pytest.fixture
def folder(tmp_path):
    """A checkpoint of a small network."""
    network = PolicyNetwork(NetworkConfig(channels=4, blocks=1))
    folder = tmp_path / "run" / "checkpoints" / "000010"
    checkpoint.save(
        folder, {"network": network.config.to_dict()}, network.state_dict(), {"step": 10}, {"x": torch.ones(2)}
    )
    return folder


def test_what_is_saved_is_read_back(folder):
    agent, weights = checkpoint.load(folder)
    network = load_network(folder)
    assert agent["network"] == {"policy": "categorical", "channels": 4, "blocks": 1, "planes": 17, "noise": []}
    assert all(torch.equal(value, weights[name]) for name, value in network.state_dict().items())
    assert checkpoint.load_training(folder)[0] == {"step": 10}


def test_a_run_means_its_newest_checkpoint(folder):
    run = folder.parent.parent
    newer = folder.with_name("000200")
    checkpoint.save(newer, *checkpoint.load(folder))
    assert checkpoint.newest(run) == newer
    assert checkpoint.all_of(run) == [folder, newer]


def test_a_half_written_checkpoint_is_not_seen(folder):
    half = folder.with_name(".000300.tmp")
    half.mkdir()
    (half / "agent.json").write_text("{}")
    assert checkpoint.newest(folder.parent.parent) == folder


def truncate(folder):
    file = folder / "weights.safetensors"
    file.write_bytes(file.read_bytes()[:-100])


def drop_a_tensor(folder):
    _, weights = checkpoint.load(folder)
    weights.pop(sorted(weights)[0])
    save_file(weights, folder / "weights.safetensors")


def change_agent(**changes):
    def spoil(folder):
        agent = json.loads((folder / "agent.json").read_text())
        (folder / "agent.json").write_text(json.dumps(agent | changes))

    return spoil


def spread(number):
    def spoil(folder):
        _, weights = checkpoint.load(folder)
        save_file(
            {name: torch.full_like(value, number) for name, value in weights.items()}, folder / "weights.safetensors"
        )

    return spoil


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("a file ran code",))


@pytest.mark.parametrize(
    "spoil",
    [
        truncate,
        drop_a_tensor,
        lambda folder: (folder / "weights.safetensors").unlink(),
        lambda folder: (folder / "weights.safetensors").write_bytes(b""),
        lambda folder: (folder / "weights.safetensors").write_bytes(pickle.dumps(Bomb())),
        lambda folder: (folder / "agent.json").write_text("{"),
        lambda folder: (folder / "agent.json").write_text("[1]"),
        lambda folder: (folder / "agent.json").write_text("[" * 100_000),
        lambda folder: (folder / "agent.json").write_bytes(b"\xff\xfe"),
        spread(float("nan")),
        spread(float("inf")),
        change_agent(format=99),
        change_agent(network=None),
        change_agent(network={"policy": "__import__('os')"}),
        change_agent(network={"channels": 10**9}),
        change_agent(network={"channels": 8}),
        change_agent(network={"channels": 1024, "blocks": 200}),  # 15 GB, if it were built
        change_agent(network={"secret": 1}),
    ],
)
def test_a_spoiled_checkpoint_gives_one_clear_line(folder, spoil):
    spoil(folder)
    with pytest.raises(CheckpointError) as caught:
        load_network(folder)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 500


def test_a_folder_without_an_agent_says_what_was_expected(tmp_path):
    with pytest.raises(CheckpointError, match=r"agent\.json"):
        load_network(tmp_path)


def test_other_folders_beside_the_checkpoints_do_not_matter(folder):
    for name in ("000010-backup", "notes", "12a"):
        (folder.with_name(name)).mkdir()
        (folder.with_name(name) / "agent.json").write_text("{}")
    assert checkpoint.all_of(folder.parent.parent) == [folder]
