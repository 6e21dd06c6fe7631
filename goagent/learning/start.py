"""The weights that a run starts from: fresh ones from its seed, or those of another agent."""

from pathlib import Path

import torch

from goagent.errors import UserError
from goagent.learning.config import TrainConfig
from goagent.noise.initialisation import initialise_alike
from goagent.noise.settings import in_network, read_noise
from goagent.players.policy import load_network
from goagent.policies.network import NetworkConfig, PolicyNetwork


def starting_network(config: TrainConfig) -> PolicyNetwork:
    """The weights before the first step, the same every time. Raises UserError when --init does not fit."""
    network = fresh_network(config)
    if config.init is not None:
        agent = load_network(Path(config.init.partition("?")[0]))
        theirs, ours = agent.config.to_dict(), network.config.to_dict()
        if theirs != ours:
            raise UserError(f"the network of {config.init} is {theirs}: expected {ours}")
        network.load_state_dict(agent.state_dict())
    return network


def fresh_network(config: TrainConfig) -> PolicyNetwork:
    """Random weights, from the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        network = PolicyNetwork(
            NetworkConfig(
                policy=config.policy,
                channels=config.channels,
                blocks=config.blocks,
                noise=in_network(config.noise),
            )
        )
    alike = read_noise(config.noise).get("initialisation")
    if alike is not None:
        initialise_alike(network, alike)
    return network
