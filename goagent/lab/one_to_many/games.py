"""S6: whole games of policies that imitate one expert and differ only in how they answer. Start with `measure_games`.

In Capture-Go the expert is the rollout search, in area Go the bare policy of the agent shipped for the board. The
policies are the package's own, masked, as they are played; the regressor's repair is its nearest legal point.
"""

import numpy as np
import torch
from torch import Tensor

from envs import GoBatch, Rules
from envs.planes import OFFSETS
from envs.symmetry import action_table
from goagent.lab.batched_play import Mover, Plies, match, play_batch, plies_of, policy_mover, random_mover
from goagent.lab.core import Figures
from goagent.lab.one_to_many.from_games import fit, rollout_games
from goagent.players.policy import load_network
from goagent.players.shipped import shipped_for
from goagent.policies.network import NetworkConfig, PolicyNetwork, Prediction

SHARPENED = 0.25  # temperature
_OWN_ATARI, _ENEMY_ATARI = OFFSETS["own liberties"], OFFSETS["enemy liberties"]


def measure_games(
    objective: str, size: int, seed: int, expert_games: int, playouts: int, steps: int, games: int
) -> Figures:
    """Scores, 0 to 1, of a categorical policy against a regressor that learned the same games; `games` games each.

    The policy as it was learned, and sharpened by a temperature. And the scores of all three against a random player
    and against one that captures whatever it can. unique: the share of different games
    that each plays against itself from the empty board, symmetric ones counted once.
    """
    rules = Rules.square(size, objective=objective)
    rng = np.random.default_rng(seed)
    plies = plies_of(rules, expert(rules, expert_games, playouts, rng))
    distribution, point = (imitate(name, plies, steps, seed) for name in ("categorical", "regression"))
    movers: dict[str, Mover] = {
        "categorical": policy_mover(distribution, rng),
        "sharpened": policy_mover(distribution, rng, SHARPENED),
        "regression": policy_mover(point, rng),
    }
    figures: Figures = {
        f"{name} score": float(match(movers[name], movers["regression"], rules, games, rng).mean())
        for name in ("categorical", "sharpened")
    }
    for name, mover in movers.items():
        figures[f"{name} against random"] = float(match(mover, random_mover(rng), rules, games, rng).mean())
        figures[f"{name} against greedy"] = float(match(mover, greedy_mover(rng), rules, games, rng).mean())
        moves = play_batch(rules, games, mover, mover).moves
        table = action_table(size, size)
        seen = {min(tuple(np.where(line < 0, line, t[line])) for t in table) for line in moves.astype(np.int64)}
        figures[f"{name} unique"] = len(seen) / games
    return figures


def expert(rules: Rules, games: int, playouts: int, rng: np.random.Generator) -> np.ndarray:
    """(games, plies) int64 moves of the expert against itself, SKIP (-1) after the end; playouts: in Capture-Go."""
    found = shipped_for(rules)
    if rules.objective == "area" and found is not None:
        mover = policy_mover(load_network(found[0]), rng)
        return play_batch(rules, games, mover, mover).moves.astype(np.int64)
    return rollout_games(rules, playouts, games, rng)


def imitate(policy: str, plies: Plies, steps: int, seed: int) -> PolicyNetwork:
    """A small network that learned the expert's moves, each seen in a random symmetry."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = PolicyNetwork(NetworkConfig(policy=policy, channels=24, blocks=2))

    def loss(said: Prediction, moves: Tensor, results: Tensor) -> Tensor:
        return said.moves.imitation_loss(moves).mean()

    return fit(network, plies, steps, loss, np.random.default_rng(seed), batch_size=128, learning_rate=5e-3)


def greedy_mover(rng: np.random.Generator) -> Mover:
    """Captures where it can, saves a chain of its own in atari where it cannot, plays at random otherwise."""
    anything = random_mover(rng)

    def choose(games: GoBatch) -> np.ndarray:
        planes, legal = games.observe(), games.legal_mask()[:, :-1]
        actions = anything(games)
        for stones in (planes[:, _OWN_ATARI], planes[:, _ENEMY_ATARI]):  # what is said last counts
            beside = legal & _neighbours(stones > 0)
            urgent = beside.any(axis=1)
            actions[urgent] = np.where(beside, rng.random(beside.shape), -1).argmax(axis=1)[urgent]
        return actions

    return choose


def _neighbours(points: np.ndarray) -> np.ndarray:
    """(games, rows * cols) bool: beside one of points (games, rows, cols) bool."""
    beside = np.zeros_like(points)
    beside[:, 1:] |= points[:, :-1]
    beside[:, :-1] |= points[:, 1:]
    beside[:, :, 1:] |= points[:, :, :-1]
    beside[:, :, :-1] |= points[:, :, 1:]
    return beside.reshape(len(points), -1)
