"""How fast the environment is, beside its peers. Start with `bench_env`.

Everything plays 9x9 with uniformly random legal moves, ours under positional superko. The contenders take turns, so
that what else the machine does hits them alike, and the medians are compared.
"""

import itertools
import json
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numba
import numpy as np
from rich.console import Console
from rich.table import Table

from envs import GoBatch, Position, Rules, play_random_games
from goagent.bench.turns import Contender, measure
from goagent.errors import UserError
from goagent.records.files import write_text

SIZE = 9
OPEN_SPIEL, PETTINGZOO = "OpenSpiel", "PettingZoo go_v5"


@dataclass(frozen=True)
class EnvBenchConfig:
    """Moves per second of random play on 9x9, side by side with OpenSpiel and PettingZoo where they are installed."""

    games: int = 1024
    """Games in a GoBatch."""
    repeats: int = 5
    """How often each contender has its turn; the median counts."""
    seconds: float = 0.5
    """Length of a turn."""
    seed: int = 0
    """Seed of all random moves."""
    json: Path | None = None
    """Also write the figures to this file."""


def bench_env(config: EnvBenchConfig) -> int:
    """Measure, print a table, and write `config.json` when asked. Returns the exit code 0. Raises UserError."""
    if config.games < 1 or config.repeats < 1 or config.seconds <= 0:
        raise UserError("games and repeats must be at least 1 and seconds more than 0")
    if config.json and not config.json.parent.is_dir():
        raise UserError(f"cannot write {config.json}: there is no folder {config.json.parent}")
    console = Console()
    contenders = list(_contenders(config))
    speeds = measure(contenders, config.repeats, config.seconds)
    memory = batch_bytes_a_game(plies=200)
    console.print(_table(speeds))
    console.print(f"GoBatch holds {memory / 1024:.1f} KiB a game at 200 plies.")
    absent = [peer for peer in (OPEN_SPIEL, PETTINGZOO) if (peer, 1) not in speeds]
    if absent:
        console.print(f"Not installed, so not measured: {', '.join(absent)}. `pip install 'goagent[peers]'` adds them.")
    if config.json:
        rows = [
            {"name": name, "threads": threads, "moves_per_second": speed} for (name, threads), speed in speeds.items()
        ]
        figures = {"board": SIZE, "games": config.games, "bytes_a_game": memory, "speeds": rows}
        write_text(config.json, json.dumps(figures, indent=2) + "\n")
    return 0


def batch_bytes_a_game(plies: int) -> float:
    """Bytes that a `GoBatch` on 9x9 holds for each game after `plies` plies."""
    batch = GoBatch(Rules.square(SIZE), 256)
    rng = np.random.default_rng(0)
    while batch.num_moves.max() < plies:
        batch.step(batch.sample_legal(rng))
    return batch.nbytes / batch.num_games


def _contenders(config: EnvBenchConfig) -> Iterator[Contender]:
    rules = Rules.square(SIZE)
    for threads in range(1, min(2, numba.get_num_threads()) + 1):
        yield Contender("play_random_games", threads, _whole_games(rules, config.seed))
        for name, sample in (("GoBatch", GoBatch.sample_legal), ("GoBatch, numpy sampler", _sample_with_numpy)):
            yield Contender(name, threads, _lock_step(rules, config, sample))
    yield Contender("Position", 1, _single(rules, config.seed))
    for name, make in ((OPEN_SPIEL, _open_spiel), (PETTINGZOO, _pettingzoo)):
        try:
            yield Contender(name, 1, make(config.seed))
        except ImportError:
            continue


def _whole_games(rules: Rules, seed: int) -> Callable[[], int]:
    seeds = itertools.count(seed)
    return lambda: int(play_random_games(rules, 512, next(seeds))[1].sum())


def _lock_step(rules: Rules, config: EnvBenchConfig, sample: Callable) -> Callable[[], int]:
    """A full legal mask each ply; a finished game starts anew at once, so that every slot plays a move in every ply."""
    batch = GoBatch(rules, config.games)
    rng = np.random.default_rng(config.seed)

    def play() -> int:
        batch.step(sample(batch, rng))
        over = batch.is_over
        if over.any():
            batch.reset(over)
        return batch.num_games

    for _ in range(2 * rules.num_points):  # the games drift apart: from here on all stages of a game are played
        play()
    return play


def _sample_with_numpy(batch: GoBatch, rng: np.random.Generator) -> np.ndarray:
    """What a user might write in place of `sample_legal`."""
    rank = batch.legal_mask().cumsum(axis=1, dtype=np.int16)
    return (rank > rng.integers(rank[:, -1])[:, None]).argmax(axis=1)


def _single(rules: Rules, seed: int) -> Callable[[], int]:
    rng = np.random.default_rng(seed)

    def play() -> int:
        position = Position(rules)
        while not position.is_over:
            position = position.play(rng.choice(np.flatnonzero(position.legal_mask())))
        return len(position.moves)

    return play


def _open_spiel(seed: int) -> Callable[[], int]:
    import pyspiel

    game = pyspiel.load_game(f"go(board_size={SIZE},komi=7.0)")
    rng = random.Random(seed)

    def play() -> int:
        state = game.new_initial_state()
        while not state.is_terminal():
            state.apply_action(rng.choice(state.legal_actions()))
        return state.move_number()

    return play


def _pettingzoo(seed: int) -> Callable[[], int]:
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    from pettingzoo.classic import go_v5

    env = go_v5.env(board_size=SIZE, komi=7.0)
    env.reset()
    for agent in env.possible_agents:
        env.action_space(agent).seed(seed)

    def play() -> int:
        for _ in range(20):
            observation, _, terminated, truncated, _ = env.last()
            if terminated or truncated:
                env.reset()
                observation = env.last()[0]
            env.step(env.action_space(env.agent_selection).sample(observation["action_mask"]))
        return 20

    return play


def _table(speeds: dict[tuple[str, int], float]) -> Table:
    table = Table(title=f"Random play on {SIZE}x{SIZE}")
    for heading in ("", "threads", "moves/s", "x OpenSpiel", "x PettingZoo"):
        table.add_column(heading, justify="right" if heading else "left")
    for (name, threads), speed in speeds.items():
        peers = [speeds.get((peer, 1)) for peer in (OPEN_SPIEL, PETTINGZOO)]
        ratios = [f"{speed / peer:,.2f}" if peer else "-" for peer in peers]
        table.add_row(name, str(threads), f"{speed:,.0f}", *ratios)
    return table
