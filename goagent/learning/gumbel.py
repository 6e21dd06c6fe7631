"""Learning from nothing: games that a Gumbel search plays against itself, and a network that learns from them.

A step: the actors go on with their games (`self_play.py`, `actors.py`) by the averaged weights, while the network
learns from the replay buffer as much as the last step's positions are worth: each is drawn `reuse` times.
"""

from collections import Counter, deque
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from envs.symmetry import canonical_moves
from goagent.learning.actors import shares, start_actors
from goagent.learning.config import TrainConfig
from goagent.learning.learner import Learner, TrainingError, under
from goagent.learning.losses import self_play_losses
from goagent.learning.probe import score_against_random
from goagent.learning.replay import Replay
from goagent.learning.self_play import PlayedGame
from goagent.policies.network import PolicyNetwork
from goagent.records.sgf import Game

_GAMES_SHOWN = 8
_RECENT = 512  # games that variety is measured over
_OPENING = 6  # plies of an opening, for its entropy


class GumbelLearner(Learner):
    """`config.algorithm` "gumbel"."""

    def __init__(self, config: TrainConfig, network: PolicyNetwork, device: torch.device) -> None:
        super().__init__(config, network, device)
        threads = config.threads or torch.get_num_threads()
        self._here = threads == 1 or device.type != "cpu"  # a card wants all games in one batch
        self._shares = shares(config.num_games, 1 if self._here else threads)
        self._threads = threads if self._here else max(1, threads // 2)  # the actors are busy as well
        self._actors: list[Any] = []  # started when first needed
        self.replay = Replay(config.rules, config.replay_positions)
        self.num_games = 0
        self.owed = 0.0  # gradient steps
        self._recent: deque[tuple[int, ...]] = deque(maxlen=_RECENT)  # canonical moves
        self._shown: list[PlayedGame] = []

    def summary(self) -> str:
        config = self.config
        where = "in this process" if self._here else f"in {len(self._shares)} more processes"
        return (
            f"{config.num_games} games in flight {where}, {config.visits} visits in {config.thorough_share:.0%} of the"
            f" plies, {config.quick_visits} in the others, up to {config.replay_positions:,} positions in"
            f" {self.replay.rows.nbytes / 2**20:.0f} MiB"
        )

    def step(self) -> dict[str, float]:
        actors = self._started()
        weights = {name: value.cpu().numpy() for name, value in self.average.state_dict().items()}
        for actor in actors:
            actor.ask("play", weights)
        metrics = self._learn()
        harvests, cached = zip(*(actor.answer() for actor in actors), strict=True)
        finished = [game for harvest in harvests for game in harvest.games]
        for harvest in harvests:
            self.replay.add(harvest.rows)
            self.owed += self.config.reuse * len(harvest.rows) / self.config.batch_size
        return metrics | {
            "entropy": float(np.mean([harvest.entropy for harvest in harvests])),
            "cached": float(np.mean(cached)),
            **self._record(finished),
        }

    def assess(self, step: int) -> dict[str, float]:
        rng = np.random.default_rng([self.config.seed, step])
        return {"score against random": score_against_random(self.average, self.config.rules, 64, rng)}

    def progress(self) -> dict[str, float]:
        return {"games": self.num_games, "positions": self.replay.added}

    def games(self) -> list[Game]:
        shown, self._shown = self._shown, []
        rules = self.config.rules
        return [
            Game.from_moves(replace(rules, komi=game.komi), game.moves, game.score_black, "self-play", "self-play")
            for game in shown
        ]

    def close(self) -> None:
        for actor in self._actors:
            actor.close()
        self._actors = []

    def _started(self) -> list[Any]:
        if not self._actors:
            self._actors += start_actors(self.config, self.network.config, self._shares, self.device, self._here)
        return self._actors

    def _learn(self) -> dict[str, float]:
        """The gradient steps that the new positions are worth."""
        config = self.config
        if self.replay.added < 4 * config.batch_size:
            self.owed = 0.0
            return {}
        torch.set_num_threads(self._threads)
        count = int(self.owed)
        self.owed -= count
        sums: Counter[str] = Counter()
        for losses in self.learn(self._gradient_step, range(count)):
            sums.update(losses)
        return {f"{name} loss": total / count for name, total in sums.items()}

    def _gradient_step(self, _: int) -> dict[str, float]:
        drawn = self.replay.sample(self.config.batch_size, self.rng)
        batch = {name: self.tensor(values) for name, values in drawn.items()}
        losses = self_play_losses(self.predict(batch["planes"], batch["legal"]), batch)
        self.update(torch.stack(list(losses.values())).sum())
        return {name: float(loss.detach()) for name, loss in losses.items()}

    def _record(self, finished: list[PlayedGame]) -> dict[str, float]:
        """Metrics of the games. Raises TrainingError when the recent ones are all but one and the same."""
        rules = self.config.rules
        self.num_games += len(finished)
        self._recent.extend(canonical_moves(game.moves, rules.rows, rules.cols) for game in finished)
        self._shown = (self._shown + finished)[-_GAMES_SHOWN:]
        metrics: dict[str, float] = {"games": self.num_games}
        if finished:
            metrics["length"] = float(np.mean([len(game.moves) for game in finished]))
            metrics["komi"] = float(np.mean([game.komi for game in finished]))
            metrics["Black wins"] = float(np.mean([game.score_black > 0 for game in finished]))
        if len(self._recent) < 64:
            return metrics
        unique = len(set(self._recent)) / len(self._recent)
        if len(self._recent) == _RECENT and unique < 0.02:
            raise TrainingError(
                f"the policy has collapsed: of the last {_RECENT} games only {len(set(self._recent))} differ;"
                " more --random-plies or --candidates may help"
            )
        openings = Counter(game[:_OPENING] for game in self._recent)
        chances = np.array(list(openings.values())) / len(self._recent)
        return metrics | {"unique games": unique, "opening entropy": float(-(chances * np.log(chances)).sum())}

    def state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        state, tensors = super().state()
        replay, rows = self.replay.state()
        recent = list(self._recent)
        tensors["replay"] = torch.from_numpy(rows)
        tensors["recent"] = torch.tensor([move for game in recent for move in game], dtype=torch.int16)
        actors = []
        for i, actor in enumerate(self._started()):
            actor.ask("state")
            own, arrays = actor.answer()
            actors.append(own)
            tensors |= {f"actors.{i}.{name}": torch.from_numpy(array) for name, array in arrays.items()}
        return state | {
            "replay": replay,
            "recent": [len(game) for game in recent],
            "games": self.num_games,
            "owed": self.owed,
            "actors": actors,
        }, tensors

    def restore(self, state: dict[str, Any], tensors: dict[str, Tensor], average: dict[str, Tensor]) -> None:
        super().restore(state, tensors, average)
        self.replay.restore(state["replay"], tensors["replay"].numpy())
        self._recent.extend(tuple(game.tolist()) for game in tensors["recent"].split(state["recent"]))
        self.num_games, self.owed = int(state["games"]), float(state["owed"])
        # As many actors as there were, whatever the machine: their games and generators are part of the run.
        parts = [under(f"actors.{i}.", tensors) for i in range(len(state["actors"]))]
        self._shares = [len(part["komi"]) for part in parts]
        if sum(self._shares) != self.config.num_games:
            raise ValueError("the games in flight are not those of the configuration")
        for actor, own, part in zip(self._started(), state["actors"], parts, strict=True):
            actor.ask("restore", own, {name: tensor.numpy() for name, tensor in part.items()})
            actor.answer()
