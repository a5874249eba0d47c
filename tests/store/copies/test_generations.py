"""A name answers at every moment, by few requests, and without a write: on a server that is played."""

import threading

import pytest
from qdrant_client import QdrantClient

from qdrant_embed import Collection, Document, Recipe
from qdrant_embed.errors import CollectionNotFoundError, StoreError
from qdrant_embed.store.copies import copy_lease
from qdrant_embed.store.copies.generations import COPYING
from tests.support.earlier_collections import make_earlier
from tests.support.server_limits import RefusedError
from tests.support.server_stand_in import StandIn

WORDS = ["herring", "cod", "eel", "hull", "rope", "sail", "anchor", "mast", "keel", "net", "oar"]
TEXTS = [f"Crane {n} lifts {WORDS[n % 11]} and {WORDS[n % 7]} at pier {n * 7}." for n in range(60)]
QUESTION = TEXTS[12]
BATCH, OPENED = "POST /collections/cranes--1/points/query/batch", ["GET /", "GET /collections/cranes"]
PAUSES = {"server": 0.02, "memory": 0.003, "folder": 0.003}
"""Seconds between searches, many of which fall into each change: without any, it waits for them most of the time."""


def fill(url, style="alias"):
    if style == "earlier":
        make_earlier("cranes", url)
    with Collection.open("cranes", at=url, recipe=Recipe(model="hashing")) as docs:
        docs.ingest([Document(text=text, source=f"{n}.txt") for n, text in enumerate(TEXTS)], root="quay")


@pytest.fixture
def server():
    """Return a server that holds the cranes."""
    with StandIn() as server:
        fill(server.url)
        server.requests.clear()
        yield server


@pytest.mark.parametrize("style", ["alias", "earlier"])
@pytest.mark.parametrize("kind", ["server", "memory", "folder"])
def test_whoever_searches_meanwhile_finds_all_at_every_moment(kind, style, tmp_path):
    with StandIn() as server:
        at = {"server": server.url, "memory": QdrantClient(":memory:"), "folder": tmp_path / "qdrant_data"}[kind]
        fill(at, style)
        failed, empty, asked, done = [], [], [], threading.Event()

        def search(opens):
            with Collection.open("cranes", at=at) as kept:
                while not done.is_set():
                    try:
                        docs = Collection.open("cranes", at=at) if opens else kept
                        empty.extend([1] * (len(docs.search(QUESTION, k=5, mode="dense")) < 5))
                        if opens:
                            docs.close()
                    except Exception as error:
                        failed.append(f"{type(error).__name__}: {error}")
                    asked.append(opens)
                    done.wait(PAUSES[kind])

        threads = [threading.Thread(target=search, args=(opens,)) for opens in (False, True)]
        for thread in threads:
            thread.start()
        with Collection.open("cranes", at=at) as docs:
            for compression in ("float16", "rotate+float16", "float16+rotate"):  # the last one in place
                docs.recompress(compression)
        done.set()
        for thread in threads:
            thread.join()
    assert (sorted(set(failed)), len(empty)) == ([], 0)
    assert {*asked} == {False, True}


@pytest.mark.parametrize("style", ["alias", "earlier"])
def test_a_handle_follows_its_name_in_the_moment_when_that_leads_nowhere(style):
    with StandIn() as server:
        fill(server.url, style)
        found = []

        def search(asked):
            # At the moments between the steps of a switch.
            if asked.method == "DELETE" or (asked.path, asked.method) == ("/collections/aliases", "POST"):
                server.after.clear()
                with Collection.open("cranes", at=server.url) as fresh:
                    found.extend((len(reader.search(QUESTION, mode="dense")), fresh.count()) for _ in range(2))
                server.after.append(search)

        with Collection.open("cranes", at=server.url) as reader, Collection.open("cranes", at=server.url) as docs:
            before = reader.search(QUESTION, mode="dense")
            server.after.append(search)
            docs.recompress("rotate+float16")
            # A vector that is not rotated, asked of those that are, would find anything.
            after = reader.search(QUESTION, mode="dense")
            assert [hit.source for hit in after] == [hit.source for hit in before]
            assert [hit.score for hit in after] == pytest.approx([hit.score for hit in before], abs=1e-3)
            assert reader.recipe.compression == docs.recipe.compression
    assert found == [(5, 60)] * 4


def test_opening_is_two_requests_and_a_search_is_one(server):
    with Collection.open("cranes", at=server.url) as docs:
        assert server.requests == OPENED
        for asked in ({}, {"filter": {"root": "quay"}}, {"k": 10}, {"group_by": "document"}):
            server.requests.clear()
            assert len(docs.search(QUESTION, mode="dense", **asked)) >= 5
            assert server.requests == [BATCH], asked
        for mode, most in (("bm25", 1), ("rrf", 1), ("hybrid", 2)):
            server.requests.clear()
            assert docs.search(QUESTION, mode=mode)
            assert server.requests[0] == BATCH
            assert len(server.requests) <= most, mode


