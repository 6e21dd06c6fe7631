"""A potential with a deep and a shallow well, and walkers in it that begin in the shallow one. Start with `walk`."""

import numpy as np
import torch
from torch import Tensor

from goagent.noise.langevin import Langevin


def potential(x: np.ndarray) -> np.ndarray:
    return 2 * (x**2 - 1) ** 2 + 0.6 * x


def slope(x: Tensor) -> Tensor:
    """Of `potential`."""
    return 8 * x * (x**2 - 1) + 0.6


def turning_points() -> tuple[float, float, float]:
    """The bottom of the deep well, the top of the barrier, the bottom of the shallow well."""
    deep, top, shallow = sorted(np.roots([8, 0, -8, 0.6]).real)
    return float(deep), float(top), float(shallow)


def boltzmann_share(temperature: float) -> float:
    """Of the density exp(-V / T) that lies in the deep well; T > 0."""
    x = np.linspace(-6, 6, 60_001)
    density = np.exp(-(potential(x) - potential(x).min()) / temperature)
    return float(density[x < turning_points()[1]].sum() / density.sum())


def walk(temperatures: tuple[float, ...], falling: bool, walkers: int, steps: int, rate: float, seed: int) -> Tensor:
    """(temperatures, walkers): where Langevin dynamics leads. falling: each temperature goes to 0 evenly."""
    begin = turning_points()[2]
    places = [torch.full((walkers,), begin) for _ in temperatures]
    groups = [{"params": [x], "temperature": t} for x, t in zip(places, temperatures, strict=True)]
    optimiser = Langevin(groups, lr=rate, generator=torch.Generator().manual_seed(seed))  # type: ignore[arg-type]
    for step in range(steps):
        for x, group, temperature in zip(places, optimiser.param_groups, temperatures, strict=True):
            x.grad = slope(x)
            group["temperature"] = temperature * (1 - step / steps) if falling else temperature
        optimiser.step()
    return torch.stack(places)
