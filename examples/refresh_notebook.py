"""Run quickstart.ipynb in a temporary copy of the project's folders and keep its outputs; to be run after a change."""

import shutil
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

PROJECT = Path(__file__).resolve().parents[1]
NOTEBOOK = PROJECT / "examples/quickstart.ipynb"


def execute(folder: Path) -> nbformat.NotebookNode:
    """Run the notebook as if it stood in `folder`/examples; return it with what a reader should see of its outputs."""
    shutil.copytree(PROJECT / "docs", folder / "docs")
    (folder / "examples").mkdir()
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(folder / "examples")}}).execute()
    for cell in notebook.cells:
        cell.metadata = {}
        if cell.cell_type == "code":
            cell.outputs = [_readable(output) for output in cell.outputs if output.get("name") != "stderr"]
    notebook.metadata = {"kernelspec": notebook.metadata.kernelspec, "language_info": {"name": "python"}}
    return notebook


def _readable(output: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Leave out the plain text of what is also there as a table."""
    if "text/html" in output.get("data", {}):
        output.data = {"text/html": output.data["text/html"]}
    return output


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        nbformat.write(execute(Path(temporary)), NOTEBOOK)
