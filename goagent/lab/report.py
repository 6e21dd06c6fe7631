"""The results of a folder as one HTML page that needs nothing else. Start with `write_report`.

What stands on the page is in `report.html.j2`, its text and looks included; here is only what fills it.
"""

import math
from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2

from goagent.errors import UserError
from goagent.lab import catalogue
from goagent.lab.core import DEVELOPMENT_SEEDS, JUDGING_SEEDS, RULE, Verdict
from goagent.lab.results import read_result, result_file
from goagent.records.files import write_text

_TEMPLATE = Path(__file__).with_name("report.html.j2")


def write_report(results: Path, page: Path, chapters: Mapping[str, Sequence[str]] | None = None) -> int:
    """Write the page of what lies in `results`, judged results before trials. The number of experiments on it.

    chapters: the experiments' names by title, those of the catalogue by default; what has no result is named as such.
    Raises UserError, OSError.
    """
    shown: dict[str, list[dict[str, Any]]] = {}
    missing = []
    for title, names in (catalogue.names() if chapters is None else chapters).items():
        for name in names:
            found = _find(results, name)
            if found is None:
                missing.append(name)
            else:
                shown.setdefault(title, []).append(found)
    if not shown:
        raise UserError(
            f"there is no result in {results}: expected one of `goagent lab run NAME`; see goagent lab list"
        )
    write_text(page, render(shown, missing))
    return sum(map(len, shown.values()))


def render(chapters: Mapping[str, Sequence[Mapping[str, Any]]], missing: Sequence[str] = ()) -> str:
    """The page. chapters: by title, what each result's JSON holds and its "picture", a data URI or None."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"measured": measured, "seeds": seeds_in_words}
    template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        chapters=chapters,
        missing=missing,
        trials=sum(not result["judged"] for results in chapters.values() for result in results),
        verdicts=Verdict,
        rule=RULE,
        development=DEVELOPMENT_SEEDS,
        judging=JUDGING_SEEDS,
    )


def measured(criterion: Mapping[str, Any]) -> str:
    """A figure's mean and 95 % interval, rounded to two digits of its width: `0.958 (0.953 to 0.963)`."""
    mean, interval = criterion["mean"], criterion["interval"]
    if mean is None:
        return "no number"
    if interval is None or interval[0] == interval[1]:
        return f"{mean:.4g}" if interval is None else f"{mean:.4g} (all seeds alike)"
    low, high = interval
    if max(map(abs, interval)) < 1e-4:
        return f"{mean:.1e} ({low:.1e} to {high:.1e})"
    places = min(max(1 - math.floor(math.log10(high - low)), 0), 6)
    return f"{mean:.{places}f} ({low:.{places}f} to {high:.{places}f})"


def seeds_in_words(seeds: Sequence[int]) -> str:
    """`seed 0`, `seeds 100 to 109`, `seeds 0, 2`."""
    if len(seeds) == 1:
        return f"seed {seeds[0]}"
    if list(seeds) == list(range(seeds[0], seeds[-1] + 1)):
        return f"seeds {seeds[0]} to {seeds[-1]}"
    return f"seeds {', '.join(map(str, seeds))}"


def _find(folder: Path, name: str) -> dict[str, Any] | None:
    for judged in (True, False):
        file = result_file(folder, name, judged)
        said = read_result(file)
        if said is not None:
            picture = file.with_suffix(".png")
            data = b64encode(picture.read_bytes()).decode() if picture.exists() else None
            return said | {"file": file.name, "picture": data and f"data:image/png;base64,{data}"}
    return None
