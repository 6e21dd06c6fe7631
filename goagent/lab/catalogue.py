"""The experiments there are, in the order of the report."""

from importlib import import_module

from goagent.errors import UserError
from goagent.lab.core import Experiment

# Chapter, its title, and its experiments: a module each, imported when asked for.
CHAPTERS = {
    "one_to_many": (
        "One input, many outputs",
        (
            "centre_collapse",
            "whole_games",
            "buridan",
            "parameters_of_a_distribution",
            "alphago_recipe",
            "blank_sheet",
            "one_answer",
            "exploration",
        ),
    ),
    "information": (
        "Noise limits information",
        (
            "incompressible",
            "noisy_digits",
            "one_number",
            "known_information",
            "dropout",
            "variational_autoencoder",
            "exact_bits",
            "stochastic_depth",
            "binary_units",
            "compression",
            "compression_distance",
            "features",
            "one_theorem",
        ),
    ),
    "energy": (
        "Noise as exploration energy",
        (
            "local_minima",
            "gradient_noise",
            "asynchrony",
            "symmetry",
            "mutation",
            "resonance",
            "noisy_leaves",
        ),
    ),
    "agents": ("What noise does for an agent", ("noise_for_imitation", "noise_or_layer", "noise_for_self_play")),
}


def names() -> dict[str, list[str]]:
    """The experiments' names by chapter title, in order; nothing is imported."""
    return {title: [module.replace("_", "-") for module in modules] for title, modules in CHAPTERS.values()}


def find_module(name: str) -> str:
    """The module of the experiment called `name`, which is not imported. Raises UserError."""
    places = {module.replace("_", "-"): (chapter, module) for chapter, (_, ms) in CHAPTERS.items() for module in ms}
    if name not in places:
        raise UserError(f"there is no experiment {name!r}: expected {', '.join(places)}")
    return "goagent.lab.{}.{}".format(*places[name])


def find_experiment(name: str) -> Experiment:
    """The experiment called `name`. Raises UserError."""
    return import_module(find_module(name)).EXPERIMENT


def experiments() -> dict[str, list[Experiment]]:
    """By chapter title, in order."""
    return {title: [find_experiment(name) for name in chapter] for title, chapter in names().items()}
