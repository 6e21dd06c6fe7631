"""Exploration in play: what chance in the choice of moves brings an agent, a learner, and an agent under attack.

Three cells: how many games differ in self-play (`diversity`), what is learned from such games (`learners`), and how an
opponent fares that remembers a game it won (`exploiter`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch.nn import functional

from envs import GoBatch, Rules
from envs.state import SKIP
from envs.symmetry import canonical_moves
from goagent.arena.openings import random_openings
from goagent.arena.result import wilson_interval
from goagent.lab.batched_play import (
    Mover,
    Plies,
    match,
    play,
    play_batch,
    plies_of,
    policy_mover,
    random_mover,
)
from goagent.lab.core import OTHER_SEEDS, Claim, Criterion, Experiment, Figures, Result, Role, Scale
from goagent.learning.losses import reinforce_loss
from goagent.players.evaluator import evaluator
from goagent.players.policy import load_network
from goagent.players.shipped import WEIGHTS
from goagent.policies.network import NetworkConfig, PolicyNetwork
from goagent.search.evaluation import Evaluate
from goagent.search.puct import puct_search
from goagent.search.tree import Forest

ARMS = ("greedy", "sampled", "epsilon-greedy", "search", "search with Dirichlet noise")


@dataclass(frozen=True)
class Settings:
    max_moves: int = 100  # of a game
    games: int = 200  # of self-play for each way to choose a move
    epsilon: float = 0.1
    visits: int = 4  # of the search whose root gets Dirichlet noise
    channels: int = 16  # of the learners
    blocks: int = 2
    rounds: int = 40  # of self-play and learning
    round_games: int = 32
    opening_plies: int = 2  # of the match, and of the learner on greedy games that begin at random
    match_games: int = 400
    agent_rounds: int = 4  # what the exploited agent has learned for: a random player can still win
    exploiters: int = 48
    search_games: int = 50  # in which each exploiter has to find a line
    replay_games: int = 14  # after these, and what counts
    base_games: int = 1000
    batch_size: int = 256
    learning_rate: float = 1e-3

    @property
    def rules(self) -> Rules:
        return Rules.square(5, max_moves=self.max_moves)


class Exploration(Experiment):
    name = "exploration"
    version = 2  # the exploited agent of version 1 was too weak: a random player won 63 % of the games, of at most 60 %
    title = "Exploration in play"
    claim = Claim(
        sentence="Chance in the choice of moves is what explores: an agent that always plays its best move plays one "
        "game for ever, learns less from its own games than one that draws its moves, and loses again and again to an "
        "opponent that remembers a single win.",
        essay="Jang 2016, Exploration energy: noise is related to the balance of exploration and exploitation; "
        "without any there is no exploration (the essay writes exploitation there). It says so of gradients; "
        "this experiment asks it of moves.",
        source="Sutton and Barto, Reinforcement Learning: An Introduction (2nd ed. 2018), chapter 2 on epsilon-greedy "
        "choice; Silver et al., A general reinforcement learning algorithm that masters chess, shogi, and Go through "
        "self-play, Science 2018, on Dirichlet noise at the root.",
        data="5x5 Go, area scoring, komi 0.5. Self-play from the empty board by the shipped 5x5 agent; 1,280 games of "
        "self-play for each learner.",
        models="Games: the shipped 5x5 network without search, and with PUCT of 4 visits. Learners: 2 blocks, 16 "
        "channels, equal random weights, policy gradient with a value baseline on whole games; only the choice of the "
        "moves differs. The exploited agent: such a learner after 4 rounds, playing greedily or sampling.",
        baselines="Greedy self-play; greedy self-play after two random moves; a random player without memory.",
        metric="Different games of 200, exactly and up to symmetry. Share of the points between the learners, both "
        "playing greedily from 200 random openings with colours swapped. Wins of 48 exploiters in games 51 to 64.",
        shows_not="Nothing about noise in gradients. The exploiter plays at random, with Black, until it has won once; "
        "from then on it plays the moves of that game while the opponent answers as it did, and at random after that. "
        "The agent is a weak one, which a random player sometimes beats, and does not learn meanwhile: a strong agent "
        "needs a better explorer. The learners' games are few; with many more, or with search, both might meet. It was "
        "judged twice: the first time the exploited agent had learned for 3 rounds and lost 63 % of its games to a "
        "random player, which is not at most 60 %, so the claim was not testable; these runs are of other seeds.",
    )
    criteria = (
        Criterion("diversity: greedy", "greedy self-play is one game", Role.CLAIM, at_least=1, at_most=1),
        Criterion("diversity: sampled", "of 200 sampled games so many differ", Role.CLAIM, at_least=190),
        Criterion(
            "learners: score", "the learner on sampled games beats the one on greedy games", Role.CLAIM, at_least=0.60
        ),
        Criterion(
            "learners: Wilson low", "lower end of the Wilson interval of a seed's 400 games", Role.CLAIM, at_least=0.5
        ),
        Criterion(
            "exploiter: wins against greedy",
            "after 50 games the exploiter beats the greedy agent",
            Role.CLAIM,
            at_least=0.95,
        ),
        Criterion(
            "exploiter: gain against sampled",
            "memory adds little against the agent that samples",
            Role.CLAIM,
            at_most=0.10,
        ),
        Criterion(
            "exploiter: base against greedy",
            "without memory a random player loses mostly to the greedy agent",
            Role.CONTROL,
            at_most=0.6,
        ),
        Criterion(
            "learners: score against varied",
            "greedy games do as well when they begin at random: what is needed is variety, wherever it comes from",
            Role.CONDITION,
            at_most=0.55,
        ),
        Criterion("learners: score sampled", "the same when both sample their moves", Role.DETAIL, at_least=0.60),
        Criterion("diversity: epsilon-greedy", "one random move in ten suffices for most", Role.DETAIL, at_least=150),
        Criterion("diversity: search", "search without noise is one game", Role.DETAIL, at_least=1, at_most=1),
        Criterion(
            "diversity: search with Dirichlet noise", "noise at the root suffices for many", Role.DETAIL, at_least=100
        ),
        Criterion("diversity: sampled, symmetric", "and up to symmetry", Role.DETAIL, at_least=190),
    )
    settings: Mapping[Scale, Settings] = {
        "test": Settings(
            max_moves=20,
            games=8,
            visits=2,
            channels=8,
            blocks=1,
            rounds=2,
            round_games=4,
            match_games=8,
            agent_rounds=1,
            exploiters=4,
            search_games=3,
            replay_games=2,
            base_games=8,
        ),
        "quick": Settings(
            max_moves=60,
            visits=1,
            rounds=12,
            round_games=16,
            match_games=60,
            agent_rounds=3,
            exploiters=12,
            search_games=12,
            replay_games=3,
            base_games=100,
        ),
        "full": Settings(),
    }

    def cells(self, settings: Settings) -> tuple[str, ...]:
        return ("diversity", "learners", "exploiter")

    def measure(self, cell: str, seed: int, settings: Settings) -> Figures:
        cells = {"diversity": diversity, "learners": learners, "exploiter": exploiter}
        return cells[cell](seed + OTHER_SEEDS, settings)  # version 1 was judged on the seeds themselves

    def draw(self, result: Result) -> Figure:
        figure = Figure(figsize=(12, 3.9), facecolor="white", layout="constrained")
        for axes, panel in zip(figure.subplots(1, 3), (_draw_diversity, _draw_learners, _draw_exploiter), strict=True):
            panel(axes, result)
            axes.spines[["top", "right"]].set_visible(False)
        return figure

    def conclude(self, result: Result) -> str:
        m, settings = result.mean, self.settings[result.scale]
        return (
            f"Of {settings.games} games of self-play {m('diversity: greedy'):g} differ with greedy moves and "
            f"{m('diversity: sampled'):g} with sampled ones. The learner on sampled games takes "
            f"{m('learners: score'):.0%} of the points from the learner on greedy ones (and "
            f"{m('learners: score against varied'):.0%} where greedy games began with random moves). An opponent that "
            f"replays a won game beats the greedy agent in {m('exploiter: wins against greedy'):.0%} of its games "
            f"(a random player {m('exploiter: base against greedy'):.0%}), and the sampling agent in "
            f"{m('exploiter: wins against sampled'):.0%} ({m('exploiter: base against sampled'):.0%})."
        )


def diversity(seed: int, settings: Settings) -> Figures:
    """How many games of self-play from the empty board differ."""
    rng = np.random.default_rng(seed)
    network = load_network(WEIGHTS / "5x5")
    greedy, evaluate = policy_mover(network, rng, temperature=0), evaluator(network)
    movers = {
        "greedy": greedy,
        "sampled": policy_mover(network, rng),
        "epsilon-greedy": sometimes_random(greedy, settings.epsilon, rng),
        "search": puct_mover(evaluate, settings.visits, 0.0, rng),
        "search with Dirichlet noise": puct_mover(evaluate, settings.visits, 0.25, rng),
    }
    figures: Figures = {}
    for arm in ARMS:
        moves = play_batch(settings.rules, settings.games, movers[arm], movers[arm]).moves
        figures[arm], figures[f"{arm}, symmetric"] = unique_games(moves, settings.rules)
    return figures


def unique_games(moves: np.ndarray, rules: Rules) -> tuple[int, int]:
    """Of games (games, plies), SKIP after their end: how many differ, and how many if mirror images count as one."""
    games = {tuple(game[game != SKIP].tolist()) for game in moves}
    return len(games), len({canonical_moves(game, rules.rows, rules.cols) for game in games})


def sometimes_random(mover: Mover, epsilon: float, rng: np.random.Generator) -> Mover:
    """Epsilon-greedy: now and then a uniformly random legal point instead."""
    other = random_mover(rng)
    return lambda games: np.where(rng.random(games.num_games) < epsilon, other(games), mover(games))


def puct_mover(evaluate: Evaluate, visits: int, noise: float, rng: np.random.Generator) -> Mover:
    """The most visited move of a search whose root's prior has this share of Dirichlet noise."""

    def choose(games: GoBatch) -> np.ndarray:
        forest = Forest(evaluate, games.rules, games.num_games, parallel=False)
        forest.plant(games)
        return puct_search(forest, np.full(games.num_games, visits), rng, noise_fraction=noise).actions

    return choose


