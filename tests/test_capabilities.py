"""What a part can do stands on the part: nobody else asks which one it is. (CONTRIBUTING, "Where things live")"""

import ast
from importlib.util import find_spec
from pathlib import Path

import pytest

from qdrant_embed.models.runtime_specs import RUNTIMES
from tests.support.sources import FILES, PACKAGE, nodes_of

SPECS = "models/runtime_specs.py"
NAMES = frozenset(RUNTIMES)
LIBRARIES = frozenset({"diagnostics.py", "extras.py"})
"""Files that name libraries, some of which are called like the runtimes that use them."""


def found(asks, *, but):
    """Return the places where `asks` finds something, all but those in some folders."""
    for file in FILES.values():
        path = str(file.relative_to(PACKAGE))
        if not path.startswith(but):
            yield from (f"{path}:{node.lineno} {ast.unparse(node)}" for node in nodes_of(file) if asks(node))


def words(node):
    return {part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)}


def asks_for_a_runtimes_name(node):
    """Find `runtime == "torch"`, `runtime in ("api", "fastembed")` and tables that list runtimes."""
    if isinstance(node, ast.Compare):
        return "runtime" in ast.unparse(node) and words(node) & NAMES
    listed = node.keys if isinstance(node, ast.Dict) else getattr(node, "elts", [])
    return len({item.value for item in listed if isinstance(item, ast.Constant)} & NAMES) > 1


def asks_for_an_engines_class(node):
    """Find an import of an engine, without which nobody can ask for its class."""
    return isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
        ("qdrant_embed.store.edge", "qdrant_embed.store.client")
    )


def guesses_a_member(node):
    """Find `getattr(engine, "member", default)`."""
    if not (isinstance(node, ast.Call) and ast.unparse(node.func) == "getattr" and len(node.args) == 3):
        return False
    return any(part in ast.unparse(node.args[0]) for part in ("engine", "runtime"))


def test_nobody_asks_which_runtime_it_is():
    own = tuple(f"runtimes/{name}" for name in ("api", "fastembed", "onnx", "openvino", "torch"))
    assert list(found(asks_for_a_runtimes_name, but=(SPECS, *own, *LIBRARIES))) == []


def test_nobody_but_the_location_knows_the_engines():
    own = ("store/edge/", "store/sharing/", "store/client/", "store/location.py", "testing/")
    assert list(found(asks_for_an_engines_class, but=own)) == []


def test_nobody_guesses_what_a_part_has():
    # These hand on whatever an engine has of `QdrantClient` beside what every engine has.
    assert list(found(guesses_a_member, but=("testing/",))) == []


@pytest.mark.parametrize(
    ("code", "asks"),
    [
        ('preset.runtime == "fastembed"', asks_for_a_runtimes_name),
        ('preset.runtime in ("api", "fastembed")', asks_for_a_runtimes_name),
        ('WITHOUT = ("api", "static")', asks_for_a_runtimes_name),
        ('PRECISIONS = {"torch": 1, "onnx": 2}', asks_for_a_runtimes_name),
        ("from qdrant_embed.store.edge import EdgeEngine", asks_for_an_engines_class),
        ('getattr(self._engine, "path", None)', guesses_a_member),
    ],
)
def test_the_rules_find_what_they_forbid(code, asks):
    assert any(asks(node) for node in ast.walk(ast.parse(code)))


@pytest.mark.parametrize("name", sorted(NAMES))
def test_what_a_spec_names_is_there(name):
    spec = RUNTIMES.get(name)
    for target in filter(None, (spec.target, spec.external_models, spec.prediction)):
        module, _, attribute = target.partition(":")
        source = Path(find_spec(module).origin)
        named = [node.name for node in ast.parse(source.read_text()).body if hasattr(node, "name")]
        assert attribute in named or source.name == "__init__.py", target
