"""The notebook runs from its first cell to its last and shows what its text says."""

import importlib.util
import re
import shutil
from pathlib import Path

import nbformat
import pytest

from tests.test_documents import COPIED

PROJECT = Path(__file__).parents[1]
COMMITTED = PROJECT / "examples/quickstart.ipynb"


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def shown_by(cell):
    """Return everything that a cell's outputs show, as one text."""
    return "\n".join("\n".join([output.get("text", ""), *output.get("data", {}).values()]) for output in cell.outputs)


def showing(notebook, word):
    """Return what the one cell with `word` in its source shows."""
    (shown,) = [shown_by(cell) for cell in code_cells(notebook) if word in cell.source]
    return shown


@pytest.fixture
def executed(tmp_path, embeddings, monkeypatch):
    """Run the notebook over the pages that a reader of the guide has, and one more that it asks."""
    spec = importlib.util.spec_from_file_location("refresh_notebook", PROJECT / "examples/refresh_notebook.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for page in (*COPIED, "reference/command-line.md"):
        (tmp_path / "project/docs" / page).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / "docs" / page, tmp_path / "project/docs" / page)
    monkeypatch.setattr(module, "PROJECT", tmp_path / "project")
    monkeypatch.setenv("QDRANT_EMBED_EMBEDDINGS", str(embeddings))
    monkeypatch.setenv("PYTHONPATH", f"{PROJECT}:{PROJECT / 'integrations/llama-index'}")
    return module.execute(tmp_path / "run")


@pytest.mark.model
def test_the_notebook_runs_and_shows_what_it_promises(executed):
    assert re.search(r"\b[1-9]\d* embedded", showing(executed, "print(guide.ingest(DOCS))"))
    assert " 0 embedded" in showing(executed, "print(again)")
    assert " 0 failed" in showing(executed, "print(again)")
    assert "guide/searching.md" in showing(executed, "guide.documents()")
    hits = showing(executed, "killed half-way")
    assert "guide/ingesting.md" in hits
    assert "<mark>killed" in hits
    assert "qe-table" in showing(executed, "guide.neighbors(")
    assert all(mode in showing(executed, "for mode in") for mode in ("dense", "bm25", "hybrid"))
    assert "guide/chunking.md" in showing(executed, "how large is a chunk?")
    assert "reference/command-line.md" in showing(executed, "exit codes")
    assert "policy/keys" in showing(executed, '"legal"')
    assert "QDRANT_API_KEY" in showing(executed, "engine.query(")
    assert re.search(r"(guide|reference)/[\w-]+\.md +\[\d+:\d+\]", showing(executed, "response.source_nodes"))


def test_the_committed_outputs_are_those_of_one_run_and_tell_nothing_of_the_machine():
    notebook = nbformat.read(COMMITTED, as_version=4)
    assert [cell.execution_count for cell in code_cells(notebook)] == list(range(1, len(code_cells(notebook)) + 1))
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    assert any("<mark>" in shown_by(cell) for cell in code_cells(notebook))
    assert not [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"]
    text = "\n".join(map(shown_by, code_cells(notebook)))
    assert not re.search(r"(?:^|[\s'\"(=])(?:/[\w.-]+){2,}|[A-Z]:\\", text)
    assert all(cell.metadata == {} for cell in notebook.cells)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
