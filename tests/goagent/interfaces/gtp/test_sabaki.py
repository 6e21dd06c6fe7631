"""A real controller: Sabaki's own GTP library plays a whole game against the engine and interrupts its analysis."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent / "sabaki"
ENGINE = [sys.executable, "-c", "import sys; from goagent.cli import main; sys.exit(main())", "gtp"]


@pytest.fixture(scope="module")
def controller(tmp_path_factory):
    """The script beside an installed @sabaki/gtp; skips, saying why, where that cannot be had."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node and npm are not installed: Sabaki's library did not play")
    folder = tmp_path_factory.mktemp("sabaki")
    for name in ("package.json", "controller.js"):
        shutil.copy(HERE / name, folder)
    install = ["npm", "install", "--no-audit", "--no-fund", "--prefer-offline"]
    try:
        done = subprocess.run(install, cwd=folder, capture_output=True, text=True, timeout=60)
    except subprocess.TimeoutExpired:
        pytest.skip("npm install @sabaki/gtp took too long: it did not play")
    if done.returncode:
        pytest.skip(f"npm cannot install @sabaki/gtp: {' '.join(done.stderr.split())[-150:]}")
    return folder / "controller.js"


def test_sabakis_library_plays_and_analyses(controller):
    command = ["node", controller, *ENGINE, "--agent", "shipped?visits=4", "--seed", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["name"] == "goagent" and "lz-analyze" in found["commands"] and "analyze" not in found["commands"]
    assert re.match(r"info move [A-E][1-5] visits \d+ winrate \d+ prior \d+ lcb \d+ order 0 pv [A-E]", found["info"][0])
    assert found["stopped"]["error"] is False and found["stopped"]["version"] == "2"
    assert found["moves"][-2:] == ["pass", "pass"] or found["moves"][-1] == "resign"
    assert found["tracked"] == len(found["moves"]) - (found["moves"][-1] == "resign")
    assert re.fullmatch(r"[BW]\+[0-9.]+", found["score"])
    assert [line.split()[1:] for line in found["board"].splitlines()[1:3]] == [[*"......."], [*"...O..."]]
    first, *info, play = filter(None, found["genmove"])
    assert first == "=" and info and all(line.startswith("info move ") for line in info)
    assert play == f"play {found['last']['args'][1]}" or found["last"]["args"][1] == "PASS"
