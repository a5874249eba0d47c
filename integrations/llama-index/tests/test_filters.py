"""`MetadataFilters`, operator by operator, against what the collection answers."""

import pytest
from llama_index.core.vector_stores import FilterCondition, FilterOperator, MetadataFilter, MetadataFilters
from llama_index.retrievers.qdrant_embed.filters import to_plain_filter

from qdrant_embed import Collection, Document, Recipe
from qdrant_embed.errors import ConfigurationError, FilterWarning

LEDGER = {
    "a": {"team": "crane", "tons": 4, "load": 0.5, "tags": ["red", "blue"], "day": "2026-01-05T00:00:00Z"},
    "b": {"team": "pilot", "tons": 8, "load": 1.5, "tags": ["red"], "day": "2026-02-05T00:00:00Z"},
    "c": {"team": "watch*", "tons": 12, "load": 2.5, "tags": [], "day": "2026-03-05T00:00:00Z"},
    "d": {},
}


@pytest.fixture(scope="module", params=["folder", "memory"])
def ledger(request, tmp_path_factory):
    """Return a collection of the entries, for all tests, which only read it."""
    at = ":memory:" if request.param == "memory" else tmp_path_factory.mktemp("ledger")
    with Collection.open("harbour", at=at, recipe=Recipe(model="hashing", chunk_tokens=24)) as collection:
        collection.ingest(
            Document(text=f"Entry {name} of the ledger.", source=name, metadata=metadata, page_starts=(0,) * number)
            for number, (name, metadata) in enumerate(LEDGER.items(), start=1)
        )
        yield collection


def found(collection, filters):
    nodes = collection.as_retriever(k=10, filter=filters, mode="bm25").retrieve("entry ledger")
    return "".join(sorted(node.metadata["source"] for node in nodes))


def one(key, value, operator):
    return MetadataFilters(filters=[MetadataFilter(key=key, value=value, operator=operator)])


@pytest.mark.parametrize(
    ("key", "operator", "value", "expected"),
    [
        ("team", "==", "crane", "a"),
        ("team", "==", "watch*", "c"),
        ("team", "==", "watc*", ""),
        ("tons", "==", 8, "b"),
        ("load", "==", 1.5, "b"),
        ("team", "!=", "crane", "bcd"),
        ("tons", ">", 4, "bc"),
        ("tons", ">=", 4, "abc"),
        ("tons", "<", 12, "ab"),
        ("load", "<=", 1.5, "ab"),
        ("day", ">=", "2026-02-01", "bc"),
        ("day", "<", "2026-02-01T00:00:00+00:00", "a"),
        ("team", "in", ["crane", "pilot"], "ab"),
        ("tons", "in", [4, 12], "ac"),
        ("load", "in", [0.5, 2.5], "ac"),
        ("team", "nin", ["crane", "pilot"], "cd"),
        ("tags", "any", ["blue", "green"], "a"),
        ("tags", "all", ["red", "blue"], "a"),
        ("tags", "contains", "red", "ab"),
        ("tags", "is_empty", None, "cd"),
        ("source", "==", "b", "b"),
        ("file_name", "in", ["a", "d"], "ad"),
        ("page_label", "==", "2", "b"),
        ("page_label", ">=", 3, "cd"),
        ("page_label", "in", ["1", "3"], "ac"),
    ],
)
def test_an_operator_keeps_what_it_says(ledger, key, operator, value, expected):
    assert found(ledger, one(key, value, FilterOperator(operator))) == expected


def test_conditions_combine_and_nest(ledger):
    crane = MetadataFilter(key="team", value="crane")
    heavy = MetadataFilter(key="tons", value=8, operator=FilterOperator.GTE)
    assert found(ledger, MetadataFilters(filters=[crane, heavy])) == ""
    assert found(ledger, MetadataFilters(filters=[crane, heavy], condition=FilterCondition.OR)) == "abc"
    neither = MetadataFilters(filters=[crane, heavy], condition=FilterCondition.NOT)
    assert found(ledger, neither) == "d"
    nested = MetadataFilters(filters=[neither, crane], condition=FilterCondition.OR)
    assert found(ledger, nested) == "ad"
    assert found(ledger, MetadataFilters(filters=[])) == "abcd"


def test_text_match_asks_for_the_words_of_the_field():
    plain = to_plain_filter(one("title", "harbour", FilterOperator.TEXT_MATCH))
    assert plain == {"all": [{"title": {"words": "harbour"}}]}


@pytest.mark.parametrize(
    ("operator", "value", "message"),
    [
        ("text_match_insensitive", "x", "no counterpart"),
        ("in", "crane", "expected a list"),
        ("all", "crane", "expected a list"),
        ("==", ["crane"], "FilterOperator.IN"),
        (">", "soon", "ISO 8601"),
        (">", ["2026-01-01"], "ISO 8601"),
    ],
)
def test_what_makes_no_sense_is_refused(operator, value, message):
    with pytest.raises(ConfigurationError, match=message):
        to_plain_filter(one("team", value, FilterOperator(operator)))


FILES = {
    "guide/keys.md": {},
    "notes/keys.md": {},
    "notes/fish.txt": {"file_name": "cod.docx", "file_path": "/mnt/cod.docx", "file_type": "application/msword"},
    "own": {"page_label": "iv"},
}


@pytest.fixture(params=["folder", "memory"])
def files(request, make_collection):
    collection = make_collection(at=":memory:" if request.param == "memory" else None)
    types = {".md": "text/markdown"}
    collection.ingest(
        Document(
            text=f"Entry of the ledger in {name}.",
            source=name,
            metadata=metadata,
            media_type=types.get(name[-3:], "text/plain"),
        )
        for name, metadata in FILES.items()
    )
    return collection


@pytest.mark.parametrize("key", ["file_name", "file_path", "file_type", "source", "page_label"])
def test_what_a_node_shows_can_be_filtered_by(files, key):
    """For every value that a node shows, the filter finds the nodes that show it, and its negation the others."""
    nodes = [found.node for found in files.as_retriever(k=10, mode="bm25").retrieve("entry ledger")]
    assert len(nodes) == len(FILES)
    for value in {node.metadata[key] for node in nodes if key in node.metadata}:
        same = "".join(sorted(node.metadata["source"] for node in nodes if node.metadata.get(key) == value))
        others = "".join(sorted(node.metadata["source"] for node in nodes if node.metadata.get(key) != value))
        assert found(files, one(key, value, FilterOperator.EQ)) == same
        assert found(files, one(key, [value], FilterOperator.IN)) == same
        assert found(files, one(key, value, FilterOperator.NE)) == others


def test_a_name_is_the_last_part_of_a_path_and_no_pattern(files):
    assert found(files, one("file_name", "keys.md", FilterOperator.EQ)) == "guide/keys.mdnotes/keys.md"
    for name in ("notes/keys.md", "*.md", "eys.md", "fish.txt"):
        assert found(files, one("file_name", name, FilterOperator.EQ)) == ""


def test_a_field_that_no_document_has_is_named(files):
    with pytest.warns(FilterWarning, match=r"'file_nam'.*did you mean 'file_name'"):
        assert found(files, one("file_nam", "keys.md", FilterOperator.EQ)) == ""