def learners(seed: int, settings: Settings) -> Figures:
    """The same start and algorithm, equal games: only how moves are chosen in self-play differs."""
    sampled = learn(settings, seed, settings.rounds, temperature=1)
    greedy = learn(settings, seed, settings.rounds, temperature=0)
    varied = learn(settings, seed, settings.rounds, temperature=0, opening_plies=settings.opening_plies)
    rng = np.random.default_rng([seed, 1])

    def score(other: PolicyNetwork, temperature: float) -> float:
        a, b = (policy_mover(network, rng, temperature) for network in (sampled, other))
        return float(match(a, b, settings.rules, settings.match_games, rng, settings.opening_plies).mean())

    figures = {"score": score(greedy, 0), "score sampled": score(greedy, 1), "score against varied": score(varied, 0)}
    return figures | {"Wilson low": wilson_interval(figures["score"], settings.match_games)[0]}


def learn(settings: Settings, seed: int, rounds: int, temperature: float, opening_plies: int = 0) -> PolicyNetwork:
    """Policy gradient on whole games of self-play whose moves were chosen at `temperature`; 0 is greedily.

    The gradient is that of the policy at temperature 1, or there would be none of a move that is certain.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = PolicyNetwork(NetworkConfig(channels=settings.channels, blocks=settings.blocks))
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate)
    mover = policy_mover(network, rng, temperature)
    for _ in range(rounds):
        games = GoBatch(settings.rules, settings.round_games, parallel=False)
        games.follow(np.array(random_openings(settings.rules, settings.round_games, opening_plies, rng), np.int64))
        play(games, mover, mover)
        plies = plies_of(settings.rules, games.moves)
        order = rng.permutation(len(plies.actions))
        for chosen in np.array_split(order, max(1, len(order) // settings.batch_size)):
            _improve(network, optimizer, plies.where(chosen))
    return network.eval().requires_grad_(False)


def _improve(network: PolicyNetwork, optimizer: torch.optim.Optimizer, plies: Plies) -> None:
    planes = torch.from_numpy(plies.planes).contiguous(memory_format=torch.channels_last)
    results = torch.from_numpy(plies.results)
    moves, value, _, _ = network(planes, torch.from_numpy(plies.legal))
    advantage = results - value.detach()
    advantage = (advantage - advantage.mean()) / (advantage.std(correction=0) + 1e-6)
    loss = reinforce_loss(moves.log_prob(torch.from_numpy(plies.actions)), advantage)
    loss = loss + 0.5 * functional.mse_loss(value, results) - 0.01 * moves.entropy().mean()
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()


class Exploiters:
    """Many at once, each with Black in a game of its own, and each with a memory for one game that it won."""

    def __init__(self, count: int, rules: Rules, explore: Mover) -> None:
        self.explore = explore
        self.lines = np.full((count, rules.max_moves or 0), SKIP)  # all SKIP where nothing is remembered

    @property
    def found(self) -> np.ndarray:
        """(count,) bool: which remember a game."""
        return self.lines[:, 0] != SKIP

    def choose(self, games: GoBatch) -> np.ndarray:
        """The remembered game's next move while this game is the same; else what `explore` says."""
        ply = int(games.num_moves.max())
        same = (self.lines[:, :ply] == games.moves[:, :ply]).all(axis=1) & (self.lines[:, ply] != SKIP)
        return np.where(same, self.lines[:, ply], self.explore(games))

    def remember(self, games: GoBatch) -> np.ndarray:
        """Keep each one's first win; returns who won now, (count,) bool."""
        won = games.score_black() > 0
        fresh = won & ~self.found
        self.lines[fresh, : games.moves.shape[1]] = games.moves[fresh]
        return won


