"""The page: everything on it, nothing loaded from elsewhere, no text taken for HTML."""

import json
import re
from html.parser import HTMLParser

import pytest

from goagent.errors import UserError
from goagent.lab.core import JUDGING_SEEDS, Outcome, Role, Verdict
from goagent.lab.report import measured, render, seeds_in_words, write_report
from goagent.lab.results import read_result, result_file, write_result
from goagent.lab.runner import run_experiment
from tests.goagent.lab.fake import COIN

CHAPTERS = {"Money": ["note", "coin"]}


class Reader(HTMLParser):
    """The text of a page, what it loads, and its tags, which all have to be closed."""

    VOID = ("meta", "link", "img", "br")

    def __init__(self, page):
        super().__init__()
        self.words, self.loads, self.tags, self.open = [], [], [], []
        self.feed(page)
        self.close()
        assert not self.open
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.loads += [value for name, value in attributes if name in ("src", "href", "srcset", "data", "action")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words.append(data)


@pytest.fixture(scope="module")
def judged():
    return run_experiment(COIN, "full", JUDGING_SEEDS)


@pytest.fixture(scope="module")
def trial():
    return run_experiment(COIN, "quick", [0])


@pytest.fixture
def page(judged, tmp_path):
    write_result(judged, tmp_path)
    assert write_report(tmp_path, tmp_path / "page.html", CHAPTERS) == 1
    return (tmp_path / "page.html").read_text(encoding="utf-8")


def test_everything_is_on_the_page(page, judged):
    text = Reader(page).text
    said = judged.to_json()
    assert all(" ".join(words.split()) in text for words in said["claim"].values())
    for words in (said["title"], said["conclusion"], said["command"], said["rule"], "Money", "seeds 0 to 4"):
        assert words in text
    for criterion in said["criteria"]:
        row = f"{criterion['outcome']} {criterion['statement']} {measured(criterion)} {criterion['bound']}"
        assert f"{row} {criterion['role']}" in text
    assert "● REPRODUCED" in text and "TRIAL" not in text and "A trial at" not in text
    assert "Not run yet: note." in text


def test_it_loads_nothing_from_elsewhere(page):
    reader = Reader(page)
    assert reader.loads and all(link.startswith(("data:", "#")) for link in reader.loads)
    assert not {"script", "iframe", "object", "form"} & {tag for tag, _ in reader.tags}
    style = re.search("<style>(.*?)</style>", page, re.DOTALL)[1]
    assert "url(" not in style and "@import" not in style
    (image,) = (attributes for tag, attributes in reader.tags if tag == "img")
    assert image["src"].startswith("data:image/png;base64,iVBORw0KGgo") and image["alt"]
    anchors = {attributes.get("id") for _, attributes in reader.tags}
    assert all(link[1:] in anchors for link in reader.loads if link.startswith("#"))


def test_texts_are_not_taken_for_html(page):
    assert "<script" not in page and "<sides>" not in page
    assert "&lt;script&gt;alert(&#39;claim&#39;)&lt;/script&gt;" in page


def test_a_judged_result_comes_before_a_trial_and_a_trial_is_marked(judged, trial, tmp_path):
    page = tmp_path / "page.html"
    write_result(trial, tmp_path)
    write_report(tmp_path, page, CHAPTERS)
    text = Reader(page.read_text()).text
    assert text.count("TRIAL") == 2  # in the overview and at the verdict
    assert "A trial at quick length on seed 0." in text
    write_result(judged, tmp_path)
    write_result(trial, tmp_path)
    write_report(tmp_path, page, CHAPTERS)
    assert "TRIAL" not in Reader(page.read_text()).text
    assert read_result(result_file(tmp_path, "coin", True))["seeds"] == list(JUDGING_SEEDS)


def test_the_order_is_the_catalogue_s(judged, tmp_path):
    said = write_result(judged, tmp_path)
    for name in ("b", "c", "a"):
        (tmp_path / f"{name}.json").write_text(json.dumps(said | {"experiment": name, "title": f"Title {name}"}))
    write_report(tmp_path, tmp_path / "page.html", {"Two": ["c", "a"], "One": ["b"]})
    text = Reader((tmp_path / "page.html").read_text()).text
    overview, sections = text[: len(text) // 3], text[text.index("Two Title c", text.index("Title b")) :]
    for part in (overview, sections):
        places = [part.index(title) for title in ("Title c", "Title a", "Title b")]
        assert places == sorted(places)
    assert "img" not in {tag for tag, _ in Reader((tmp_path / "page.html").read_text()).tags}  # there is no picture


@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("outcome", Outcome)
def test_every_verdict_and_outcome_is_said_in_words(verdict, outcome, judged):
    criterion = judged.to_json()["criteria"][0]
    result = judged.to_json() | {"verdict": verdict, "picture": None, "file": "coin.json"}
    result["criteria"] = [criterion | {"outcome": outcome, "role": role} for role in Role]
    text = Reader(render({"Money": [result]})).text
    assert text.count(f" {verdict} ") >= 2
    assert text.count(f"{outcome} {criterion['statement']}") == len(Role)


@pytest.mark.parametrize(
    ("mean", "interval", "said"),
    [
        (0.9581, [0.95402, 0.96218], "0.9581 (0.9540 to 0.9622)"),
        (0.5, [0.1, 0.9], "0.50 (0.10 to 0.90)"),
        (-3, [-20, 14], "-3 (-20 to 14)"),
        (1234.5, [1000, 1469], "1234 (1000 to 1469)"),
        (2e-7, [1.1e-7, 2.9e-7], "2.0e-07 (1.1e-07 to 2.9e-07)"),
        (1, [1, 1], "1 (all seeds alike)"),
        (0.25, None, "0.25"),
        (None, None, "no number"),
    ],
)
def test_figures_are_rounded_by_their_interval(mean, interval, said):
    assert measured({"mean": mean, "interval": interval}) == said


def test_seeds_in_words():
    assert [seeds_in_words(seeds) for seeds in ([0], JUDGING_SEEDS, [0, 2])] == [
        "seed 0",
        "seeds 100 to 109",
        "seeds 0, 2",
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "coin.json is not a result"),
        ("[]", "coin.json is not a result"),
        ("{}", "it has no command, conclusion"),
        ('{"claim": {}}', "coin.json is not a result"),
    ],
)
def test_what_is_no_result_is_refused_in_one_line(text, says, tmp_path):
    (tmp_path / "coin.json").write_text(text)
    with pytest.raises(UserError, match=says) as error:
        write_report(tmp_path, tmp_path / "page.html", CHAPTERS)
    assert "\n" not in str(error.value)


def test_no_result_is_no_page(tmp_path):
    with pytest.raises(UserError, match="there is no result in"):
        write_report(tmp_path, tmp_path / "page.html", CHAPTERS)
    assert not list(tmp_path.iterdir())
