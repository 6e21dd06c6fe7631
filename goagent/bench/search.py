"""How much of the network's speed a search keeps, and how fast playouts are. Start with `bench_search`."""

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numba
import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from envs import SKIP, GoBatch, Rules
from goagent.bench.turns import Contender, measure
from goagent.errors import UserError
from goagent.players.evaluator import evaluator
from goagent.players.policy import load_network
from goagent.players.rollout import RolloutPlayer
from goagent.players.shipped import shipped_for
from goagent.policies.network import NetworkConfig, PolicyNetwork
from goagent.records.files import write_text
from goagent.rules import rules_from
from goagent.search.evaluation import Evaluate, Evaluation
from goagent.search.gumbel import gumbel_search
from goagent.search.tree import Forest

BARE, SEARCH = "network alone", "network in a search"
_VISITS = 32
_PLAYOUTS = 10_000  # as for a move: with few, a tree is too small for a second core


@dataclass(frozen=True)
class SearchBenchConfig:
    """Network evaluations a second, alone and inside a search with cache and tree reuse off; playouts a second."""

    size: str = "9"
    """Board size: 9, or 5x7 (rows x columns)."""
    batch_size: int = 64
    """Positions given to the network at once."""
    agent: Path | None = None
    """A run or checkpoint. Default: the agent shipped for the size, or random weights."""
    repeats: int = 5
    """How often each contender has its turn; the median counts."""
    seconds: float = 1.0
    """Length of a turn."""
    json: Path | None = None
    """Also write the figures to this file."""


def bench_search(config: SearchBenchConfig) -> int:
    """Measure, print a table, and write `config.json` when asked. Returns the exit code 0. Raises UserError."""
    if config.batch_size < 1 or config.repeats < 1 or config.seconds <= 0:
        raise UserError("batch_size and repeats must be at least 1 and seconds more than 0")
    if config.json and not config.json.parent.is_dir():
        raise UserError(f"cannot write {config.json}: there is no folder {config.json.parent}")
    rules = rules_from(config.size)
    network, name = _network(config, rules)
    speeds = measure(_contenders(network, rules, config.batch_size), config.repeats, config.seconds)
    table = Table(title=f"Search on {rules.size}, {name}, batches of {config.batch_size}")
    for heading in ("", "threads", "a second", f"/ {BARE}"):
        table.add_column(heading, justify="right" if heading else "left")
    for (contender, threads), speed in speeds.items():
        share = f"{speed / speeds[BARE, threads]:.1%}" if contender == SEARCH else ""
        table.add_row(contender, str(threads), f"{speed:,.0f}", share)
    Console().print(table)
    if config.json:
        rows = [{"name": name, "threads": threads, "per_second": speed} for (name, threads), speed in speeds.items()]
        figures = {"board": rules.size, "batch_size": config.batch_size, "network": name, "speeds": rows}
        write_text(config.json, json.dumps(figures, indent=2) + "\n")
    return 0


def _network(config: SearchBenchConfig, rules: Rules) -> tuple[PolicyNetwork, str]:
    if config.agent:
        return load_network(config.agent), str(config.agent)
    if found := shipped_for(rules):
        return load_network(found[0]), f"the {found[0].name} agent"
    return PolicyNetwork(NetworkConfig()).to(memory_format=torch.channels_last).eval(), "random weights"  # type: ignore[call-overload]


def _contenders(network: PolicyNetwork, rules: Rules, batch_size: int) -> list[Contender]:
    contenders = []
    games = _midgame(rules, batch_size)
    evaluate = evaluator(network)
    for threads in range(1, min(2, numba.get_num_threads()) + 1):
        contenders += [
            Contender(BARE, threads, _with_threads(threads, _alone(evaluate, games))),
            Contender(SEARCH, threads, _with_threads(threads, _searching(evaluate, games))),
            Contender("playouts of rollout search", threads, _rollouts(games)),
        ]
    return contenders


def _midgame(rules: Rules, num_games: int) -> GoBatch:
    """Unfinished random games, from the opening to the late middle."""
    games, rng = GoBatch(rules, num_games), np.random.default_rng(0)
    lengths = np.arange(num_games) % (rules.num_points // 2)
    for ply in range(rules.num_points // 2):
        games.step(np.where(ply < lengths, games.sample_legal(rng, passes=False), SKIP))
    return games


def _with_threads(threads: int, play: Callable[[], int]) -> Callable[[], int]:
    def limited() -> int:
        torch.set_num_threads(threads)
        return play()

    return limited


def _alone(evaluate: Evaluate, games: GoBatch) -> Callable[[], int]:
    planes = games.observe()

    def play() -> int:
        evaluate(planes)
        return len(planes)

    return play


def _searching(evaluate: Evaluate, games: GoBatch) -> Callable[[], int]:
    counts = []

    def counting(planes: np.ndarray) -> Evaluation:
        counts.append(len(planes))
        return evaluate(planes)

    forest = Forest(counting, games.rules, games.num_games, batch_size=games.num_games)
    rng = np.random.default_rng(0)

    def play() -> int:
        counts.clear()
        forest.plant(games)
        gumbel_search(forest, np.full(games.num_games, _VISITS), rng)
        return sum(counts)

    return play


def _rollouts(games: GoBatch) -> Callable[[], int]:
    player = RolloutPlayer(playouts=_PLAYOUTS)
    positions, seeds = itertools.cycle([games.position(i) for i in range(games.num_games)]), itertools.count()

    def play() -> int:
        player.choose(next(positions), np.random.default_rng(next(seeds)))
        return _PLAYOUTS

    return play
