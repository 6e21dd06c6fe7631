"""The compiled kernels on disk are never stale, and importing compiles nothing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import envs
from envs import jit


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A copy of the package's sources, which `envs.jit` takes for its own."""
    shutil.copytree(Path(envs.__file__).parent, tmp_path / "envs", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(jit, "_PROJECT", tmp_path)
    return tmp_path


def folder() -> Path:
    return jit.cache_folder.__wrapped__()


def test_an_edit_of_any_kernel_file_starts_a_new_cache(project):
    sources = {file.name for file in jit.kernel_sources()}
    assert sources >= {"kernel.py", "lockstep.py", "planes.py", "state.py", "jit.py"}
    seen = {folder()}
    for file in jit.kernel_sources():
        file.write_text(file.read_text() + "\n# edited\n")
        assert folder() not in seen
        seen.add(folder())
    (project / "goagent").mkdir()
    (project / "goagent" / "new.py").write_text("from envs.jit import njit\n")
    assert folder() not in seen


def test_other_files_leave_the_cache_as_it_is(project):
    before = folder()
    (project / "envs" / "coordinates.py").write_text("# edited\n")
    assert folder() == before


def test_without_a_place_for_a_cache_kernels_are_compiled_and_nothing_is_left(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "mine.py").write_text("from envs.jit import njit\n\n@njit()\ndef next(x):\n    return x + 1\n")
    done = subprocess.run(
        [sys.executable, "-c", "import mine; print(mine.next(1))"],
        cwd=tmp_path,
        env=os.environ | {"XDG_CACHE_HOME": str(tmp_path / "file")},
        capture_output=True,
        text=True,
    )
    assert done.stdout == "2\n", done.stderr
    assert not list(tmp_path.rglob("*.nb*"))


def test_importing_is_light():
    """No kernel is compiled and neither torch nor the agents are loaded by `import envs`."""
    script = """
import sys
from numba.core import event
with event.install_recorder("numba:compile") as recorder:
    import envs
loaded = {"torch", "goagent", "pettingzoo"} & set(sys.modules)
print(len(recorder.buffer), sorted(loaded))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "[]"]
