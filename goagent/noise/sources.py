"""All sources of randomness by name: `SOURCES`, each with its place in the taxonomy and its paper.

A source is a layer, something done to labels, gradients or weights, or an optimiser; it knows nothing of Go. A layer is
noisy in training mode and deterministic at evaluation, where `sampling.py` can switch its noise on. Draws come from the
`generator` that a source is given, which has to be on the device of the tensors, and from torch's own without one.
torch's `nn.Dropout` takes none.
"""

from goagent.noise import (
    binary,
    bottleneck,
    dropout,
    gradient,
    hogwild,
    initialisation,
    inputs,
    labels,
    langevin,
    noisy_linear,
    rate,
    staleness,
    stochastic_depth,
    swapout,
    weights,
)
from goagent.noise.taxonomy import Place, Source

__all__ = ["SOURCES", "Place", "Source"]

_MODULES = (
    *(inputs, dropout, stochastic_depth, swapout, bottleneck, noisy_linear, binary, weights, labels, rate),
    *(gradient, langevin, staleness, hogwild, initialisation),
)
SOURCES: dict[str, Source] = {name: source for module in _MODULES for name, source in module.SOURCES.items()}
