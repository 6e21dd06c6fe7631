"""Processes that train one network at once and wait for nobody.

Niu et al. 2011, Hogwild!, arXiv:1106.5730: every worker reads the shared weights, computes a gradient, and writes
w <- w - lr g without a lock. Others have written meanwhile; how often is the staleness of its gradient, and comes out
differently in every run. That is the noise.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, multiprocessing, nn

from goagent.noise.checks import positive
from goagent.noise.taxonomy import Place, Source
from goagent.processes import begin_work

SOURCES = {"hogwild": Source(Place.OPTIMISATION, "Niu et al. 2011, arXiv:1106.5730")}

Loss = Callable[[nn.Module, torch.Generator], Tensor]  # () of a mini-batch that it draws with the generator


def hogwild(
    network: nn.Module, loss: Loss, workers: int = 2, steps: int = 100, learning_rate: float = 0.1, seed: int = 0
) -> Tensor:
    """Train `network` in place by `workers` processes of `steps` updates each.

    loss: a function that pickle finds by its name. Its generator is worker i's own, from `seed` + i; with one worker
    the run repeats bit for bit. The network's tensors move to shared memory and stay there. No worker outlives this
    call, nor this process, however it ends.

    Returns the histogram of staleness: (largest + 1,) int64, how many updates had so many of the others' between their
    reading and their writing. Raises ValueError for no workers or steps, and torch's ProcessException for a worker that
    failed.
    """
    positive("workers", workers)
    positive("steps", steps)
    network.zero_grad()  # a gradient is each worker's own
    network.share_memory()
    written = multiprocessing.get_context("spawn").Value("q", 0)  # updates by all; the only thing with a lock
    staleness = torch.zeros(workers, steps, dtype=torch.int64).share_memory_()
    job = multiprocessing.spawn(
        _work,
        (network, loss, steps, learning_rate, seed, written, staleness),
        workers,
        join=False,
        daemon=True,
    )
    try:
        while not job.join():
            pass
    finally:
        for process in job.processes:  # those left by an error, or by Ctrl-C here
            process.terminate()
            process.join()
    return torch.bincount(staleness.flatten())


def _work(
    number: int,
    network: nn.Module,
    loss: Loss,
    steps: int,
    learning_rate: float,
    seed: int,
    written: Any,
    staleness: Tensor,
) -> None:
    begin_work()
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(seed + number)
    for step in range(steps):
        read_at = written.value
        network.zero_grad()
        loss(network, generator).backward()
        with torch.no_grad():
            for parameter in network.parameters():
                if parameter.grad is not None:
                    parameter.add_(parameter.grad, alpha=-learning_rate)
        with written.get_lock():
            staleness[number, step] = written.value - read_at
            written.value += 1
