"""Filters as people type them, in each place that takes one, on each local engine."""

from datetime import UTC, datetime

import pytest
from qdrant_client import models

from qdrant_embed.errors import ConfigurationError, FilterWarning
from tests.retrieval.conftest import NOTES

pytestmark = pytest.mark.anywhere

MODES = ("hybrid", "dense", "bm25")
ALL = {"lifts/four", "lifts/five", "canteen", "songs"}

CASES = {
    "equal": ({"source": "songs"}, {"songs"}),
    "prefix": ({"source": "lifts/*"}, {"lifts/four", "lifts/five"}),
    "any of": ({"source": ["songs", "canteen"]}, {"songs", "canteen"}),
    "any of, with a prefix": ({"source": ["songs", "lifts/*"]}, {"songs", "lifts/four", "lifts/five"}),
    "metadata": ({"team": "cranes"}, {"lifts/four", "lifts/five"}),
    "metadata, any of": ({"team": ["kitchen", "office"]}, {"canteen"}),
    "metadata, a list of tags": ({"tags": "food"}, {"canteen"}),
    "metadata, integer": ({"year": 2026}, {"lifts/five", "canteen"}),
    "metadata, boolean": ({"open": True}, {"lifts/four"}),
    "metadata, float": ({"load": 12.5}, {"lifts/four"}),
    "metadata, by its full name": ({"metadata.team": "cranes"}, {"lifts/four", "lifts/five"}),
    "range": ({"load": {"gt": 12.5}}, {"lifts/five"}),
    "range, both ends": ({"size": {"gte": 100, "lt": 2000}}, {"lifts/four"}),
    "time as text": ({"modified": {"gte": "2026-02-01"}}, {"lifts/five"}),
    "time": ({"modified": {"lt": datetime(2026, 2, 1, tzinfo=UTC)}}, {"lifts/four"}),
    "page": ({"page": {"gte": 1}}, {"canteen"}),
    "missing": ({"team": None}, {"songs"}),
    "not, of a field": ({"media_type": {"not": "text/html"}}, ALL - {"canteen"}),
    "not, any of": ({"source": {"not": ["songs", "canteen"]}}, {"lifts/four", "lifts/five"}),
    "not, a prefix": ({"source": {"not": "lifts/*"}}, {"canteen", "songs"}),
    "not, a filter": ({"not": {"team": "cranes", "year": 2026}}, ALL - {"lifts/five"}),
    "both": ({"team": "cranes", "year": 2026}, {"lifts/five"}),
    "any": ({"any": [{"team": "kitchen"}, {"team": None}]}, {"canteen", "songs"}),
    "all": ({"all": [{"year": 2026}, {"team": "kitchen"}]}, {"canteen"}),
    "nothing fits": ({"team": "divers"}, set()),
    "empty": ({}, ALL),
}


@pytest.mark.parametrize("mode", MODES)
def test_searches_see_only_what_a_filter_lets_through(notes, mode):
    for name, (plain, expected) in CASES.items():
        found = {hit.source for hit in notes.search("crane", k=10, filter=plain, mode=mode)}
        assert found == expected, name


def test_counts_documents_and_frames_see_the_same(notes):
    for name, (plain, expected) in CASES.items():
        assert {document.source for document in notes.documents(filter=plain)} == expected, name
        assert set(notes.to_pandas(filter=plain)["source"]) == expected, name
        assert notes.count(filter=plain) == len(notes.to_pandas(filter=plain)), name


@pytest.mark.parametrize("mode", MODES)
def test_a_filter_of_qdrant_works_as_it_is(notes, mode):
    condition = models.FieldCondition(key="metadata.team", match=models.MatchValue(value="cranes"))
    where = models.Filter(must=[condition], must_not=[models.HasIdCondition(has_id=[notes.chunks("lifts/four")[0].id])])
    assert [hit.source for hit in notes.search("crane", filter=where, mode=mode)] == ["lifts/five"]
    assert [document.source for document in notes.documents(filter=where)] == ["lifts/five"]
    assert notes.count(filter=where) == 1


def test_headings_are_a_field(harbour):
    hits = harbour.search("harbour", k=10, filter={"headings": "Keys"})
    assert {hit.source for hit in hits} == {"guide/keys.md"}


def test_a_filter_reaches_behind_the_best_k(collection):
    from qdrant_embed import Document

    loud = [
        Document(text=f"Herring, herring, herring number {number}.", source=f"loud/{number}") for number in range(30)
    ]
    collection.ingest([*loud, Document(text="A report that names herring once, far from the top.", source="quiet")])
    for mode in MODES:
        assert [hit.source for hit in collection.search("herring", k=1, filter={"source": "quiet"}, mode=mode)] == [
            "quiet"
        ]


@pytest.mark.parametrize(
    ("plain", "said"),
    [
        ("source=songs", "must be a dict"),
        (["songs"], "must be a dict"),
        ({"page": {"about": 3}}, "known: gt, gte, lt, lte, eq, not, words, phrase"),
        ({"page": {"gte": "three"}}, "numbers or ISO 8601 times"),
        ({"any": {"team": "cranes"}}, "takes a list of filters"),
        ({"any": []}, "takes a list of filters"),
        ({"not": {}}, "empty filter"),
        ({"team": object}, "cannot filter"),
    ],
)
def test_what_is_no_filter_is_refused_with_examples(notes, plain, said):
    for ask in (lambda: notes.search("crane", filter=plain), lambda: notes.count(filter=plain)):
        with pytest.raises(ConfigurationError, match=said):
            ask()


@pytest.mark.parametrize("where", [{"taem": "cranes"}, {"any": [{"taem": "cranes"}, {"source": "nowhere"}]}])
def test_a_field_that_no_document_has_is_warned_of_wherever_nothing_is_found(make_collection, where):
    docs = make_collection(at=":memory:", chunk_tokens=24)
    docs.ingest(NOTES)
    hit = docs.chunks("songs")[0]
    vector = docs.embedder.embed_queries(["crane"])[0]
    asked = [
        lambda given: docs.search("crane", filter=given),
        lambda given: docs.search_vector(vector, filter=given),
        lambda given: docs.similar(hit, filter=given),
        lambda given: docs.similar([hit, hit.id], filter=given),
        lambda given: docs.documents(filter=given),
        lambda given: docs.to_pandas(filter=given),
        lambda given: docs.count(filter=given),
        lambda given: docs.delete(filter=given, dry_run=True),
        lambda given: docs.delete("*", filter=given),
    ]
    for ask in asked:
        with pytest.warns(FilterWarning, match="has a field 'taem', .*did you mean 'team'") as told:
            ask(where)
        assert [warning.filename for warning in told] == [__file__]
        ask({"team": "divers"})  # a field that there is, with a value that is not, is no mistake
    assert docs.count() == len(ALL)
