"""The wheel has everything in it: built, installed away from the repository, and played with."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    sources = folder / "sources"  # a copy: in the repository an earlier build could leave files that get packed again
    for package in ("envs", "goagent"):
        shutil.copytree(ROOT / package, sources / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, sources)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, sources]
    subprocess.run(command, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def test_it_holds_code_types_licence_and_games(wheel):
    packed = set(zipfile.ZipFile(wheel).namelist())
    wanted = {path.relative_to(ROOT).as_posix() for name in ("envs", "goagent") for path in (ROOT / name).rglob("*.py")}
    wanted |= {"envs/py.typed", "goagent/py.typed", "goagent/lab/report.html.j2"}
    wanted |= {path.relative_to(ROOT).as_posix() for path in (ROOT / "goagent" / "data").rglob("*.*")}
    assert wanted <= packed
    assert any(name.endswith("dist-info/licenses/LICENSE") for name in packed)
    assert {name.split("/")[0].split("-")[0] for name in packed} == {"envs", "goagent"}
    assert wheel.name.endswith("-py3-none-any.whl")


def test_an_installed_copy_plays(wheel, tmp_path):
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", site, wheel]
    subprocess.run(install, check=True, capture_output=True)
    code = (
        "import sys, envs, goagent, goagent.cli;"
        "print(envs.__file__, goagent.__file__);"
        "sys.exit(goagent.cli.main(['play', '--size', '3', '--agent', 'random', '--seed', '0']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input="B2\npass\nsave game.sgf\nquit\n",
        cwd=elsewhere,
        env={**os.environ, "PYTHONPATH": str(site), "XDG_CACHE_HOME": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    where, _, transcript = done.stdout.partition("\n")
    assert all(Path(file).is_relative_to(site) for file in where.split())
    assert "White (random) played" in transcript
    assert (elsewhere / "game.sgf").read_text().startswith("(;FF[4]GM[1]")
