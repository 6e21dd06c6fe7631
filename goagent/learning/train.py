"""Training as the command line knows it: a run folder, a budget, progress, checkpoints, and what came of it."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numba
import torch
from rich.console import Console

from goagent.errors import UserError
from goagent.learning.config import TrainConfig, resumed
from goagent.learning.gumbel import GumbelLearner
from goagent.learning.imitation import ImitationLearner
from goagent.learning.learner import Learner
from goagent.learning.policy_gradient import PolicyGradientLearner
from goagent.learning.progress import Budget, Display, say
from goagent.learning.report import print_report
from goagent.learning.start import fresh_network, starting_network
from goagent.records import checkpoint
from goagent.records.run import Run

_LEARNERS: dict[str, Callable[..., Learner]] = {
    "gumbel": GumbelLearner,
    "imitation": ImitationLearner,
    "ppo": PolicyGradientLearner,
    "reinforce": PolicyGradientLearner,
}


def train(config: TrainConfig, console: Console | None = None) -> int:
    """Train, print what came of it and how to use it; returns the exit code. Raises UserError."""
    console = console or Console()
    folder = config.folder
    if config.resume:
        config = resumed(config, TrainConfig.from_dict(Run.read_config(folder)))
    with _threads(config.threads):
        learner, step = build(config, folder)
        run = Run.open(folder, config.to_dict(), resume=config.resume)
        say(console, f"{_title(config)}\n{learner.summary()}\nin {folder}")
        try:
            step, interrupted = _loop(learner, run, step, console)
        finally:
            run.close()
            learner.close()
        if interrupted:
            say(console, f"Stopped and saved at step {step}. Go on: goagent train --run {folder} --resume")
            return 130
        print_report(learner, folder, console)
    return 0


def build(config: TrainConfig, folder: Path) -> tuple[Learner, int]:
    """The learner of a configuration and the step it stands at, which is where `folder` ends if it is resumed."""
    goes_on = config.resume and bool(checkpoint.all_of(folder))  # else it was stopped before its first checkpoint
    network = fresh_network(config) if goes_on else starting_network(config)
    learner = _LEARNERS[config.algorithm](config, network, _device(config.device))
    if not goes_on:
        return learner, 0
    _, weights = checkpoint.load(folder)
    state, tensors = checkpoint.load_training(folder)
    try:
        learner.restore(state, tensors, weights)
        step = int(state["step"])
        if step < 0:
            raise ValueError("the step is negative")
        return learner, step
    except UserError:
        raise
    except (LookupError, RuntimeError, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise UserError(f"cannot resume {folder}: its training state does not fit its configuration") from error


def _loop(learner: Learner, run: Run, step: int, console: Console) -> tuple[int, bool]:
    """Learn until the budget is spent or Ctrl-C, then save. Returns the last step, and whether it was Ctrl-C."""
    config = learner.config
    budget = Budget(config, step)
    metrics: dict[str, float] = {}
    before = checkpoint.all_of(run.folder)
    saved_at = step if before else -1
    seconds = float(checkpoint.read_json(before[-1] / "agent.json").get("seconds", 0)) if before else 0.0
    with Display(console) as display, _ctrl_c() as stop:
        while not stop.is_set() and budget.spent(step) < 1:
            measured = learner.step() | learner.noise.measured()
            step += 1
            run.log(step, measured)
            metrics |= measured
            if step % config.steps_between_checkpoints == 0:
                metrics |= _save(learner, run, step, seconds + budget.elapsed)
                saved_at = step
            display.update(budget.spent(step), budget.describe(step), metrics)
    if step != saved_at:
        _save(learner, run, step, seconds + budget.elapsed)
    return step, stop.is_set()


def _save(learner: Learner, run: Run, step: int, seconds: float) -> dict[str, float]:
    """Write the checkpoint of a step, reached after `seconds` of training; returns how good the agent is."""
    assessed = learner.assess(step)
    run.log(step, assessed)
    agent = {
        "network": learner.network.config.to_dict(),
        "training": learner.config.to_dict(),
        "step": step,
        "seconds": round(seconds, 1),
        "assessed": assessed,
        **learner.progress(),
    }
    state, tensors = learner.state()
    run.save(step, agent, learner.average.state_dict(), {"step": step, **state}, tensors, learner.games())
    return assessed


def _title(config: TrainConfig) -> str:
    return f"{config.algorithm}, {config.policy} policy, {config.size}, komi {config.rules.komi:g}, seed {config.seed}"


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name != "cpu" and not torch.cuda.is_available():
        raise UserError(f"device is {name!r}, but torch finds no such card: expected cpu or auto")
    return torch.device(name)


@contextmanager
def _threads(count: int | None) -> Iterator[None]:
    """torch and the kernels limited to `count` threads, if given."""
    before = torch.get_num_threads(), numba.get_num_threads()
    numba.set_num_threads(min(count or before[1], numba.config.NUMBA_NUM_THREADS))  # type: ignore[attr-defined]
    torch.set_num_threads(count or before[0])  # last: as numba's threads start, they give torch more again
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        numba.set_num_threads(before[1])


@contextmanager
def _ctrl_c() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C sets, so that a step is finished before it is saved; the second one interrupts."""
    stop = threading.Event()

    def handle(number: int, frame: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = signal.signal(signal.SIGINT, handle)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
