"""Noise as a person asks for it, NAME or NAME=VALUE. `read_noise` checks it; `SETTINGS` says what each value is."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from goagent.noise.checks import not_negative, positive, probability


class Setting(NamedTuple):
    """One source. default: None where it takes no value. network: it changes what the network computes or holds."""

    what: str  # the value is
    default: float | None
    check: Callable[[str, float], float]
    network: bool = True
    excludes: str = ""  # of the sources that name the same here, one at most


def _below_one(name: str, value: float) -> float:
    if not 0 <= value < 1:
        raise ValueError(f"{name} is {value!r}: expected a number from 0 to below 1")
    return value


def _inside(name: str, value: float) -> float:
    if not 0 < value < 1:
        raise ValueError(f"{name} is {value!r}: expected a number between 0 and 1")
    return value


def _whole(name: str, value: float) -> float:
    if value != int(value) or value < 1:
        raise ValueError(f"{name} is {value!r}: expected a whole number of at least 1")
    return value


SETTINGS = {
    "input": Setting("standard deviation on the input planes", 0.1, not_negative),
    "label": Setting("share of the expert's moves replaced by random legal ones", 0.1, probability, network=False),
    "dropout": Setting("share of the feature planes dropped inside the blocks", 0.1, _below_one),
    "gaussian-dropout": Setting("variance of the factor on each number inside the blocks", 0.1, not_negative),
    "variational-dropout": Setting("variance, where it starts to be learned", 0.1, _inside, excludes="convolutions"),
    "binary": Setting("convolutions of weights -1 and +1", None, positive, excludes="convolutions"),
    "noisy-linear": Setting("learned noise on the weights that spread the pooled board", None, positive),
    "stochastic-depth": Setting("survival of the last block", 0.5, probability, excludes="residual connections"),
    "swapout": Setting("what the last block keeps of its input and branch", 0.5, probability,
                       excludes="residual connections"),
    "bottleneck": Setting("standard deviation on the features, which lie within 1", 0.5, positive, excludes="features"),
    "variational-bottleneck": Setting("price of a nat that the heads are told", 1e-4, not_negative,
                                      excludes="features"),
    "rate": Setting("bits that the heads are told of a position", 64.0, positive, excludes="features"),
    "weight": Setting("standard deviation on every weight while a loss is computed", 0.01, not_negative, network=False),
    "gradient": Setting("eta; the variance is eta / (1 + update)^0.55, after clipping", 1e-6, not_negative,
                        network=False),
    "stale": Setting("updates that a gradient comes late", 4.0, _whole, network=False),
    "hogwild": Setting("workers on the same weights, none waiting for another", 2.0, _whole, network=False),
    "langevin": Setting("temperature; takes AdamW's place", 1e-7, not_negative, network=False),
    "initialisation": Setting("of every weight alike: no randomness at the start", 0.01, not_negative, network=False),
}  # fmt: skip


def read_noise(asked: Iterable[str]) -> dict[str, float]:
    """("dropout=0.2", "binary") -> {"dropout": 0.2, "binary": 1}. Raises ValueError."""
    found: dict[str, float] = {}
    places: dict[str, str] = {}
    for text in asked:
        name, equals, value = text.partition("=")
        setting = SETTINGS.get(name)
        if setting is None:
            raise ValueError(f"noise is {name!r}: expected one of {', '.join(SETTINGS)}")
        if name in found:
            raise ValueError(f"noise {name} is given twice: expected it once")
        if setting.default is None and equals:
            raise ValueError(f"noise {name} is given a value: expected none")
        try:
            number = float(value) if equals else setting.default or 1.0
        except ValueError:
            raise ValueError(f"noise {name} is {value!r}: expected a number, the {setting.what}") from None
        found[name] = setting.check(f"noise {name}", number)
        if setting.excludes and (other := places.setdefault(setting.excludes, name)) != name:
            raise ValueError(f"noise {other} and noise {name} both act on the {setting.excludes}: expected one of them")
    return found


def in_network(asked: Iterable[str]) -> tuple[str, ...]:
    """Those that the network is built with, in the order of the table. Raises ValueError."""
    found = read_noise(asked)
    return tuple(
        name if setting.default is None else f"{name}={found[name]:g}"
        for name, setting in SETTINGS.items()
        if name in found and setting.network
    )
