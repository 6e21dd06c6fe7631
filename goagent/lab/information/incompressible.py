"""What cannot be compressed, and by what: digits of pi, of dice, and of chaos. Start with `Incompressible`.

The digits of pi come from Machin's formula, and are compared with what a short program prints, which uses another.
"""

import math
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from matplotlib.figure import Figure

from goagent.lab.core import Claim, Criterion, Experiment, Figures, Result, Role, Scale
from goagent.lab.information.measures import COMPRESSORS, compressed_bits, uniformity

FLOOR = math.log2(10)  # bits for each of equally likely digits
PI, DICE, CHAOS, FRACTION = "pi", "dice", "chaos", "355 over 113"
# pi / 2 is the sum of k! / (1 3 5 ... 2k+1): Euler's transform of the series of Leibniz. Ten digits are to spare.
PROGRAM = """import sys;sys.set_int_max_str_digits(0)
a=p=2*10**{spare}
k=0
while a:k+=1;a=a*k//(2*k+1);p+=a
print(str(p)[:{digits}])"""
STEPS_A_DIGIT = 10  # of the logistic map: at a bit a step, far more than a digit needs
APART = 1e-12  # at first, of two orbits
STYLES = {  # of the picture: colour, marker
    "zlib": ("#0072B2", "o"),
    "bz2": ("#009E73", "s"),
    "lzma": ("#CC79A7", "^"),
    "program": ("#D55E00", "D"),
}


@dataclass(frozen=True)
class Settings:
    digits: int = 50_000
    steps: int = 1_000_000  # of the orbit whose Lyapunov exponent is measured


class Incompressible(Experiment):
    name = "incompressible"
    title = "Randomness is what cannot be compressed"
    claim = Claim(
        sentence="What looks random need not be: the digits of pi are as even as those of dice, and yet a short "
        "program makes any number of them. Deterministic chaos, too, is a short rule, and yet makes a fresh bit a "
        "step.",
        essay="Jang 2016, Randomness and information theory: random is what cannot be compressed, and a million digits "
        "of pi can be, into a program of 70 characters; pi is believed to be normal. Asked there: is chance just "
        "deterministic chaos?",
        source="Kolmogorov 1965, Three approaches to the quantitative definition of information: an object's "
        "information is the length of the shortest program for it.",
        data="The first digits of pi, by Machin's formula; as many of dice, of the logistic map x -> 4 x (1 - x) "
        "(every tenth step, made uniform), and of 355/113, which repeats itself.",
        models="A Python program, run by itself, whose text is counted as it is, the number of digits in it. It sums "
        "Euler's transform of the series of Leibniz, which as it stands gains a digit for ten times the terms. Beside "
        "it zlib and bz2 at their highest level, and lzma.",
        baselines="Digits of dice: no compressor can take fewer than log2(10) = 3.32 bits for each, on average.",
        metric="Bits for each digit, written as text, headers included. Digits the same as Machin's, one by one, as a "
        "share. Chi-squared of the ten digits' numbers, with its p-value. Lyapunov exponent: mean ln |4 - 8 x|.",
        shows_not="That pi is normal, of which counts of single digits are a sign only, or what the shortest program "
        "is, which nobody can compute: a program's length is an upper bound, and leaves out the interpreter's. Figures "
        "of pi and 355/113 are the same for all seeds; dice and chaos depend on them.",
    )
    criteria = (
        Criterion(f"{PI}: program bytes", "length of the program, in bytes", Role.CLAIM, at_most=150),
        Criterion(f"{PI}: regenerated", "share of pi's digits that it prints right", Role.CLAIM, at_least=1),
        Criterion(f"{PI}: p-value", "p-value of pi's digits being equally frequent", Role.CLAIM, at_least=0.01),
        Criterion("off ln 2", "the logistic map's Lyapunov exponent is off ln 2, a bit a step, by", Role.CLAIM,
                  at_most=0.01),
        Criterion(f"{FRACTION}: zlib", "a compressor finds what repeats: zlib's bits a digit of 355/113", Role.CONTROL,
                  at_most=1),
        Criterion("zlib apart", "only who knows the program can compress: zlib's bits a digit of pi and of dice differ "
                  "by", Role.CONDITION, at_most=0.05),
        Criterion("bz2 apart", "bz2's bits a digit of pi and of dice differ by", Role.DETAIL, at_most=0.05),
        Criterion("lzma apart", "lzma's bits a digit of pi and of dice differ by", Role.DETAIL, at_most=0.05),
        Criterion("chaos apart", "zlib's bits a digit of chaos and of dice differ by", Role.DETAIL, at_most=0.05),
    )  # fmt: skip
    settings: Mapping[Scale, Settings] = {
        "test": Settings(digits=2000, steps=20_000),
        "quick": Settings(digits=10_000, steps=200_000),
        "full": Settings(),
    }

    def cells(self, settings: Settings) -> tuple[str, ...]:
        return (PI, DICE, CHAOS, FRACTION)

    def measure(self, cell: str, seed: int, settings: Settings) -> Figures:
        number = settings.digits
        figures: Figures = {}
        if cell == PI:
            text = pi_digits(number)
            figures = program_figures(number)
        elif cell == DICE:
            text = written(np.random.default_rng(seed).integers(10, size=number))
        elif cell == CHAOS:
            start = float(np.random.default_rng(seed).uniform(0.1, 0.4))
            text = chaos_digits(start, number)
            figures = {"exponent": lyapunov_exponent(start, settings.steps), "distances": distances(start)}
        else:
            text = fraction_digits(number)
        statistic, p_value = uniformity(np.bincount(np.frombuffer(text.encode("ascii"), np.uint8) - ord("0")))
        return (
            figures
            | {"chi-squared": statistic, "p-value": p_value}
            | {name: compressed_bits(text, name) for name in COMPRESSORS}
            | {f"{name} by length": [compressed_bits(text[:n], name) for n in lengths(number)] for name in COMPRESSORS}
        )

    def derive(self, figures: Figures) -> Figures:
        return (
            {f"{name} apart": abs(figures[f"{PI}: {name}"] - figures[f"{DICE}: {name}"]) for name in COMPRESSORS}
            | {"chaos apart": abs(figures[f"{CHAOS}: zlib"] - figures[f"{DICE}: zlib"])}
            | {"off ln 2": abs(figures[f"{CHAOS}: exponent"] - math.log(2))}
        )

    def draw(self, result: Result) -> Figure:
        return picture(result)

    def conclude(self, result: Result) -> str:
        mean = result.mean
        return (
            f"A program of {mean(f'{PI}: program bytes'):.0f} bytes prints "
            f"{result.experiment.settings[result.scale].digits:,} digits of pi, {mean(f'{PI}: regenerated'):.0%} "
            f"right: {mean(f'{PI}: program'):.3f} bits a digit. No compressor finds it: zlib takes "
            f"{mean(f'{PI}: zlib'):.3f} bits on pi and {mean(f'{DICE}: zlib'):.3f} on dice, bz2 "
            f"{mean(f'{PI}: bz2'):.3f} and {mean(f'{DICE}: bz2'):.3f}, with {FLOOR:.3f} the least for dice. Pi's "
            f"digits are as frequent as chance has it (p = {mean(f'{PI}: p-value'):.2f}); the "
            f"logistic map's exponent is {mean(f'{CHAOS}: exponent'):.4f}, ln 2 = {math.log(2):.4f}."
        )


