"""The house rules that a machine can keep: import order, sizes, no model names in code."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "qdrant_embed"
ORDER = [
    {"display"},
    {"errors"},
    {"types"},
    {"concurrency"},
    {"native"},
    {"registry", "tokens", "words"},
    {"pooling", "evaluation"},
    {"reading"},
    {"chunking"},
    {"compression"},
    {"long_context"},
    {"recipe"},
    {"store"},
    {"models"},
    {"tokenization"},
    {"runtimes"},
    {"embedding"},
    {"training"},
    {"ingest", "retrieval"},
    {"collection_parts"},
    {"passages"},
    {"calibration", "migration"},
    {"collection_compression"},
    {"collection"},
    {"diagnostics"},
    {"cli"},
]
FILES = sorted(PACKAGE.rglob("*.py"))


def station(module: str) -> int | None:
    names = module.split(".")
    if names[0] != "qdrant_embed" or len(names) < 2:
        return None
    return next((place for place, group in enumerate(ORDER) if names[1] in group), None)


def imported_modules(tree: ast.AST):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, "relative imports hide the order of stations"
            yield node.module


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_station_imports_only_what_stands_to_its_left(path):
    own_name = ".".join(("qdrant_embed", *path.relative_to(PACKAGE).with_suffix("").parts))
    own = station(own_name)
    if own is None:
        pytest.skip("the package root and the testing suites see every station")
    for module in imported_modules(ast.parse(path.read_text())):
        other = station(module)
        same_room = module.split(".")[1:2] == own_name.split(".")[1:2]
        assert other is None or other < own or same_room, f"{own_name} imports {module}, which stands to its right"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_and_functions_are_small(path):
    text = path.read_text()
    assert text.count("\n") <= 300, f"{path.name} has {text.count(chr(10))} lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            size = node.end_lineno - body[0].lineno + 1 if body else 0
            assert size <= 40, f"{path.name}: {node.name} has a body of {size} lines"
        if isinstance(node, ast.ClassDef):
            assert node.end_lineno - node.lineno <= 200, f"{path.name}: class {node.name} is too large"


def test_every_package_folder_is_a_station():
    known = set().union(*ORDER) | {"testing", "presets"}
    assert {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"} <= known


FILES_OF_A_FOLDER = 20


def test_folders_hold_few_files():
    for folder in sorted({path.parent for path in FILES}):
        name = "" if folder == PACKAGE else str(folder.relative_to(PACKAGE))
        files, most = len(list(folder.glob("*.py"))) - 1, FILES_OF_A_FOLDER
        assert files <= most, (
            f"{name or PACKAGE.name} has {files} files, at most {most} are allowed; fold one into another"
        )
