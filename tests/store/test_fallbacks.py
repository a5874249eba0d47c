"""Prefixes on servers that cannot match them: the same answers as on those that can, and in a folder."""

from contextlib import nullcontext

import httpx
import pytest
from qdrant_client import models

from qdrant_embed import Collection, Document, Recipe
from qdrant_embed.errors import UnsupportedByEngineError
from tests.support.server_stand_in import StandIn

TEXTS = {
    "guide/keys.md": "Master keys are rotated every ninety days.",
    "guide/cranes/four.md": "Crane four lifts twelve tons.",
    "guide.md": "The guide has two parts.",
    "Guide/old.md": "The old guide.",
    "notes/fish.txt": "Herring is landed at pier two.",
}


BEGINNING_WITH_G = {"guide/keys.md", "guide/cranes/four.md", "guide.md"}


def document(source, text):
    return Document(text=text, source=source, metadata={"team": source.split("/")[0], "tags": [{"name": source}]})


def opened(at):
    docs = Collection.open("harbour", at=at, recipe=Recipe(model="hashing", chunk_tokens=24))
    docs.ingest([document(source, text) for source, text in TEXTS.items()], root="harbour")
    return docs


@pytest.fixture(scope="module", params=["1.18.3", "1.19.0", "1.20.0", "memory", "folder"])
def docs(request, tmp_path_factory):
    """Return a collection at a server of some version, in memory and in a folder; to be read only."""
    at = {"memory": ":memory:", "folder": tmp_path_factory.mktemp("q")}.get(request.param)
    with StandIn(request.param) if at is None else nullcontext() as server, opened(at or server.url) as docs:
        yield docs


@pytest.mark.parametrize(
    ("plain", "expected"),
    [
        ({"source": "guide/*"}, {"guide/keys.md", "guide/cranes/four.md"}),
        ({"source": "gui*"}, BEGINNING_WITH_G),
        ({"source": "guide/*.md"}, {"guide/keys.md", "guide/cranes/four.md"}),
        ({"source": "nowhere/*"}, set()),
        ({"source": {"not": "guide*"}}, {"Guide/old.md", "notes/fish.txt"}),
        ({"source": ["guide/*", "notes/fish.txt"]}, {"guide/keys.md", "guide/cranes/four.md", "notes/fish.txt"}),
        ({"team": "gu*"}, BEGINNING_WITH_G),
        ({"root": "harbour", "source": "notes/*"}, {"notes/fish.txt"}),
        ({"root": "nowhere", "source": "notes/*"}, set()),
        ({"text": {"words": "CRANE tons"}}, {"guide/cranes/four.md"}),
        ({"text": {"words": "ate"}}, set()),
        ({"text": {"phrase": "Two Parts"}}, {"guide.md"}),
        ({"text": {"phrase": "parts two"}}, set()),
        ({"team": {"words": "guide"}, "source": "guide/*"}, {"guide/keys.md", "guide/cranes/four.md"}),
        ({"not": {"text": {"words": "guide"}}}, {"guide/keys.md", "guide/cranes/four.md", "notes/fish.txt"}),
    ],
)
def test_filters_let_the_same_through(docs, plain, expected):
    assert {found.source for found in docs.documents(filter=plain)} == expected
    assert {hit.source for hit in docs.search("crane", k=10, filter=plain)} == expected
    assert docs.count(filter=plain) == len(expected)


def test_a_text_index_answers_by_itself():
    with StandIn("1.18.3") as server, opened(server.url) as docs:
        docs.index_field("team", "text")
        server.requests.clear()
        assert docs.count(filter={"team": {"words": "GUIDE"}}) == 4
        assert not any(asked.endswith("/points/scroll") for asked in server.requests)


