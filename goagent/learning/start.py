"""The weights that a run starts from: fresh ones from its seed, or those of another agent."""

from pathlib import Path

import torch

from goagent.errors import UserError
from goagent.learning.config import TrainConfig
from goagent.policies.network import NetworkConfig, PolicyNetwork
from goagent.records import checkpoint


def starting_network(config: TrainConfig) -> PolicyNetwork:
    """The same weights for the same configuration, every time. Raises UserError when --init does not fit."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        network = PolicyNetwork(NetworkConfig(policy=config.policy, channels=config.channels, blocks=config.blocks))
    if config.init is not None:
        _copy_weights(Path(config.init), network)
    return network


def _copy_weights(path: Path, network: PolicyNetwork) -> None:
    agent, weights = checkpoint.load(path)
    theirs, ours = agent.get("network"), network.config.to_dict()
    if theirs != ours:
        raise UserError(f"the network of {path} is {theirs}: expected {ours}")
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise UserError(f"the weights of {path} do not fit the network that it names") from error
