"""Learning an expert's moves from recorded games, each seen in a random symmetry."""

import zlib
from typing import Any

import numpy as np
import torch
from torch import Tensor

from envs import EMPTY
from envs.planes import OFFSETS
from envs.symmetry import action_table
from goagent.errors import UserError
from goagent.learning.config import TrainConfig
from goagent.learning.dataset import Positions, load_positions, split
from goagent.learning.learner import Learner
from goagent.policies.network import PolicyNetwork

_VALUE_WEIGHT = 0.5
_QUICK_LOOK = 2048  # held-out positions
_OWN, _ENEMY = OFFSETS["own stones"], OFFSETS["enemy stones"]


class ImitationLearner(Learner):
    """A step is one batch of positions for each worker."""

    def __init__(self, config: TrainConfig, network: PolicyNetwork, device: torch.device) -> None:
        positions, self.num_games = load_positions(config.data, config.rules)
        # The split has a generator of its own, so that a resumed run holds out the same games.
        self.train, self.held_out = split(positions, config.holdout, np.random.default_rng(config.seed))
        super().__init__(config, network, device)
        self._order = np.empty(0, np.int64)

    @property
    def examples(self) -> int:
        return len(self.train)

    def summary(self) -> str:
        return (
            f"{self.num_games:,} games: {len(self.train):,} positions to learn from,"
            f" {len(self.held_out):,} held out that do not occur among them"
        )

    def step(self) -> dict[str, float]:
        losses = list(self.learn(self._gradient_step, [self._next_indices() for _ in self.workers]))
        return {name: float(np.mean([each[name] for each in losses])) for name in losses[0]}

    def _gradient_step(self, indices: np.ndarray) -> dict[str, float]:
        batch = self.train.where(indices)
        planes, legal, actions = (self.tensor(array) for array in _moved(batch, self.rng))
        answer, value, _, _ = self.predict(planes, legal)
        generator = torch.Generator().manual_seed(int(self.rng.integers(2**63)))
        policy_loss = answer.imitation_loss(self.noise.labels(actions, legal), generator).mean()
        value_loss = torch.nn.functional.mse_loss(value, self.tensor(batch.results))
        self.update(policy_loss + _VALUE_WEIGHT * value_loss)
        return {"loss": float(policy_loss.detach()), "value loss": float(value_loss.detach())}

    def assess(self, step: int) -> dict[str, float]:
        chosen = np.random.default_rng([self.config.seed, step]).permutation(len(self.held_out))[:_QUICK_LOOK]
        return {"held-out accuracy": compare(self.average, self.held_out.where(chosen))["expert's move"]}

    def _next_indices(self) -> np.ndarray:
        """The next batch of a shuffled pass over the training positions."""
        while len(self._order) < self.config.batch_size:
            self._order = np.concatenate([self._order, self.rng.permutation(len(self.train))])
        chosen, self._order = np.split(self._order, [self.config.batch_size])
        return chosen

    def state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        state, tensors = super().state()
        return state | {"games": self._fingerprint()}, tensors | {"order": torch.from_numpy(self._order)}

    def restore(self, state: dict[str, Any], tensors: dict[str, Tensor], average: dict[str, Tensor]) -> None:
        if state["games"] != self._fingerprint():
            raise UserError("the games are not those that the run began with: expected the same --data")
        super().restore(state, tensors, average)
        self._order = tensors["order"].numpy()

    def _fingerprint(self) -> list[int]:
        """Tells other games, or another split of them, from these."""
        parts = (self.train, self.held_out)
        return [zlib.crc32(part.keys.tobytes() + part.actions.tobytes()) for part in parts]


def compare(network: PolicyNetwork, positions: Positions) -> dict[str, float]:
    """How often the network's own answer, before the legal mask, is the expert's move, on a stone, or illegal.

    The answer is the most probable move; where that is a point of the plane, the nearest one of the board.
    """
    same = occupied = illegal = 0
    for start in range(0, len(positions), 1024):
        part = positions.where(np.arange(start, min(start + 1024, len(positions))))
        planes = part.planes()
        answer = network.answer(planes, part.legal).moves
        moves = answer.unmasked.mode().cpu().numpy()
        row = np.arange(len(part))
        stones = (planes[:, _OWN] + planes[:, _ENEMY]).reshape(len(part), -1)
        on_board = np.minimum(moves, stones.shape[1] - 1)
        occupied += int(((moves < stones.shape[1]) & (stones[row, on_board] != EMPTY)).sum())
        illegal += int((~part.legal[row, moves]).sum())
        same += int((moves == part.actions).sum())
    count = max(1, len(positions))
    return {"expert's move": same / count, "occupied": occupied / count, "illegal": illegal / count}


def _moved(batch: Positions, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Planes, legal mask and actions of a batch, each position in its own random symmetry."""
    table = action_table(batch.rules.rows, batch.rules.cols)
    to = table[rng.integers(len(table), size=len(batch))]  # (batch, num_actions)
    planes = batch.planes()
    flat = planes.reshape(*planes.shape[:2], -1)
    moved_planes, moved_legal = np.empty_like(flat), np.empty_like(batch.legal)
    np.put_along_axis(moved_planes, np.broadcast_to(to[:, None, :-1], flat.shape), flat, axis=2)
    np.put_along_axis(moved_legal, to, batch.legal, axis=1)
    return moved_planes.reshape(planes.shape), moved_legal, to[np.arange(len(batch)), batch.actions]
