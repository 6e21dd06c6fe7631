"""The one configuration of training: default, type and help of every option stand here and nowhere else."""

import json
from dataclasses import asdict, dataclass, fields
from itertools import count
from pathlib import Path
from typing import Any, Literal

from tyro.conf import UseAppendAction

from envs import Rules
from goagent.errors import UserError
from goagent.noise.settings import read_noise
from goagent.rules import rules_from

# Which policy learns by which algorithm. Only of a categorical answer can every move's probability be moved as its
# results ask; a regressor answers with one move, so there is nothing it could discover.
ALGORITHMS = {
    "categorical": ("gumbel", "ppo", "reinforce", "imitation"),
    "regression": ("imitation",),
    "mixture": ("imitation",),
    "latent": ("imitation",),
}


_WHOLE = {  # smallest and largest
    "steps": (1, 10**12),
    "threads": (1, 1024),
    "checkpoint_every": (1, 10**12),
    "channels": (1, 1024),
    "blocks": (1, 1024),
    "batch_size": (1, 10**6),
    "num_games": (1, 10**5),
    "horizon": (1, 10**4),
    "visits": (1, 10**6),
    "quick_visits": (1, 10**6),
    "candidates": (1, 362),
    "random_plies": (0, 100),
    "replay_positions": (1, 10**8),
    "epochs": (1, 100),
    "report_games": (0, 10**6),
    "seed": (0, 2**63 - 1),
}


