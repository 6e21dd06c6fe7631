"""Results on disk: NAME.json and NAME.png of the judged run, NAME.trial.json and NAME.trial.png of any other.

So a trial never overwrites the result that counts. Start with `write_result` and `read_result`.
"""

import json
from dataclasses import fields
from io import BytesIO
from pathlib import Path
from typing import Any

from goagent.errors import UserError
from goagent.lab.core import Claim, Result, Verdict
from goagent.records.files import write_bytes, write_text

_DPI = 160
_KEYS = {"experiment", "title", "command", "judged", "scale", "settings", "seeds", "versions", "conclusion"}
_CRITERION_KEYS = {"statement", "role", "bound", "mean", "interval", "outcome"}


def write_result(result: Result, folder: Path) -> dict[str, Any]:
    """Write picture and figures of `result`; what the JSON holds. Raises OSError."""
    said = result.to_json()
    picture = BytesIO()
    result.experiment.draw(result).savefig(picture, format="png", dpi=_DPI)
    file = result_file(folder, said["experiment"], said["judged"])
    write_bytes(file.with_suffix(".png"), picture.getvalue())
    write_text(file, json.dumps(said, indent=1, ensure_ascii=False) + "\n")
    return said


def result_file(folder: Path, name: str, judged: bool) -> Path:
    """The JSON of the experiment called `name`; its picture has the same name with .png."""
    return folder / (f"{name}.json" if judged else f"{name}.trial.json")


def read_result(file: Path) -> dict[str, Any] | None:
    """What a result's JSON holds, None if there is no such file. Raises UserError, OSError."""
    if not file.exists():
        return None
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        _require(said, _KEYS)
        _require(said["claim"], {field.name for field in fields(Claim)})
        for criterion in said["criteria"]:
            _require(criterion, _CRITERION_KEYS)
        Verdict(said["verdict"])
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(f"{file} is not a result of `goagent lab run`: {' '.join(str(error).split())}") from None
    return said


def _require(said: dict[str, Any], keys: set[str]) -> None:
    missing = keys - set(said)
    if missing:
        raise ValueError(f"it has no {', '.join(sorted(missing))}")
