"""A whole policy: planes in, moves and outcome out. One set of weights serves every board size."""

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from envs.planes import NUM_PLANES
from goagent.noise.settings import in_network, read_noise
from goagent.policies.distributions import MoveDistribution
from goagent.policies.heads import HEADS, OutcomeHead
from goagent.policies.trunk import Trunk


@dataclass(frozen=True)
class NetworkConfig:
    """Everything that the weights depend on."""

    policy: str = "categorical"
    channels: int = 32
    blocks: int = 4
    planes: int = NUM_PLANES
    noise: tuple[str, ...] = ()  # as `noise.settings.in_network` gives it

    def __post_init__(self) -> None:
        if self.policy not in HEADS:
            raise ValueError(f"policy is {self.policy!r}: expected one of {', '.join(HEADS)}")
        for name in ("channels", "blocks", "planes"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 1024:
                raise ValueError(f"{name} is {value!r}: expected a whole number from 1 to 1024")
        if self.planes != NUM_PLANES:
            raise ValueError(f"planes is {self.planes}: this version's positions have {NUM_PLANES}")
        if not isinstance(self.noise, list | tuple) or not all(isinstance(text, str) for text in self.noise):
            raise ValueError(f"noise is {self.noise!r}: expected a list of NAME or NAME=VALUE")
        object.__setattr__(self, "noise", in_network(self.noise))

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "noise": list(self.noise)}


class Prediction(NamedTuple):
    """What a network says of a batch of positions, all of it for the side to move."""

    moves: MoveDistribution
    value: Tensor  # (batch,) in (-1, 1): the expected result
    score: Tensor  # (batch,) points, komi included
    ownership: Tensor  # (batch, rows, cols) in (-1, 1)


class PolicyNetwork(nn.Module):
    """Trunk, policy head and outcome head. Fresh weights come from torch's generator; seed it to repeat them."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.trunk = Trunk(config.planes, config.channels, config.blocks, read_noise(config.noise))
        self.policy = HEADS[config.policy](config.channels)
        self.outcome = OutcomeHead(config.channels)

    def forward(self, planes: Tensor, legal: Tensor) -> Prediction:
        """planes (batch, planes, rows, cols), legal (batch, num_actions) bool."""
        features = self.trunk(planes)
        return Prediction(self.policy(features, legal), *self.outcome(features))

    @torch.no_grad()
    def answer(self, planes: Any, legal: Any) -> Prediction:
        """`forward` for numpy arrays, without gradients, on the network's own device."""
        device = next(self.parameters()).device
        return self(torch.from_numpy(planes).to(device), torch.from_numpy(legal).to(device))
