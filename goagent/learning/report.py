"""What a run is worth, at its end: matches for self-play, held-out moves for imitation."""

from pathlib import Path

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from envs import Position
from goagent.arena.match import play_match
from goagent.arena.openings import random_openings
from goagent.errors import UserError
from goagent.learning.collapse import describe_answer, draw_answers
from goagent.learning.config import TrainConfig
from goagent.learning.imitation import ImitationLearner, compare
from goagent.learning.learner import Learner
from goagent.learning.start import starting_network
from goagent.players.evaluator import evaluator
from goagent.players.player import Player
from goagent.players.policy import PolicyPlayer, load_network
from goagent.players.search import DEFAULT_VISITS, SearchPlayer
from goagent.players.spec import load_agent
from goagent.policies.network import PolicyNetwork
from goagent.records.run import Run


def print_report(learner: Learner, folder: Path, console: Console) -> None:
    """Measure the average weights, print the result and what to do next."""
    if isinstance(learner, ImitationLearner):
        _report_moves(learner, folder, console)
    elif learner.config.report_games:
        _report_matches(learner, folder, console)
    size = learner.config.rules.size
    console.print(f"\nPlay against it:  goagent play --size {size} --agent {folder}", soft_wrap=True, markup=False)


def _report_matches(learner: Learner, folder: Path, console: Console) -> None:
    config, rules = learner.config, learner.config.rules
    agents: dict[str, tuple[Player, int]] = {
        "sampled from the policy": (PolicyPlayer(learner.average, str(folder)), config.report_games)
    }
    if config.algorithm == "gumbel":
        searching = SearchPlayer(evaluator(learner.average), str(folder))
        agents[f"{DEFAULT_VISITS} visits a move"] = searching, -(-config.report_games // 5)  # they take their time
    opponents: list[Player] = [load_agent("random", rules), load_agent("rollout?playouts=50", rules)]
    try:
        opponents.insert(1, PolicyPlayer(starting_network(config), "its own weights before training"))
    except UserError as error:  # the agent that it started from is gone
        console.print(str(error), markup=False)
    table = Table("moves", "opponent", "games", "score", "95 % interval", "unique games")
    with console.status("Games against each opponent ..."):
        for how, (agent, games) in agents.items():
            table.add_section()
            for opponent in opponents:
                rng = np.random.default_rng([config.seed, games])
                openings = random_openings(rules, (games + 1) // 2, 2, rng)
                result = play_match(agent, opponent, rules, games, rng, openings)
                low, high = result.interval
                table.add_row(
                    how,
                    escape(opponent.name),
                    str(games),
                    f"{result.score:.1%}",
                    f"{low:.1%} to {high:.1%}",
                    str(result.unique_games),
                )
    console.print(f"\nColours swapped, openings of two random plies, komi {rules.komi:g}:")
    console.print(table)


def _report_moves(learner: ImitationLearner, folder: Path, console: Console) -> None:
    """This run and those beside it that learned from the same games another way, on the same held-out positions."""
    rules = learner.config.rules
    networks = {str(learner.config.policy): learner.average} | _beside(learner.config, folder)
    table = Table("policy", "expert's move", "occupied point", "illegal", "on the empty board")
    for name, network in networks.items():
        shares = compare(network, learner.held_out)
        empty = Position(rules)
        answer = network.answer(empty.observe()[None], empty.legal_mask()[None]).moves
        columns = (f"{shares[column]:.1%}" for column in ("expert's move", "occupied", "illegal"))
        table.add_row(name, *columns, describe_answer(answer, rules))
    console.print(f"\nThe first choice, before the legal mask, on {len(learner.held_out):,} held-out positions:")
    console.print(table)
    picture = folder / "answers.png"
    draw_answers(dict(sorted(networks.items(), reverse=True)), rules, picture)
    console.print(f"Where many moves are equally good: {picture}", soft_wrap=True, markup=False)


def _beside(config: TrainConfig, folder: Path) -> dict[str, PolicyNetwork]:
    """The networks of runs in the same place that differ from this one in their policy."""
    same = ("algorithm", "size", "seed", "data", "holdout", "komi", "ko")
    found: dict[str, PolicyNetwork] = {}
    for other in sorted(folder.resolve().parent.iterdir()):
        if other == folder.resolve() or not (other / "config.json").is_file():
            continue
        try:
            theirs = TrainConfig.from_dict(Run.read_config(other))
            if theirs.policy != config.policy and all(getattr(theirs, key) == getattr(config, key) for key in same):
                found[theirs.policy] = load_network(other)
        except UserError:
            continue  # a run of another version, or one without a checkpoint yet
    return found
