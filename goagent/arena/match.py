"""Two players, many games. `play_game` plays one, `play_match` pairs with colours swapped; `match` is the command."""

import dataclasses
import json
import multiprocessing
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import numba
import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from tyro.conf import Positional, arg

from envs import BLACK, EMPTY, WHITE, IllegalMove, Position, Rules
from goagent.arena.openings import random_openings
from goagent.arena.result import Ending, GameRecord, MatchResult
from goagent.arena.sprt import Sprt
from goagent.errors import UserError
from goagent.players.external import EngineError
from goagent.players.player import Player, Resigned
from goagent.players.spec import load_agent
from goagent.processes import begin_work
from goagent.records.files import write_text
from goagent.records.sgf import write_sgf
from goagent.rules import rules_from

_WARM_UP_PLIES = 4


def play_game(
    black: Player, white: Player, rules: Rules, rng: np.random.Generator, opening: Sequence[int] = ()
) -> GameRecord:
    """One game from the empty board, its first moves given. It is counted by area; dead stones are not removed.

    A player that resigns, plays an illegal move or raises EngineError loses, and the record says why.
    """
    position = Position(rules)
    for action in opening:
        position = position.play(action)
    seconds: dict[int, list[float]] = {BLACK: [], WHITE: []}

    def lost(winner: int, ending: Ending, problem: str = "") -> GameRecord:
        return GameRecord(rules, position.moves, winner, None, ending, problem, *map(tuple, seconds.values()))

    black.reset()
    white.reset()
    while not position.is_over:
        player, opponent = (black, WHITE) if position.to_play == BLACK else (white, BLACK)
        started = time.perf_counter()
        try:
            try:
                action = player.choose(position, rng)
            finally:
                seconds[position.to_play].append(time.perf_counter() - started)
            position = position.play(action)
        except Resigned:
            return lost(opponent, "resignation")
        except EngineError as error:
            return lost(opponent, "failure", str(error))
        except IllegalMove as error:
            return lost(opponent, "failure", f"{player.name}: {error}")
    return dataclasses.replace(
        counted(position), seconds_black=tuple(seconds[BLACK]), seconds_white=tuple(seconds[WHITE])
    )


def counted(position: Position) -> GameRecord:
    """A finished game as its board says."""
    score = position.score_black()
    winner = EMPTY if score == 0 else BLACK if score > 0 else WHITE
    return GameRecord(position.rules, position.moves, winner, score, _ending(position))


def play_match(
    a: Player,
    b: Player,
    rules: Rules,
    games: int,
    rng: np.random.Generator,
    openings: Sequence[Sequence[int]] = ((),),
    report: Callable[[GameRecord], None] = lambda game: None,
    sprt: Sprt | None = None,
    swap: bool = True,
) -> MatchResult:
    """`games` games in pairs: both of a pair have the same opening, and `a` has Black in the first. Openings go round.

    swap: False gives every game an opening of its own, and Black to `a`.
    Every game draws from a generator of its own. `report` is called after each. With `sprt` the match ends after the
    first pair that decides it.
    """
    tasks = _tasks(games, rng, openings, swap)
    return _gather(a.name, b.name, (_play(task, a, b, rules) for task in tasks), report, sprt, swap)


class _Task(NamedTuple):
    """One game of a match, still to be played."""

    a_is_black: bool
    opening: Sequence[int]
    rng: np.random.Generator


