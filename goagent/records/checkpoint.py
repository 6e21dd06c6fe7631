"""An agent on disk: a folder with what it is (JSON) and its weights (safetensors). Reading one runs no code.

    agent.json            format, network, and the training that it comes from
    weights.safetensors   what plays
    training.json         step, generator states: what `--resume` needs, in the newest checkpoint of a run only
    training.safetensors  raw weights, optimiser, games in progress

This module knows files, not networks: it builds nothing.
"""

import json
import os
import shutil
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from goagent.errors import UserError
from goagent.records.files import write_text

FORMAT = 1
_TRAINING = ("training.json", "training.safetensors")


class CheckpointError(UserError):
    """A checkpoint that cannot be read."""


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write JSON so that the file is either the old or the new one, never a part."""
    write_text(path, json.dumps(content, indent=1) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file. Raises CheckpointError."""
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"cannot read {path}: {_reason(error)}") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"cannot read {path}: expected a JSON object")
    return content


def save(
    folder: Path,
    agent: dict[str, Any],
    weights: dict[str, Tensor],
    training: dict[str, Any] | None = None,
    training_tensors: dict[str, Tensor] | None = None,
) -> None:
    """Write a checkpoint folder; it appears whole or not at all."""
    temporary = folder.with_name(f".{folder.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    write_json(temporary / "agent.json", {"format": FORMAT, **agent})
    save_file(_plain(weights), temporary / "weights.safetensors")
    if training is not None:
        write_json(temporary / "training.json", training)
        save_file(_plain(training_tensors or {}), temporary / "training.safetensors")
    os.replace(temporary, folder)


def load(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """(what the agent is, its weights) of a checkpoint, or of the newest one of a run. Raises CheckpointError."""
    folder = newest(path)
    agent = read_json(folder / "agent.json")
    if agent.get("format") != FORMAT:
        raise CheckpointError(f"{folder} has format {agent.get('format')!r}: this version reads {FORMAT}")
    return agent, _tensors(folder / "weights.safetensors")


def load_training(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """(state, tensors) that `--resume` needs. Raises CheckpointError."""
    folder = newest(path)
    return read_json(folder / "training.json"), _tensors(folder / "training.safetensors")


def newest(path: Path) -> Path:
    """The checkpoint folder at `path`, which may be a checkpoint or a run. Raises CheckpointError."""
    if (path / "agent.json").is_file():
        return path
    found = all_of(path)
    if not found:
        raise CheckpointError(f"{path} holds no checkpoint: expected agent.json in it, or a run folder")
    return found[-1]


def all_of(run: Path) -> list[Path]:
    """The checkpoints of a run, oldest first."""
    folders = [folder for folder in (run / "checkpoints").glob("*") if folder.name.isdecimal()]
    return sorted(
        (folder for folder in folders if (folder / "agent.json").is_file()), key=lambda folder: int(folder.name)
    )


def drop_training(folder: Path) -> None:
    """Remove what only `--resume` needs from a checkpoint that a newer one follows."""
    for name in _TRAINING:
        (folder / name).unlink(missing_ok=True)


def _plain(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    # Contiguous: the layout in memory (channels last) is the network's business, not the file's.
    return {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}


def _tensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (OSError, SafetensorError, ValueError) as error:
        raise CheckpointError(f"cannot read {path}: {_reason(error)}") from error


def _reason(error: BaseException) -> str:
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error).splitlines()[0]
