"""The recordings of other programs' collections are what these programs write."""

import json
import subprocess
import sys
from importlib.util import find_spec

import pytest

from tests.support.foreign_writers import RECORDED, vectors

NEEDED = {"mcp_server_qdrant": "mcp_server_qdrant", "qdrant_client_mixin": "fastembed", "cocoindex": "cocoindex"}


def told(text):
    """Return what was written, by its text: ids are drawn anew each time."""
    found = json.loads(text)
    points = sorted(found["points"], key=lambda point: json.dumps(point["payload"], sort_keys=True))
    return found["params"], [(point["payload"], point["vector"]) for point in points]


@pytest.mark.parametrize("program", NEEDED)
def test_the_program_still_writes_so(program):
    if find_spec(NEEDED[program]) is None:
        pytest.skip(f"{NEEDED[program]} is not installed here")
    done = subprocess.run(
        [sys.executable, RECORDED / "record.py", program], capture_output=True, text=True, check=False
    )
    if "has no attribute 'add'" in done.stderr:
        pytest.skip("this version of qdrant-client has no mixin any more")
    assert done.returncode == 0, done.stderr
    assert told(done.stdout) == told((RECORDED / f"{program}.json").read_text())


def test_the_table_is_of_the_preset():
    table = json.loads((RECORDED / "table.json").read_text())["vectors"]
    assert list(table.values()) == [pytest.approx(row, abs=1e-6) for row in vectors(table)]
