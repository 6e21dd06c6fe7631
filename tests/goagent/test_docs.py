"""Every Python block of the README and the docs runs, in order, from an empty folder; verdicts are the judged ones."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
VERDICTS = {
    result["experiment"]: result["verdict"]
    for result in (json.loads(file.read_text(encoding="utf-8")) for file in (ROOT / "docs" / "lab").glob("*.json"))
}
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_blocks_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = page.read_text()
    namespace = {"__name__": f"docs_{page.stem}"}
    for block in BLOCK.finditer(text):
        lines_before = text[: block.start(1)].count("\n")
        exec(compile("\n" * lines_before + block[1], str(page), "exec"), namespace)  # tracebacks then name the line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_files_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text())
    broken = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not broken


def test_the_readme_has_code():
    assert BLOCK.search(PAGES[0].read_text())


def test_the_lab_s_rows_have_the_judged_verdicts():
    rows = re.findall(
        r"^\| `([a-z0-9-]+)` \|.*\| ([A-Z]+(?: [A-Z]+)*)[:,]", (ROOT / "docs" / "lab.md").read_text(), re.M
    )
    assert dict(rows) == VERDICTS and len(rows) == len(VERDICTS)


def test_the_readme_counts_them():
    count = Counter(VERDICTS.values())
    good, conditional, bad = (count.pop(name) for name in ("REPRODUCED", "REPRODUCED WITH CONDITION", "REFUTED"))
    assert not count
    words = " ".join(PAGES[0].read_text().split())
    assert f"made {len(VERDICTS)} experiments" in words
    assert f"{good} claims are reproduced, {conditional} reproduced with a condition, {bad} refuted" in words
