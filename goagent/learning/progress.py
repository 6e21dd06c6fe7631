"""What a person sees while it learns: how far it is, how fast, how long still, and what was measured."""

import time

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.text import Text

from goagent.learning.config import TrainConfig

_DEFAULT_MINUTES = 5.0
_LINE_EVERY = 15.0  # seconds, where there is no terminal to draw a bar on


class Budget:
    """How much of --steps or --minutes is spent."""

    def __init__(self, config: TrainConfig, first_step: int) -> None:
        self.steps = config.steps
        self.seconds = 60 * (config.minutes or _DEFAULT_MINUTES)
        self.first_step = first_step
        self.started = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds since the budget began."""
        return time.monotonic() - self.started

    def spent(self, step: int) -> float:
        """0 at the start, 1 at the end."""
        return step / self.steps if self.steps else self.elapsed / self.seconds

    def describe(self, step: int) -> str:
        elapsed = self.elapsed
        rate = (step - self.first_step) / max(elapsed, 1e-9)
        left = (self.steps - step) / rate if self.steps else self.seconds - elapsed
        return f"step {step} · {rate:.3g} a second · {max(left, 0) / 60:.1f} min left"


class Display:
    """What is happening: a bar with the metrics under it on a terminal, a line now and then elsewhere."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.progress = Progress(BarColumn(24), TaskProgressColumn(), TextColumn("{task.description}"), console=console)
        self.task = self.progress.add_task("first step", total=1.0)
        self.live = Live(self.progress, console=console, refresh_per_second=4)
        self.last_line = time.monotonic()

    def __enter__(self) -> "Display":
        if self.console.is_terminal:
            self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.console.is_terminal:
            self.live.stop()

    def update(self, spent: float, state: str, metrics: dict[str, float]) -> None:
        """`spent` of the budget, from 0 to 1; what to say of it; and what was measured."""
        numbers = " · ".join(f"{name} {value:.3g}" for name, value in metrics.items())
        self.progress.update(self.task, completed=min(spent, 1.0), description=state)
        self.live.update(Group(self.progress, Text(numbers)))
        if not self.console.is_terminal and time.monotonic() - self.last_line > _LINE_EVERY:
            self.last_line = time.monotonic()
            say(self.console, f"{state} · {numbers}")


def say(console: Console, text: str) -> None:
    """Print text as it is: a path may look like markup."""
    console.print(text, highlight=False, markup=False, soft_wrap=True)
