"""Wrong labels on purpose: the error is taken against an answer that nobody gave.

Xie et al. 2016, DisturbLabel: Regularizing CNN on the Loss Layer, arXiv:1605.00055. With probability `rate` (theirs:
0.1 to 0.2) a label is replaced by one drawn uniformly from all classes, the right one among them. Cross-entropy is
linear in the label's distribution, so in expectation this is label smoothing by `rate`.
"""

import torch
from torch import Tensor

from goagent.noise.checks import probability
from goagent.noise.taxonomy import Place, Source

SOURCES = {"label": Source(Place.ERROR, "Xie et al. 2016, arXiv:1605.00055")}


def disturb_labels(labels: Tensor, allowed: Tensor, rate: float, generator: torch.Generator | None = None) -> Tensor:
    """labels (batch,) int64, some of them replaced by one of the row's `allowed` classes (batch, classes) bool.

    Every row has to allow at least one class. It is for training: nothing but the caller knows when that is. Raises
    ValueError for a rate that is no probability.
    """
    hit = torch.empty(labels.shape, device=labels.device).bernoulli_(probability("rate", rate), generator=generator)
    drawn = torch.multinomial(allowed.float(), 1, generator=generator).squeeze(1)
    return torch.where(hit.bool(), drawn, labels)
