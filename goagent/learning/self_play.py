"""Learning from nothing: games that a Gumbel search plays against itself, and a network that learns from them.

A step: every game in flight goes on for `horizon` plies (`SelfPlay`), then the network learns from the replay buffer
until each new position has been drawn `reuse` times (`GumbelLearner`). The search of a ply is thorough in a quarter of
the games, whose positions are learned from, and quick in the others (playout-cap randomisation, Wu 2019,
arXiv:1902.10565, section 3.1).
"""

from collections import Counter, deque
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from envs import BLACK, GoBatch, Rules
from envs.symmetry import canonical_moves
from goagent.learning.config import TrainConfig
from goagent.learning.learner import Learner, TrainingError
from goagent.learning.losses import self_play_losses
from goagent.learning.probe import score_against_random
from goagent.learning.replay import Replay, from_bytes, pack, row_type, to_bytes
from goagent.players.evaluator import evaluator
from goagent.policies.network import PolicyNetwork
from goagent.search.cache import CachedEvaluator
from goagent.search.evaluation import Evaluate
from goagent.search.gumbel import gumbel_search
from goagent.search.tree import Forest

_GAMES_SHOWN = 8
_RECENT = 512  # games that variety is measured over
_CACHE = 1 << 15  # positions
_OPENING = 6  # plies of an opening, for its entropy


class PlayedGame(NamedTuple):
    """A game of self-play, for the records."""

    moves: tuple[int, ...]
    score_black: float  # komi included
    komi: float


class SelfPlay:
    """Games in flight, and the positions of theirs whose end is not known yet."""

    def __init__(self, config: TrainConfig) -> None:
        rules = config.rules
        self.config = config
        self.games = GoBatch(rules, config.num_games)
        self.pending = np.zeros(0, row_type(rules))
        # Black's mean score without komi: what komi would be fair. It starts in the middle and follows the games.
        self.fair_komi = 0.0

    def begin(self, which: np.ndarray, rng: np.random.Generator) -> None:
        """Start the games where `which` (num_games,) bool is set: a komi near the fair one, a few random plies."""
        rules, games = self.config.rules, self.games
        games.reset(which)
        games.komi[which] = draw_komi(rules, self.fair_komi, int(which.sum()), rng)
        plies = rng.integers(0, self.config.random_plies + 1, size=len(which))
        for ply in range(self.config.random_plies):
            points = games.legal_mask().copy()
            points[:, -1] = False
            drawn = np.where(points, rng.random(points.shape), -1).argmax(axis=1)
            games.step(np.where(which & (ply < plies), drawn, -1))

    def play(self, forest: Forest, rng: np.random.Generator) -> tuple[np.ndarray, list[PlayedGame], float]:
        """One ply of all games; returns the rows and the games that it finished, and the entropy of its policies."""
        config, games = self.config, self.games
        thorough = rng.random(config.num_games) < config.thorough_share
        visits = np.where(thorough, config.visits, config.quick_visits)
        forest.plant(games)
        found = gumbel_search(forest, visits, rng, config.candidates, allowed=self._allowed())
        rows = pack(config.rules, games.observe()[thorough], games.legal_mask()[thorough])
        rows["policy"] = found.policy[thorough]
        rows["game"] = np.flatnonzero(thorough)
        rows["side"] = np.where(games.to_play == BLACK, 1, -1)[thorough]
        self.pending = np.concatenate([self.pending, rows])
        games.step(found.actions)
        policy = np.maximum(found.policy, 1e-12)
        return *self._finish(rng), float(-(policy * np.log(policy)).sum(axis=1).mean())

    def _allowed(self) -> np.ndarray:
        """(num_games, num_actions) bool: no pass in the first half of a game, or early ones would end at once."""
        games = self.games
        allowed = np.ones_like(games.legal_mask())
        early = games.num_moves < games.rules.num_points // 2
        allowed[:, -1] = ~early | ~games.legal_mask()[:, :-1].any(axis=1)
        return allowed

    def _finish(self, rng: np.random.Generator) -> tuple[np.ndarray, list[PlayedGame]]:
        """Count the games that are over or wholly settled, and begin others in their place."""
        games = self.games
        alive = games.pass_alive()
        settled = (alive != 0).all(axis=(1, 2))
        ended = settled | games.is_over
        if not ended.any():
            return self.pending[:0], []
        owners = np.where(settled[:, None, None], alive, games.ownership()).reshape(len(ended), -1)
        scores = owners.sum(axis=1, dtype=np.int64) - games.komi
        done = ended[self.pending["game"]]
        rows, self.pending = self.pending[done], self.pending[~done]
        sides = rows["side"]
        rows["score"] = scores[rows["game"]] * sides
        rows["value"] = np.sign(rows["score"])
        rows["ownership"] = owners[rows["game"]] * sides[:, None]
        played = []
        for i in np.flatnonzero(ended):
            played.append(PlayedGame(games.position(int(i)).moves, float(scores[i]), float(games.komi[i])))
            self.fair_komi += 0.005 * (float(scores[i] + games.komi[i]) - self.fair_komi)
        self.begin(ended, rng)
        return rows, played


