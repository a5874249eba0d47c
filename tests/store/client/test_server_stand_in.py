"""The stand-in for a server answers what real ones answered, word for word (tests/data/server)."""

import json
import re
from pathlib import Path

import httpx
import pytest

from tests.support.server_stand_in import CutError, RefusedError, StandIn

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
            return client.request(method, path, content=content, headers=ask.headers)

        ask.server, ask.headers = server, {}
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


def scroll(ask, **body):
    return ask("POST", f"{NAME}/points/scroll", body)


@pytest.fixture
def recorded(ask):
    """Return the function that asks, with the recorded collection made."""
    fresh(ask)
    return ask


def test_keys_allow_what_they_are_for(recorded):
    recorded.server.key, recorded.server.read_only_key = "all", "reads"
    for key, wanted in ((None, [401, 401, 401]), ("none", [401, 401, 401]), ("reads", [200, 403, 403])):
        recorded.headers = {} if key is None else {"api-key": key}
        points = {"points": POINTS[:1]}
        found = [recorded("GET", NAME), recorded("PUT", f"{NAME}/points", points), recorded("DELETE", NAME)]
        assert [answer.status_code for answer in found] == wanted, key
    recorded.headers = {"authorization": "Bearer all"}
    assert recorded("PUT", f"{NAME}/points", {"points": POINTS[:1]}).status_code == 200
    recorded.headers = {}
    assert recorded("GET", "/").status_code == 200


def test_a_request_that_is_too_large_is_refused(recorded):
    recorded.server.largest_request = 100
    assert recorded("PUT", f"{NAME}/points", {"points": POINTS}).status_code == 413


def test_a_rate_is_kept_as_time_goes_on(recorded):
    now = 0.0
    recorded.server.clock = lambda: now
    recorded("PATCH", NAME, {"strict_mode_config": {"enabled": True, "read_rate_limit": 60, "write_rate_limit": 30}})
    ids = {"ids": list(range(40))}
    assert recorded("POST", f"{NAME}/points", ids).status_code == 200
    assert recorded("POST", f"{NAME}/points", ids).headers["retry-after"] == "20"
    now = 20.0
    assert recorded("POST", f"{NAME}/points", ids).status_code == 200
    assert recorded("PUT", f"{NAME}/points", {"points": POINTS}).status_code == 200
    assert recorded("POST", f"{NAME}/points/delete", {"points": [1]}).headers["retry-after"] == "2"


def test_it_keeps_its_collections_over_a_restart(recorded):
    url = recorded.server.url
    recorded.server.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)
    recorded.server.start()
    assert recorded.server.url == url
    assert recorded("GET", NAME).json()["result"]["points_count"] == 30


def test_hooks_see_and_spoil_requests(recorded):
    server = recorded.server
    server.requests.clear()
    left = server.fail(RefusedError(503, "starting"), CutError(), path="/scroll")
    assert scroll(recorded).status_code == 503
    with pytest.raises(httpx.RemoteProtocolError):
        scroll(recorded)
    server.after.append(lambda asked: asked.answer.update(result=str(asked)))
    assert scroll(recorded).json()["result"] == f"POST {NAME}/points/scroll"
    assert left == []
    assert server.counts() == {f"POST {NAME}/points/scroll": 3}


def test_upserts_may_be_for_new_points_or_old_ones_only_or_for_those_that_match(recorded):
    def upsert(number, source, **how):
        recorded(
            "PUT", f"{NAME}/points", {"points": [{**POINTS[0], "id": number, "payload": {"source": source}}], **how}
        )

    upsert(0, "new", update_mode="insert_only")
    upsert(99, "new", update_mode="update_only")
    upsert(1, "new", update_filter={"must": [{"key": "source", "match": {"value": "other"}}]})
    upsert(2, "new", update_filter={"must": [{"key": "source", "match": {"value": "a/2"}}]})
    found = {
        point["id"]: point["payload"]["source"] for point in scroll(recorded, limit=100).json()["result"]["points"]
    }
    assert (found[0], found[1], found[2], 99 in found) == ("a/0", "a/1", "new", False)


def test_metadata_are_merged_and_an_index_is_needed_for_facets_and_order(recorded):
    for metadata in ({"a": 1, "b": {"c": 2}}, {"b": {"d": 3}}, {"a": None}):
        recorded("PATCH", NAME, {"metadata": metadata})
    assert recorded("GET", NAME).json()["result"]["config"]["metadata"] == {"b": {"d": 3}}
    assert len(recorded("POST", f"{NAME}/facet", {"key": "source"}).json()["result"]["hits"]) == 10
    assert recorded("POST", f"{NAME}/facet", {"key": "team"}).status_code == 400
    assert scroll(recorded, order_by="source").status_code == 400


def test_aliases_move_and_go_with_their_collection(recorded):
    recorded("PUT", "/collections/other", VECTORS)
    for target in ("recorded", "other"):
        action = {"create_alias": {"alias_name": "live", "collection_name": target}}
        assert recorded("POST", "/collections/aliases", {"actions": [action]}).status_code == 200
    assert recorded("GET", "/collections/live").json()["result"]["points_count"] == 0
    assert recorded("PUT", "/collections/live", VECTORS).status_code == 409
    assert recorded("DELETE", "/collections/live").json()["result"] is False
    recorded("DELETE", "/collections/other")
    assert recorded("GET", "/collections/live/exists").json()["result"] == {"exists": False}
