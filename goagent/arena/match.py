"""Two players, many games. `play_game` plays one, `play_match` pairs with colours swapped; `match` is the command."""

import dataclasses
import json
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

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

    def record(winner: int, score: float | None, ending: Ending, problem: str = "") -> GameRecord:
        taken = tuple(seconds[BLACK]), tuple(seconds[WHITE])
        return GameRecord(rules, position.moves, winner, score, ending, problem, *taken)

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
            return record(opponent, None, "resignation")
        except EngineError as error:
            return record(opponent, None, "failure", str(error))
        except IllegalMove as error:
            return record(opponent, None, "failure", f"{player.name}: {error}")
    score = position.score_black()
    return record(EMPTY if score == 0 else BLACK if score > 0 else WHITE, score, _ending(position))


def play_match(
    a: Player,
    b: Player,
    rules: Rules,
    games: int,
    rng: np.random.Generator,
    openings: Sequence[Sequence[int]] = ((),),
    report: Callable[[GameRecord], None] = lambda game: None,
    sprt: Sprt | None = None,
) -> MatchResult:
    """`games` games in pairs: both of a pair have the same opening, and `a` has Black in the first. Openings go round.

    Every game draws from a generator of its own. `report` is called after each. With `sprt` the match ends after the
    first pair that decides it.
    """
    records: list[GameRecord] = []
    for i, generator in enumerate(rng.spawn(games)):
        black, white = (b, a) if i % 2 else (a, b)
        records.append(play_game(black, white, rules, generator, openings[i // 2 % len(openings)]))
        report(records[-1])
        if sprt and i % 2 and sprt.judge(MatchResult(a.name, b.name, tuple(records)).points).accepted:
            break
    return MatchResult(a.name, b.name, tuple(records))


@dataclass(frozen=True)
class MatchConfig:
    """Play two agents against each other: colours swapped, the same random opening for both games of a pair.

    With --ladder, rate the checkpoints of a run.
    """

    a: Annotated[Positional[str | None], arg(metavar="SPEC")] = None
    """The agent whose score is printed, as a SPEC (see `goagent agents`). With --ladder: one more opponent."""
    b: Annotated[Positional[str | None], arg(metavar="SPEC")] = None
    """Its opponent. With --ladder: one more."""
    size: str | None = None
    """Board size: 9, or 5x7 (rows x columns). Default: 9; with --ladder, the run's."""
    games: int = 100
    """How many; with --sprt, at most; with --ladder, in each pairing."""
    komi: float | None = None
    """Default: the size's; with --ladder and no --size, the run's."""
    ko: Literal["positional", "situational", "simple"] | None = None
    """Which repetitions are forbidden. Default: positional; with --ladder and no --size, the run's."""
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
    save: Path | None = None
    """Write the games to this SGF file."""
    json: Path | None = None
    """Write the result to this file."""

    def __post_init__(self) -> None:
        for name, least in (("games", 1), ("opening_plies", 0), ("seed", 0)):
            if getattr(self, name) < least:
                raise UserError(f"{name} is {getattr(self, name)}: expected {least} or more")
        if self.ladder is None and self.b is None:
            raise UserError("a match has two agents: expected SPEC SPEC, or --ladder RUN; see goagent match --help")
        for name in ("sprt", "save", "json"):
            if self.ladder is not None and getattr(self, name) is not None:
                raise UserError(f"ladder and {name} are both given: expected {name} in a match of two agents only")
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
    assert config.a is not None and config.b is not None
    rules = rules_from(config.size or "9", komi=config.komi, ko=config.ko or "positional")
    a, b = load_agent(config.a, rules), load_agent(config.b, rules)
    rng = np.random.default_rng(config.seed)
    openings = random_openings(rules, (config.games + 1) // 2, config.opening_plies, rng)
    sprt = Sprt(*config.sprt) if config.sprt else None
    warm_up(a, rules)
    warm_up(b, rules)
    console = Console()
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(escape(f"{config.a} - {config.b}"), total=config.games)
        result = play_match(a, b, rules, config.games, rng, openings, lambda game: progress.advance(task), sprt)
    result = dataclasses.replace(result, a=config.a, b=config.b)
    console.print(result)
    verdict = sprt.judge(result.points) if sprt else None
    if verdict:
        console.print(verdict)
    for i, game in enumerate(result.games):
        if game.problem:
            console.print(f"game {i + 1}: {game.problem}", markup=False, soft_wrap=True)
    if config.save:
        names = (config.a, config.b)
        games = [game.to_game(*names[:: -1 if i % 2 else 1]) for i, game in enumerate(result.games)]
        write_text(config.save, "".join(write_sgf(game) + "\n" for game in games))
    if config.json:
        summary = result.summary() | ({"sprt": verdict.summary()} if verdict else {})
        write_text(config.json, json.dumps(summary, indent=1) + "\n")
    return 0


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
