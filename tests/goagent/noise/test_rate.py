"""A target of bits is held, from above and from below, and nothing is read that did not pass."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from goagent.noise.bottleneck import VariationalBottleneck
from goagent.noise.rate import RateController


def learn(target, steps=700, items=16, units=3, learning_rate=0.03):
    """An autoencoder of 4 bits' worth of items; returns bits sent, bits read and the price, (steps, 3)."""
    torch.manual_seed(0)
    bottleneck = VariationalBottleneck(torch.Generator().manual_seed(0))
    encoder, decoder = (
        nn.Embedding(items, 2 * units),
        nn.Sequential(nn.Linear(units, 32), nn.ReLU(), nn.Linear(32, items)),
    )
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=learning_rate)
    controller, shown = RateController(target), torch.arange(items).repeat(16)
    seen = []
    for _ in range(steps):
        loss = functional.cross_entropy(decoder(bottleneck(encoder(shown))), shown)
        optimizer.zero_grad()
        (loss + controller.penalty(bottleneck.bits)).backward()
        optimizer.step()
        controller.update(bottleneck.bits)
        read = (math.log(items) - loss.item()) / math.log(2)
        seen.append((bottleneck.bits.mean().item(), read, controller.price))
    return torch.tensor(seen)


@pytest.mark.parametrize("target", [1.0, 3.0])
def test_the_target_is_held_within_five_percent(target):
    sent, read, price = learn(target)[-100:].mean(dim=0).tolist()
    assert sent == pytest.approx(target, rel=0.05)
    assert 0.6 * target < read <= sent
    assert price == pytest.approx(math.log(2), rel=0.2)  # what a bit saves of a cross-entropy in nats


def test_more_bits_than_there_is_use_for_are_sent_all_the_same():
    sent, read, price = learn(8.0)[-100:].mean(dim=0).tolist()
    assert sent == pytest.approx(8.0, rel=0.05)
    assert read <= 4
    assert abs(price) < 0.1  # they are worth nothing


def test_a_wide_bottleneck_is_led_down_and_never_silent():
    """It begins at 120 times the target."""
    sent, read, _ = learn(6.0, steps=500, units=100, learning_rate=0.02).T
    assert sent[0] > 100 * 6
    assert sent[-1] < 10 * 6
    assert read[100:].unfold(0, 20, 20).mean(dim=1).min() > 3.5


def test_the_aim_falls_from_the_first_rate_while_the_rate_keeps_up():
    controller = RateController(2.0, descent=0.25)
    controller.penalty(torch.tensor([9.0, 7.0]))
    assert controller.aim == 8
    controller.update(torch.tensor(8.0))
    assert controller.aim == 6
    controller.update(torch.tensor(8.0))
    assert controller.aim == 6, "a third above it"
    for _ in range(9):
        controller.update(torch.tensor(2.0))
    assert controller.aim == 2


def at_target(target, **settings):
    """A controller that asks for its target already."""
    controller = RateController(target, **settings)
    controller.aim = target
    return controller


def test_the_price_follows_the_excess():
    controller = at_target(2.0, speed=0.5)
    controller.update(torch.tensor([1.8, 2.0]))
    assert controller.price == pytest.approx(-0.0125)
    controller.update(torch.tensor(8.0))  # far off, which counts as a tenth
    assert controller.price == pytest.approx(-0.0125 + 0.025)


@pytest.mark.parametrize("bits, slope", [(2.0, 0.3), (1.8, 0.2), (2 * math.e, (0.3 + 1) / math.e)])
def test_what_a_bit_costs_is_the_price_and_the_spring(bits, slope):
    controller = at_target(2.0, stiffness=2.0)
    controller.price = 0.3
    rate = torch.tensor([bits], requires_grad=True)
    controller.penalty(rate).backward()
    assert float(rate.grad) == pytest.approx(slope)


def test_the_penalty_is_smooth_where_the_scale_changes():
    controller = at_target(2.0)
    controller.price = 0.3
    rates = torch.tensor([2 - 1e-4, 2 + 1e-4], dtype=torch.float64, requires_grad=True)
    torch.stack([controller.penalty(rate) for rate in rates]).sum().backward()
    assert float(rates.grad.diff()) == pytest.approx(0, abs=1e-3)
