"""What the wheel holds: the package with its presets, and nothing that only tests need."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "qdrant_embed"


def test_the_wheel_is_the_package_folder_and_nothing_else():
    """The build backend takes the folders that are named, with every file that git does not ignore."""
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    assert build == {"targets": {"wheel": {"packages": ["qdrant_embed"]}}}
    ignored = (ROOT / ".gitignore").read_text().split()
    assert not [pattern for pattern in ignored if pattern.endswith((".toml", ".py", ".typed"))]


def test_presets_and_type_marker_lie_in_the_package():
    assert len(list((PACKAGE / "presets").glob("*.toml"))) > 10
    assert (PACKAGE / "py.typed").exists()


def test_only_suites_for_plugins_ship_of_what_tests_use():
    assert {path.name for path in (PACKAGE / "testing").iterdir()} - {"__pycache__"} == {"__init__.py", "conformance"}
    offered = [path for path in PACKAGE.rglob("*.py") if "tests.support" in path.read_text()]
    assert offered == []
