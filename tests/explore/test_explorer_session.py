import base64
import json

import numpy as np
import pytest

from qdrant_embed import Collection, Recipe, load_embedder
from qdrant_embed.explore.explorer_session import ExplorerSession
from tests.explore.conftest import HOSTILE


def mapped(session):
    assert session._map.wait(60) is not None, session._map.state()
    return session.ask("map", {"whole": True})["map"]


def test_it_says_what_the_collection_is(session, harbour):
    about = session.ask("about", {})
    assert (about["name"], about["chunks"]) == ("harbour", harbour.count())
    assert about["modes"][:2] == ["hybrid", "rrf"]
    assert "source" in about["fields"]
    json.dumps(about)


def test_hits_are_those_of_a_search_with_marks_and_why(session, harbour):
    found = session.ask("search", {"query": "master keys", "k": 4})
    hits = harbour.search("master keys", k=4)
    assert [hit["id"] for hit in found["hits"]] == [hit.id for hit in hits]
    first = found["hits"][0]
    assert {first["text"][start:end].lower() for start, end in first["marks"]} >= {"keys"}
    assert first["why"]["lists"][0]["name"] in ("dense", "bm25")
    assert first["why"]["terms"]


def test_the_code_to_copy_finds_the_same(session, harbour):
    asked = {"query": 'crane\'s "four"\n', "k": 3, "mode": "bm25", "filter": {"source": "guide/*"}, "by_document": True}
    found = session.ask("search", asked)
    code = found["python"].replace("docs = Collection.open('harbour', at=…)\n", "")
    names = {"docs": harbour}
    exec(compile(code, "copied", "exec"), names)
    assert [hit.id for hit in names["hits"]] == [hit["id"] for hit in found["hits"]]


def test_marks_count_as_browsers_do(session):
    found = session.ask("search", {"query": "key", "mode": "bm25"})
    (hit,) = [one for one in found["hits"] if one["source"].startswith("<b>")]
    units = hit["text"].encode("utf-16-le")
    assert [units[2 * start : 2 * end].decode("utf-16-le") for start, end in hit["marks"]] == ["key"]


def test_texts_stay_texts(session):
    found = session.ask("document", {"source": "<b>bold</b>.html"})
    text = "".join(chunk["text"] for chunk in found["chunks"])
    assert "<script>" in text
    assert "\u202e" not in text
    assert len(text) == len(HOSTILE)


def test_a_document_is_shown_around_the_chunk_that_was_opened(session, harbour):
    source = "guide/cranes.md"
    whole = session.ask("document", {"source": source, "root": "", "query": "crane"})
    assert [chunk["id"] for chunk in whole["chunks"]] == [hit.id for hit in harbour.chunks(source)]
    assert whole["total"] == len(whole["chunks"])
    far = session.ask("document", {"source": source, "around": 1000})
    assert (far["total"], far["chunks"]) == (whole["total"], [])
    assert "no document" in session.ask("document", {"source": "gone.md"})["error"]


def test_documents_are_found_by_parts_of_their_names(session, harbour):
    assert session.ask("documents", {})["total"] == len(harbour.documents())
    assert [one["source"] for one in session.ask("documents", {"like": "GUIDE key"})["documents"]] == ["guide/keys.md"]


def test_documents_come_a_page_at_a_time(session, harbour, monkeypatch):
    monkeypatch.setattr("qdrant_embed.explore.explorer_session.MOST_LISTED", 3)
    shown, after = [], None
    while True:
        page = session.ask("documents", {"after": after})
        shown += [one["source"] for one in page["documents"]]
        after = page["after"]
        if after is None:
            break
    assert shown == [one.source for one in harbour.documents()]
    assert "after has to be" in session.ask("documents", {"after": "x"})["error"]


def test_what_failed_at_ingest_is_told_with_its_reason(make_collection):
    docs = make_collection()
    docs.ingest([{"text": 3, "source": "<b>x</b>"}, {"text": "Cod.", "source": "cod.md"}])
    session = ExplorerSession(docs._handle)
    try:
        session._counts.wait(60)
        failed = session.ask("statistics", {})["failed"]
        assert (failed["total"], failed["kinds"]) == (1, {"refused": 1})
        assert failed["listed"][0]["source"] == "<b>x</b>"
        assert failed["listed"][0]["reason"]
    finally:
        session.close()


def test_the_map_has_every_chunk_once_and_rows_say_which(session, harbour):
    found = mapped(session)
    count = harbour.count()
    assert (found["points"], found["total"]) == (count, count)
    rows = session.ask("rows", {"points": list(range(count))})["rows"]
    assert len({row["id"] for row in rows}) == count
    hit = session.ask("search", {"query": "herring", "k": 1})["hits"][0]
    assert rows[hit["at"]]["id"] == hit["id"]


