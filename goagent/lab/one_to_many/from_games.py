"""Games of the rollout player, and networks that learn from games. Start with `fit`."""

import copy
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from envs import Rules
from envs.state import SKIP
from envs.symmetry import action_table, transform_board
from goagent.arena.match import play_game
from goagent.lab.batched_play import Plies
from goagent.players.rollout import RolloutPlayer
from goagent.policies.network import PolicyNetwork, Prediction

Loss = Callable[[Prediction, Tensor, Tensor], Tensor]  # what the network says, moves (batch,), results (batch,)


def rollout_games(rules: Rules, playouts: int, games: int, rng: np.random.Generator) -> np.ndarray:
    """(games, plies) int64 moves of the rollout player against itself, SKIP (-1) after the end."""
    player = RolloutPlayer(playouts)
    lines = [play_game(player, player, rules, rng).moves for _ in range(games)]
    moves = np.full((games, max(map(len, lines))), SKIP, np.int64)
    for row, line in zip(moves, lines, strict=True):
        row[: len(line)] = line
    return moves


def fit(
    start: PolicyNetwork,
    plies: Plies,
    steps: int,
    loss: Loss,
    rng: np.random.Generator,
    batch_size: int,
    learning_rate: float,
) -> PolicyNetwork:
    """A copy of `start` that has learned from these plies, a batch at a time in a random symmetry.

    AdamW; its rate falls linearly to nothing.
    """
    network = copy.deepcopy(start).train().requires_grad_()
    optimizer = torch.optim.AdamW(network.parameters(), lr=learning_rate, weight_decay=1e-4)
    table = action_table(*plies.planes.shape[2:])
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate * (1 - step / steps)
        batch = plies.where(rng.integers(len(plies.actions), size=batch_size))
        k = int(rng.integers(len(table)))
        # The loss has no use for the mask: it belongs to the unturned board.
        said = network(planes_of(transform_board(batch.planes, k)), torch.ones(batch.legal.shape, dtype=torch.bool))
        value = loss(said, torch.from_numpy(table[k, batch.actions]), torch.from_numpy(batch.results))
        optimizer.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
    return network.eval().requires_grad_(False)


def planes_of(planes: np.ndarray) -> Tensor:
    """As the network reads them fastest."""
    return torch.from_numpy(planes).contiguous(memory_format=torch.channels_last)
