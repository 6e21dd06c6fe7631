"""Games that survive a closed terminal: one file a game, written after every move. See `Shelf`.

An unfinished game lies there with what going on with it needs (`Kept`); a finished one as plain SGF.
"""

import json
import os
import secrets
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

import platformdirs

from goagent.errors import UserError
from goagent.records.files import write_text
from goagent.records.sgf import parse_sgf

UNFINISHED = ".json"
FINISHED = ".sgf"


@dataclass(frozen=True)
class Kept:
    """A game and what its record does not say."""

    sgf: str
    agent: str  # the opponent's SPEC
    colour: str  # the person's: black or white
    ko: str
    suicide: bool = False


class Shelf:
    """The folder of kept games, by default in the user's state folder."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or platformdirs.user_state_path("goagent") / "games"

    def place(self) -> Path:
        """A name that no other game has; nothing is written."""
        return self.folder / f"{datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}{UNFINISHED}"

    def take_newest(self) -> tuple[Path, Kept] | None:
        """The unfinished game last played, and the place where it now lies; None when there is none.

        The game moves to a new place. Another terminal that still has it open goes on under the old name, so that
        neither writes over the other.
        """
        for path in self._unfinished():
            kept, place = _read(path), self.place()
            if kept is None:
                continue
            try:
                os.replace(path, place)
            except FileNotFoundError:  # another terminal took it just now
                continue
            return place, kept
        return None

    def has_unfinished(self) -> bool:
        return any(_read(path) for path in self._unfinished())

    def _unfinished(self) -> list[Path]:
        files = [file for file in os.scandir(self.folder)] if self.folder.is_dir() else []
        games = [file for file in files if file.name.endswith(UNFINISHED)]
        return [Path(file.path) for file in sorted(games, key=_last_written, reverse=True)]


def keep(place: Path, kept: Kept, is_over: bool) -> Path:
    """Write the game as it is now, and say into which file. Raises OSError."""
    finished = place.with_suffix(FINISHED)
    place.parent.mkdir(parents=True, exist_ok=True)
    if is_over:
        write_text(finished, kept.sgf + "\n")
        place.unlink(missing_ok=True)
        return finished
    write_text(place, json.dumps(asdict(kept), indent=1) + "\n")
    finished.unlink(missing_ok=True)  # its end was taken back
    return place


def _read(path: Path) -> Kept | None:
    """None for a file that is none of ours, damaged or gone: it must not stand in the way of the others."""
    try:
        kept = Kept(**json.loads(path.read_text(encoding="utf-8")))
        texts = (kept.sgf, kept.agent, kept.colour, kept.ko)
        if not all(isinstance(text, str) for text in texts) or kept.colour not in ("black", "white"):
            return None
        replace(parse_sgf(kept.sgf).rules, ko=kept.ko, suicide=kept.suicide)
    except (OSError, ValueError, TypeError, UserError):
        return None
    return kept


def _last_written(file: os.DirEntry) -> float:
    try:
        return file.stat().st_mtime_ns
    except FileNotFoundError:
        return 0
