"""How the tests run the app: a game against a fake agent, keys, and waiting until the agent has answered."""

import asyncio

import numpy as np
from textual.widgets import Static

from envs import BLACK, Rules
from goagent.interfaces.session import Session, new_game
from goagent.interfaces.terminal.app import GoApp
from goagent.interfaces.terminal.game_screen import GameScreen
from tests.goagent.interfaces.fakes import HERE


def app_for(shelf, agent="Sure", size=5, person=BLACK, names=(), **rules):
    """The app with a game in which these moves were played."""
    session = Session(new_game(Rules.of_size(size, **rules)), person, f"{HERE}:{agent}", shelf.place())
    for name in names:
        session.play(session.rules.action(name))
    return GoApp(session, shelf, np.random.default_rng(0))


def drive(app, script, size=(80, 24)):
    """Run the app while the coroutine function `script` drives it."""

    async def run():
        async with app.run_test(size=size) as pilot:
            await settled(pilot)
            await script(pilot)

    asyncio.run(run())


async def settled(pilot):
    """Wait until the agent has nothing more to do."""
    await pilot.pause()
    await until(lambda: not isinstance(pilot.app.screen, GameScreen) or not pilot.app.screen.is_busy)


async def until(condition):
    for _ in range(1500):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not happen")


async def press(pilot, *keys):
    await pilot.press(*keys)
    await settled(pilot)


async def begin_thinking(pilot):
    """Play where the cursor is, and wait until White thinks about it."""
    await pilot.press("enter")
    await until(lambda: "White thinks" in shown(pilot.app, "players"))


def shown(app, name="messages"):
    """The text of a part of the screen."""
    return str(app.screen.query_one(f"#{name}", Static).render())
