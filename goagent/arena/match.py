"""Two players, many games. `play_game` plays one, `play_match` pairs with colours swapped; `match` is the command."""

import dataclasses
import json
from collections.abc import Callable, Sequence
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
from goagent.errors import UserError
from goagent.players.external import EngineError
from goagent.players.player import Player, Resigned
from goagent.players.spec import load_agent
from goagent.records.files import write_text
from goagent.records.sgf import write_sgf
from goagent.rules import rules_from


def play_game(
    black: Player, white: Player, rules: Rules, rng: np.random.Generator, opening: Sequence[int] = ()
) -> GameRecord:
    """One game from the empty board, its first moves given. It is counted by area; dead stones are not removed.

    A player that resigns, plays an illegal move or raises EngineError loses, and the record says why.
    """
    position = Position(rules)
    for action in opening:
        position = position.play(action)
    black.reset()
    white.reset()
    while not position.is_over:
        player, opponent = (black, WHITE) if position.to_play == BLACK else (white, BLACK)
        try:
            position = position.play(player.choose(position, rng))
        except Resigned:
            return GameRecord(rules, position.moves, opponent, None, "resignation")
        except EngineError as error:
            return GameRecord(rules, position.moves, opponent, None, "failure", str(error))
        except IllegalMove as error:
            return GameRecord(rules, position.moves, opponent, None, "failure", f"{player.name}: {error}")
    score = position.score_black()
    winner = EMPTY if score == 0 else BLACK if score > 0 else WHITE
    return GameRecord(rules, position.moves, winner, score, _ending(position))


def play_match(
    a: Player,
    b: Player,
    rules: Rules,
    games: int,
    rng: np.random.Generator,
    openings: Sequence[Sequence[int]] = ((),),
    report: Callable[[GameRecord], None] = lambda game: None,
) -> MatchResult:
    """`games` games in pairs: both of a pair have the same opening, and `a` has Black in the first. Openings go round.

    Every game draws from a generator of its own. `report` is called after each.
    """
    records = []
    for i, generator in enumerate(rng.spawn(games)):
        black, white = (b, a) if i % 2 else (a, b)
        records.append(play_game(black, white, rules, generator, openings[i // 2 % len(openings)]))
        report(records[-1])
    return MatchResult(a.name, b.name, tuple(records))


@dataclass(frozen=True)
class MatchConfig:
    """Play two agents against each other: colours swapped, the same random opening for both games of a pair."""

    a: Annotated[Positional[str], arg(metavar="SPEC")]
    """The agent whose score is printed, as a SPEC (see `goagent agents`)."""
    b: Annotated[Positional[str], arg(metavar="SPEC")]
    """Its opponent."""
    size: str = "9"
    """Board size: 9, or 5x7 (rows x columns)."""
    games: int = 100
    """How many."""
    komi: float | None = None
    """Default: the size's."""
    ko: Literal["positional", "situational", "simple"] = "positional"
    """Which repetitions are forbidden."""
    opening_plies: int = 2
    """Random moves before the agents take over; 0 for none."""
    seed: int = 0
    """Openings and agents draw from it; engines draw for themselves."""
    save: Path | None = None
    """Write the games to this SGF file."""
    json: Path | None = None
    """Write the result to this file."""

    def __post_init__(self) -> None:
        for name, least in (("games", 1), ("opening_plies", 0), ("seed", 0)):
            if getattr(self, name) < least:
                raise UserError(f"{name} is {getattr(self, name)}: expected {least} or more")
        for path in (self.save, self.json):
            if path is not None and (path.exists() or not path.parent.is_dir()):
                raise UserError(f"cannot write {path}: expected a new file in a folder that exists")
        if self.save is not None and self.save == self.json:
            raise UserError(f"save and json are both {self.save}: expected two files")


def match(config: MatchConfig) -> int:
    """`goagent match`: print the result, and a line for each game that a failure ended. Raises UserError."""
    rules = rules_from(config.size, komi=config.komi, ko=config.ko)
    a, b = load_agent(config.a, rules), load_agent(config.b, rules)
    rng = np.random.default_rng(config.seed)
    openings = random_openings(rules, (config.games + 1) // 2, config.opening_plies, rng)
    console = Console()
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(escape(f"{config.a} - {config.b}"), total=config.games)
        result = play_match(a, b, rules, config.games, rng, openings, report=lambda game: progress.advance(task))
    result = dataclasses.replace(result, a=config.a, b=config.b)
    console.print(result)
    for i, game in enumerate(result.games):
        if game.problem:
            console.print(f"game {i + 1}: {game.problem}", markup=False, soft_wrap=True)
    if config.save:
        names = (config.a, config.b)
        games = [game.to_game(*names[:: -1 if i % 2 else 1]) for i, game in enumerate(result.games)]
        write_text(config.save, "".join(write_sgf(game) + "\n" for game in games))
    if config.json:
        write_text(config.json, json.dumps(result.summary(), indent=1) + "\n")
    return 0


def _ending(position: Position) -> Ending:
    if position.truncated:
        return "length"
    return "capture" if position.rules.objective == "capture" and position.consecutive_passes < 2 else "passes"
