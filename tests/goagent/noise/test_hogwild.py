"""Training by processes that share weights: alone it is SGD, together it is late, and none is left behind."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from torch import nn

from goagent.noise.hogwild import hogwild
from tests.waiting import wait_until

TEACHER = torch.tensor([[1.0, -2.0, 0.5, 3.0]])


def squared_error(network, generator):
    x = torch.randn(16, 4, generator=generator)
    return (network(x) - x @ TEACHER.T).square().mean()


class Meeting(nn.Module):
    """A layer whose workers meet: no loss is done before all have begun theirs."""

    def __init__(self, workers):
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Linear(4, 1)
        self.register_buffer("losses", torch.zeros(workers, dtype=torch.int64))

    def forward(self, x):
        return self.layer(x)


def meeting_error(network, generator):
    number = generator.initial_seed()  # of the worker, where the run's seed is 0
    network.losses[number] += 1
    while network.losses.min() < network.losses[number]:
        time.sleep(0.0005)
    return squared_error(network, generator)


def failing(network, generator):
    raise ArithmeticError("the batch is lost")


def endless(network, generator):
    """Says in a file who works, and goes on for ever."""
    Path(f"{os.getpid()}.pid").touch()
    time.sleep(3600)


def linear():
    torch.manual_seed(0)
    return nn.Linear(4, 1)


def test_one_worker_is_sgd_bit_for_bit():
    ours, plain = linear(), linear()
    histogram = hogwild(ours, squared_error, workers=1, steps=30, learning_rate=0.05, seed=7)
    optimizer, generator = torch.optim.SGD(plain.parameters(), lr=0.05), torch.Generator().manual_seed(7)
    for _ in range(30):
        optimizer.zero_grad()
        squared_error(plain, generator).backward()
        optimizer.step()
    assert all(torch.equal(a, b) for a, b in zip(ours.parameters(), plain.parameters(), strict=True))
    assert histogram.tolist() == [30]


def test_two_workers_learn_one_network_and_say_how_late_they_were():
    """Of two who have met, the one that writes last is late, by this update and perhaps by the one before."""
    network = Meeting(2)
    histogram = hogwild(network, meeting_error, workers=2, steps=60, learning_rate=0.05, seed=0)
    assert int(histogram.sum()) == 120
    assert len(histogram) <= 3 and int(histogram[1:].sum()) >= 60
    assert torch.allclose(network.layer.weight.detach(), TEACHER, atol=0.05)
    assert network.losses.tolist() == [60, 60]


def test_an_error_in_a_worker_is_heard_here():
    with pytest.raises(torch.multiprocessing.ProcessRaisedException, match="the batch is lost"):
        hogwild(linear(), failing, workers=1, steps=5)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for processes in /proc")
def test_no_worker_outlives_the_process_that_started_it(tmp_path):
    code = "from tests.goagent.noise.test_hogwild import *; hogwild(linear(), endless, workers=1)"
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    run = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, env=environment)
    wait_until(lambda: any(tmp_path.glob("*.pid")))
    run.kill()
    run.wait()
    (worker,) = (Path("/proc", file.stem) for file in tmp_path.glob("*.pid"))
    wait_until(lambda: not worker.exists())
