"""A quick look at how good a network is while it learns. The arena measures it properly."""

import numpy as np
import torch

from envs import BLACK, GoBatch, Rules
from goagent.policies.network import PolicyNetwork


def score_against_random(network: PolicyNetwork, rules: Rules, num_games: int, rng: np.random.Generator) -> float:
    """Share of the points won against uniformly random moves, half the games with each colour; a draw is half."""
    batch = GoBatch(rules, num_games, parallel=False)
    black = np.arange(num_games) % 2 == 0
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    while not batch.is_over.all():
        ours = (batch.to_play == BLACK) == black
        answer = network.answer(batch.observe(), _open(batch)).moves
        moves = answer.categorical().probs.cpu().multinomial(1, generator=generator).squeeze(1).numpy()
        random = batch.sample_legal(rng)
        batch.step(np.where(random < 0, random, np.where(ours, moves, random)))
    result = np.sign(batch.score_black()) * np.where(black, 1, -1)
    return float((result + 1).mean() / 2)


def _open(batch: GoBatch) -> np.ndarray:
    """The legal mask, with the pass allowed in finished games, where a distribution needs something to hold on to."""
    mask = batch.legal_mask().copy()
    mask[:, -1] = True
    return mask
