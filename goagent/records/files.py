"""Writing a file so that it is either the old one or the new one, never a part."""

import os
from pathlib import Path

from goagent.errors import UserError


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text to a temporary file beside `path`, then put it in place. Raises OSError."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, data: bytes) -> None:
    """The same for bytes."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        temporary.write_bytes(data)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def path_from(name: str) -> Path:
    """The path that a person typed, `~` and `~name` understood. Raises UserError."""
    try:
        return Path(name).expanduser()
    except RuntimeError as error:
        raise UserError(f"cannot use {name}: there is no such user") from error
