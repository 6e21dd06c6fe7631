"""Ask GNU Go which moves are legal, and record its answers in `data/gnugo_legal.jsonl.gz`: python -m tests.record_gnugo

Random games on 5x5 to 9x9 under simple ko and positional superko (no suicide); at some plies GNU Go is asked
`all_legal` for both colours. The referee of `oracle.py` chooses where to ask, superko positions first, for they are
rare; what it holds legal is not recorded. GNU Go 3.8 differed from the referee nowhere under these settings, so nothing
is left out. (With `--allow-suicide` it lets the side that has just moved repeat a board by suicide; not recorded.)

The first line names the engine. Every other line is a game: size, ko, moves, and answers as [ply, black's, white's].
"""

import gzip
import json
import os
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.oracle import Referee

RECORD = Path(__file__).parent / "data" / "gnugo_legal.jsonl.gz"
PROGRAM = shutil.which("gnugo") or shutil.which("/usr/games/gnugo")  # Debian keeps games off root's PATH
SIZES = (5, 6, 7, 8, 9)
GAMES, ASKED = 10, 25  # of each size and ko rule; plies of each game at which both colours are asked
LONGEST = {"simple": 150, "positional": 400}  # GNU Go remembers 500 moves


class GnuGo:
    """The engine as a subprocess; `close` ends it."""

    def __init__(self, ko: str) -> None:
        rule = {"simple": "--simple-ko", "positional": "--positional-superko"}[ko]
        command = [PROGRAM, "--mode", "gtp", "--forbid-suicide", rule]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, command: str) -> str:
        """The answer to a GTP command; RuntimeError when it is a refusal."""
        print(command, file=self.process.stdin, flush=True)
        lines = list(iter(self.process.stdout.readline, "\n"))
        if not lines[0].startswith("="):
            raise RuntimeError(f"{command}: {''.join(lines)}")
        return "".join(lines)[1:].strip()

    def start(self, size: int) -> None:
        self.ask(f"boardsize {size}")
        self.ask("clear_board")

    def all_legal(self) -> list[str]:
        """Black's legal moves and White's, as vertices."""
        return [self.ask("all_legal black"), self.ask("all_legal white")]

    def close(self) -> None:
        self.process.communicate("quit\n")


def vertex(action: int, size: int) -> str:
    row, col = divmod(action, size)
    return "pass" if row == size else f"{'ABCDEFGHJ'[col]}{size - row}"


def random_game(size: int, ko: str, rng: random.Random) -> tuple[Referee, list[int]]:
    """A game played by the referee, and the plies where superko forbids what simple ko allows."""
    game = Referee(size, size, ko=ko)
    superko = []
    while not game.is_over and len(game.moves) < LONGEST[ko]:
        verdicts = game.verdicts()
        if "superko" in verdicts:
            superko.append(len(game.moves))
        points = [action for action, verdict in enumerate(verdicts[:-1]) if verdict == "legal"]
        game.play(rng.choice(points) if points and rng.random() > 0.02 else game.pass_action)
    return game, superko


def record_game(engine: GnuGo, size: int, ko: str, rng: random.Random) -> dict[str, Any] | None:
    """One game with GNU Go's answers; None where it is too short, or under superko has no repetition."""
    game, superko = random_game(size, ko, rng)
    if len(game.moves) < ASKED or (ko == "positional" and not superko):
        return None
    others = sorted(set(range(len(game.moves))) - set(superko))
    rng.shuffle(others)
    asked = sorted((superko + others)[:ASKED])
    moves = [vertex(action, size) for action in game.moves[: asked[-1]]]
    answers = []
    engine.start(size)
    for ply in range(len(moves) + 1):
        if ply in asked:
            answers.append([ply, *engine.all_legal()])
        if ply < len(moves):
            engine.ask(f"play {('black', 'white')[ply % 2]} {moves[ply]}")
    return {"size": size, "ko": ko, "moves": " ".join(moves), "answers": answers}


def record_games(engine: GnuGo, size: int, ko: str, rng: random.Random) -> list[dict[str, Any]]:
    games: list[dict[str, Any]] = []
    while len(games) < GAMES:
        if game := record_game(engine, size, ko, rng):
            games.append(game)
    return games


def main() -> None:
    rng = random.Random(1)
    lines: list[dict[str, Any]] = []
    for ko in LONGEST:
        engine = GnuGo(ko)
        for size in SIZES:
            lines += record_games(engine, size, ko, rng)
        version = engine.ask("version")
        engine.close()
    lines.insert(0, {"engine": f"GNU Go {version}"})
    partial = RECORD.with_suffix(".partial")
    text = "".join(json.dumps(line) + "\n" for line in lines)
    partial.write_bytes(gzip.compress(text.encode(), mtime=0))
    os.replace(partial, RECORD)
    print(f"{RECORD}: {2 * sum(len(line.get('answers', ())) for line in lines):,} answers")


if __name__ == "__main__":
    main()
