"""Everything that is done with a collection is done within each limit of a server's strict mode, with the same hits."""

import warnings

import pytest
from qdrant_client import QdrantClient, models

from qdrant_embed import Collection, Document, IngestOptions, Recipe
from qdrant_embed.errors import LimitError, LimitWarning
from qdrant_embed.store.client import persistence
from tests.support.server_stand_in import StandIn

LIMITS = {
    "small pages": {"max_query_limit": 10},
    "nothing exact": {"search_allow_exact": False},
    "shallow searches": {"search_max_hnsw_ef": 64, "search_max_oversampling": 1.0},
    "small and few writes": {
        "upsert_max_batchsize": 10, "search_max_batchsize": 1, "max_timeout": 1, "write_rate_limit": 20,
    },
    "few reads": {"read_rate_limit": 60},
    "few conditions": {"filter_max_conditions": 5},
    "few and small conditions": {"filter_max_conditions": 8, "condition_max_size": 2},
    "few indexes": {"max_payload_index_count": 2},
    "only what is indexed": {"unindexed_filtering_retrieve": False, "unindexed_filtering_update": False},
    "much at once": {
        "max_query_limit": 10, "search_allow_exact": False, "condition_max_size": 3, "search_max_batchsize": 2,
    },
}  # fmt: skip
WARNED = {
    "shallow searches": {"search_max_hnsw_ef=64", "search_max_oversampling=1.0"},
    "few indexes": {"max_payload_index_count=2"},
}
PAGES = IngestOptions(root="pages")
WORDS = (
    "anchor", "buoy", "chart", "dock", "ebb", "fender", "galley", "hull", "inlet", "jib", "keel", "lantern", "mast",
    "oar", "pier", "rope", "sail", "tide",
)  # fmt: skip
TEXTS = {
    f"log/{number}.md": f"# Day {number}\n\n{WORDS[number]} and rope\n\n## Night\n\nrope before {WORDS[-number - 1]}"
    for number in range(9)
}


@pytest.fixture
def server(monkeypatch):
    """Return a server with a clock that pauses move on."""
    waited = [0.0]
    with StandIn("1.19.0") as server:
        server.clock = lambda: waited[0]
        monkeypatch.setattr(persistence, "pause", lambda seconds: waited.append(waited.pop() + seconds))
        yield server


@pytest.fixture
def folder(tmp_path):
    for name, text in TEXTS.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


def made(server, name="docs", **limits):
    """Return a collection with one document, whose limits were set after it was made."""
    with Collection.open(name, at=server.url, recipe=Recipe(model="hashing", chunk_tokens=8)) as docs:
        docs.ingest([Document(text="first words about rope and tide", source="first", metadata={"team": "a"})])
    client = QdrantClient(server.url, check_compatibility=False)
    client.update_collection(name, strict_mode_config=models.StrictModeConfig(enabled=True, **limits))
    client.close()
    return Collection.open(name, at=server.url)


def steps(docs, folder):
    """Return what everything that can be done with a collection leads to."""
    found = {}
    report = docs.ingest(folder, options=PAGES)
    found["ingested"] = (report.embedded, report.failed, report.deleted)
    report = docs.ingest(folder, options=PAGES)
    found["ingested again"] = (report.embedded, report.reused, report.failed, report.deleted)
    (folder / "log/3.md").unlink()
    (folder / "log/4.md").write_text("# Day 4\n\nquay and rope")
    report = docs.ingest(folder, options=PAGES)
    found["changed"] = (report.embedded, report.deleted)
    for mode in ("hybrid", "dense"):
        for k in (3, 50):
            hits = docs.search("rope", k=k, mode=mode)
            found[mode, k] = [(hit.source, hit.chunk_index, round(hit.score, 4)) for hit in hits]
    found["neighbors"] = [hit.text for hit in docs.neighbors(docs.search("keel", k=1)[0])]
    found["sources"] = [hit.source for hit in docs.search("rope", k=3, filter={"source": ["log/1.md", "log/2.md"]})]
    found["info"] = docs.info()["chunks"]
    found["documents"] = sorted(document.source for document in docs.documents())
    found["compression"] = docs.recompress("float16+binary+rescore4").recipe.compression
    found["after"] = [hit.source for hit in docs.search("rope", k=5)]
    found["deleted"] = docs.delete("first"), docs.delete(filter={"source": ["log/1.md", "log/2.md"]})
    found["left"] = docs.count()
    return found


@pytest.fixture(scope="module")
def unlimited(tmp_path_factory):
    """Return what the steps lead to without limits."""
    folder = tmp_path_factory.mktemp("unlimited")
    (folder / "log").mkdir()
    for name, text in TEXTS.items():
        (folder / name).write_text(text)
    with StandIn("1.19.0") as server, made(server) as docs:
        return steps(docs, folder)


@pytest.mark.parametrize("limits", LIMITS)
def test_what_is_done_within_a_limit(server, folder, unlimited, limits):
    with warnings.catch_warnings(record=True) as caught, made(server, **LIMITS[limits]) as docs:
        warnings.simplefilter("always", LimitWarning)
        found = steps(docs, folder)
    assert found == unlimited
    said = [str(one.message) for one in caught if one.category is LimitWarning]
    assert len(said) == len(WARNED.get(limits, ())), said
    assert all(any(named in text for text in said) for named in WARNED.get(limits, ()))


def test_a_field_without_an_index_is_named_with_what_to_type(server):
    strict = {"unindexed_filtering_retrieve": False, "unindexed_filtering_update": False}
    with made(server, **strict) as docs:
        with pytest.raises(LimitError, match=r"collection\.index_field\('team'\).*--index team=keyword") as refused:
            docs.search("rope", filter={"team": "a"})
        assert refused.value.limit == "unindexed_filtering"
        docs.index_field("team")
        assert [hit.source for hit in docs.search("rope", filter={"team": "a"})] == ["first"]


def test_stages_of_a_search_are_asked_for_one_after_the_other(server):
    found = []
    for name, limits in (("free", {}), ("strict", LIMITS["much at once"])):
        with made(server, name, **limits) as docs:
            docs.ingest([Document(text=text, source=source) for source, text in TEXTS.items()])
            docs.recompress("128d!+full+rescore4")
            found.append([(hit.source, hit.score) for hit in docs.search("rope and keel", k=5, mode="dense")])
    assert found[0] == found[1]


def test_limits_that_change_are_noticed(server, folder):
    with made(server) as docs:
        docs.ingest(folder, options=PAGES)
        expected = [hit.id for hit in docs.search("rope", k=50)]
        client = QdrantClient(server.url, check_compatibility=False)
        tight = models.StrictModeConfig(enabled=True, max_query_limit=7, search_allow_exact=False, condition_max_size=1)
        client.update_collection("docs", strict_mode_config=tight)
        assert [hit.id for hit in docs.search("rope", k=50)] == expected
        assert docs.count() == len(expected)
        client.close()


def test_an_index_that_the_server_has_no_room_for_is_refused_by_name(server):
    with made(server, max_payload_index_count=2) as docs, pytest.raises(LimitError, match="max_payload_index_count=2"):
        docs.index_field("team")
