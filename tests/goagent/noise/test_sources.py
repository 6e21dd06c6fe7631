"""What every source has in common: a place, a paper, and for layers silence at evaluation and draws that repeat."""

import copy
import importlib
import pickle
import pkgutil

import pytest
import torch
from torch import nn

import goagent.noise
from goagent.noise.binary import BinaryActivation
from goagent.noise.bottleneck import NoisyBottleneck, VariationalBottleneck
from goagent.noise.dropout import GaussianDropout, VariationalConv2d, VariationalLinear, matching_alpha
from goagent.noise.gradient import add_gradient_noise, gradient_noise_variance
from goagent.noise.hogwild import hogwild
from goagent.noise.inputs import InputNoise
from goagent.noise.labels import disturb_labels
from goagent.noise.langevin import Langevin
from goagent.noise.noisy_linear import NoisyLinear
from goagent.noise.rate import RateController
from goagent.noise.sources import SOURCES
from goagent.noise.staleness import StaleGradients
from goagent.noise.stochastic_depth import StochasticDepth, survival_schedule
from goagent.noise.swapout import Swapout
from goagent.noise.taxonomy import Place
from goagent.noise.weights import weight_noise

MODULES = [
    importlib.import_module(f"goagent.noise.{info.name}")
    for info in pkgutil.iter_modules(goagent.noise.__path__)
    if info.name != "sources"
]


class Joined(nn.Module):
    """A residual connection around a fixed branch, as a layer like the others."""

    def __init__(self, join):
        super().__init__()
        self.join = join

    def forward(self, x):
        return self.join(x, torch.tanh)


LAYERS = {
    "input noise": lambda generator: InputNoise(0.5, generator),
    "gaussian dropout": lambda generator: GaussianDropout(0.5, generator),
    "variational linear": lambda generator: VariationalLinear(6, 5, 0.5, generator),
    "variational conv": lambda generator: VariationalConv2d(4, 5, 3, 1, 0.5, generator),
    "stochastic depth": lambda generator: Joined(StochasticDepth(0.5, generator)),
    "swapout": lambda generator: Joined(Swapout(0.5, 0.5, generator=generator)),
    "noisy bottleneck": lambda generator: NoisyBottleneck(0.5, generator),
    "variational bottleneck": lambda generator: VariationalBottleneck(generator),
    "binary activation": lambda generator: BinaryActivation(True, generator),
    "noisy linear": lambda generator: NoisyLinear(6, 5, generator=generator),
    "noisy linear, independent": lambda generator: NoisyLinear(6, 5, False, generator),
}


@pytest.fixture(params=LAYERS)
def layer(request):
    torch.manual_seed(0)
    return LAYERS[request.param](torch.Generator().manual_seed(1))


def planes(seed=2):
    """(batch, units, rows, cols), as wide as it is deep enough for every layer above."""
    return torch.randn(3, 4, 5, 6, generator=torch.Generator().manual_seed(seed))


def test_every_place_of_the_taxonomy_has_a_source():
    assert {source.place for source in SOURCES.values()} == set(Place)


def test_the_table_has_the_sources_of_every_module():
    found = [item for module in MODULES for item in getattr(module, "SOURCES", {}).items()]
    assert len(found) == len(dict(found))
    assert dict(found) == SOURCES


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rpartition(".")[2])
def test_a_module_names_the_papers_of_its_sources(module):
    assert module.__doc__
    for source in getattr(module, "SOURCES", {}).values():
        author = source.paper.split()[0]
        assert author in module.__doc__ and any(character.isdigit() for character in source.paper)


def test_evaluation_is_deterministic_and_draws_nothing(layer):
    before = torch.get_rng_state()
    layer.eval()
    assert torch.equal(layer(planes()), layer(planes()))
    assert torch.equal(torch.get_rng_state(), before)
    generator = next(part.generator for part in layer.modules() if hasattr(part, "generator"))
    assert torch.equal(generator.get_state(), torch.Generator().manual_seed(1).get_state())


def test_training_draws_from_the_generator_and_from_nothing_else(layer):
    again, before = copy.deepcopy(layer), torch.get_rng_state()
    drawn = [layer(planes()) for _ in range(8)]
    assert torch.equal(torch.get_rng_state(), before)
    assert any(not torch.equal(drawn[0], other) for other in drawn)
    assert all(torch.equal(again(planes()), expected) for expected in drawn)


def test_a_layer_that_was_used_can_be_copied_pickled_and_loaded(layer):
    layer(planes().requires_grad_()).sum().backward()
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(other(planes()), copy.deepcopy(layer)(planes()))
    fresh = copy.deepcopy(layer)
    fresh.load_state_dict(layer.state_dict())


def test_layout_and_precision_are_kept(layer):
    x = planes().to(memory_format=torch.channels_last)
    assert layer(x).shape == layer(x.contiguous()).shape
    assert layer.double()(x.double()).dtype == torch.float64


def test_gradients_pass_and_are_numbers(layer):
    x = torch.zeros(3, 4, 5, 6, requires_grad=True)  # where roots and logarithms are steepest
    layer(x).square().sum().backward()
    for gradient in (x.grad, *(parameter.grad for parameter in layer.parameters())):
        assert torch.isfinite(gradient).all()


PARAMETERS = [torch.zeros(2)]
BAD = {
    "std": [lambda: InputNoise(-1), lambda: NoisyBottleneck(0), lambda: weight_noise(nn.Linear(1, 1), -1).__enter__()],
    "alpha": [
        lambda: GaussianDropout(-0.1),
        lambda: VariationalLinear(1, 1, 1.0),
        lambda: VariationalConv2d(1, 1, 1, alpha=0),
    ],
    "p is": [lambda: matching_alpha(1.0)],
    "survival": [lambda: StochasticDepth(1.1)],
    "last": [lambda: survival_schedule(3, -0.1)],
    "keep_input": [lambda: Swapout(2, 0)],
    "keep_branch": [lambda: Swapout(0, -1)],
    "rate": [lambda: disturb_labels(torch.zeros(1, dtype=torch.int64), torch.ones(1, 2, dtype=torch.bool), 1.5)],
    "target_bits": [lambda: RateController(0)],
    "speed": [lambda: RateController(1, speed=0)],
    "stiffness": [lambda: RateController(1, stiffness=float("nan"))],
    "descent": [lambda: RateController(1, descent=0)],
    "eta": [lambda: add_gradient_noise(PARAMETERS, 0, eta=-1)],
    "step": [lambda: gradient_noise_variance(-1)],
    "gamma": [lambda: gradient_noise_variance(0, gamma=float("inf"))],
    "lr": [lambda: Langevin(PARAMETERS, 0)],
    "temperature": [lambda: Langevin(PARAMETERS, 1, -1)],
    "delay": [lambda: StaleGradients(PARAMETERS, -1)],
    "workers": [lambda: hogwild(nn.Linear(1, 1), None, workers=0)],
    "steps": [lambda: hogwild(nn.Linear(1, 1), None, steps=0)],
}


@pytest.mark.parametrize("name, make", [(name, make) for name, all_ in BAD.items() for make in all_])
def test_numbers_that_cannot_be_are_refused_by_name(name, make):
    with pytest.raises(ValueError, match=f"{name}.*expected"):
        make()
