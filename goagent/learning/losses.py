"""What learning minimises. All losses are means over a batch; values and advantages are from the mover's side."""

import torch
from torch import Tensor
from torch.nn import functional

from goagent.policies.heads import SCORE_UNIT
from goagent.policies.network import Prediction


def advantages(values: Tensor, rewards: Tensor, over: Tensor, last_values: Tensor, gae_lambda: float) -> Tensor:
    """Generalised advantage estimation (Schulman et al. 2016, arXiv:1506.02438, eq. 16) for two players in turn.

    values, rewards, over: (plies, games); the value for the side to move, the reward that its move earned (+1, 0, -1
    at the end of a game, truncated or not), and whether the game ended with it. last_values: (games,) of the position
    after the last ply. The next position is the opponent's, so its value counts with the other sign: undiscounted,
    delta_t = r_t - v_{t+1} - v_t and A_t = delta_t - lambda * A_{t+1}. Returns (plies, games).
    """
    result = torch.zeros_like(values)
    following_value, following_advantage = last_values, torch.zeros_like(last_values)
    for t in reversed(range(len(values))):
        goes_on = (~over[t]).to(values.dtype)
        delta = rewards[t] - goes_on * following_value - values[t]
        result[t] = delta - gae_lambda * goes_on * following_advantage
        following_value, following_advantage = values[t], result[t]
    return result


def ppo_loss(new_log_prob: Tensor, old_log_prob: Tensor, advantage: Tensor, clip: float) -> Tensor:
    """Clipped surrogate (Schulman et al. 2017, arXiv:1707.06347, eq. 7), negated. All (batch,)."""
    ratio = (new_log_prob - old_log_prob).exp()
    return -torch.minimum(ratio * advantage, ratio.clamp(1 - clip, 1 + clip) * advantage).mean()


def reinforce_loss(log_prob: Tensor, advantage: Tensor) -> Tensor:
    """Likelihood-ratio gradient (Williams 1992) with a baseline, negated. Both (batch,)."""
    return -(log_prob * advantage).mean()


def self_play_losses(said: Prediction, target: dict[str, Tensor]) -> dict[str, Tensor]:
    """What a network learns from a finished game: the sum of these is minimised.

    policy: cross-entropy with the search's policy (batch, num_actions), in nats above that policy's own entropy.
    value: cross-entropy of the win probability (1 + value) / 2, a draw counting half. score: Huber, in units of 10
    points. ownership: mean squared error a point. The weights are near KataGo's (Wu 2019, arXiv:1902.10565, table 5).
    """
    policy = target["policy"]
    log_probs = said.moves.categorical().logits
    known = torch.where(policy > 0, policy * (policy.clamp(min=1e-12).log() - log_probs), 0.0)
    won = ((1 + said.value) / 2).clamp(1e-5, 1 - 1e-5)
    return {
        "policy": known.sum(dim=1).mean(),
        "value": functional.binary_cross_entropy(won, (1 + target["value"]) / 2),
        "score": 0.25 * functional.huber_loss(said.score / SCORE_UNIT, target["score"] / SCORE_UNIT),
        "ownership": 0.5 * functional.mse_loss(said.ownership, target["ownership"]),
    }
