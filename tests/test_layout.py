"""The house rules that a machine can keep: import order, no circles, sizes, names."""

import ast
import re
import sys
from collections import defaultdict
from functools import cache

from tests.support.sources import FILES, PACKAGE, module_of, nodes_of, text_of, tree_of

ORDER = [
    {"display"},
    {"errors"},
    {"extras"},
    {"types"},
    {"concurrency"},
    {"native"},
    {"telemetry"},
    {"registry", "tokens", "words"},
    {"pooling", "evaluation"},
    {"reading", "chunking", "compression"},
    {"long_context"},
    {"recipe"},
    {"servers"},
    {"store"},
    {"stock_client"},
    {"models"},
    {"tokenization"},
    {"runtimes"},
    {"embedding"},
    {"training"},
    {"ingest", "retrieval"},
    {"reranking"},
    {"collection_parts"},
    {"attachment"},
    {"calibration", "migration"},
    {"comparison"},
    {"operations"},
    {"explore"},
    {"collection"},
    {"diagnostics"},
    {"cli"},
]
"""The folders and files of the package: each imports only what stands above it. The root and `testing` see all."""
SHARED_STEMS = {"__init__", "__main__", "base", "runtime", "engine", "errors"}
LARGEST_SHARE = 0.13
MOST_FILES, MOST_LINES = 20, 2500
LISTED = re.compile(r"Files, in reading order: (?P<names>[\w,\s]+)\.")


FOLDERS = sorted({path.parent for path in FILES.values()})


def named(path):
    return str(path.relative_to(PACKAGE))


@cache
def imports_of(module):
    """Return the modules of the package that a module imports anywhere: lazily and for types, too."""
    found = set()
    for node in nodes_of(FILES[module]):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, "relative imports hide the order"
            for name in node.names:
                whole = f"{node.module}.{name.name}"
                found.add(whole if whole in FILES else node.module)
    return {name for name in found if name in FILES} - {module}


def place_of(module):
    room = module.split(".")[1] if "." in module else ""
    return next((place for place, rooms in enumerate(ORDER) if room in rooms), None)


def imports_against_the_order(module):
    own = place_of(module)
    for other in () if own is None else imports_of(module):  # the root and the testing suites see all
        if other.startswith("qdrant_embed.testing"):
            yield f"{module} imports {other}, which is for tests"
        place = place_of(other)
        same = module.split(".")[1] == other.split(".")[1] if "." in other else False
        if not (same or place is None or place < own):
            yield f"{module} imports {other}, which stands beside or below it"


def test_modules_import_only_what_stands_above_them():
    faults = [fault for module in FILES for fault in imports_against_the_order(module)]
    assert not faults, "\n".join(faults)


def out_of_order(folder):
    items = {path.stem for path in folder.glob("*.py")} - {"__init__", "__main__"}
    items |= {path.name for path in folder.iterdir() if (path / "__init__.py").exists()}
    text = ast.get_docstring(tree_of(folder / "__init__.py")) or ""
    found = LISTED.search(text)
    listed = re.split(r",\s+", found["names"]) if found else []
    if set(listed) != items and len(items) > 1:
        yield f"{named(folder)}/__init__.py lists {listed}, it holds {sorted(items)}"
    base = f"{module_of(folder / '__init__.py')}."
    for module in FILES:
        own = module.removeprefix(base).split(".")[0]
        for other in imports_of(module) if module.startswith(base) and own in listed else ():
            above = other.removeprefix(base).split(".")[0]
            inside = other.startswith(base) and above in listed and above != own
            if inside and listed.index(above) > listed.index(own):
                yield f"{module} imports {other}, which is listed below it"


def test_order_holds_inside_folders():
    faults = [fault for folder in FOLDERS if folder != PACKAGE for fault in out_of_order(folder)]
    assert not faults, "\n".join(faults)


def circles():
    """Yield the groups of modules that import each other (Tarjan 1972)."""
    number, low, stack = {}, {}, []

    def visit(module):
        number[module] = low[module] = len(number)
        stack.append(module)
        for other in imports_of(module):
            if other not in number:
                yield from visit(other)
                low[module] = min(low[module], low[other])
            elif other in stack:
                low[module] = min(low[module], number[other])
        if low[module] == number[module]:
            group = stack[stack.index(module) :]
            del stack[stack.index(module) :]
            if len(group) > 1:
                yield group

    for module in FILES:
        if module not in number:
            yield from visit(module)


def test_nothing_imports_in_a_circle():
    assert list(circles()) == []


def lines_in(folder):
    return sum(text_of(path).count("\n") for path in folder.glob("*.py"))


def test_folders_are_small(capsys):
    whole = sum(map(lines_in, FOLDERS))
    largest = max(FOLDERS, key=lines_in)
    with capsys.disabled():
        sys.stdout.write(
            f"\n{len(list(circles()))} circles, {len(FOLDERS)} folders, {len(FILES)} files, {whole} lines; the largest "
            f"folder is {named(largest)} with {lines_in(largest) / whole:.1%}\n"
        )
    assert lines_in(largest) <= LARGEST_SHARE * whole
    for folder in FOLDERS:
        files = len(list(folder.glob("*.py"))) - 1
        assert files <= MOST_FILES, f"{named(folder)} has {files} files"
        assert lines_in(folder) <= MOST_LINES, f"{named(folder)} has {lines_in(folder)} lines"


def test_no_name_of_a_file_or_class_occurs_twice():
    stems, classes = defaultdict(list), defaultdict(list)
    for module, path in FILES.items():
        if path.stem not in SHARED_STEMS and path.parent != PACKAGE / "cli/commands":
            stems[path.stem].append(module)
        for node in nodes_of(path):
            if isinstance(node, ast.ClassDef):
                classes[node.name].append(module)
    assert {name: found for name, found in (stems | classes).items() if len(found) > 1} == {}


def body_sizes(path):
    """Return the lines of the longest body of each name of a function, docstrings not counted."""
    sizes = defaultdict(int)
    for node in nodes_of(path):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            sizes[node.name] = max(sizes[node.name], node.end_lineno - body[0].lineno + 1 if body else 0)
    return sizes


def too_large(path):
    lines, sizes = text_of(path).count("\n"), body_sizes(path)
    facade = max(sizes.values(), default=0) <= 5
    if lines > (400 if facade else 300):
        yield f"{named(path)} has {lines} lines"
    for name, size in sizes.items():
        if size > 40:
            yield f"{named(path)}: {name} has a body of {size} lines"
    for node in nodes_of(path):
        if isinstance(node, ast.ClassDef) and not facade and node.end_lineno - node.lineno > 200:
            yield f"{named(path)}: class {node.name} is too large"


def test_files_and_functions_are_small():
    faults = [fault for path in FILES.values() for fault in too_large(path)]
    assert not faults, "\n".join(faults)


def test_every_folder_has_its_place():
    known = set().union(*ORDER) | {"testing", "presets"}
    assert {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"} <= known
