"""What is on disk, read back safely: games (`sgf.py`), agents and training state (`checkpoint.py`), runs (`run.py`)."""

from typing import Any

__all__ = ["Game", "SgfError", "parse_sgf", "read_games", "write_sgf"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from goagent.records import sgf

        return getattr(sgf, name)
    raise AttributeError(f"module 'goagent.records' has no attribute {name!r}")
