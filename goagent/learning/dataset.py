"""An expert's moves as arrays: SGF games in, positions to learn from out, split by game."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from envs import BLACK, SKIP, GoBatch, Rules
from envs.planes import KOMI_SCALE, NUM_PLANES, OFFSETS
from envs.symmetry import action_table
from goagent.errors import UserError
from goagent.records.sgf import Game, read_games

PACKAGED = Path(__file__).resolve().parent.parent / "data" / "games"
_KOMI = OFFSETS["komi"]


@dataclass(frozen=True)
class Positions:
    """Positions in which an expert moved. Planes are kept as bits; the komi plane is a number apart."""

    rules: Rules
    bits: np.ndarray  # (positions, ceil(planes * points / 8)) uint8
    komi: np.ndarray  # (positions,) float32: what the komi plane holds
    legal: np.ndarray  # (positions, num_actions) bool
    actions: np.ndarray  # (positions,) int64: the expert's
    results: np.ndarray  # (positions,) float32: +1, 0, -1 for the side to move; 0 also where the record does not say
    games: np.ndarray  # (positions,) int64: which game
    keys: np.ndarray  # (positions,) uint64: equal for positions that are equal up to symmetry

    def __len__(self) -> int:
        return len(self.actions)

    def where(self, chosen: np.ndarray) -> "Positions":
        """The positions at `chosen`, a mask or indices."""
        return Positions(self.rules, **{name: value[chosen] for name, value in vars(self).items() if name != "rules"})

    def planes(self) -> np.ndarray:
        """(positions, planes, rows, cols) float32, as `observe` gives them."""
        shape = (len(self), NUM_PLANES, self.rules.rows, self.rules.cols)
        flat = np.unpackbits(self.bits, axis=1, count=NUM_PLANES * self.rules.num_points)
        planes = flat.reshape(shape).astype(np.float32)
        planes[:, _KOMI] = self.komi[:, None, None]
        return planes


def load_positions(path: Path | None, rules: Rules) -> tuple[Positions, int]:
    """Every move of the games on this size at `path` (None: the package's own), and the number of games.

    A game counts up to its first move that these rules forbid or that comes out of turn. Raises UserError when no
    game on this size is there.
    """
    return _packaged(rules) if path is None else _load(path, rules, str(path))


@cache  # they take seconds to read, and an experiment asks again for every network
def _packaged(rules: Rules) -> tuple[Positions, int]:
    """The package keeps a file for each size."""
    own = PACKAGED / f"{rules.rows}x{rules.cols}.sgfs.gz"
    return _load(own if own.exists() else PACKAGED, rules, "the package")


def _load(path: Path, rules: Rules, place: str) -> tuple[Positions, int]:
    games = [
        game
        for game in read_games(path)
        if (game.rules.rows, game.rules.cols) == (rules.rows, rules.cols) and game.moves
    ]
    if not games:
        raise UserError(f"no game on {rules.size} in {place}: expected SGF games on that size")
    return _replay(games, rules), len(games)


def split(positions: Positions, holdout: float, rng: np.random.Generator) -> tuple[Positions, Positions]:
    """(training, held out): whole games apart, and nothing held out that, up to symmetry, occurs in training.

    At least one game is on either side. Raises UserError when that leaves nothing to hold out.
    """
    games = np.unique(positions.games)
    held = rng.permutation(games)[: min(max(1, round(holdout * len(games))), len(games) - 1)]
    apart = np.isin(positions.games, held)
    fresh = apart & ~np.isin(positions.keys, positions.keys[~apart])
    if not fresh.any():
        raise UserError(
            f"{len(games)} games leave no position to hold out that is not learned from: expected more games"
        )
    return positions.where(~apart), positions.where(fresh)


def _replay(games: Sequence[Game], rules: Rules) -> Positions:
    """All games in lock-step on one batch."""
    batch = GoBatch.from_positions([replace(game, rules=rules).start() for game in games])
    signs = np.array([_sign(game.result) for game in games], np.float32)
    komi = np.array([game.rules.komi for game in games], np.float32) / KOMI_SCALE
    on = np.ones(len(games), np.bool_)
    parts: dict[str, list[np.ndarray]] = {
        name: [] for name in ("bits", "komi", "legal", "actions", "results", "games", "keys")
    }
    for ply in range(max(len(game.moves) for game in games)):
        moves = [game.moves[ply] if ply < len(game.moves) else (0, SKIP) for game in games]
        colours, actions = (np.array(column, np.int64) for column in zip(*moves, strict=True))
        legal, to_play = batch.legal_mask(), batch.to_play
        on &= (actions != SKIP) & (colours == to_play) & legal[np.arange(len(games)), actions]
        if not on.any():
            break
        komi_to_play = np.where(to_play == BLACK, -komi, komi)
        planes = batch.observe()[on]
        planes[:, _KOMI] = 0
        parts["bits"].append(np.packbits(planes.reshape(len(planes), -1).astype(np.bool_), axis=1))
        parts["komi"].append(komi_to_play[on])
        parts["legal"].append(legal[on])
        parts["actions"].append(actions[on])
        parts["results"].append((signs * np.where(to_play == BLACK, 1, -1))[on].astype(np.float32))
        parts["games"].append(np.flatnonzero(on))
        parts["keys"].append(_keys(batch.boards[on], to_play[on]))
        batch.step(np.where(on, actions, SKIP))
    if not parts["actions"]:
        raise UserError(f"no game on {rules.size} begins with a move that is legal and in turn: expected some that do")
    return Positions(rules=rules, **{name: np.concatenate(values) for name, values in parts.items()})


def _keys(boards: np.ndarray, to_play: np.ndarray) -> np.ndarray:
    """(positions,) uint64 hash of board and side to move, the smallest over the symmetries."""
    rows, cols = boards.shape[1:]
    zobrist = np.random.Generator(np.random.PCG64(7)).integers(0, 2**64, (rows * cols, 3), np.uint64)
    zobrist[:, 0] = 0
    flat = boards.reshape(len(boards), -1)
    hashes = [np.bitwise_xor.reduce(zobrist[table[:-1], flat], axis=1) for table in action_table(rows, cols)]
    return np.minimum.reduce(hashes) ^ to_play.astype(np.uint64)


def _sign(result: str | None) -> float:
    """+1 Black won, -1 White, 0 otherwise, of an SGF result such as "W+3.5"."""
    return {"B": 1.0, "W": -1.0}.get((result or "")[:1].upper(), 0.0)
