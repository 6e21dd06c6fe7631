"""Networks side by side have nothing to do with each other, and their bits are those of a distribution."""

import math

import pytest
import torch
from torch import Tensor, nn

from goagent.lab.information.bits import all_codes
from goagent.lab.information.capacity import information
from goagent.lab.information.known_networks import (
    Autoencoder,
    Autoregressive,
    SideBySide,
    erasure_log_likelihood,
    gaussian_log_likelihood,
    signs_log_likelihood,
    train,
)
from goagent.noise.binary import BinaryActivation
from goagent.noise.bottleneck import NoisyBottleneck

LENGTH = 7


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def test_side_by_side_is_a_linear_layer_each() -> None:
    x, layers = torch.randn(3, 5, 4), SideBySide(3, 4, 2)
    for number in range(3):
        one = nn.Linear(4, 2)
        with torch.no_grad():
            one.weight.copy_(layers.weight[number].T)
            one.bias.copy_(layers.bias[number, 0])
        torch.testing.assert_close(layers(x)[number], one(x[number]))


def test_they_learn_together_what_they_would_apart() -> None:
    x = torch.randint(2, (20, LENGTH)) * 2.0 - 1
    together, alone = Autoregressive(LENGTH, 10, (0.0, 0.0)), Autoregressive(LENGTH, 10, (0.0,))
    with torch.no_grad():
        for all_of_them, one in zip(together.parameters(), alone.parameters(), strict=True):
            one.copy_(all_of_them[1:])
    for model in (together, alone):
        train(model, lambda m=model: m.bits(x).mean(dim=1).sum(), steps=30, rate=0.01)  # type: ignore[misc]
    torch.testing.assert_close(together.bits(x)[1], alone.bits(x)[0], rtol=1e-3, atol=1e-3)
    assert not torch.allclose(together.bits(x)[0], alone.bits(x)[0], atol=0.01)


@pytest.mark.parametrize("units", [1, 5, 40])
def test_an_autoregressive_network_is_a_distribution(units: int) -> None:
    every = all_codes(LENGTH)
    model = Autoregressive(LENGTH, units, (0.0, 0.5)).eval()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=2)
    torch.testing.assert_close((2.0 ** -model.bits(every).double()).sum(dim=1), torch.ones(2).double())
    assert model.size == (LENGTH + 1) * units + LENGTH, "each unit has a weight for each sign, and a bias"


def test_a_sign_is_foretold_by_those_before_it_only() -> None:
    model = Autoregressive(LENGTH, 60, (0.0,))
    x = torch.randn(1, 1, LENGTH, requires_grad=True)
    for place in range(LENGTH):
        (gradient,) = torch.autograd.grad(model.layers(x)[0, 0, place], x)
        assert not gradient[0, 0, place:].any()
        assert gradient[0, 0, :place].all()


def test_training_cannot_beat_the_list_of_what_was_seen() -> None:
    x = all_codes(LENGTH)[torch.randperm(2**LENGTH)[:16]]
    model = Autoregressive(LENGTH, 60, (0.0,))
    train(model, lambda: model.bits(x).mean(dim=1).sum(), steps=300, rate=0.01)
    assert 4 <= float(model.bits(x).detach().mean()) < 4.3


def test_dropout_is_each_networks_own_and_for_training_only() -> None:
    x = all_codes(LENGTH)
    model = Autoregressive(LENGTH, 40, (0.0, 0.5))
    noisy, quiet = model.bits(x), model.eval().bits(x)
    torch.testing.assert_close(noisy[0], quiet[0])
    assert not torch.allclose(noisy[1], quiet[1], atol=0.01)


def channels() -> list[tuple[nn.Module, int]]:
    return [
        (BinaryActivation(), 2),
        (NoisyBottleneck(0.5), 3),
        (nn.Sequential(BinaryActivation(), nn.Dropout(0.5)), 5),
    ]


def test_a_layer_has_the_units_it_has() -> None:
    coder, x = Autoencoder(LENGTH, channels()), all_codes(LENGTH)
    sent = coder.send(x)
    assert sent.shape == (3, len(x), 5) and coder(x).shape == (3, *x.shape)
    assert [int(one.abs().sum(dim=0).count_nonzero()) for one in sent] == [2, 3, 5]
    assert sent[0].unique().tolist() == [-1, 0, 1] and sent[2].unique().tolist() == [-2, 0, 2]


def test_untrained_layers_pass_no_more_than_they_can_and_decoders_read_no_more_than_passes() -> None:
    coder, x = Autoencoder(LENGTH, channels()), all_codes(LENGTH)
    for parameter in coder.encoder.parameters():
        nn.init.normal_(parameter)
    sent = torch.arange(len(x)).repeat(20)
    with torch.no_grad():
        received = coder.send(x[sent])
        answers, points = coder.decoder(received), coder.eval().send(x)
    passing = []
    for number, most in enumerate((2, 3 * 0.943, 2.5)):
        likelihood = gaussian_log_likelihood(received[1], points[1], 0.5)
        if number != 1:
            likelihood = erasure_log_likelihood(received[number], points[number])
        passing.append(information(likelihood, sent))
        assert 0.3 * most < passing[-1] < most + 0.1
        assert information(signs_log_likelihood(answers[number], x), sent) < passing[-1]


def likelihoods(a: Tensor) -> list[list[float]]:
    return [[round(number, 4) for number in row] for row in a.tolist()]


def test_likelihoods_by_hand() -> None:
    words = torch.tensor([[1.0, 1.0], [1.0, -1.0]])
    assert likelihoods(gaussian_log_likelihood(torch.tensor([[1.0, 0.0]]), words, 0.5)) == [[-2, -2]]
    assert likelihoods(gaussian_log_likelihood(torch.tensor([[1.0, 0.5]]), words, 0.5)) == [[-0.5, -4.5]]
    lost = torch.tensor([[2.0, 0.0], [0.0, -2.0], [-2.0, 0.0]])
    assert likelihoods(erasure_log_likelihood(lost, words)) == [[0, 0], [-math.inf, 0], [-math.inf, -math.inf]]
    logits = torch.tensor([[0.3, 2.0]])
    by_signs = nn.functional.logsigmoid(words * logits).sum(dim=1)
    difference = signs_log_likelihood(logits, words)[0] - by_signs
    torch.testing.assert_close(difference[0], difference[1])
