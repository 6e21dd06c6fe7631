"""Advantages and losses against their definitions, computed by hand."""

import numpy as np
import torch

from goagent.learning.losses import advantages, ppo_loss, reinforce_loss


def test_with_lambda_one_the_advantage_is_the_result_minus_the_value():
    """Three plies; the third wins. Seen by each mover the result is +1, -1, +1, back to front with alternating sign."""
    values = torch.tensor([[0.2], [-0.5], [0.9]])
    rewards = torch.tensor([[0.0], [0.0], [1.0]])
    over = torch.tensor([[False], [False], [True]])
    result = advantages(values, rewards, over, torch.zeros(1), gae_lambda=1.0)
    assert torch.allclose(result + values, torch.tensor([[1.0], [-1.0], [1.0]]))


def test_with_lambda_zero_it_is_one_step_and_bootstraps_from_the_opponents_view():
    values = torch.tensor([[0.2], [-0.5]])
    over = torch.zeros(2, 1, dtype=torch.bool)
    result = advantages(values, torch.zeros(2, 1), over, torch.tensor([0.4]), gae_lambda=0.0)
    assert torch.allclose(result, torch.tensor([[0.5 - 0.2], [-0.4 + 0.5]]))


def test_nothing_leaks_from_a_game_into_the_next():
    rng = np.random.default_rng(0)
    values, rewards = (torch.from_numpy(rng.normal(size=(6, 1)).astype(np.float32)) for _ in range(2))
    over = torch.tensor([[False], [False], [True], [False], [False], [False]])
    whole = advantages(values, rewards, over, torch.tensor([0.3]), 0.7)
    first = advantages(values[:3], rewards[:3], over[:3], torch.tensor([99.0]), 0.7)
    assert torch.allclose(whole[:3], first)


def test_ppo_stops_pushing_once_the_ratio_is_past_its_clip():
    old = torch.zeros(2)
    new = torch.tensor([0.5, -0.5], requires_grad=True)  # ratios 1.65 and 0.61
    ppo_loss(new, old, torch.tensor([1.0, -1.0]), clip=0.2).backward()
    assert new.grad.tolist() == [0.0, 0.0]
    new = torch.tensor([0.5, -0.5], requires_grad=True)
    ppo_loss(new, old, torch.tensor([-1.0, 1.0]), clip=0.2).backward()
    assert (new.grad != 0).all()


def test_at_the_old_policy_ppo_and_reinforce_have_the_same_gradient():
    advantage = torch.tensor([0.3, -1.2, 2.0])
    gradients = []
    for loss in (lambda x: ppo_loss(x, torch.full((3,), -1.0), advantage, 0.2), lambda x: reinforce_loss(x, advantage)):
        log_prob = torch.full((3,), -1.0, requires_grad=True)
        loss(log_prob).backward()
        gradients.append(log_prob.grad)
    assert torch.allclose(*gradients)
