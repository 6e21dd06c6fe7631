"""What is shown while an agent learns."""

import io

from rich.console import Console

from goagent.learning.config import TrainConfig
from goagent.learning.progress import Budget, Display


def test_a_budget_of_steps_is_spent_by_steps_and_says_how_many_minutes_are_left():
    budget = Budget(TrainConfig(steps=8), first_step=2)
    assert budget.spent(2) == 0.25 and budget.spent(8) == 1
    budget.started -= 60.0  # three steps in a minute
    assert budget.describe(5).startswith("step 5 · 0.05 a second · 1.0 min left")


def test_a_budget_of_minutes_does_not_depend_on_steps():
    budget = Budget(TrainConfig(minutes=2.0), first_step=0)
    budget.started -= 60.0
    assert abs(budget.spent(0) - 0.5) < 0.05 and abs(budget.spent(10**6) - 0.5) < 0.05


def test_a_terminal_shows_a_bar_and_the_metrics():
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    with Display(console) as display:
        display.update(0.5, "step 4 · 2 a second", {"held-out accuracy": 0.25})
    shown = console.file.getvalue()
    assert "50%" in shown and "step 4 · 2 a second" in shown and "held-out accuracy 0.25" in shown


def test_without_a_terminal_it_is_quiet_between_its_lines():
    console = Console(file=io.StringIO(), width=100)
    with Display(console) as display:
        display.update(0.25, "step 1", {})
        display.last_line -= 60.0
        display.update(0.5, "step 2", {"loss": 1.5})
        display.update(0.75, "step 3", {})
    assert console.file.getvalue() == "step 2 · loss 1.5\n"
