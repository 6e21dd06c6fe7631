"""One bit a weight and a unit: the signs, the gradient that is made up for them, and their size in memory."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from goagent.noise.binary import (
    BinaryActivation,
    BinaryConv2d,
    BinaryLinear,
    binarize,
    clip_weights,
    pack,
    unpack,
)
from tests.goagent.noise.measure import assert_mean

VALUES = torch.tensor([-3.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 1.001])


def test_signs_and_the_window_of_their_gradient():
    x = VALUES.clone().requires_grad_()
    signs = binarize(x)
    assert signs.tolist() == [-1, -1, -1, 1, 1, 1, 1, 1]
    (signs * torch.arange(8)).sum().backward()
    assert x.grad.tolist() == [0, 1, 2, 3, 4, 5, 6, 0]
    other = VALUES.clone().requires_grad_()
    (functional.hardtanh(other) * torch.arange(8)).sum().backward()
    inside = VALUES.abs() != 1  # at the ends themselves the paper's window is closed
    assert torch.equal(other.grad[inside], x.grad[inside])


def test_random_signs_mean_what_they_stand_for():
    drawn = binarize(VALUES.expand(50_000, 8), stochastic=True, generator=torch.Generator().manual_seed(0))
    assert set(drawn.unique().tolist()) == {-1.0, 1.0}
    assert_mean(drawn, VALUES.clamp(-1, 1))


def test_random_signs_have_the_same_gradient():
    x = VALUES.clone().requires_grad_()
    binarize(x, stochastic=True).sum().backward()
    assert x.grad.tolist() == [0, 1, 1, 1, 1, 1, 1, 0]


def test_activations_are_plain_signs_at_evaluation():
    for stochastic in (False, True):
        assert torch.equal(BinaryActivation(stochastic).eval()(VALUES), binarize(VALUES))
    assert torch.equal(BinaryActivation()(VALUES), binarize(VALUES))


def test_layers_compute_with_signs_and_learn_behind_them():
    torch.manual_seed(0)
    for layer, plain, inputs, x in (
        (BinaryLinear(6, 4), functional.linear, 6, torch.randn(5, 6)),
        (BinaryConv2d(2, 3, 3, padding=1), lambda *a: functional.conv2d(*a, padding=1), 18, torch.randn(5, 2, 4, 4)),
    ):
        signs = layer.weight.detach().sign().requires_grad_()
        expected = plain(x, signs / inputs**0.5, layer.bias)
        assert torch.equal(layer(x), expected)
        layer(x).sum().backward()
        expected.sum().backward()
        assert torch.allclose(layer.weight.grad, signs.grad)


def test_what_passes_through_a_stack_of_them_keeps_its_size_and_its_gradient():
    torch.manual_seed(0)
    net = nn.Sequential(*(part for _ in range(6) for part in (BinaryLinear(256, 256, bias=False), BinaryActivation())))
    x = torch.randn(64, 256, requires_grad=True)
    sums = net[:-1](x)
    assert 0.8 < float(sums.detach().square().mean()) < 1.25
    sums.sum().backward()
    assert (x.grad != 0).any(dim=1).all()


def test_clipping_holds_binary_accumulators_and_nothing_else():
    net = nn.Sequential(BinaryLinear(3, 3), nn.Linear(3, 3), nn.Sequential(BinaryConv2d(1, 1, 3)))
    for parameter in net.parameters():
        nn.init.constant_(parameter, -1.5)
    clip_weights(net)
    held = {name for name, value in net.named_parameters() if float(value.detach().min()) == -1}
    assert held == {"0.weight", "2.0.weight"}
    assert float(net[1].weight.detach().max()) == -1.5


@given(st.lists(st.integers(1, 9), max_size=4), st.integers(0, 1000))
def test_packing_keeps_every_sign(shape, seed):
    weight = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    packed = pack(weight)
    assert packed.dtype == torch.uint8
    assert torch.equal(unpack(packed, weight.shape), binarize(weight))
    assert torch.equal(pack(unpack(packed, weight.shape)), packed)


def test_packed_weights_take_a_32nd_and_compute_the_same():
    layer, x = BinaryLinear(64, 16), torch.randn(3, 64)
    packed = pack(layer.weight)
    assert packed.numel() * packed.element_size() * 32 == layer.weight.numel() * layer.weight.element_size()
    assert torch.equal(functional.linear(x, unpack(packed, layer.weight.shape) / 8, layer.bias), layer(x))


def test_bits_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"expected uint8 \(2,\)"):
        unpack(torch.zeros(1, dtype=torch.uint8), torch.Size((3, 3)))


def test_one_bit_weights_are_found_through_the_straight_through_gradient():
    torch.manual_seed(0)
    teacher = torch.randint(0, 2, (1, 15)).float() * 2 - 1
    layer, x = BinaryLinear(15, 1, bias=False), torch.randn(400, 15)
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.02)
    for _ in range(150):
        optimizer.zero_grad()
        functional.mse_loss(layer(x), x @ teacher.T / 15**0.5).backward()
        optimizer.step()
        clip_weights(layer)
    assert torch.equal(unpack(pack(layer.weight), layer.weight.shape), teacher)
    assert float(layer.weight.detach().abs().max()) <= 1
