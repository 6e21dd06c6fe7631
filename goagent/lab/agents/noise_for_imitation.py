"""What each source of `train.py --noise` does for an agent that learns from few games. Start with `NoiseForImitation`.

The agents learn with `learning.imitation`, just as `python train.py --algorithm imitation --noise NAME` has it: the
same games, the same number of gradient steps, each source alone at its usual value, and one agent with none.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch

from goagent.lab.agents.noise_alone import NONE, SOURCES, NoiseAlone, Settings, Trained
from goagent.lab.core import Claim, Criterion, Role, Scale
from goagent.learning.config import TrainConfig
from goagent.learning.dataset import Positions
from goagent.learning.imitation import ImitationLearner
from goagent.learning.start import fresh_network
from goagent.policies.network import PolicyNetwork


@dataclass(frozen=True)
class FewGames(Settings):
    sources: tuple[str, ...] = SOURCES
    steps: int = 1000
    holdout: float = 0.98  # of the games; the rest, about 33, are learned from


class NoiseForImitation(NoiseAlone):
    name = "noise-for-imitation"
    size = "7"
    algorithm = "imitation"
    yardsticks = (3.0, 2.0)
    bits = "an expert's move"
    title = "What noise does for an agent that learns from few games"
    claim = Claim(
        sentence="Noise while it learns makes a network memorise less and play better.",
        essay="Jang 2016, Limiting information in neural nets, and Exploration energy: noise in layers is a "
        "regulariser and noise in gradients helps to find better parameters. Perez 2017, Revisiting deep learning as "
        "a non-equilibrium process, reports the contrary of gradient noise and of dropout.",
        source="Kukačka, Golkov and Cremers 2017, arXiv:1710.10686, for the kinds of noise; each source's paper is "
        "named in goagent/noise.",
        data="Strong 7x7 games, 2 % of them to learn from (about 33 games, 1,400 positions, each seen in a random "
        "symmetry); measured on the others' positions that do not occur among them.",
        models="Policy networks of 3 blocks and 16 channels, 1,000 steps of 64 positions with AdamW at 0.001, the "
        "moving average of the weights playing: train.py's own algorithm and defaults. Each of its sources of noise "
        "alone, at its usual value.",
        baselines="The same network, games and batches without noise. Training by several workers at once is left "
        "out, as no two runs of it are alike: `stale` stands in for it.",
        metric="Gap: bits of an expert's move on held-out positions, less those on positions learned from. Elo: from "
        "60 games against each of two yardsticks, the shipped agent's policy without search at temperatures 3 and 2, "
        "with colours swapped and two random opening moves; moves are drawn, and for a second rating drawn at "
        "temperature 0.25 (sharp), as noise flattens a policy and that alone costs strength. Opening entropy: bits of "
        "the first six plies of the agent against itself, by the chain rule from its own probabilities, which has no "
        "bias.",
        shows_not="That a source is useless where it loses: each has one value, its usual one, and none was tuned for "
        "this task but the learning rate of `langevin`. Anything about large networks, long training or learning from "
        "self-play, where examples are never the same twice. Equal steps are not equal seconds: variational "
        "convolutions take about three times as long.",
    )
    criteria = (
        Criterion("gap narrowed", "median source of noise: bits by which the gap is smaller than without noise",
                  Role.CLAIM, at_least=0.02),
        Criterion("Elo gained", "median source of noise: Elo over the agent without noise", Role.CLAIM, at_least=10),
        Criterion(f"{NONE}: gap", "without noise there is something to gain: its gap in bits", Role.CONTROL,
                  at_least=0.1),
        Criterion(f"{NONE}: held out", "and something is learned: its bits on held-out positions", Role.CONTROL,
                  at_most=3.5),
        Criterion("sharp Elo gained", "the same where all play at temperature 0.25", Role.DETAIL, at_least=10),
        *(Criterion(f"{name}: Elo", f"Elo with {name}, over none", Role.DETAIL, at_least=0) for name in SOURCES),
        *(Criterion(f"{name}: narrowed", f"bits by which the gap is smaller with {name}", Role.DETAIL, at_least=0)
          for name in SOURCES),
    )  # fmt: skip
    settings: Mapping[Scale, FewGames] = {
        "test": FewGames(("dropout", "gradient"), steps=2, batch_size=8, channels=4, blocks=1, positions=8, games=2),
        "quick": FewGames(
            ("dropout", "label", "variational-bottleneck", "gradient"), steps=120, positions=500, games=40
        ),
        "full": FewGames(),
    }

    def config(self, cell: str, seed: int, settings: FewGames) -> TrainConfig:
        return replace(super().config(cell, seed, settings), holdout=settings.holdout)

    def train(self, config: TrainConfig, settings: FewGames) -> Trained:
        return imitate(config, fresh_network(config), settings)


def imitate(config: TrainConfig, network: PolicyNetwork, settings: FewGames) -> Trained:
    """What becomes of `network`."""
    learner = ImitationLearner(config, network, torch.device("cpu"))
    for _ in range(settings.steps):
        learner.step()
    agent = learner.average
    sides = (learner.train, learner.held_out)
    return Trained(agent, *(move_bits(agent, positions, settings.positions, config.seed) for positions in sides))


def move_bits(network: PolicyNetwork, positions: Positions, most: int, seed: int) -> float:
    """Bits of an expert's move: the policy's mean log loss over the positions, of which `most` are drawn."""
    rng = np.random.default_rng(seed)
    chosen = positions.where(rng.permutation(len(positions))[:most])
    moves = network.answer(chosen.planes(), chosen.legal).moves
    return -float(moves.log_prob(torch.from_numpy(chosen.actions)).mean()) / math.log(2)


EXPERIMENT = NoiseForImitation()