@dataclass(frozen=True)
class TrainConfig:
    """Train an agent. Without a budget: five minutes. Everything is saved in the run folder."""

    size: str = "5"
    """Board size: 9, or 5x7 (rows x columns)."""
    policy: Literal["categorical", "regression", "mixture", "latent"] = "categorical"
    """How the network answers: a probability for every move, a mixture of bumps, points from noise, or one point."""
    algorithm: Literal["gumbel", "ppo", "reinforce", "imitation"] = "gumbel"
    """Self-play with search (gumbel) or by policy gradient (ppo, reinforce), or an expert's moves (imitation)."""
    minutes: float | None = None
    """Stop after this much training time; a resumed run counts anew."""
    steps: int | None = None
    """Stop at this step: a batch for imitation; a round of self-play and learning otherwise."""
    seed: int = 0
    """Every random choice comes from here."""
    device: str = "auto"
    """cpu, cuda, or auto: cuda where there is one."""
    threads: int | None = None
    """CPU threads; gumbel: processes that play. With 1, a run of --steps repeats bit for bit. Default: all."""
    run: Path | None = None
    """Run folder, new unless --resume. Default: runs/ALGORITHM-SIZE-SEED, numbered when taken."""
    resume: bool = False
    """Go on where the newest checkpoint of --run ends. Options left at their default are the run's own."""
    init: str | None = None
    """SPEC of a trained agent, its run or checkpoint, whose weights to start from."""
    data: Path | None = None
    """Imitation: an SGF file, a collection (.sgfs, .gz) or a folder. Default: the strong games in the package."""
    komi: float | None = None
    """Default: the size's."""
    ko: Literal["positional", "situational", "simple"] = "positional"
    """Which repetitions are forbidden."""
    channels: int = 32
    """Width of the network."""
    blocks: int = 4
    """Depth of the network, in residual blocks of two layers."""
    noise: UseAppendAction[tuple[str, ...]] = ()
    """NAME or NAME=VALUE: noise to learn under (see docs/noise.md). May be given several times."""
    batch_size: int = 256
    """Positions a gradient step."""
    learning_rate: float = 1e-3
    """AdamW's, after a warm-up of 100 gradient steps."""
    weight_decay: float = 1e-4
    """AdamW's."""
    averaging: float = 0.998
    """The weights that play are a moving average with this decay a gradient step."""
    holdout: float = 0.1
    """Imitation: the share of games kept for testing."""
    num_games: int = 256
    """Self-play: games in flight."""
    horizon: int | None = None
    """Self-play: plies of every game in a step; default 8, for ppo and reinforce 32."""
    visits: int = 24
    """gumbel: of the thorough searches, whose policies are learned."""
    quick_visits: int = 8
    """gumbel: of the other searches, which only move the game on."""
    thorough_share: float = 0.5
    """gumbel: how many searches are thorough."""
    candidates: int = 16
    """gumbel: moves that a search considers at the root, at most."""
    random_plies: int = 3
    """gumbel: a game begins with up to this many random moves."""
    reuse: float = 8.0
    """gumbel: how often a position is learned from."""
    replay_positions: int = 250_000
    """gumbel: positions remembered, at most."""
    epochs: int = 2
    """ppo: passes over the plies of a step."""
    clip: float = 0.2
    """ppo: how far a move's probability may change in a step, as a ratio."""
    gae_lambda: float = 0.9
    """Self-play: 1 learns from the result of the game, less leans on the value head."""
    entropy_bonus: float = 0.01
    """Self-play: reward for a nat of entropy. It keeps the policy exploring."""
    temperature: float = 1.0
    """Self-play: of the moves played while learning."""
    report_games: int = 200
    """Self-play: games against each opponent in the report at the end, with search a fifth of them; 0 for no report."""
    checkpoint_every: int | None = None
    """Steps between checkpoints; default 100, for imitation 500, for ppo and reinforce 20."""

    def __post_init__(self) -> None:
        def expect(name: str, good: bool, expected: str) -> None:
            if not good:
                raise UserError(f"{name} is {getattr(self, name)!r}: expected {expected}")

        algorithms = ALGORITHMS.get(self.policy)
        expect("policy", algorithms is not None, f"one of {', '.join(ALGORITHMS)}")
        if self.algorithm not in (algorithms or ()):
            known = sorted({name for names in ALGORITHMS.values() for name in names})
            expect("algorithm", self.algorithm in known, f"one of {', '.join(known)}")
            raise UserError(
                f"policy {self.policy!r} cannot learn by {self.algorithm!r}: that moves the probability of every"
                f" move, and this policy gives none to move; expected {' or '.join(algorithms or ())}"
            )
        if self.minutes is not None and self.steps is not None:
            raise UserError("minutes and steps are both given: expected one budget")
        expect("minutes", self.minutes is None or 0 < self.minutes < 1e6, "a positive number")
        for name, (least, most) in _WHOLE.items():
            value = getattr(self, name)
            none_is_fine = value is None and name in ("steps", "threads", "checkpoint_every", "horizon")
            expect(name, none_is_fine or _is_int(value, least, most), f"a whole number from {least} to {most}")
        expect("thorough_share", 0 < self.thorough_share <= 1, "a number above 0, at most 1")
        expect("reuse", 0 < self.reuse <= 1000, "a number above 0, at most 1000")
        expect("learning_rate", 0 < self.learning_rate < 1, "a number between 0 and 1")
        expect("weight_decay", 0 <= self.weight_decay < 1, "a number from 0 to 1")
        expect("averaging", 0 <= self.averaging < 1, "a number from 0 to 1")
        expect("holdout", 0 < self.holdout < 1, "a number between 0 and 1")
        expect("clip", 0 < self.clip < 1, "a number between 0 and 1")
        expect("gae_lambda", 0 <= self.gae_lambda <= 1, "a number from 0 to 1")
        expect("entropy_bonus", 0 <= self.entropy_bonus < 10, "a number from 0 to 10")
        expect("temperature", 0 < self.temperature <= 10, "a number above 0, at most 10")
        expect("device", self.device in ("auto", "cpu", "cuda") or self.device.startswith("cuda:"), "auto, cpu or cuda")
        if self.resume and self.run is None:
            raise UserError("resume is given without a run: expected --run FOLDER")
        _ = self.rules
        try:
            object.__setattr__(self, "noise", tuple(self.noise))  # JSON knows lists
            noise = read_noise(self.noise)
        except (TypeError, AttributeError, ValueError) as error:
            raise UserError(str(error)) from error
        if "label" in noise and self.algorithm != "imitation":
            raise UserError(f"noise label needs an expert's moves, and {self.algorithm} has none: expected imitation")

    @property
    def rules(self) -> Rules:
        """The rules that this run plays. Raises UserError."""
        return rules_from(self.size, komi=self.komi, ko=self.ko)

    @property
    def folder(self) -> Path:
        """Where the run is, or the first place of that name where none is yet."""
        if self.run is not None:
            return self.run
        kind = self.algorithm if self.policy == "categorical" else f"{self.algorithm}-{self.policy}"
        name = f"{kind}-{self.rules.size}-{self.seed}"
        candidates = (Path("runs") / (name if i == 1 else f"{name}-{i}") for i in count(1))
        return next(path for path in candidates if not path.exists())

    @property
    def steps_between_checkpoints(self) -> int:
        return self.checkpoint_every or {"imitation": 500, "gumbel": 100}.get(self.algorithm, 20)

    @property
    def plies_a_step(self) -> int:
        return self.horizon or (8 if self.algorithm == "gumbel" else 32)

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it; whether the run is resumed is no part of it."""
        content = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(self).items()}
        del content["resume"]
        return content

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> "TrainConfig":
        """The inverse of `to_dict`. Raises UserError for an unknown key or a bad value."""
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(content) - known)
        if unknown:
            raise UserError(
                f"configuration has the unknown key {unknown[0]!r}: expected some of {', '.join(sorted(known))}"
            )
        try:
            paths = {name: Path(content[name]) for name in ("run", "data") if content.get(name) is not None}
            return cls(**{**content, **paths})
        except (TypeError, AttributeError) as error:  # a value of another type than its key's
            raise UserError(f"configuration {json.dumps(content)[:200]}: {error}") from error


# What may change when a run goes on: how long, and on which machine.
_FREE_ON_RESUME = ("minutes", "steps", "run", "resume", "device", "threads", "report_games", "checkpoint_every")


def resumed(asked: TrainConfig, saved: TrainConfig) -> TrainConfig:
    """The configuration of a resumed run: the saved one with what was asked anew. Raises UserError if they differ."""
    if asked.init is not None:
        raise UserError("resume and init are both given: a resumed run has its weights")
    changes: dict[str, Any] = {}
    for field in fields(TrainConfig):
        value = getattr(asked, field.name)
        if field.name in _FREE_ON_RESUME:
            if value != field.default:
                changes[field.name] = value
        elif value != field.default and value != getattr(saved, field.name):
            raise UserError(
                f"{field.name} is {value!r}, but the run was started with {getattr(saved, field.name)!r}:"
                " expected the same, or a new run"
            )
    if "steps" in changes or "minutes" in changes:
        changes = {"steps": None, "minutes": None} | changes
    return TrainConfig.from_dict({**saved.to_dict(), **changes})


def _is_int(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
