"""The AlphaGo recipe on a small board, step by step: imitation, policy gradient, value, search; and a head for Q.

Each step starts where the one before ended and is measured by matches, sampled moves against sampled moves, unless a
figure's name says greedy. Start with `AlphaGoRecipe.measure`.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn import functional

from envs import Rules
from goagent.arena.result import wilson_interval
from goagent.lab.batched_play import (
    Mover,
    Plies,
    match,
    play_batch,
    plies_of,
    policy_mover,
    random_mover,
    search_mover,
)
from goagent.lab.core import Claim, Criterion, Experiment, Figures, Result, Role, Scale
from goagent.lab.one_to_many.from_games import Loss, fit, rollout_games
from goagent.learning.config import TrainConfig
from goagent.learning.policy_gradient import PolicyGradientLearner
from goagent.players.evaluator import evaluator
from goagent.policies.network import NetworkConfig, PolicyNetwork, Prediction
from goagent.search.evaluation import Evaluate, Evaluation

_ROWS = {  # of the picture: figures, and what they are called there
    "imitation against random": "imitation – random player",
    "policy against random": "policy gradient – random player",
    "RL against imitation": "policy gradient – imitation",
    "RL against imitation, greedy": "policy gradient – imitation, greedy",
    "RL against imitation, both greedy": "both greedy",
    "search against policy": "search and value – policy",
    "search against policy, greedy": "search and value – policy, greedy",
    "Q against policy, both greedy": "Q – policy, both greedy",
}


@dataclass(frozen=True)
class Settings:
    size: int = 5
    max_moves: int = 100  # of a match's game
    channels: int = 16
    blocks: int = 2
    expert_games: int = 100  # of the rollout player against itself
    expert_playouts: int = 50
    imitation_steps: int = 300
    rl_rounds: int = 20
    rl_games: int = 64  # in flight; 32 plies of each a round
    outcome_games: int = 600  # of the RL policy against itself, for value and Q; a tenth is held out
    outcome_steps: int = 200
    visits: int = 16
    games: int = 200  # a match
    search_games: int = 100  # a match with search
    batch_size: int = 256
    learning_rate: float = 2e-3


class AlphaGoRecipe(Experiment):
    name = "alphago-recipe"
    title = "The AlphaGo recipe on 5x5"
    claim = Claim(
        sentence="A deterministic network can play Go by giving the parameters of a distribution from which its moves "
        "are drawn. Corrected: AlphaGo's policy network gives a distribution over moves and its value network the win "
        "probability of a position; imitation, policy gradient, value and search each make the player stronger.",
        essay="Jang 2016, Single input, multiple output, last paragraphs: AlphaGo answers a board with the "
        "probability of winning for every possible move. As worded this is neither of its networks.",
        source="Silver et al., Mastering the game of Go with deep neural networks and tree search, Nature 529 (2016): "
        "a policy network that predicts 57 % of human moves, improved by self-play (it then won about 80 % of its "
        "games against its start), and a value network trained by regression on outcomes.",
        data="5x5, area scoring, komi 0.5. The expert's games: the package's rollout player (50 random games a move) "
        "against itself, 100 games. Value and Q: 540 games of the RL policy against itself, 60 more held out.",
        models="Networks of 2 blocks and 16 channels. Imitation by cross-entropy; PPO in self-play; value by squared "
        "error on outcomes; Gumbel search of 16 visits with both; Q: a logit for every move, trained on the outcome "
        "of the move played.",
        baselines="A random player; each step's own start; a constant win probability.",
        metric="Share of points in matches with colours swapped and two random opening moves, the same for both games "
        "of a pair; 200 games each, with search 100. Moves are sampled unless greedy is said.",
        shows_not="Nothing about 19x19, human games or AlphaGo's own strength. The expert is a program, there is no "
        "pool of earlier opponents as in the paper, the gradient is PPO's and not plain REINFORCE, and the search is "
        "not the paper's: no rollouts, Gumbel noise at the root.",
    )
    criteria = (
        Criterion("policy against random", "the policy alone beats a random player", Role.CLAIM, at_least=0.95),
        Criterion("RL against imitation", "the RL policy beats its start; the paper: 80 %", Role.CLAIM, at_least=0.65),
        Criterion("search against policy", "search with both networks beats the policy", Role.CLAIM, at_least=0.70),
        Criterion(
            "legal after mask", "policy's and Q's best moves are legal after the mask", Role.CONTROL, at_least=1.0
        ),
        Criterion(
            "value error ratio",
            "held-out squared error of the value network, relative to the best constant's",
            Role.CONTROL,
            at_most=0.95,
        ),
        Criterion(
            "excess Brier of policy",
            "read as the chance to win with the move, as the essay words it, the policy's probability is a worse "
            "forecast than the best constant",
            Role.CONDITION,
            at_least=0.0,
        ),
        Criterion("imitation against random", "imitation alone beats a random player", Role.DETAIL, at_least=0.95),
        Criterion(
            "RL against imitation, greedy",
            "its start, were it to play its best move always, would hold its own: the gain is a sharper distribution",
            Role.CONDITION,
            at_most=0.55,
        ),
        Criterion(
            "RL against imitation, both greedy",
            "the RL policy's best move is no worse",
            Role.DETAIL,
            at_least=0.5,
        ),
        Criterion(
            "search against policy, greedy",
            "search also beats the policy that always plays its best move",
            Role.DETAIL,
            at_least=0.5,
        ),
        Criterion("excess Brier of Q", "Q forecasts the outcome better than the constant", Role.DETAIL, at_most=0.0),
        Criterion("argmax agreement", "policy and Q agree on the best move", Role.DETAIL, at_least=0.5),
        Criterion("Q against policy, both greedy", "Q's best move is as good", Role.DETAIL, at_least=0.5),
    )
    settings: Mapping[Scale, Settings] = {
        "test": Settings(
            max_moves=20,
            channels=8,
            blocks=1,
            expert_games=3,
            expert_playouts=16,
            imitation_steps=10,
            rl_rounds=1,
            rl_games=8,
            outcome_games=20,
            outcome_steps=10,
            visits=4,
            games=10,
            search_games=4,
            batch_size=64,
        ),
        "quick": Settings(
            expert_games=24,
            expert_playouts=20,
            imitation_steps=150,
            rl_rounds=8,
            outcome_games=100,
            outcome_steps=80,
            visits=16,
            games=60,
            search_games=20,
        ),
        "full": Settings(),
    }

    def cells(self, settings: Settings) -> tuple[str, ...]:
        return ("",)  # every step needs the one before

    def measure(self, cell: str, seed: int, settings: Settings) -> Figures:
        rng = np.random.default_rng(seed)
        torch.manual_seed(seed)
        rules = Rules.square(settings.size, max_moves=settings.max_moves)
        expert = plies_of(rules, rollout_games(rules, settings.expert_playouts, settings.expert_games, rng))

        def learned(start: PolicyNetwork, plies: Plies, steps: int, loss: Loss) -> PolicyNetwork:
            return fit(start, plies, steps, loss, rng, settings.batch_size, settings.learning_rate)

        imitated = learned(fresh(settings), expert, settings.imitation_steps, imitation_loss)
        policy = by_policy_gradient(imitated, settings, seed)
        own, held = own_plies(rules, policy, settings, rng)
        value = learned(policy, own, settings.outcome_steps, value_loss)
        q = learned(policy, own, settings.outcome_steps, q_loss)

        def score(a: Mover, b: Mover, games: int = settings.games) -> float:
            return float(match(a, b, rules, games, rng).mean())

        def sampled(network: PolicyNetwork) -> Mover:
            return policy_mover(network, rng)

        def greedy(network: PolicyNetwork) -> Mover:
            return policy_mover(network, rng, temperature=0)

        search = search_mover(combined(policy, value), settings.visits, rng)
        return {
            "imitation against random": score(sampled(imitated), random_mover(rng)),
            "policy against random": score(sampled(policy), random_mover(rng)),
            "RL against imitation": score(sampled(policy), sampled(imitated)),
            "RL against imitation, both greedy": score(greedy(policy), greedy(imitated)),
            "RL against imitation, greedy": score(sampled(policy), greedy(imitated)),
            "search against policy": score(search, sampled(policy), settings.search_games),
            "search against policy, greedy": score(search, greedy(policy), settings.search_games),
            "Q against policy, both greedy": score(greedy(q), greedy(policy)),
        } | forecasts(policy, value, q, own, held)

    def draw(self, result: Result) -> Figure:
        settings = result.experiment.settings[result.scale]
        bounds = {c.figure: c.at_least for c in self.criteria if c.role == Role.CLAIM}
        figure = Figure(figsize=(8, 4.4), facecolor="white", layout="constrained")
        axes = figure.add_subplot()
        for y, name in enumerate(_ROWS):
            estimate = result.estimates[name]
            games = settings.search_games if name.startswith("search") else settings.games
            low, high = wilson_interval(estimate.mean, games)
            if len(result.seeds) > 1:
                low, high = max(0.0, estimate.low), min(1.0, estimate.high)
            decides = name in bounds
            axes.barh(y, estimate.mean, color="#0072B2" if decides else "#B8C4CE", height=0.68)
            axes.plot([low, high], [y, y], color="black", linewidth=1.4)
            axes.text(1.02, y, f"{estimate.mean:.2f}", va="center", fontsize=9)
            if decides:
                axes.plot([bounds[name]] * 2, [y - 0.42, y + 0.42], color="#D55E00", linewidth=2.4)
        axes.axvline(0.5, color="black", linewidth=0.8, linestyle=":")
        axes.set_yticks(range(len(_ROWS)), list(_ROWS.values()))
        axes.invert_yaxis()
        axes.set_xlim(0, 1)
        axes.set_xlabel("points for the first named; black: 95 % interval, orange: threshold")
        axes.spines[["top", "right"]].set_visible(False)
        figure.suptitle("What each step of the recipe adds, on 5x5", fontsize=12)
        return figure

    def conclude(self, result: Result) -> str:
        m = result.mean
        return (
            f"Moves drawn from the policy win {m('policy against random'):.0%} of the points against a random player; "
            f"policy gradient wins {m('RL against imitation'):.0%} against its imitation start "
            f"({m('RL against imitation, greedy'):.0%} where that plays its best move always), and search "
            f"{m('search against policy'):.0%} against the policy. Read as chances to win, the policy's probabilities "
            f"have a Brier score {m('excess Brier of policy'):+.3f} from a constant's, a head trained for it "
            f"{m('excess Brier of Q'):+.3f}; their best moves agree in {m('argmax agreement'):.0%} of positions."
        )


def own_plies(rules: Rules, policy: PolicyNetwork, settings: Settings, rng: np.random.Generator) -> tuple[Plies, Plies]:
    """Games of the policy against itself: those to learn from, and a tenth held out."""
    mover = policy_mover(policy, rng)
    plies = plies_of(rules, play_batch(rules, settings.outcome_games, mover, mover).moves)
    held = plies.games < max(1, settings.outcome_games // 10)
    return plies.where(~held), plies.where(held)


def fresh(settings: Settings) -> PolicyNetwork:
    network = PolicyNetwork(NetworkConfig(channels=settings.channels, blocks=settings.blocks))
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def imitation_loss(said: Prediction, moves: Tensor, results: Tensor) -> Tensor:
    """The expert's moves, and for the critic of the policy gradient the games' outcomes."""
    return said.moves.imitation_loss(moves).mean() + 0.5 * value_loss(said, moves, results)


def value_loss(said: Prediction, moves: Tensor, results: Tensor) -> Tensor:
    return functional.mse_loss(said.value, results)


def q_loss(said: Prediction, moves: Tensor, results: Tensor) -> Tensor:
    """Each logit of the policy head now says how likely its move is to win; only the move played teaches."""
    played = said.moves.raw.gather(1, moves[:, None]).squeeze(1)
    return functional.binary_cross_entropy_with_logits(played, (1 + results) / 2)


def by_policy_gradient(start: PolicyNetwork, settings: Settings, seed: int) -> PolicyNetwork:
    """PPO self-play from these weights; what plays is the moving average of the weights."""
    config = TrainConfig(
        size=str(settings.size), algorithm="ppo", seed=seed, num_games=settings.rl_games, averaging=0.98
    )
    learner = PolicyGradientLearner(config, copy.deepcopy(start).requires_grad_(), torch.device("cpu"))
    for _ in range(settings.rl_rounds):
        learner.step()
    return learner.average


def combined(policy: PolicyNetwork, value: PolicyNetwork) -> Evaluate:
    """Moves from the one network and the result from the other, as AlphaGo's search has it."""
    moves, outcome = evaluator(policy), evaluator(value)

    def evaluate(planes: np.ndarray) -> Evaluation:
        return moves(planes)._replace(value=outcome(planes).value)

    return evaluate