def test_a_selection_is_a_table_a_filter_and_code(session, harbour):
    pytest.importorskip("pandas")
    mapped(session)
    rows = session.ask("rows", {"points": list(range(harbour.count()))})["rows"]
    wanted = [row["at"] for row in rows if row["source"] == "guide/keys.md"]
    assert session.ask("select", {"points": wanted}) == {"selected": len(wanted)}
    assert set(session.frame()["source"]) == {"guide/keys.md"}
    within = session.ask("search", {"query": "herring", "within_selection": True})
    assert {hit["source"] for hit in within["hits"]} == {"guide/keys.md"}
    names = {"docs": harbour}
    code = session.ask("selection", {})["python"].replace("docs = Collection.open('harbour', at=…)\n", "")
    exec(compile(code, "copied", "exec"), names)
    assert {hit.source for hit in names["chunks"]} == {"guide/keys.md"}
    session.ask("select", {"points": []})
    assert len(session.frame()) == 0
    assert "no points are selected" in session.ask("search", {"query": "x", "within_selection": True})["error"]


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("search", {}), ("search", {"query": 7}), ("search", {"query": "x" * 20_000}), ("search", {"query": " "}),
        ("search", {"query": "x", "k": 10**9}), ("search", {"query": "x", "k": True}),
        ("search", {"query": "x", "mode": "best"}), ("search", {"query": "x", "filter": {"page": {"odd": 1}}}),
        ("search", {"query": "x", "filter": 3}), ("search", {"query": "x", "offset": -1}),
        ("document", {"source": None}),
        ("rows", {"points": "all"}), ("rows", {"points": [-1]}), ("rows", {"points": [10**9]}),
        ("select", {"points": [True]}), ("nothing", {}),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_an_error_that_says_so(session, name, given):
    mapped(session)
    assert len(session.ask(name, given)["error"]) > 10


def test_of_signs_alone_there_is_a_map_whose_neighbors_have_most_signs_in_common(make_collection):
    docs = make_collection(compression="bits")
    words = {"ropes": "rope knot coil anchor", "fish": "herring cod pier scale"}
    docs.ingest([{"text": f"{words[kind]} {n}", "source": f"{kind}/{n}"} for kind in words for n in range(40)])
    session = ExplorerSession(docs._handle)
    try:
        found = mapped(session)
        at = np.stack([np.frombuffer(base64.b64decode(found[axis]), "<u2").astype(float) for axis in "xy"], 1)
        rows = session.ask("rows", {"points": list(range(80))})["rows"]
        kind = np.array([row["source"].startswith("fish") for row in rows])
        apart = np.linalg.norm(at[:, None] - at[None], axis=2) + np.eye(80) * 1e9
        assert (kind[apart.argmin(1)] == kind).mean() > 0.9
    finally:
        session.close()


def test_an_empty_collection_has_an_empty_map():
    with Collection.open("none", at=":memory:", recipe=Recipe(model="hashing")) as docs:
        session = ExplorerSession(docs._handle)
        assert mapped(session)["points"] == 0
        assert session._counts.wait(60)["chunks"] == 0
        assert session.ask("search", {"query": "anything"})["hits"] == []
        session.close()


def test_a_collection_that_something_else_wrote_is_shown_as_well():
    from qdrant_client import QdrantClient, models

    client = QdrantClient(":memory:")
    client.create_collection("notes", vectors_config=models.VectorParams(size=256, distance=models.Distance.COSINE))
    texts = [f"Crane {number} lifts {number} tons." for number in range(8)]
    vectors = load_embedder("hashing").embed_documents(texts).tolist()
    payloads = [{"page_content": text, "metadata": {"source": f"{text[6]}.md"}} for text in texts]
    client.upsert("notes", [
        models.PointStruct(id=number, payload=payload, vector=vector)
        for number, (payload, vector) in enumerate(zip(payloads, vectors, strict=True), 1)
    ])  # fmt: skip
    docs = Collection.attach("notes", at=client, model="hashing", text="page_content")
    session = ExplorerSession(docs._handle)
    assert (session.ask("about", {})["modes"], session.ask("about", {})["documents"]) == (["dense"], 8)
    copied = session.ask("python", {"query": "crane"})["python"].replace("at=…", "at=client")
    names = {"client": client}
    exec(compile(copied, "copied", "exec"), names)
    assert len(names["hits"]) == 8
    assert "Collection.attach('notes', at=client, model='hashing', text='page_content')" in copied
    assert mapped(session)["points"] == session._counts.wait(60)["chunks"] == 8
    assert session.ask("about", {})["layout"]["text"] == "page_content"
    session.ask("select", {"points": [0, 1, 2]})
    found = session.ask("search", {"query": "crane 3", "mode": "dense", "within_selection": True})
    assert {hit["id"] for hit in found["hits"]} == set(session.selected)
    shown = session.ask("document", {"source": found["hits"][0]["source"]})
    assert [chunk["id"] for chunk in shown["chunks"]] == [found["hits"][0]["id"]]
    session.close()
    docs.close()
    client.close()
