"""What documents, examples, integrations and messages tell people to import stands in the public face of the package.

That is `qdrant_embed` and, one level below, what a folder or a file there gives out by its `__all__`.
"""

import ast
import json
import re
from importlib import import_module
from importlib.util import find_spec
from inspect import isclass, isroutine
from pathlib import Path

import pytest

from tests.support.sources import FILES, PACKAGE, nodes_of

PROJECT = Path(__file__).parents[1]
PAGES = [
    *(PROJECT / name for name in ("README.md", "CONTRIBUTING.md")),
    *sorted((PROJECT / "docs").rglob("*.md")),
    *sorted((PROJECT / "integrations").rglob("*.md")),
]
SCRIPTS = [*sorted((PROJECT / "examples").glob("*.py")), *sorted((PROJECT / "integrations").rglob("*.py"))]
NOTEBOOKS = sorted((PROJECT / "examples").glob("*.ipynb"))
FACES = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py") if "__all__ = " in path.read_text())
PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"(?<![\w.\-/])(?<!-m )qdrant_embed(?:\.\w+)+(?![\w/:])")
"""A name as a message or a page has it; `python -m …`, paths of files and targets of registries are no imports."""
GROUPS = {"qdrant_embed.chunkers", "qdrant_embed.readers", "qdrant_embed.rerankers", "qdrant_embed.runtimes"}
"""Of entry points, in which other packages offer theirs."""
ATTRIBUTES = {
    "qdrant_embed.embeddings.texts", "qdrant_embed.ingest.documents", "qdrant_embed.ingest.duration",
    "qdrant_embed.search.mode",
}  # fmt: skip
"""Of spans and metrics, which are called like modules and are none."""
OF_CHILDREN = {"qdrant_embed/calibration/memory_footprint.py"}
"""Files with code that a process of the library itself runs."""


def named(path):
    return str(path.relative_to(PROJECT))


def is_module(name):
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def fault_of(module, name=""):
    """Return what is wrong with importing a name of a module, empty if nothing is."""
    if module.count(".") > 1:
        return f"{module} is deeper than one level"
    given = import_module(module)
    if name and is_module(f"{module}.{name}") and module != "qdrant_embed":
        return f"{module}.{name} is a module, deeper than one level"
    public = getattr(given, "__all__", None)
    if name and public is not None and name not in public and not is_module(f"{module}.{name}"):
        return f"{name} is not in {module}.__all__"
    return "" if not name or hasattr(given, name) or is_module(f"{module}.{name}") else f"{module} has no {name}"


def faults_of_code(code):
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from (fault_of(one.name) for one in node.names if one.name.split(".")[0] == "qdrant_embed")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "qdrant_embed":
            yield from (fault_of(node.module, one.name) for one in node.names)


def faults_of_prose(text):
    for found in (name for name in NAMED.findall(text) if name not in GROUPS | ATTRIBUTES):
        parts = found.split(".")
        depth = next(end for end in range(len(parts), 0, -1) if is_module(".".join(parts[:end])))
        yield fault_of(".".join(parts[:depth]), parts[depth] if depth < len(parts) else "")


def faults_of_page(page):
    text = page.read_text()
    yield from faults_of_prose(text)
    for code in PYTHON.findall(text):
        yield from faults_of_code(code)


def faults_of_notebook(notebook):
    for cell in json.loads(notebook.read_text())["cells"]:
        if cell["cell_type"] == "code":
            yield from faults_of_code("".join(cell["source"]))


def faults_of_texts(module):
    """Yield what is wrong with the messages and docstrings of a file."""
    for node in nodes_of(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield from faults_of_prose(node.value)


def faults_in(files, faults_of):
    """Return a line for each file in which something is wrong."""
    found = {named(path): [fault for fault in faults_of(path) if fault] for path in files}
    return "\n".join(f"{path}: {', '.join(faults)}" for path, faults in found.items() if faults)


def test_pages_name_the_public_face():
    assert faults_in(PAGES, faults_of_page) == ""


def test_scripts_and_integrations_import_the_public_face():
    assert faults_in(SCRIPTS, lambda script: faults_of_code(script.read_text())) == ""


def test_notebooks_import_the_public_face():
    assert faults_in(NOTEBOOKS, faults_of_notebook) == ""


def test_messages_and_docstrings_name_the_public_face():
    assert faults_in([path for path in FILES.values() if named(path) not in OF_CHILDREN], faults_of_texts) == ""


@pytest.mark.parametrize("face", ["", *FACES])
def test_every_public_name_is_there_and_said_in_the_docstring(face):
    module = import_module(f"qdrant_embed.{face}".rstrip("."))
    assert set(module.__all__) <= set(dir(module))
    for name in module.__all__:
        value = getattr(module, name)
        assert not (isclass(value) or isroutine(value)) or value.__doc__, f"{name} has no docstring"
        assert not face or f"`{name}`" in module.__doc__, f"the docstring of {module.__name__} does not name {name}"


@pytest.mark.parametrize("face", ["", *FACES])
def test_type_checkers_see_every_public_name(face):
    """Where names are imported late, they are listed for type checkers too: `from … import NAME as NAME`."""
    module = import_module(f"qdrant_embed.{face}".rstrip("."))
    source = (PACKAGE / face / "__init__.py").read_text()
    late = [
        node for node in ast.parse(source).body if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
    ]
    stated = [alias for node in late for one in node.body if isinstance(one, ast.ImportFrom) for alias in one.names]
    assert all(alias.asname == alias.name for alias in stated), "not exported, as type checkers understand it"
    if "lazy_names" in source:
        assert {alias.name for alias in stated} == {*module.__all__} - {"__version__"}


def test_the_check_finds_what_is_deeper():
    deeper = "from qdrant_embed.calibration.calibration_run import CalibrateOptions"
    assert list(faults_of_code(deeper)) == ["qdrant_embed.calibration.calibration_run is deeper than one level"]
    assert list(faults_of_code("from qdrant_embed.store import filters")) == [
        "qdrant_embed.store.filters is a module, deeper than one level"
    ]
    assert list(faults_of_code("from qdrant_embed import Searcher")) == ["Searcher is not in qdrant_embed.__all__"]
    assert list(faults_of_prose("call qdrant_embed.training.fit_word_table(…)")) == [""]
    assert all(faults_of_prose("see `qdrant_embed.store.engine.Engine`"))