def lengths(number: int) -> list[int]:
    """Of the texts that the picture compares: six, a thousand digits at least if there are as many."""
    return [round(n) for n in np.geomspace(min(1000, number), number, 6)]


def program_text(number: int) -> str:
    """A Python program that prints the first `number` digits of pi, without the point."""
    return PROGRAM.format(spare=number + 9, digits=number)


def program_figures(number: int) -> Figures:
    """The program's length, what it prints against Machin's digits, and its bits for each digit."""
    printed = run_program(number)
    alike = sum(a == b for a, b in zip(printed, pi_digits(number), strict=False))
    return {
        "program bytes": len(program_text(number)),
        "regenerated": alike / max(number, len(printed)),
        "program": 8 * len(program_text(number)) / number,
        "program by length": [8 * len(program_text(n)) / n for n in lengths(number)],
    }


@lru_cache(maxsize=1)
def run_program(number: int) -> str:
    """What it prints, run by an interpreter of its own that is given nothing but the text."""
    command = [sys.executable, "-I", "-c", program_text(number)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@lru_cache(maxsize=1)
def pi_digits(number: int) -> str:
    """The first digits of pi, without the point: Machin's pi / 4 = 4 arccot 5 - arccot 239, in whole numbers."""
    spare = 10
    one = 10 ** (number - 1 + spare)
    return _decimal(4 * (4 * _arccot(5, one) - _arccot(239, one)), number + spare)[:number]


def _arccot(x: int, one: int) -> int:
    """arccot(x) times `one`, by its power series, every term rounded towards zero."""
    total = power = one // x
    n, sign = 1, 1
    while power:
        power //= x * x
        n, sign = n + 2, -sign
        total += sign * (power // n)
    return total


def _decimal(number: int, digits: int) -> str:
    """A whole number, with zeros in front up to `digits`. By halves: Python refuses long ones unless told globally."""
    if digits <= 1000:
        return str(number).zfill(digits)
    high, low = divmod(number, 10 ** (digits // 2))
    return _decimal(high, digits - digits // 2) + _decimal(low, digits // 2)


def fraction_digits(number: int) -> str:
    """The first digits of 355/113, without the point, which after it repeat every 112."""
    rest, period = 355 % 113, ""
    for _ in range(112):
        digit, rest = divmod(10 * rest, 113)
        period += str(digit)
    return ("3" + period * (number // 112 + 1))[:number]


def written(digits: np.ndarray) -> str:
    """Digits (n,) int as text."""
    return (digits + ord("0")).astype(np.uint8).tobytes().decode("ascii")


def orbit(start: float, steps: int) -> np.ndarray:
    """(steps,): of the logistic map at its most chaotic, x -> 4 x (1 - x), from `start` between 0 and 1."""
    points = np.empty(steps)
    x = start
    for step in range(steps):
        points[step] = x
        x = 4 * x * (1 - x)
    return points


def chaos_digits(start: float, number: int) -> str:
    """A digit every ten steps. On an orbit 2 arcsin(sqrt x) / pi is uniform, and its first digit is taken."""
    points = orbit(start, number * STEPS_A_DIGIT)[::STEPS_A_DIGIT]
    return written(np.minimum(np.floor(20 / math.pi * np.arcsin(np.sqrt(points))), 9).astype(np.int64))


def lyapunov_exponent(start: float, steps: int) -> float:
    """Mean of ln |f'(x)| along an orbit, nats a step; ln 2 in the limit for almost every start."""
    return float(np.log(np.abs(4 - 8 * orbit(start, steps))).mean())


def distances(start: float, steps: int = 60) -> list[float]:
    """How far two orbits are apart that begin `APART` apart; by step."""
    return np.abs(orbit(start, steps) - orbit(start + APART, steps)).tolist()


def picture(result: Result) -> Figure:
    """Bits a digit by number of digits: compressors level off on pi as on dice, and the program falls."""
    figure = Figure(figsize=(12, 4.8), facecolor="white", layout="constrained")
    axes, orbits = figure.subplots(1, 2, width_ratios=(1.6, 1))
    numbers = lengths(result.experiment.settings[result.scale].digits)
    for name in COMPRESSORS:
        colour, marker = STYLES[name]
        axes.plot(numbers, result.first(f"{DICE}: {name} by length"), color=colour, linewidth=6, alpha=0.3)
        axes.plot(numbers, result.first(f"{PI}: {name} by length"), color=colour, marker=marker, markersize=5,
                  label=f"{name}: thin line pi, broad band dice")  # fmt: skip
    colour, marker = STYLES["program"]
    length = result.mean(f"{PI}: program bytes")
    axes.plot(numbers, result.first(f"{PI}: program by length"), color=colour, marker=marker, markersize=6,
              linewidth=2, label=f"a program of {length:.0f} bytes that prints pi")  # fmt: skip
    axes.axhline(FLOOR, color="black", linewidth=1, linestyle=":")
    axes.text(numbers[-1], FLOOR * 0.94, "least for dice: log2(10) = 3.32", fontsize=9, va="top", ha="right")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_yticks([0.01, 0.1, 1, 8], ["0.01", "0.1", "1", "8"])
    axes.minorticks_off()
    ticks = [n for n in (1000, 2000, 5000, 10_000, 20_000, 50_000) if numbers[0] <= n <= numbers[-1]]
    axes.set_xticks(ticks, [f"{n:,}" for n in ticks])
    axes.set(xlabel="digits", ylabel="bits a digit", ylim=(4 * length / numbers[-1], 8))
    axes.set_title("To every compressor pi is dice; to who knows the rule it is next to nothing", fontsize=10)
    axes.legend(fontsize=9, frameon=False, loc="lower left")
    apart = np.array(result.first(f"{CHAOS}: distances"))
    steps = np.arange(len(apart))
    orbits.plot(steps, apart, color=STYLES["zlib"][0], label="two orbits of the logistic map")
    orbits.plot(steps[:41], APART * 2.0 ** steps[:41], color="black", linestyle=":", label="doubled at every step")
    orbits.set_yscale("log")
    orbits.set(xlabel="steps", ylabel="distance of two orbits")
    orbits.set_title("Chaos: every step uses up a bit of the start", fontsize=10)
    orbits.legend(fontsize=9, frameon=False, loc="lower right")
    for each in (axes, orbits):
        each.spines[["top", "right"]].set_visible(False)
    return figure


EXPERIMENT = Incompressible()