def forecasts(policy: PolicyNetwork, value: PolicyNetwork, q: PolicyNetwork, own: Plies, held: Plies) -> Figures:
    """What the networks say of held-out games of the policy: outcomes, and best moves."""
    row = np.arange(len(held.actions))
    won, base = (1 + held.results) / 2, float((1 + own.results).mean() / 2)
    moves, answers = policy.answer(held.planes, held.legal).moves, q.answer(held.planes, held.legal).moves
    chance = torch.sigmoid(answers.raw).numpy()
    drawn = moves.probs.numpy()

    def brier(forecast: np.ndarray | float) -> float:
        return float(((forecast - won) ** 2).mean())

    best, best_q = moves.mode().numpy(), answers.mode().numpy()
    return {
        "value error ratio": brier((1 + value.answer(held.planes, held.legal).value.numpy()) / 2) / brier(base),
        "excess Brier of policy": brier(drawn[row, held.actions]) - brier(base),
        "excess Brier of Q": brier(chance[row, held.actions]) - brier(base),
        "argmax agreement": float((best == best_q).mean()),
        "legal after mask": float((held.legal[row, best] & held.legal[row, best_q]).mean()),
        "policy legal before mask": float(held.legal[row, moves.unmasked.mode().numpy()].mean()),
        "Q legal before mask": float(held.legal[row, answers.unmasked.mode().numpy()].mean()),
        "sum of Q over legal moves": float(np.where(held.legal, chance, 0).sum(axis=1).mean()),
    }


EXPERIMENT = AlphaGoRecipe()
