"""A target of bits is held, from above and from below, and nothing is read that did not pass."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from goagent.noise.bottleneck import VariationalBottleneck
from goagent.noise.rate import RateController


def learn(target, steps=450, items=16):
    """An autoencoder of 4 bits' worth of items; returns bits sent, bits read and the price, over the last 100 steps."""
    torch.manual_seed(0)
    bottleneck = VariationalBottleneck(torch.Generator().manual_seed(0))
    encoder, decoder = nn.Embedding(items, 6), nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, items))
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=0.03)
    controller, shown = RateController(target), torch.arange(items).repeat(16)
    last = []
    for _ in range(steps):
        loss = functional.cross_entropy(decoder(bottleneck(encoder(shown))), shown)
        optimizer.zero_grad()
        (loss + controller.penalty(bottleneck.bits)).backward()
        optimizer.step()
        controller.update(bottleneck.bits)
        read = (math.log(items) - loss.item()) / math.log(2)
        last.append((bottleneck.bits.mean().item(), read, controller.price))
    return torch.tensor(last[-100:]).mean(dim=0).tolist()


@pytest.mark.parametrize("target", [1.0, 3.0])
def test_the_target_is_held_within_five_percent(target):
    sent, read, price = learn(target)
    assert sent == pytest.approx(target, rel=0.05)
    assert 0.6 * target < read <= sent
    assert price == pytest.approx(math.log(2), rel=0.2)  # what a bit saves of a cross-entropy in nats


def test_more_bits_than_there_is_use_for_are_sent_all_the_same():
    sent, read, price = learn(8.0)
    assert sent == pytest.approx(8.0, rel=0.05)
    assert read <= 4
    assert abs(price) < 0.1  # they are worth nothing


def test_the_price_follows_the_excess():
    controller = RateController(2.0, speed=0.5)
    controller.update(torch.tensor([2.0, 2.2]))
    assert controller.price == pytest.approx(0.025)
    controller.update(torch.tensor(1.0))  # far off, which counts as a tenth
    assert controller.price == pytest.approx(0.025 - 0.05)


@pytest.mark.parametrize("bits, slope", [(2.0, 0.3), (2.2, 0.4), (1.8, 0.2), (40.0, 1.3)])
def test_what_a_bit_costs_is_the_price_and_the_spring(bits, slope):
    controller = RateController(2.0)
    controller.price = 0.3
    rate = torch.tensor([bits], requires_grad=True)
    controller.penalty(rate).backward()
    assert float(rate.grad) == pytest.approx(slope)