def exploiter(seed: int, settings: Settings) -> Figures:
    """Exploiters against one agent, with and without chance in its moves; wins are shares of their games."""
    agent = learn(settings, seed, settings.agent_rounds, temperature=1)
    figures: Figures = {}
    for name, temperature in (("greedy", 0), ("sampled", 1)):
        rng = np.random.default_rng([seed, temperature])
        explore, opponent = random_mover(rng), policy_mover(agent, rng, temperature)
        base = play_batch(settings.rules, settings.base_games, explore, opponent).score_black() > 0
        players, wins, found = Exploiters(settings.exploiters, settings.rules, explore), [], []
        for _ in range(settings.search_games + settings.replay_games):
            found.append(float(players.found.mean()))
            games = play_batch(settings.rules, settings.exploiters, players.choose, opponent)
            wins.append(float(players.remember(games).mean()))
        after = float(np.mean(wins[settings.search_games :]))
        figures[f"base against {name}"] = float(base.mean())
        figures[f"wins against {name}"] = after
        figures[f"gain against {name}"] = after - float(base.mean())
        figures[f"found a line against {name}"] = found[settings.search_games]
        figures[f"curve against {name}"] = wins
    return figures


def _draw_diversity(axes: Axes, result: Result) -> None:
    total = Exploration.settings[result.scale].games
    for y, arm in enumerate(ARMS):
        count = result.mean(f"diversity: {arm}")
        axes.barh(y, count, color="#D55E00" if arm in ("greedy", "search") else "#0072B2", height=0.65)
        axes.text(count + 0.015 * total, y, f"{count:g}", va="center", fontsize=9)
    axes.set_yticks(range(len(ARMS)), [arm.replace(" with ", "\nwith ") for arm in ARMS])
    axes.invert_yaxis()
    axes.set_xlim(0, 1.12 * total)
    axes.set_xlabel(f"different games of {total}")
    axes.set_title("One game, or many", fontsize=11)


