"""A network as what a search asks: planes of numpy in, an `Evaluation` out."""

import numpy as np
import torch

from goagent.errors import UserError
from goagent.policies.heads import CategoricalHead
from goagent.policies.network import PolicyNetwork
from goagent.search.evaluation import Evaluate, Evaluation


def evaluator(network: PolicyNetwork) -> Evaluate:
    """`evaluate` by this network, on its own device. Raises UserError for a policy that has no logits."""
    head = network.policy
    if not isinstance(head, CategoricalHead):
        raise UserError(f"a {network.config.policy} policy has no logits: a search needs a categorical one")
    device = next(network.parameters()).device

    @torch.inference_mode()
    def evaluate(planes: np.ndarray) -> Evaluation:
        given = torch.from_numpy(planes).to(device).contiguous(memory_format=torch.channels_last)
        features = network.trunk(given)
        logits = head.logits(features)
        return Evaluation(logits.cpu().numpy(), *(part.cpu().numpy() for part in network.outcome(features)))

    return evaluate
