"""What the distributions hold and need: the package, the core, and extras that are named as they are."""

import ast
import re
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from qdrant_embed import __version__
from qdrant_embed.extras import EXTRAS
from tests.support.sources import FILES, nodes_of, text_of

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "qdrant_embed"
INTEGRATIONS = sorted((ROOT / "integrations").glob("*/pyproject.toml"))
DISTRIBUTIONS = {
    "bs4": "beautifulsoup4",
    "grpc": "qdrant-client",
    "llama_index": "llama-index-qdrant-embed",
    "mcp": "qdrant-embed-mcp",
    "markdown_it": "markdown-it-py",
    "opentelemetry": "opentelemetry-api",
    "pptx": "python-pptx",
    "pydantic_core": "pydantic",
    "qdrant_edge": "qdrant-edge-py",
}
"""Module → the distribution that brings it, where their names differ; of what comes with another, that other."""
BEHIND_TORCH = ("qdrant_embed.long_context.patches", "qdrant_embed.training.position_table")
"""Modules that import torch at their head, and are themselves imported after a check that it is there."""
NEVER_ASKED_FOR = {"telemetry", "code"}
"""Extras without which something is left out, or done in another way: nothing refuses."""


@cache
def project(path=ROOT / "pyproject.toml"):
    return tomllib.loads(path.read_text())["project"]


def names(requirements):
    return {Requirement(one).name for one in requirements}


@cache
def brought(extra):
    """Return the names of what an extra brings beside the core, those of the extras that it includes among them."""
    found = set()
    for one in map(Requirement, project()["optional-dependencies"][extra]):
        found |= set().union(*map(brought, one.extras)) if one.name == "qdrant-embed" else {one.name}
    return found


def distribution(module):
    top = module.partition(".")[0]
    return DISTRIBUTIONS.get(top, top.replace("_", "-"))


def test_the_wheel_is_the_package_folder_and_nothing_else():
    """The build backend takes the folders that are named, with every file that git does not ignore."""
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    assert build["targets"]["wheel"] == {"packages": ["qdrant_embed"]}
    assert "qdrant_embed/" in build["targets"]["sdist"]["include"]
    ignored = (ROOT / ".gitignore").read_text().split()
    assert not [pattern for pattern in ignored if pattern.endswith((".toml", ".py", ".typed"))]


def test_only_suites_for_plugins_ship_of_what_tests_use():
    assert {path.name for path in (PACKAGE / "testing").iterdir()} - {"__pycache__"} == {"__init__.py", "conformance"}
    offered = [path for path in PACKAGE.rglob("*.py") if "tests.support" in path.read_text()]
    assert offered == []


def test_the_version_has_one_place_and_fits_the_integrations():
    assert project()["dynamic"] == ["version"]
    for path in INTEGRATIONS:
        needed = {found.name: found for found in map(Requirement, project(path)["dependencies"])}
        assert __version__ in needed["qdrant-embed"].specifier, path
        assert project(path)["requires-python"] == project()["requires-python"]


def imports_of(tree, late=False):
    """Yield the modules that are imported under a node, and whether in a function; not those for types alone."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, late) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module, late
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        else:
            yield from imports_of(node, late or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def foreign():
    """Yield our modules with what each imports of other distributions, and whether in a function."""
    for name, path in FILES.items():
        for module, late in imports_of(nodes_of(path)[0]):
            if module.partition(".")[0] not in {*sys.stdlib_module_names, "qdrant_embed"}:
                yield name, module, late


def test_what_is_imported_is_core_or_of_an_extra_and_at_the_head_core():
    core = names(project()["dependencies"])
    available = set().union(*map(brought, [*EXTRAS, *NEVER_ASKED_FOR]))
    for name, module, late in foreign():
        if distribution(module) not in core and not name.startswith(BEHIND_TORCH):
            assert late, f"{name} imports {module} at its head"
            assert distribution(module) in available, f"{name} imports {module}, which neither core nor extra brings"


def test_every_check_of_a_package_names_an_extra_that_brings_what_it_asks_for():
    for extra, modules in EXTRAS.items():
        assert {distribution(module) for module in modules} <= brought(extra), extra
    asked = set()
    for path in FILES.values():
        for node in nodes_of(path):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "require_extra":
                extra, *modules = [one.value for one in node.args[1:] if isinstance(one, ast.Constant)]
                assert {*modules} <= {*EXTRAS[extra]}, f"{path}: {extra} {modules}"
                asked.add(extra)
    assert asked == {*EXTRAS}


def test_no_extra_brings_the_core_again():
    core = names(project()["dependencies"])
    for extra in project()["optional-dependencies"]:
        assert not brought(extra) & core, extra


NAMED = re.compile(r"qdrant-embed\[([\w,-]+)\]|extras? `([\w-]+)`")
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("integrations/*/*.md")]


@pytest.mark.parametrize("path", [*DOCUMENTS, PACKAGE], ids=lambda path: str(path.relative_to(ROOT)))
def test_extras_that_are_named_exist(path):
    texts = [path.read_text()] if path.is_file() else map(text_of, FILES.values())
    found = {extra for text in texts for several in NAMED.findall(text) for extra in "".join(several).split(",")}
    assert found <= {*project()["optional-dependencies"]}
