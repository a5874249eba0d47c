"""The page in the user guide and the help of the program say the same."""

import re
import runpy
from pathlib import Path

import pytest
import typer

from qdrant_embed.cli import app, exit_codes
from qdrant_embed.ingest.monitoring.report import IngestReport

PAGE = (Path(__file__).parents[2] / "docs/reference/command-line.md").read_text()
PROGRAM = typer.main.get_command(app)
EVERYWHERE = {"--help", "-h", "--install-completion", "--show-completion", "--version"}


def flags_of(command):
    found = {
        flag
        for parameter in command.params
        for flag in (*parameter.opts, *parameter.secondary_opts)
        if flag.startswith("-")
    }
    for inner in getattr(command, "commands", {}).values():
        found |= flags_of(inner)
    return found


def test_every_flag_is_on_the_page_and_no_other():
    on_page = set(re.findall(r"(?<![\w-])(--[a-z][a-z-]*|-[a-z])\b", PAGE))
    assert on_page - EVERYWHERE == flags_of(PROGRAM) - EVERYWHERE - {"--k", "-y"}


def test_every_command_is_on_the_page():
    assert set(re.findall(r"^qdrant-embed ([\w-]+)", PAGE, re.MULTILINE)) == set(PROGRAM.commands)


@pytest.mark.parametrize("code", [exit_codes.ERROR, exit_codes.SOME_FAILED, exit_codes.INTERRUPTED])
def test_every_exit_code_is_on_the_page(code):
    assert f"| {code} |" in PAGE


def test_every_count_of_the_report_is_on_the_page():
    assert all(f"`{name}`" in PAGE for name in IngestReport().as_dict())


def test_the_python_page_is_what_the_docstrings_say():
    reference = Path(__file__).parents[2] / "docs/reference"
    page = runpy.run_path(str(reference / "make_python.py"))["page"]
    assert (reference / "python.md").read_text() == page(), (
        "type: python docs/reference/make_python.py > docs/reference/python.md"
    )


def test_the_python_page_lists_what_people_use():
    page = (Path(__file__).parents[2] / "docs/reference/python.md").read_text()
    for name in ("Collection", "Recipe", "Hit", "Hits", "Document", "IngestReport", "IngestOptions", "ReadOptions"):
        assert f"\n## {name}\n" in page
    for name in ("search", "ingest", "similar", "delete", "to_pandas", "recompress", "preview"):
        assert f"\n### {name}\n" in page
    assert "`progress`" in page
    assert "`file_timeout`" in page
