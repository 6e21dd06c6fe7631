"""Self-play policy gradient on a `GoBatch`: `ppo`, and `reinforce` as its plainest form.

A step: every game in flight goes on for `horizon` plies, both sides played by the network; then the network learns
from these plies and forgets them.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from envs import BLACK, GoBatch
from goagent.learning.config import TrainConfig
from goagent.learning.learner import Learner
from goagent.learning.losses import advantages, ppo_loss, reinforce_loss
from goagent.learning.probe import score_against_random
from goagent.policies.network import PolicyNetwork

_VALUE_WEIGHT = 0.5
_GAMES_SHOWN = 8


class PolicyGradientLearner(Learner):
    """`config.algorithm` "ppo" or "reinforce"."""

    def __init__(self, config: TrainConfig, network: PolicyNetwork, device: torch.device) -> None:
        super().__init__(config, network, device)
        self.batch = GoBatch(config.rules, config.num_games)
        self._shown: list[tuple[tuple[int, ...], float]] = []  # moves and Black's score of finished games

    def summary(self) -> str:
        return f"{self.config.num_games} games in flight, {self.config.plies_a_step} plies of each a step"

    def step(self) -> dict[str, float]:
        plies, metrics = self._self_play()
        return metrics | self._learn(plies)

    def assess(self, step: int) -> dict[str, float]:
        rng = np.random.default_rng([self.config.seed, step])
        return {"score against random": score_against_random(self.average, self.config.rules, 64, rng)}

    def _self_play(self) -> tuple[dict[str, Tensor], dict[str, float]]:
        """`horizon` plies of all games; tensors (plies * games, ...)."""
        config, batch = self.config, self.batch
        shape = (config.plies_a_step, config.num_games)
        planes, legal, actions, log_probs = [], [], [], []
        values, rewards, over = torch.zeros(shape), torch.zeros(shape), torch.zeros(shape, dtype=torch.bool)
        generator = torch.Generator(self.device).manual_seed(int(self.rng.integers(2**62)))
        entropy, lengths, black_wins = 0.0, [], []
        self.network.eval()  # noise is for learning; what plays is the policy itself
        for ply in range(config.plies_a_step):
            planes.append(self.tensor(batch.observe()))
            legal.append(self.tensor(batch.legal_mask().copy()))
            with torch.no_grad():
                answer, value, _, _ = self.network(planes[-1].contiguous(memory_format=torch.channels_last), legal[-1])
                self.expect_finite(value, "value")
                chosen = answer.sample(config.temperature, generator)
                log_probs.append(answer.categorical(config.temperature).log_prob(chosen))
                entropy += float(answer.entropy().mean()) / config.plies_a_step
            actions.append(chosen)
            values[ply] = value.cpu()
            mover = batch.to_play
            batch.step(chosen.cpu().numpy())
            ended = batch.is_over
            if ended.any():
                result = np.sign(batch.score_black())
                rewards[ply] = torch.from_numpy(np.where(ended, np.where(mover == BLACK, result, -result), 0.0))
                over[ply] = torch.from_numpy(ended)
                lengths += batch.num_moves[ended].tolist()
                black_wins += (result[ended] > 0).tolist()
                self._show(ended)
                batch.reset(ended)
        last_values = self.network.answer(batch.observe(), batch.legal_mask().copy()).value
        self.network.train()
        advantage = advantages(values, rewards, over, last_values.cpu(), config.gae_lambda)
        plies = {
            "planes": torch.cat(planes),
            "legal": torch.cat(legal),
            "actions": torch.cat(actions),
            "log_probs": torch.cat(log_probs),
            "advantages": advantage.flatten().to(self.device),
            "returns": (advantage + values).flatten().to(self.device),
        }
        metrics = {"entropy": entropy, "games": float(len(lengths))}
        if lengths:
            metrics |= {"length": float(np.mean(lengths)), "Black wins": float(np.mean(black_wins))}
        return plies, metrics

    def _learn(self, plies: dict[str, Tensor]) -> dict[str, float]:
        """ppo: `epochs` passes with the clipped ratio. reinforce: one pass, log-probabilities times advantages."""
        config = self.config

        def gradient_step(chosen: Tensor) -> float:
            part = {name: values[chosen] for name, values in plies.items()}
            answer, value, _, _ = self.predict(part["planes"], part["legal"])
            log_prob = answer.categorical(config.temperature).log_prob(part["actions"])
            advantage = _normalised(part["advantages"])
            if config.algorithm == "ppo":
                policy_loss = ppo_loss(log_prob, part["log_probs"], advantage, config.clip)
            else:
                policy_loss = reinforce_loss(log_prob, advantage)
            value_loss = torch.nn.functional.mse_loss(value, part["returns"])
            loss = policy_loss + _VALUE_WEIGHT * value_loss - config.entropy_bonus * answer.entropy().mean()
            self.update(loss)
            return float(loss.detach())

        losses: list[float] = []
        for _ in range(config.epochs if config.algorithm == "ppo" else 1):
            order = self.tensor(self.rng.permutation(len(plies["actions"])))
            losses += self.learn(gradient_step, order.split(config.batch_size))
        return {"loss": float(np.mean(losses))}

    def _show(self, ended: np.ndarray) -> None:
        for i in np.flatnonzero(ended)[: _GAMES_SHOWN - len(self._shown)]:
            position = self.batch.position(int(i))
            self._shown.append((position.moves, position.score_black()))

    def games(self) -> list[Any]:
        """A few of the games since the last call."""
        from goagent.records.sgf import Game

        shown, self._shown = self._shown, []
        return [Game.from_moves(self.config.rules, moves, score, "self-play", "self-play") for moves, score in shown]

    def state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        state, tensors = super().state()
        moves = [self.batch.position(i).moves for i in range(self.config.num_games)]
        flat = [move for game in moves for move in game]
        tensors["games_in_flight"] = torch.tensor(flat, dtype=torch.int16)
        return state | {"lengths": [len(game) for game in moves]}, tensors

    def restore(self, state: dict[str, Any], tensors: dict[str, Tensor], average: dict[str, Tensor]) -> None:
        super().restore(state, tensors, average)
        lengths = np.array(state["lengths"])
        flat = tensors["games_in_flight"].numpy().astype(np.int64)
        starts = np.cumsum(lengths) - lengths
        self.batch.reset()
        for ply in range(int(lengths.max(initial=0))):
            on = ply < lengths
            self.batch.step(np.where(on, flat[np.where(on, starts + ply, 0)] if len(flat) else -1, -1))


def _normalised(values: Tensor) -> Tensor:
    return (values - values.mean()) / (values.std(correction=0) + 1e-6)
