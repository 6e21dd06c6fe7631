"""What learning minimises. All losses are means over a batch; values and advantages are from the mover's side."""

import torch
from torch import Tensor


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
