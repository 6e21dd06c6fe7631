"""The problem set: positions whose winning moves are known, drawn as text in `data/problems/CATEGORY.txt`.

Every problem asks one thing: which moves win the game from here? The answer is complete, and `solver.py` proves it
in the tests: each accepted move wins under perfect play at the problem's komi, every other legal move does not. A file
holds problems like this one, a blank line between them:

    name: two eyes
    komi: 0.5
    to play: black
    moves: C1 pass          (from the diagram on, where the history matters; else left out)
    answer: B1
    why: the middle of three makes two eyes
      A B C D
    ...
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from envs import BLACK, WHITE, Position, Rules, diagram

CATEGORIES = ("capture", "ladder", "snapback", "life and death", "seki", "superko", "endgame", "passing")
_COLOURS = {"black": BLACK, "white": WHITE}


@dataclass(frozen=True)
class Problem:
    """A position and all of its winning moves."""

    category: str
    name: str
    rules: Rules
    diagram: str
    to_play: int  # in the diagram: BLACK or WHITE
    moves: tuple[int, ...]  # played from the diagram on, before the question
    accepted: frozenset[int]
    why: str

    def position(self) -> Position:
        """What the side to move is asked about."""
        position = Position.from_diagram(self.diagram, self.rules, self.to_play)
        for action in self.moves:
            position = position.play(action)
        return position

    def answer(self) -> str:
        """The accepted moves as vertices."""
        return " ".join(self.rules.vertex(action) for action in sorted(self.accepted))


@cache
def load_problems() -> tuple[Problem, ...]:
    """All problems, by category."""
    folder = files("goagent") / "data" / "problems"
    problems: list[Problem] = []
    for category in CATEGORIES:
        text = (folder / f"{category.replace(' ', '_')}.txt").read_text(encoding="utf-8")
        problems += parse_problems(text, category)
    return tuple(problems)


def parse_problems(text: str, category: str) -> list[Problem]:
    """The problems of a text in the format above. Raises ValueError that names the problem."""
    problems = []
    for block in text.strip().split("\n\n"):
        lines = block.splitlines()
        fields = dict(line.split(": ", 1) for line in lines if ": " in line)
        drawing = "\n".join(line for line in lines if ": " not in line)
        try:
            problems.append(_problem(category, fields, drawing))
        except (KeyError, ValueError) as error:
            raise ValueError(f"{category}, {fields.get('name', block[:40])!r}: {error}") from error
    return problems


def _problem(category: str, fields: dict[str, str], drawing: str) -> Problem:
    rows, cols = diagram.read(drawing).shape
    rules = Rules(rows, cols, komi=float(fields["komi"]))
    return Problem(
        category=category,
        name=fields["name"],
        rules=rules,
        diagram=drawing,
        to_play=_COLOURS[fields["to play"]],
        moves=tuple(map(rules.action, fields.get("moves", "").split())),
        accepted=frozenset(map(rules.action, fields["answer"].split())),
        why=fields["why"],
    )