def _tasks(games: int, rng: np.random.Generator, openings: Sequence[Sequence[int]], swap: bool) -> list[_Task]:
    return [
        _Task(not swap or i % 2 == 0, openings[(i // 2 if swap else i) % len(openings)], generator)
        for i, generator in enumerate(rng.spawn(games))
    ]


def _play(task: _Task, a: Player, b: Player, rules: Rules) -> GameRecord:
    black, white = (a, b) if task.a_is_black else (b, a)
    return play_game(black, white, rules, task.rng, task.opening)


def _gather(
    a: str,
    b: str,
    records: Iterable[GameRecord],
    report: Callable[[GameRecord], None],
    sprt: Sprt | None,
    swap: bool,
) -> MatchResult:
    """The result of the games, in their order, up to the pair that decides the test."""
    played: list[GameRecord] = []
    for record in records:
        played.append(record)
        report(record)
        if sprt and len(played) % 2 == 0 and sprt.judge(MatchResult(a, b, tuple(played), swap).points).accepted:
            break
    return MatchResult(a, b, tuple(played), swap)


@dataclass(frozen=True)
class MatchConfig:
    """Play two agents against each other: colours swapped, the same random opening for both games of a pair.

    With --ladder, rate the checkpoints of a run; with --levels, the levels of an agent.
    """

    a: Annotated[Positional[str | None], arg(metavar="SPEC")] = None
    """The agent whose score is printed, as a SPEC (see `goagent agents`). With --ladder: one more opponent."""
    b: Annotated[Positional[str | None], arg(metavar="SPEC")] = None
    """Its opponent. With --ladder: one more."""
    size: str | None = None
    """Board size: 9, or 5x7 (rows x columns). Default: 9; with --ladder, the run's."""
    games: int = 100
    """How many; with --sprt, at most; with --ladder and --levels, in each pairing."""
    komi: float | None = None
    """Default: the size's; with --ladder and no --size, the run's."""
    ko: Literal["positional", "situational", "simple"] | None = None
    """Which repetitions are forbidden. Default: positional; with --ladder and no --size, the run's."""
    swap: bool = True
    """Swap colours between the games of a pair; else the first agent always has Black."""
    opening_plies: int = 2
    """Random moves before the agents take over; 0 for none."""
    seed: int = 0
    """Openings and agents draw from it; engines draw for themselves."""
    sprt: Annotated[tuple[float, float] | None, arg(metavar="ELO0 ELO1")] = None
    """Stop when it is clear, at about 5 percent error, whether the first agent is ELO1 (H1) or only ELO0 (H0) stronger.
    With 0 50 that takes some 300 games, fewer if they differ by more.
    """
    ladder: str | None = None
    """A run folder, with options as in a SPEC: rate its checkpoints, and write ladder.png and ladder.json into it."""
    levels: str | None = None
    """An agent with levels, such as shipped: rate each of them."""
    jobs: int = 1
    """Games played at once, each in a process of its own with its share of the CPU threads."""
    save: Path | None = None
    """Write the games to this SGF file."""
    json: Path | None = None
    """Write the result to this file."""

    def __post_init__(self) -> None:
        for name, least in (("games", 1), ("opening_plies", 0), ("seed", 0), ("jobs", 1)):
            if getattr(self, name) < least:
                raise UserError(f"{name} is {getattr(self, name)}: expected {least} or more")
        if self.ladder is None and self.levels is None and self.b is None:
            raise UserError("a match has two agents: expected SPEC SPEC, or --ladder RUN; see goagent match --help")
        for many in ("ladder", "levels"):
            if getattr(self, many) is None:
                continue
            alone = ("sprt", "save", "json", "swap", "jobs", *(("a", "b", "ladder") if many == "levels" else ()))
            for name in (name for name in alone if getattr(self, name) != getattr(MatchConfig, name)):
                option = {"swap": "no-swap", "a": "a SPEC", "b": "a SPEC"}.get(name, name)
                raise UserError(f"{many} and {option} are both given: expected {option} in a match of two agents only")
        if self.sprt:
            Sprt(*self.sprt)
        for path in (self.save, self.json):
            if path is not None and (path.exists() or not path.parent.is_dir()):
                raise UserError(f"cannot write {path}: expected a new file in a folder that exists")
        if self.save is not None and self.save == self.json:
            raise UserError(f"save and json are both {self.save}: expected two files")


def match(config: MatchConfig) -> int:
    """`goagent match`: print the result, and a line for each game that a failure ended. Raises UserError."""
    if config.ladder is not None:
        from goagent.arena.ladder import ladder  # late: it plays its matches with this module

        return ladder(config)
    if config.levels is not None:
        from goagent.arena.dial import rate_levels  # late, likewise

        return rate_levels(config)
    assert config.a is not None and config.b is not None
    rules = rules_from(config.size or "9", komi=config.komi, ko=config.ko or "positional")
    rng = np.random.default_rng(config.seed)
    openings = random_openings(
        rules, (config.games + 1) // 2 if config.swap else config.games, config.opening_plies, rng
    )
    sprt = Sprt(*config.sprt) if config.sprt else None
    tasks = _tasks(config.games, rng, openings, config.swap)
    console = Console()
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(escape(f"{config.a} - {config.b}"), total=config.games)
        with _records(config, rules, tasks) as records:
            records = _until_ctrl_c(records)
            result = _gather(config.a, config.b, records, lambda game: progress.advance(task), sprt, config.swap)
    if not result.games:
        raise KeyboardInterrupt
    console.print(result)
    verdict = sprt.judge(result.points) if sprt else None
    stopped = len(result.games) < config.games and not (verdict and verdict.accepted)
    if stopped:
        console.print(f"stopped after {len(result.games)} of {config.games} games")
    if verdict:
        console.print(verdict)
    for i, game in enumerate(result.games):
        if game.problem:
            console.print(f"game {i + 1}: {game.problem}", markup=False, soft_wrap=True)
    if config.save:
        names = (config.a, config.b)
        games = [
            game.to_game(*(names if a_is_black else names[::-1]))
            for game, a_is_black in zip(result.games, result.a_is_black, strict=True)
        ]
        write_text(config.save, "".join(write_sgf(game) + "\n" for game in games))
    if config.json:
        summary = result.summary() | ({"sprt": verdict.summary()} if verdict else {})
        write_text(config.json, json.dumps(summary, indent=1) + "\n")
    return 130 if stopped else 0


def _until_ctrl_c(records: Iterable[GameRecord]) -> Iterator[GameRecord]:
    """The games that were over when the match was stopped: hours of play are not to be lost."""
    with suppress(KeyboardInterrupt):
        yield from records


@contextmanager
def _records(config: MatchConfig, rules: Rules, tasks: list[_Task]) -> Iterator[Iterable[GameRecord]]:
    """The games of the match, in order, played as they are asked for or by `config.jobs` processes."""
    assert config.a is not None and config.b is not None
    if config.jobs == 1:
        a, b = _warm_players(config.a, config.b, rules)
        yield (_play(task, a, b, rules) for task in tasks)
        return
    for spec in (config.a, config.b):
        load_agent(spec, rules)  # what is wrong with it is best said here
    threads = max(1, numba.get_num_threads() // config.jobs)
    play = partial(_play_elsewhere, config.a, config.b, rules, threads)
    with multiprocessing.get_context("spawn").Pool(config.jobs, begin_work) as pool:
        yield pool.imap(play, tasks)


def _play_elsewhere(a: str, b: str, rules: Rules, threads: int, task: _Task) -> GameRecord:
    import torch  # late: rollouts and engines do without

    numba.set_num_threads(threads)
    torch.set_num_threads(threads)
    return _play(task, *_kept_players(a, b, rules), rules)


def _warm_players(a: str, b: str, rules: Rules) -> tuple[Player, Player]:
    players = load_agent(a, rules), load_agent(b, rules)
    for player in players:
        warm_up(player, rules)
    return players


_kept_players = cache(_warm_players)


def warm_up(player: Player, rules: Rules) -> None:
    """A few moves that nobody counts: compiling kernels or starting an engine is no part of the seconds per move."""
    position, rng = Position(rules), np.random.default_rng(0)
    player.reset()
    with suppress(Resigned, EngineError, IllegalMove):  # the games will tell
        for _ in range(_WARM_UP_PLIES):
            if not position.is_over:
                position = position.play(player.choose(position, rng))


def _ending(position: Position) -> Ending:
    if position.truncated:
        return "length"
    return "capture" if position.rules.objective == "capture" and position.consecutive_passes < 2 else "passes"