def test_what_was_learned_comes_with_the_opening(server):
    with Collection.open("cranes", at=server.url) as docs:
        docs.recompress("rotate+float16")
    server.requests.clear()
    with Collection.open("cranes", at=server.url) as docs:
        docs.search(QUESTION, mode="dense")
        assert len(server.requests) == 3


def test_a_folder_that_was_ingested_elsewhere_is_named_all_the_same(server):
    with Collection.open("cranes", at=server.url) as docs, Collection.open("cranes", at=server.url) as other:
        assert docs.search(QUESTION, mode="dense")[0].place.startswith("12.txt")
        other.ingest([Document(text="A whale was seen.", source="new.txt")], root="shore")
        assert docs.search("A whale was seen.", mode="dense")[0].place == "shore: new.txt"
        other.delete(root="shore")
        assert other.search(QUESTION, mode="dense")[0].place.startswith("12.txt")


@pytest.mark.parametrize("style", ["alias", "earlier"])
def test_a_key_that_may_only_read_is_enough_for_searching_whatever_is_unfinished(style, monkeypatch):
    monkeypatch.setattr(copy_lease, "GONE_SECONDS", 0.1)
    monkeypatch.setattr(copy_lease, "LOOK_SECONDS", 0.02)
    with StandIn(key="all", read_only_key="reading") as server:
        monkeypatch.setenv("QDRANT_API_KEY", "all")
        fill(server.url, style)
        own = "cranes" if style == "earlier" else "cranes--1"
        with Collection.open("cranes", at=server.url) as docs:
            mark = {COPYING: {"by": "one who died", "host": "elsewhere", "program": "x", "process": 7, "beats": 1}}
            docs.engine.update_collection("cranes", metadata=mark)
            docs.engine.client.delete_payload_index(own, "root")
        monkeypatch.setenv("QDRANT_API_KEY", "reading")
        with Collection.open("cranes", at=server.url) as docs:
            assert docs.search(QUESTION, k=5, mode="dense")[0].source == "12.txt"
            assert (docs.count(), len(docs.documents()), len(docs.chunks("7.txt"))) == (60, 60, 1)
            assert docs.info()["copied_by"] == "x (process 7 on elsewhere)"
            assert docs.ingest([Document(text="new", source="n.txt")], dry_run=True).embedded == 0
            with pytest.raises(StoreError, match="QDRANT_API_KEY"):
                docs.index_field("team")


def test_a_collection_that_was_dropped_is_said_to_be_gone(server, monkeypatch):
    monkeypatch.setattr("qdrant_embed.operations.collection_handle.PAUSES", (0.01, 0.01))
    with Collection.open("cranes", at=server.url) as docs:
        assert Collection.drop("cranes", at=server.url)
        with pytest.raises(CollectionNotFoundError, match="there is no collection 'cranes' here"):
            docs.search(QUESTION, mode="dense")


def test_a_snapshot_that_was_restored_under_the_name_itself_is_what_the_name_leads_to(server):
    with Collection.open("cranes", at=server.url) as docs:
        kept = server.collections
        docs.engine.update_collection_aliases([])
        kept.aliases.clear()
        kept.stored["cranes"] = kept.stored.pop("cranes--1")  # its metadata say another name
        assert len(docs.search(QUESTION, mode="dense")) == 5
        docs.ingest([Document(text=QUESTION, source="new.txt")])
        assert {hit.source for hit in docs.search(QUESTION, k=2, mode="dense")} == {"12.txt", "new.txt"}


def test_a_token_for_the_name_alone_is_enough_for_searching_and_notices_a_switch(server):
    forbidden = "Forbidden: Access to collection cranes--1 is required"

    def refuse(asked):
        if asked.path.startswith("/collections/cranes--") and asked.headers.get("scoped"):
            raise RefusedError(403, forbidden)

    server.before.append(refuse)
    client = QdrantClient(url=server.url, check_compatibility=False, headers={"scoped": "yes"})
    with Collection.open("cranes", at=client) as docs, Collection.open("cranes", at=server.url) as other:
        before = docs.search(QUESTION, mode="dense")
        other.recompress("rotate+float16")
        assert [hit.source for hit in docs.search(QUESTION, mode="dense")] == [hit.source for hit in before]
        assert docs.recipe.compression == other.recipe.compression == "float16+rotate"
        assert docs.count() == 60
    client.close()


def test_nothing_is_changed_by_the_alias_which_not_every_call_of_a_server_takes(server):
    with Collection.open("cranes", at=server.url) as docs:
        docs.ingest([Document(text="A whale was seen.", source="new.txt")], root="shore")
        docs.delete(root="shore")
        docs.index_field("team")
        for compression in ("rotate+float16", "float16+rotate", "float16"):  # one of them in place
            docs.recompress(compression)
    changed = [asked for asked in server.requests if asked.split()[0] in ("PATCH", "PUT", "DELETE")]
    assert changed
    assert not [asked for asked in changed if asked.split()[1].split("/")[2] == "cranes"]