@pytest.mark.parametrize("at", ["1.18.3", "1.20.0", "folder"])
@pytest.mark.parametrize("ordered", [True, False])
def test_a_text_index_finds_phrases(at, ordered, tmp_path):
    with (
        StandIn("1.20.0" if at == "folder" else at) as server,
        opened(tmp_path if at == "folder" else server.url) as docs,
    ):
        if ordered:
            docs.index_field("team", "text")
        else:
            docs.engine.create_payload_index("harbour", "metadata.team", models.PayloadSchemaType.TEXT)
        assert docs.count(filter={"team": {"phrase": "guide md"}}) == 1
        assert docs.count(filter={"team": {"phrase": "md guide"}}) == 0


def test_words_within_lists_are_refused_without_an_index():
    where = within("name", models.MatchText(text="fish"), "metadata.tags")
    said = r"metadata\.tags\[\]\.name' can only .* with a text index here: word match came with"
    with (
        StandIn("1.18.3") as server,
        opened(server.url) as docs,
        pytest.raises(UnsupportedByEngineError, match=said),
    ):
        docs.count(filter=where)


def test_deleting_by_a_prefix_leaves_the_rest():
    with StandIn("1.18.3") as server, opened(server.url) as docs:
        assert docs.delete("guide/*", dry_run=True) == docs.delete("guide/*") == 2
        assert {found.source for found in docs.documents()} == {"guide.md", "Guide/old.md", "notes/fish.txt"}


def within(key, match, nested=""):
    condition = models.FieldCondition(key=key, match=match)
    inner = models.Filter(must=[condition])
    if not nested:
        return inner
    return models.Filter(must=[models.NestedCondition(nested=models.Nested(key=nested, filter=inner))])


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (within("source", models.MatchPrefix(prefix="")), set(TEXTS)),
        (
            within("source", models.MatchSubstring(substring="uide/")),
            {"guide/keys.md", "guide/cranes/four.md", "Guide/old.md"},
        ),
        (within("name", models.MatchPrefix(prefix="no"), "metadata.tags"), {"notes/fish.txt"}),
        (
            models.Filter(
                must_not=within("source", models.MatchPrefix(prefix="guide")),
                min_should=models.MinShould(
                    conditions=[
                        models.FieldCondition(key="source", match=models.MatchPrefix(prefix=begins))
                        for begins in ("Gui", "Guide/", "notes")
                    ],
                    min_count=2,
                ),
            ),
            {"Guide/old.md"},
        ),
    ],
    ids=["all", "within", "nested", "combined"],
)
def test_so_do_filters_of_qdrant(docs, where, expected):
    assert {found.source for found in docs.documents(filter=where)} == expected


@pytest.mark.parametrize("version", ["1.18.3", "1.20.0"])
def test_a_part_of_a_folder_is_ingested_and_pruned(pages, version):
    recipe = Recipe(model="hashing")
    with StandIn(version) as server, Collection.open("harbour", at=server.url, recipe=recipe) as docs:
        docs.ingest(pages)
        (pages / "guide/keys.md").unlink()
        assert docs.ingest(pages / "guide").deleted == 1
        assert {found.source for found in docs.documents()} == {"index.md", "guide/cranes.md", "notes/fish.txt"}


def test_slices_are_refused_where_there_are_none():
    where = models.Filter(must=[models.SliceCondition(slice=models.Slice(total=4, index=1))])
    for version in ("1.18.3", "1.19.0"):
        with StandIn(version) as server, opened(server.url) as docs:
            if version == "1.19.0":
                assert docs.count(filter=where) < len(TEXTS)
                continue
            with pytest.raises(UnsupportedByEngineError, match=r"not to be had here: slices came with Qdrant 1\.19"):
                docs.count(filter=where)


def test_strict_mode_gets_conditions_of_its_size():
    with StandIn("1.18.3") as server, opened(server.url) as docs:
        allowed = {"enabled": True, "condition_max_size": 2, "filter_max_conditions": 6}
        httpx.patch(f"{server.url}/collections/harbour", json={"strict_mode_config": allowed}).raise_for_status()
        assert docs.count(filter={"source": "g*"}) == 3
        server.requests.clear()
        assert {hit.source for hit in docs.search("crane", k=9, filter={"source": "g*"})} == BEGINNING_WITH_G
        assert len([asked for asked in server.requests if asked.endswith("/facet")]) == 1, "once for an operation"