def _draw_learners(axes: Axes, result: Result) -> None:
    rows = {
        "score": "learned from\ngreedy games",
        "score sampled": "the same, with\nsampled moves",
        "score against varied": "greedy games from\nrandom openings",
    }
    games = Exploration.settings[result.scale].match_games * len(result.seeds)
    for y, name in enumerate(rows):
        estimate = result.estimates[f"learners: {name}"]
        low, high = wilson_interval(estimate.mean, games)
        if len(result.seeds) > 1:
            low, high = max(0.0, estimate.low), min(1.0, estimate.high)
        axes.barh(y, estimate.mean, color="#0072B2" if name == "score" else "#B8C4CE", height=0.65)
        axes.plot([low, high], [y, y], color="black", linewidth=1.4)
        axes.text(1.02, y, f"{estimate.mean:.2f}", va="center", fontsize=9)
    axes.plot([0.6, 0.6], [-0.4, 0.4], color="#D55E00", linewidth=2.4)
    axes.axvline(0.5, color="black", linewidth=0.8, linestyle=":")
    axes.set_yticks(range(len(rows)), list(rows.values()))
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel("share of the points")
    axes.set_title("Learned from sampled games, against", fontsize=11)


def _draw_exploiter(axes: Axes, result: Result) -> None:
    for name, label, colour in (("greedy", "greedy", "#D55E00"), ("sampled", "sampling", "#0072B2")):
        curve = np.mean([figures[f"exploiter: curve against {name}"] for figures in result.by_seed], axis=0)
        axes.plot(np.arange(1, len(curve) + 1), curve, color=colour, linewidth=2, label=f"{label} agent")
        axes.axhline(result.mean(f"exploiter: base against {name}"), color=colour, linewidth=1, linestyle=":")
    axes.axvline(Exploration.settings[result.scale].search_games + 0.5, color="grey", linewidth=0.8)
    axes.set_ylim(0, 1.02)
    axes.plot([], [], color="black", linewidth=1, linestyle=":", label="without memory")
    axes.set_xlabel("game")
    axes.set_ylabel("share of exploiters that win")
    axes.legend(frameon=False, fontsize=9, loc="lower right")
    axes.set_title("Replaying a game once won", fontsize=11)


EXPERIMENT = Exploration()
