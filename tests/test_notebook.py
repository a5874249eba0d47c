"""The notebook runs from its first cell to its last and shows what its text says."""

import contextlib
import importlib.util
import re
import shutil
import sys
from pathlib import Path

import nbformat
import pytest
from IPython.core.displayhook import DisplayHook
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

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


class Results(DisplayHook):
    """Keeps what the last expression of a cell is shown as, and prints nothing."""

    def write_format_data(self, format_dict, md_dict=None):
        self.data = format_dict

    def write_output_prompt(self):
        pass

    finish_displayhook = start_displayhook = write_output_prompt


class InThisProcess:
    """Stands for nbclient's: runs the cells in a kernel's shell, without a process that imports everything again."""

    def __init__(self, notebook, *, resources, **_):
        self._notebook, self._folder = notebook, resources["metadata"]["path"]

    def execute(self):
        with contextlib.chdir(self._folder):
            shell = InteractiveShell.instance(
                displayhook_class=Results, config=Config(HistoryManager={"enabled": False})
            )
            try:
                for number, cell in enumerate(code_cells(self._notebook), 1):
                    cell.execution_count, cell.outputs = number, self._outputs(shell, cell.source)
            finally:
                InteractiveShell.clear_instance()

    def _outputs(self, shell, source):
        shell.displayhook.data = {}
        with capture_output() as captured:
            shell.run_cell(source).raise_error()
        shown = [*(one.data for one in captured.outputs), shell.displayhook.data]
        said = [nbformat.v4.new_output("stream", name="stdout", text=captured.stdout)] if captured.stdout else []
        return said + [nbformat.v4.new_output("display_data", data=data) for data in shown if data]


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
    monkeypatch.setattr(module, "NotebookClient", InThisProcess)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])  # the shell puts a module of its own there
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("QDRANT_EMBED_EMBEDDINGS", str(embeddings))
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
    assert "nearest sentence" in showing(executed, "explain=True")
    assert "0 points are selected" in showing(executed, "guide.explore()")
    assert "LangChain" in showing(executed, "Collection.attach(")
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
