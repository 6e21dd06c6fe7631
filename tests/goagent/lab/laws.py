"""What holds for every experiment of the lab."""

import json

import torch

from goagent.lab.core import Result


def assert_a_function_of_its_arguments(result: Result, cell: str) -> None:
    """A cell's figures follow from cell, seed and settings: as in `result`, of seed 0, again, and others for seed 1.

    Torch's own generator stays as it was.
    """
    experiment, settings = result.experiment, result.experiment.settings[result.scale]
    torch.manual_seed(1)
    before = torch.get_rng_state()
    again, other = (json.loads(json.dumps(experiment.measure(cell, seed, settings))) for seed in (0, 1))
    prefix = f"{cell}: " if cell else ""
    assert again == {name: result.first(f"{prefix}{name}") for name in again}
    assert again != other
    assert torch.equal(torch.get_rng_state(), before)
