"""What every algorithm shares: a network, its moving average, an optimiser, generators, and all of it saved exactly."""

import copy
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor

from goagent.errors import UserError
from goagent.learning.config import TrainConfig
from goagent.learning.noise import TrainingNoise
from goagent.policies.network import PolicyNetwork, Prediction

_WARM_UP = 100  # gradient steps
_LARGEST_GRADIENT = 1.0  # norm


_Item = TypeVar("_Item")
_Metrics = TypeVar("_Metrics")


class TrainingError(UserError):
    """Training cannot go on; the last checkpoint stands."""


class Worker(NamedTuple):
    """Who makes gradient steps. All workers' networks have the same weights in memory, and gradients of their own."""

    network: PolicyNetwork
    noise: TrainingNoise
    optimizer: torch.optim.Optimizer


class Learner(ABC):
    """One algorithm. `step` does its unit of work and returns what it measured.

    `average` is what plays: a moving average of the weights, which does for us what a decaying learning rate would,
    without knowing the budget (Polyak & Juditsky 1992).
    """

    def __init__(self, config: TrainConfig, network: PolicyNetwork, device: torch.device) -> None:
        self.config = config
        self.device = device
        self.network = network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.network).eval().requires_grad_(False)
        self.workers = [self._worker(self.network)]
        _, self.noise, self.optimizer = self.workers[0]
        self.workers += [self._worker(_sharing_weights(self.network)) for _ in range(1, self.noise.workers)]
        self._thread = threading.local()  # .worker: whose thread it is
        self._counting = threading.Lock()
        self.updates = 0
        self.rng = np.random.default_rng(config.seed)

    @property
    def examples(self) -> int:
        """How many positions it learns from."""
        return self.config.replay_positions

    @abstractmethod
    def summary(self) -> str:
        """A line about what it learns from."""

    @abstractmethod
    def step(self) -> dict[str, float]:
        """Learn for a while; returns metrics by name."""

    @abstractmethod
    def assess(self, step: int) -> dict[str, float]:
        """How good the average is now: a quick look that changes nothing, not even a generator."""

    def learn(self, step: Callable[[_Item], _Metrics], items: Iterable[_Item]) -> Iterator[_Metrics]:
        """What `step`, one `predict` and one `update`, returns for each item, one item after the other.

        With hogwild each worker takes the next item when it is done with its last, on a thread of its own, and reads
        and writes the weights while others do (Niu et al. 2011): `step` changes nothing else that is shared.
        """
        if len(self.workers) == 1:
            yield from map(step, items)
            return
        free = list(self.workers)

        def begin() -> None:
            self._thread.worker = free.pop()
            torch.set_num_threads(1)  # holds for this thread

        with ThreadPoolExecutor(len(self.workers), initializer=begin) as pool:
            yield from pool.map(step, items)

    def predict(self, planes: Tensor, legal: Tensor) -> Prediction:
        """The network's answer, to be learned from: with the noise of training."""
        network, noise, _ = self._own
        if noise:  # its draws are a matter of `rng` alone, so that a resumed run makes the same ones
            torch.manual_seed(int(self.rng.integers(2**63)))
        with noise.weights():
            return network(planes.contiguous(memory_format=torch.channels_last), legal)

    def update(self, loss: Tensor) -> None:
        """One gradient step after one `predict`. Raises TrainingError when the loss or its gradient is no number."""
        network, noise, optimizer = self._own
        loss = loss + noise.penalty()
        self.expect_finite(loss, "loss")
        with self._counting:
            self.updates += 1
            update = self.updates
        for group in optimizer.param_groups:
            group["lr"] = self.config.learning_rate * min(1.0, update / _WARM_UP)
        optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(network.parameters(), _LARGEST_GRADIENT)
        self.expect_finite(norm, "gradient")
        if noise.gradients(update - 1):
            optimizer.step()
            noise.stepped()
        # Early on the average follows closely, or it would remember the random start.
        keep = min(self.config.averaging, update / (update + 10))
        with torch.no_grad():
            for mean, value in zip(self.average.parameters(), network.parameters(), strict=True):
                mean.lerp_(value, 1 - keep)

    @property
    def _own(self) -> Worker:
        """The worker of this thread."""
        return getattr(self._thread, "worker", self.workers[0])

    def _worker(self, network: PolicyNetwork) -> Worker:
        noise = TrainingNoise(self.config.noise, network, self.examples)
        return Worker(network, noise, noise.optimizer(self.config.learning_rate, self.config.weight_decay))

    def expect_finite(self, values: Tensor, name: str) -> None:
        """Raises TrainingError unless all of `values` are numbers."""
        if not bool(torch.isfinite(values).all()):
            raise TrainingError(
                f"the {name} is no longer a number after {self.updates} gradient steps:"
                f" a smaller --learning-rate than {self.config.learning_rate:g} may help"
            )

    def state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """Everything that the next step depends on, as JSON and tensors."""
        tensors = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        for i, entry in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{i}.{name}": value for name, value in entry.items()}
        noise, more = self.noise.state()
        tensors |= {f"noise.{name}": value for name, value in more.items()}
        return {"updates": self.updates, "rng": self.rng.bit_generator.state, "noise": noise}, tensors

    def restore(self, state: dict[str, Any], tensors: dict[str, Tensor], average: dict[str, Tensor]) -> None:
        """The inverse of `state`; `average` holds the weights that play. Raises KeyError, RuntimeError, ValueError."""
        self.network.load_state_dict(under("network.", tensors))
        self.average.load_state_dict(average)
        entries: dict[int, dict[str, Tensor]] = {}
        for name, value in under("optimizer.", tensors).items():
            i, key = name.split(".")
            entries.setdefault(int(i), {})[key] = value
        self.updates = int(state["updates"])
        shapes = {i: value.shape for i, value in enumerate(self.network.parameters())} if self.updates else {}
        if isinstance(self.optimizer, torch.optim.AdamW) and bool(entries) != bool(self.updates) and not self.noise:
            raise ValueError("the optimiser's state is missing")
        for name in ("exp_avg", "exp_avg_sq"):
            if any(entry[name].shape != shapes.get(i) for i, entry in entries.items()):
                raise ValueError(f"the optimiser's {name} does not fit the network")
        for _, noise, optimizer in self.workers:  # all go on from what the first had
            optimizer.load_state_dict({**optimizer.state_dict(), "state": copy.deepcopy(entries)})
            noise.restore(state.get("noise", {}), under("noise.", tensors))
        self.rng.bit_generator.state = state["rng"]

    def progress(self) -> dict[str, float]:
        """How far it has come, for the record of a checkpoint, besides its step."""
        return {}

    def games(self) -> list[Any]:
        """Games to show in the run folder, as `records.Game`; none by default."""
        return []

    def close(self) -> None:  # noqa: B027
        """Let go of what it holds beside memory; nothing by default."""

    def tensor(self, array: np.ndarray) -> Tensor:
        """An array on the learner's device."""
        return torch.from_numpy(array).to(self.device)


def _sharing_weights(network: PolicyNetwork) -> PolicyNetwork:
    """A network with the same parameters in memory."""
    other = copy.deepcopy(network)
    for mine, theirs in zip(other.parameters(), network.parameters(), strict=True):
        mine.data = theirs.data
    return other


def under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose names begin with `prefix`, named without it."""
    return {name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)}
