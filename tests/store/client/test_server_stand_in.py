"""The stand-in for a server answers what real ones answered, word for word (tests/data/server)."""

import json
import re
from pathlib import Path

import httpx
import pytest

from tests.support.server_stand_in import StandIn

RECORDED = Path(__file__).parents[2] / "data/server"
VERSIONS = ("1.18.3", "1.19.0")
NAME = "/collections/recorded"
VECTORS = {"vectors": {"dense": {"size": 4, "distance": "Cosine"}}, "sparse_vectors": {"bm25": {"modifier": "idf"}}}
POINTS = [{"id": n, "vector": {"dense": [1, n / 10, 0, 0]}, "payload": {"source": f"a/{n}"}} for n in range(30)]


@pytest.fixture
def ask():
    """Return a function that asks a stand-in, and one that makes the recorded collection anew."""
    with StandIn() as server, httpx.Client(base_url=server.url) as client:

        def ask(method, path, body=None):
            content = None if body is None else json.dumps(body)
            return client.request(method, path, content=content, headers={"content-type": "application/json"})

        ask.server = server
        yield ask


def fresh(ask):
    ask("DELETE", NAME)
    ask("PUT", NAME, VECTORS)
    ask("PUT", f"{NAME}/index?wait=true", {"field_name": "source", "field_schema": "keyword"})
    ask("PUT", f"{NAME}/points?wait=true", {"points": POINTS})


def prepare(ask, what, before):
    """Do what was done between two recorded requests."""
    setting = re.match(r"strict (\w+)=([\w.]+):", what)
    if before is None or before.startswith("stored as"):
        ask("DELETE", NAME)
    if what in ("created again", "two alias changes, the second to a missing collection"):
        fresh(ask)
    if setting and not before.startswith(setting[0]):
        fresh(ask)
        strict = {"enabled": True, setting[1]: json.loads(setting[2].lower())}
        assert ask("PATCH", NAME, {"strict_mode_config": strict}).status_code == 200


@pytest.mark.parametrize("version", VERSIONS)
def test_it_answers_what_a_server_answered(ask, version):
    ask.server.version, ask.server.clock = version, lambda: 0.0
    before = None
    for recorded in json.loads((RECORDED / f"answers-{version}.json").read_text()):
        prepare(ask, recorded["what"], before)
        found = ask(recorded["method"], recorded["path"], recorded["body"])
        answer = {key: value for key, value in found.json().items() if key not in ("time", "usage")}
        before = recorded["what"]
        assert answer == recorded["answer"], before
        assert (found.status_code, found.headers.get("retry-after")) == (recorded["status"], recorded["retry_after"])
