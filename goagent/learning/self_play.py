"""Games that a Gumbel search plays against itself, and what can be learned from them.

Every game in flight goes on ply by ply. The search of a ply is thorough in some of the games, whose positions are
learned from, and quick in the others (playout-cap randomisation, Wu 2019, arXiv:1902.10565, section 3.1).
"""

from typing import Any, NamedTuple

import numpy as np

from envs import BLACK, SKIP, GoBatch, Rules
from goagent.learning.config import TrainConfig
from goagent.learning.replay import from_bytes, pack, row_type, to_bytes
from goagent.search.evaluation import Evaluate
from goagent.search.gumbel import gumbel_search
from goagent.search.tree import Forest


class PlayedGame(NamedTuple):
    """A game of self-play, for the records."""

    moves: tuple[int, ...]
    score_black: float  # komi included
    komi: float


class Harvest(NamedTuple):
    """What some plies of self-play brought."""

    rows: np.ndarray  # (positions,) of `replay.row_type`: those of the games that ended
    games: list[PlayedGame]  # that ended
    entropy: float  # nats: mean of the searches' policies


class SelfPlay:
    """Games in flight, and the positions of theirs whose end is not known yet.

    parallel, batch_size: as for `Forest`.
    """

    def __init__(
        self,
        config: TrainConfig,
        num_games: int,
        rng: np.random.Generator,
        parallel: bool = False,
        batch_size: int = 64,
    ) -> None:
        self.config = config
        self.rng = rng
        self.batch_size = batch_size
        self.games = GoBatch(config.rules, num_games, parallel)
        self.pending = np.zeros(0, row_type(config.rules))
        self._begin(np.ones(num_games, np.bool_), None)

    def play(self, evaluate: Evaluate, plies: int) -> Harvest:
        """`plies` of every game.

        The trees last for a ply, or a stopped run could not go on as if it had not been stopped.
        """
        forest = Forest(evaluate, self.config.rules, self.games.num_games, self.games.parallel, self.batch_size)
        rows, entropies = [], []
        games: list[PlayedGame] = []
        for _ in range(plies):
            entropies.append(self._ply(forest))
            rows.append(self._finish(games, evaluate))
        return Harvest(np.concatenate(rows), games, float(np.mean(entropies)))

    def _ply(self, forest: Forest) -> float:
        """One ply of all games; returns the mean entropy of their policies."""
        config, games = self.config, self.games
        thorough = self.rng.random(games.num_games) < config.thorough_share
        forest.plant(games)
        visits = np.where(thorough, config.visits, config.quick_visits)
        found = gumbel_search(forest, visits, self.rng, config.candidates, allowed=self._allowed())
        rows = pack(config.rules, games.observe()[thorough], games.legal_mask()[thorough])
        rows["policy"] = found.policy[thorough]
        rows["game"] = np.flatnonzero(thorough)
        rows["side"] = np.where(games.to_play == BLACK, 1, -1)[thorough]
        self.pending = np.concatenate([self.pending, rows])
        games.step(found.actions)
        policy = np.maximum(found.policy, 1e-12)
        return float(-(policy * np.log(policy)).sum(axis=1).mean())

    def _allowed(self) -> np.ndarray:
        """(num_games, num_actions) bool: no pass in the first half of a game, or early ones would end at once."""
        games = self.games
        allowed = np.ones_like(games.legal_mask())
        early = games.num_moves < games.rules.num_points // 2
        allowed[:, -1] = ~early | ~games.legal_mask()[:, :-1].any(axis=1)
        return allowed

    def _finish(self, played: list[PlayedGame], evaluate: Evaluate) -> np.ndarray:
        """Count the games that are over or wholly settled, and begin others in their place; returns their rows."""
        games = self.games
        alive = games.pass_alive()
        settled = (alive != 0).all(axis=(1, 2))
        ended = settled | games.is_over
        if not ended.any():
            return self.pending[:0]
        owners = np.where(settled[:, None, None], alive, games.ownership()).reshape(len(ended), -1)
        scores = owners.sum(axis=1, dtype=np.int64) - games.komi
        done = ended[self.pending["game"]]
        rows, self.pending = self.pending[done], self.pending[~done]
        sides = rows["side"]
        rows["score"] = scores[rows["game"]] * sides
        rows["value"] = np.sign(rows["score"])
        rows["ownership"] = owners[rows["game"]] * sides[:, None]
        for i in np.flatnonzero(ended):
            played.append(PlayedGame(games.position(int(i)).moves, float(scores[i]), float(games.komi[i])))
        self._begin(ended, evaluate)
        return rows

    def _begin(self, which: np.ndarray, evaluate: Evaluate | None) -> None:
        """Start the games where `which` (num_games,) bool is set: a few random plies, and a komi fair after them."""
        games = self.games
        games.reset(which)
        games.komi[which] = games.rules.komi
        plies = self.rng.integers(0, self.config.random_plies + 1, size=len(which))
        for ply in range(self.config.random_plies):
            games.step(np.where(which & (ply < plies), games.sample_legal(self.rng, passes=False), SKIP))
        fair = games.komi[which]
        if evaluate is not None:  # else nobody knows better yet
            fair += evaluate(games.observe()[which]).score * np.where(games.to_play[which] == BLACK, 1, -1)
        games.komi[which] = draw_komi(games.rules, fair, self.rng)

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Everything that the next ply depends on, as JSON and arrays."""
        return {"rng": self.rng.bit_generator.state}, {
            "pending": to_bytes(self.pending),
            "komi": self.games.komi.copy(),
            "moves": self.games.moves,
        }

    def restore(self, state: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        """The inverse of `state`. Raises LookupError, ValueError."""
        self.rng.bit_generator.state = state["rng"]
        self.pending = from_bytes(self.config.rules, arrays["pending"]).copy()
        self.games.reset()
        self.games.komi[:] = arrays["komi"]
        self.games.follow(arrays["moves"])


def draw_komi(rules: Rules, fair: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(games,) float32, whole and half points: for a quarter the rules' komi, else normal around the `fair` (games,).

    The network is told the komi; games near the fair one are the ones that teach it what decides a game.
    """
    limit = rules.num_points - 0.5
    drawn = np.round(2 * rng.normal(fair, rules.num_points**0.5 / 3)) / 2
    own = rng.random(len(fair)) < 0.25
    return np.where(own, rules.komi or 0, drawn.clip(-limit, limit)).astype(np.float32)
