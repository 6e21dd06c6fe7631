"""The folder of a training run.

config.json           the whole configuration
metrics/              TensorBoard events: tensorboard --logdir runs
checkpoints/000120/   see checkpoint.py; the newest one can be resumed
games/000120.sgfs     a few games that it learned from
ladder.png, ladder.json     goagent match --ladder: strength against training time and games
answers.png           imitation: what it says where many moves are equally good
"""

from pathlib import Path
from typing import Any

from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from goagent.errors import UserError
from goagent.records import checkpoint
from goagent.records.files import write_text
from goagent.records.sgf import Game, write_sgf


class Run:
    """An open run folder. `Run.open` makes it or goes on with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._metrics = SummaryWriter(folder / "metrics")

    @classmethod
    def open(cls, folder: Path, config: dict[str, Any], resume: bool) -> "Run":
        """Raises UserError when the folder is there and should not be."""
        if not resume and folder.exists() and any(folder.iterdir()):
            raise UserError(f"{folder} exists already: expected a new run folder (--run), or --resume to go on with it")
        folder.mkdir(parents=True, exist_ok=True)
        checkpoint.write_json(folder / "config.json", config)
        return cls(folder)

    @staticmethod
    def read_config(folder: Path) -> dict[str, Any]:
        """The configuration of the run in `folder`. Raises UserError."""
        if not (folder / "config.json").is_file():
            raise UserError(f"{folder} is not a run: expected config.json in it")
        return checkpoint.read_json(folder / "config.json")

    def log(self, step: int, metrics: dict[str, float]) -> None:
        for name, value in metrics.items():
            self._metrics.add_scalar(name.replace(" ", "_"), value, step)

    def save(
        self,
        step: int,
        agent: dict[str, Any],
        weights: dict[str, Tensor],
        training: dict[str, Any],
        tensors: dict[str, Tensor],
        games: list[Game],
    ) -> Path:
        """Write the checkpoint of a step and some games; only the newest checkpoint keeps its training state."""
        older = checkpoint.all_of(self.folder)
        folder = self.folder / "checkpoints" / f"{step:06d}"
        checkpoint.save(folder, agent, weights, training, tensors)
        for other in older:
            if other != folder:
                checkpoint.drop_training(other)
        if games:
            target = self.folder / "games" / f"{step:06d}.sgfs"
            target.parent.mkdir(exist_ok=True)
            write_text(target, "".join(write_sgf(game) + "\n" for game in games))
        return folder

    def close(self) -> None:
        self._metrics.close()
