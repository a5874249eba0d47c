"""The source files of the package, read and parsed once in a process for all tests that look through them."""

import ast
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "qdrant_embed"


def module_of(path):
    return ".".join(("qdrant_embed", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")


FILES = {module_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}
"""Name of a module → its file."""


@cache
def text_of(path):
    return path.read_text(encoding="utf-8")


@cache
def tree_of(path):
    return ast.parse(text_of(path))


@cache
def nodes_of(path):
    """Return all nodes of a file, those of `ast.walk` in its order, which takes four times as long."""
    nodes = [tree_of(path)]
    for node in nodes:
        for value in vars(node).values():
            if isinstance(value, list):
                nodes += [item for item in value if isinstance(item, ast.AST)]
            elif isinstance(value, ast.AST):
                nodes.append(value)
    return nodes
