"""A trained network as a player: it plays from its own distribution, without search."""

from pathlib import Path

import numpy as np
import torch

from envs import Position
from goagent.players.player import Analysis, Line
from goagent.policies.network import NetworkConfig, PolicyNetwork
from goagent.records import checkpoint
from goagent.records.checkpoint import CheckpointError


class PolicyPlayer:
    """Draws its moves from the policy at `temperature`; 0 always plays the most probable one.

    Above 1 the pass keeps the probability that it has at 1: who plays at random has no reason to end the game.
    """

    def __init__(self, network: PolicyNetwork, name: str, temperature: float = 1.0) -> None:
        self.network = network
        self.name = name
        self.temperature = temperature

    def reset(self) -> None:
        pass

    def choose(self, position: Position, rng: np.random.Generator) -> int:
        probabilities = self.distribution(position)
        return int(rng.choice(len(probabilities), p=probabilities))

    def distribution(self, position: Position) -> np.ndarray:
        return self._answer(position)[0]

    def analyze(self, position: Position) -> Analysis:
        probabilities, value = self._answer(position)
        order = np.argsort(-probabilities, kind="stable")
        lines = [Line(int(a), float(probabilities[a]), None, 0, (int(a),)) for a in order if probabilities[a] > 0]
        return Analysis(win_probability=(value + 1) / 2, score=None, ownership=None, lines=lines)

    def _answer(self, position: Position) -> tuple[np.ndarray, float]:
        """(num_actions,) float64 that sums to 1, and the value for the side to move."""
        answer, value, _, _ = self.network.answer(position.observe()[None], position.legal_mask()[None])
        if not bool(torch.isfinite(answer.raw).all() & torch.isfinite(value).all()):
            raise CheckpointError(f"{self.name} answers with what is no number: its weights are of no use")
        probabilities = answer.categorical(self.temperature).probs[0].double().cpu().numpy()
        if self.temperature > 1 and probabilities[:-1].any():
            passing = float(answer.probs[0, -1])
            probabilities[:-1] *= (1 - passing) / probabilities[:-1].sum()
            probabilities[-1] = passing
        return probabilities / probabilities.sum(), float(value[0])


def load_network(path: Path) -> PolicyNetwork:
    """The network of a checkpoint or a run folder's newest one. Raises CheckpointError."""
    agent, weights = checkpoint.load(path)
    described = agent.get("network")
    try:
        with torch.device("meta"):  # a shape alone: nothing is allocated for what the file only claims
            network = PolicyNetwork(NetworkConfig(**described)) if isinstance(described, dict) else None
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"{path} describes no network of this version: {error}") from error
    if network is None:
        raise CheckpointError(f"{path} describes no network: expected 'network' in its agent.json")
    try:
        network.load_state_dict({name: value.float() for name, value in weights.items()}, assign=True)
    except RuntimeError as error:
        raise CheckpointError(f"the weights of {path} do not fit the network that it names") from error
    if not all(bool(torch.isfinite(value).all()) for value in network.state_dict().values()):
        raise CheckpointError(f"the weights of {path} are no numbers: expected finite ones")
    return network.to(memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
