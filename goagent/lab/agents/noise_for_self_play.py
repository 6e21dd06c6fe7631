"""What each source of `train.py --noise` does for an agent that learns from nothing. Start with `NoiseForSelfPlay`.

The agents learn with `learning.gumbel`, just as `python train.py --noise NAME` has it: as many games in flight, steps
and visits, each source alone at its usual value, and one agent with none.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch

from envs import Rules
from goagent.lab.agents.noise_alone import NONE, OPENING, SOURCES, NoiseAlone, Settings, Trained
from goagent.lab.core import Claim, Criterion, Role, Scale
from goagent.learning.config import TrainConfig
from goagent.learning.gumbel import GumbelLearner
from goagent.learning.losses import self_play_losses
from goagent.learning.replay import Replay
from goagent.learning.start import fresh_network
from goagent.policies.network import PolicyNetwork

TAUGHT = tuple(name for name in SOURCES if name != "label")  # it replaces an expert's moves, and there is no expert


@dataclass(frozen=True)
class FromNothing(Settings):
    sources: tuple[str, ...] = TAUGHT
    steps: int = 24
    num_games: int = 64  # in flight


class NoiseForSelfPlay(NoiseAlone):
    name = "noise-for-self-play"
    title = "What noise does for an agent that learns from nothing"
    size = "5"
    algorithm = "gumbel"
    yardsticks = (10.0, 3.0)
    bits = "the policy off the search's"
    claim = Claim(
        sentence="Noise while it learns from its own games makes an agent explore more openings and play better.",
        essay="Jang 2016, Exploration energy: noise in what is learned is a source of exploration. Perez 2017, "
        "Revisiting deep learning as a non-equilibrium process, has reports to the contrary of gradient noise and of "
        "dropout.",
        source="Kukačka, Golkov and Cremers 2017, arXiv:1710.10686, for the kinds of noise; each source's paper is "
        "named in goagent/noise. The search is Danihelka et al. 2022's.",
        data="Games of self-play on 5x5: 64 in flight, 192 plies of each; an eighth of them is never learned from.",
        models="Policy networks of 3 blocks and 16 channels, by train.py's own algorithm (gumbel) and defaults but for "
        "the number of games; batches of 64 positions. Each of its sources of noise alone, at its usual value.",
        baselines="The same network, search and number of plies without noise. `label` has no meaning here; training "
        "by several workers at once is left out, as no two runs of it are alike: `stale` stands in for it.",
        metric="Elo: from 60 games against each of two yardsticks, the shipped agent's policy without search at "
        "temperatures 10 and 3, with colours swapped and two random opening moves; moves are drawn, and for a second "
        "rating drawn at temperature 0.25 (sharp), as noise flattens a policy and that alone costs strength. Gap: bits "
        "by which the policy is off the search's (Kullback and Leibler), in games held out less in games learned from. "
        f"Opening entropy: bits of the first {OPENING} plies of the agent against itself, without search, by the chain "
        "rule from its own probabilities, which has no bias.",
        shows_not="That a source is useless where it loses: each has one value, its usual one, and none was tuned for "
        "this task but the learning rate of `langevin`. Anything about long training: these are beginners. Wider "
        "openings need not be explored ones: whoever has learned less plays closer to chance. The search draws its "
        "moves at random and games begin with random ones, so even the agent called none explores. Equal steps are "
        "not equal seconds.",
    )
    criteria = (
        Criterion("Elo gained", "median source of noise: Elo over the agent without noise", Role.CLAIM, at_least=10),
        Criterion("entropy gained", "median source of noise: bits by which the openings hold more than without noise",
                  Role.CLAIM, at_least=0.1),
        Criterion(f"{NONE}: points at 10", "without noise it learns: points of 60 against the weaker yardstick",
                  Role.CONTROL, at_least=20),
        Criterion(f"{NONE}: entropy", "and is not uniform: bits of its openings, of the 27.5 that they can hold",
                  Role.CONTROL, at_most=26),
        Criterion("sharp Elo gained", "the same where all play at temperature 0.25", Role.DETAIL, at_least=10),
        *(Criterion(f"{name}: Elo", f"Elo with {name}, over none", Role.DETAIL, at_least=0) for name in TAUGHT),
        *(Criterion(f"{name}: wider", f"bits by which the openings hold more with {name}", Role.DETAIL, at_least=0)
          for name in TAUGHT),
        *(Criterion(f"{name}: narrowed", f"bits by which the gap is smaller with {name}", Role.DETAIL, at_least=0)
          for name in TAUGHT),
    )  # fmt: skip
    settings: Mapping[Scale, FromNothing] = {
        "test": FromNothing(
            ("dropout",), steps=5, batch_size=8, channels=4, blocks=1, positions=8, games=2, num_games=16
        ),
        "quick": FromNothing(("dropout", "gradient"), steps=8, positions=500, games=40),
        "full": FromNothing(),
    }

    def config(self, cell: str, seed: int, settings: FromNothing) -> TrainConfig:
        return replace(super().config(cell, seed, settings), num_games=settings.num_games)

    def train(self, config: TrainConfig, settings: FromNothing) -> Trained:
        learner = GumbelLearner(config, fresh_network(config), torch.device("cpu"))
        learner.replay = replay = HoldingOut(config.rules, config.replay_positions)
        for _ in range(settings.steps):
            learner.step()
        learner.close()
        sides = (replay, replay.held_out)
        rng = np.random.default_rng(config.seed)
        return Trained(learner.average, *(bits_off(learner.average, side, settings.positions, rng) for side in sides))


class HoldingOut(Replay):
    """A replay that keeps the games of every eighth slot apart, so that they are not learned from."""

    def __init__(self, rules: Rules, capacity: int) -> None:
        super().__init__(rules, capacity)
        self.held_out = Replay(rules, capacity // 8)

    def add(self, rows: np.ndarray) -> None:
        held = rows["game"] % 8 == 0
        super().add(rows[~held])
        self.held_out.add(rows[held])


@torch.no_grad()
def bits_off(network: PolicyNetwork, replay: Replay, positions: int, rng: np.random.Generator) -> float:
    """Bits by which the policy is off the search's, a mean over positions drawn from the replay's window."""
    drawn = {name: torch.from_numpy(values) for name, values in replay.sample(positions, rng).items()}
    return float(self_play_losses(network(drawn["planes"], drawn["legal"]), drawn)["policy"]) / math.log(2)


EXPERIMENT = NoiseForSelfPlay()
