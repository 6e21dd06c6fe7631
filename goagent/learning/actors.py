"""Processes that play while the network learns.

The games of a run are shared out among actors. Each has its own generator and plays with the weights that it is
handed, so what it brings depends neither on the process that it lives in nor on when the others are done.
"""

import multiprocessing
import os
import signal
import traceback
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from goagent.learning.config import TrainConfig
from goagent.learning.learner import TrainingError
from goagent.learning.self_play import Harvest, SelfPlay
from goagent.players.evaluator import evaluator
from goagent.policies.network import NetworkConfig, PolicyNetwork
from goagent.search.cache import CachedEvaluator

_CACHE = 1 << 15  # positions
_CARD_BATCH = 4096  # positions; a processor's cache holds fewer, a card wants as many as there are
_FEWEST_GAMES = 16  # for an actor; with fewer its batches would be too small


class Actor:
    """Some of a run's games, and a copy of the network to play them with."""

    def __init__(
        self, config: TrainConfig, network: NetworkConfig, number: int, num_games: int, device: torch.device
    ) -> None:
        self.config = config
        self.network = PolicyNetwork(network).to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.network.eval().requires_grad_(False)
        rng, on_card = np.random.default_rng([config.seed, number]), device.type != "cpu"
        self.self_play = SelfPlay(config, num_games, rng, on_card, _CARD_BATCH if on_card else 64)

    def play(self, weights: dict[str, np.ndarray]) -> tuple[Harvest, float]:
        """A step's plies with these weights; also the share of the searches' questions that a cache answered."""
        self.network.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
        evaluate = CachedEvaluator(evaluator(self.network), _CACHE)
        harvest = self.self_play.play(evaluate, self.config.plies_a_step)
        return harvest, evaluate.hits / (evaluate.hits + evaluate.evaluated)

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        return self.self_play.state()

    def restore(self, state: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        self.self_play.restore(state, arrays)


class Here:
    """An actor in this process."""

    def __init__(self, *actor: Any) -> None:
        self._actor = Actor(*actor)

    def ask(self, method: str, *args: Any) -> None:
        """Call a method of the actor; `answer` has what came of it."""
        self._answer = getattr(self._actor, method)(*args)

    def answer(self) -> Any:
        return self._answer

    def close(self) -> None:
        pass


class Elsewhere:
    """An actor in a process of its own, on one thread. It ends with this one, however this one ends."""

    def __init__(self, *actor: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, actor), daemon=True)
        self._process.start()
        theirs.close()

    def ask(self, method: str, *args: Any) -> None:
        """Have a method of the actor called, and go on; `answer` waits for what came of it. Raises TrainingError."""
        try:
            self._connection.send((method, args))
        except OSError as error:
            raise self._gone() from error

    def answer(self) -> Any:
        """Raises TrainingError, and whatever the method has raised."""
        try:
            result = self._connection.recv()
        except (EOFError, OSError) as error:
            raise self._gone() from error
        if isinstance(result, BaseException):
            raise result
        return result

    def close(self) -> None:
        self._process.terminate()
        self._process.join()
        self._connection.close()

    def _gone(self) -> TrainingError:
        self._process.join()
        return TrainingError(
            f"a process of self-play ended with code {self._process.exitcode}; the last checkpoint stands"
        )


def shares(num_games: int, threads: int) -> list[int]:
    """How many games each actor gets: an actor for each thread, if there are games enough."""
    count = max(1, min(threads, num_games // _FEWEST_GAMES))
    return [len(part) for part in np.array_split(np.arange(num_games), count)]


def start_actors(
    config: TrainConfig, network: NetworkConfig, games: Sequence[int], device: torch.device, here: bool
) -> list[Here] | list[Elsewhere]:
    """An actor for each number of `games`, all in this process or each in its own."""
    place: Any = Here if here else Elsewhere
    return [place(config, network, number, share, device) for number, share in enumerate(games)]


def _serve(connection: Any, actor: tuple[Any, ...]) -> None:
    """The life of an actor's process: answer until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who asks
    os.nice(5)  # all wait for the network to have learned: it goes first
    torch.set_num_threads(1)
    playing: Actor | None = None
    while True:
        try:
            method, args = connection.recv()
        except EOFError:
            return
        try:
            playing = playing or Actor(*actor)
            result = getattr(playing, method)(*args)
        except Exception as error:
            error.add_note(traceback.format_exc())
            result = error
        connection.send(result)
