"""Commands parse, call and print: each can be called from Python, and imports no insides of the library."""

import ast
import re
from pathlib import Path

import pytest
import qdrant_embed_mcp
import typer

import qdrant_embed
from qdrant_embed import Collection
from qdrant_embed.cli import app
from qdrant_embed.operations import CollectionVectors

PROJECT = Path(__file__).parents[2]
COMMANDS = sorted((PROJECT / "qdrant_embed/cli/commands").glob("[a-z]*.py"))
TABLE = re.search(
    r"^## The same from Python\n(.*?)^## ", (PROJECT / "docs/reference/command-line.md").read_text(), re.M | re.S
)[1]
CALL = re.compile(r"(?:Collection\.|\)\.|[` ]|\b)([a-z_]+)\(")
OFFERED = {*qdrant_embed.__all__, *qdrant_embed_mcp.__all__, *dir(CollectionVectors)}
SHOWING = {"qdrant_embed.display", "qdrant_embed.errors", "qdrant_embed.types"}


def test_the_page_has_a_call_for_every_command():
    rows = {re.match(r"\| `([\w-]+)`", line)[1]: line for line in TABLE.splitlines() if line.startswith("| `")}
    assert set(rows) == set(typer.main.get_command(app).commands)
    for command, row in rows.items():
        calls = CALL.findall(row.split("|")[2])
        assert calls, command
        assert [name for name in calls if not hasattr(Collection, name) and name not in OFFERED] == []


@pytest.mark.parametrize("command", COMMANDS, ids=lambda path: path.stem)
def test_a_command_imports_public_names_only(command):
    tree = ast.parse(command.read_text())
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    ours = {name for name in modules if name.startswith("qdrant_embed") and not name.startswith("qdrant_embed.cli")}
    assert {name for name in ours - SHOWING if name.count(".") > 1} == set()