def draw_komi(rules: Rules, fair: float, count: int, rng: np.random.Generator) -> np.ndarray:
    """(count,) float32, whole and half points: for a quarter the rules' komi, else normal around the fair one.

    The network is told the komi; games near the fair one are the ones that teach it what decides a game.
    """
    limit = rules.num_points - 0.5
    drawn = np.round(2 * rng.normal(fair, rules.num_points**0.5 / 3, size=count)) / 2
    own = rng.random(count) < 0.25
    return np.where(own, rules.komi or 0, drawn.clip(-limit, limit)).astype(np.float32)


class GumbelLearner(Learner):
    """`config.algorithm` "gumbel"."""

    def __init__(self, config: TrainConfig, network: PolicyNetwork, device: torch.device) -> None:
        super().__init__(config, network, device)
        self.self_play = SelfPlay(config)
        self.self_play.begin(np.ones(config.num_games, np.bool_), self.rng)
        self.replay = Replay(config.rules, config.replay_positions)
        self.num_games = 0
        self.owed = 0.0  # gradient steps
        self._recent: deque[tuple[int, ...]] = deque(maxlen=_RECENT)  # canonical moves
        self._shown: list[PlayedGame] = []

    def summary(self) -> str:
        config = self.config
        return (
            f"{config.num_games} games in flight, {config.visits} visits in {config.thorough_share:.0%} of the plies,"
            f" {config.quick_visits} in the others, up to {config.replay_positions:,} positions in"
            f" {self.replay.rows.nbytes / 2**20:.0f} MiB"
        )

    def step(self) -> dict[str, float]:
        evaluate = CachedEvaluator(evaluator(self.average), _CACHE)
        metrics = self._play(evaluate) | self._learn()
        return metrics | {"cached": evaluate.hits / (evaluate.hits + evaluate.evaluated)}

    def assess(self, step: int) -> dict[str, float]:
        rng = np.random.default_rng([self.config.seed, step])
        return {"score against random": score_against_random(self.average, self.config.rules, 64, rng)}

    def progress(self) -> dict[str, float]:
        return {"games": self.num_games, "positions": self.replay.added}

    def _play(self, evaluate: Evaluate) -> dict[str, float]:
        config = self.config
        forest = Forest(evaluate, config.rules, config.num_games)
        entropies, finished = [], []
        for _ in range(config.plies_a_step):
            rows, played, entropy = self.self_play.play(forest, self.rng)
            self.replay.add(rows)
            self.owed += config.reuse * len(rows) / config.batch_size
            entropies.append(entropy)
            finished += played
        self.num_games += len(finished)
        self._recent.extend(canonical_moves(game.moves, config.rules.rows, config.rules.cols) for game in finished)
        self._shown = (self._shown + finished)[-_GAMES_SHOWN:]
        metrics = {"entropy": float(np.mean(entropies)), "games": self.num_games, "fair komi": self.self_play.fair_komi}
        if finished:
            metrics["length"] = float(np.mean([len(game.moves) for game in finished]))
            metrics["Black wins"] = float(np.mean([game.score_black > 0 for game in finished]))
        return metrics | self._variety()

    def _variety(self) -> dict[str, float]:
        """How different the recent games are. Raises TrainingError when they are all but one and the same."""
        if len(self._recent) < 64:
            return {}
        unique = len(set(self._recent)) / len(self._recent)
        if len(self._recent) == _RECENT and unique < 0.02:
            raise TrainingError(
                f"the policy has collapsed: of the last {_RECENT} games only {len(set(self._recent))} differ;"
                " more --random-plies or --candidates may help"
            )
        shares = np.array(list(Counter(game[:_OPENING] for game in self._recent).values())) / len(self._recent)
        return {"unique games": unique, "opening entropy": float(-(shares * np.log(shares)).sum())}

    def _learn(self) -> dict[str, float]:
        """The gradient steps that the new positions are worth."""
        config = self.config
        if self.replay.added < 4 * config.batch_size:
            self.owed = 0.0
            return {}
        sums: Counter[str] = Counter()
        count = int(self.owed)
        self.owed -= count
        for _ in range(count):
            batch = {
                name: self.tensor(values) for name, values in self.replay.sample(config.batch_size, self.rng).items()
            }
            losses = self_play_losses(self.network(batch["planes"], batch["legal"]), batch)
            self.update(torch.stack(list(losses.values())).sum())
            sums.update({f"{name} loss": float(loss.detach()) for name, loss in losses.items()})
        return {name: total / count for name, total in sums.items()}

    def games(self) -> list[Any]:
        """The newest games since the last call."""
        from dataclasses import replace

        from goagent.records.sgf import Game

        shown, self._shown = self._shown, []
        rules = self.config.rules
        return [
            Game.from_moves(replace(rules, komi=game.komi), game.moves, game.score_black, "self-play", "self-play")
            for game in shown
        ]

    def state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        state, tensors = super().state()
        play = self.self_play
        replay, rows = self.replay.state()
        moves = [play.games.position(i).moves for i in range(self.config.num_games)]
        recent = list(self._recent)
        tensors |= {
            "replay": torch.from_numpy(rows),
            "pending": torch.from_numpy(to_bytes(play.pending)),
            "komi": torch.from_numpy(play.games.komi.copy()),
            "moves": _flat(moves),
            "recent": _flat(recent),
        }
        return state | {
            "replay": replay,
            "lengths": [len(game) for game in moves],
            "recent": [len(game) for game in recent],
            "fair_komi": play.fair_komi,
            "games": self.num_games,
            "owed": self.owed,
        }, tensors

    def restore(self, state: dict[str, Any], tensors: dict[str, Tensor], average: dict[str, Tensor]) -> None:
        super().restore(state, tensors, average)
        play = self.self_play
        self.replay.restore(state["replay"], tensors["replay"].numpy())
        play.pending = from_bytes(self.config.rules, tensors["pending"].numpy()).copy()
        play.games.komi[:] = tensors["komi"].numpy()
        play.games.reset()
        moves = _unflat(tensors["moves"], state["lengths"])
        lines = np.full((len(moves), max(map(len, moves))), -1, np.int64)
        for line, game in zip(lines, moves, strict=True):
            line[: len(game)] = game
        play.games.follow(lines)
        play.fair_komi = float(state["fair_komi"])
        self._recent.extend(_unflat(tensors["recent"], state["recent"]))
        self.num_games, self.owed = int(state["games"]), float(state["owed"])


def _flat(games: list[tuple[int, ...]]) -> Tensor:
    return torch.tensor([move for game in games for move in game], dtype=torch.int16)


def _unflat(moves: Tensor, lengths: list[int]) -> list[tuple[int, ...]]:
    return [tuple(part.tolist()) for part in moves.split(lengths)]
