"""BM25's terms in a text index, and as sparse vectors where an engine ranks by no text index."""

import math

import pytest

from qdrant_embed import Collection, Document, Recipe
from qdrant_embed.types import BM25, TERMS
from tests.support.server_stand_in import StandIn

TEXTS = ["cranes lift twelve tons", "cranes and crane drivers", "herring at the pier", "the pier of the harbour master"]
QUESTION = "crane drivers at the pier"


def opened(at):
    docs = Collection.open("notes", at=at, recipe=Recipe(model="hashing"))
    docs.ingest(Document(text=text, source=str(place)) for place, text in enumerate(TEXTS))
    return docs


def test_engines_rank_by_the_textbook(tmp_path):
    """Robertson and Zaragoza 2009, equation 3.15, k 1.6 and b 0.75, on stems without stop words."""
    stems = [["crane", "lift", "twelv", "ton"], ["crane", "crane", "driver"], ["her", "pier"],
             ["pier", "harbour", "master"]]  # fmt: skip
    asked, mean = ["crane", "driver", "pier"], sum(map(len, stems)) / 4

    def score(own):
        found = 0.0
        for term in asked:
            holders = sum(term in other for other in stems)
            idf = math.log(1 + (4 - holders + 0.5) / (holders + 0.5))
            often = own.count(term)
            found += idf * often * 2.6 / (often + 1.6 * (0.25 + 0.75 * len(own) / mean))
        return found

    for at in (tmp_path / "q", ":memory:"):
        with opened(at) as docs:
            hits = docs.search(QUESTION, k=4, mode="bm25")
            assert {hit.source: hit.score for hit in hits} == pytest.approx(
                {str(place): score(own) for place, own in enumerate(stems)}, rel=1e-4
            )
            assert BM25 not in (docs.engine.get_collection("notes").config.params.sparse_vectors or {})


def test_an_engine_without_text_ranking_keeps_vectors():
    with StandIn("1.19.0") as server, opened(server.url) as docs:
        assert BM25 in docs.engine.get_collection("notes").config.params.sparse_vectors
        (point,), _ = docs.engine.scroll("notes", limit=1, with_vectors=True)
        assert TERMS not in point.payload
        assert point.vector[BM25].indices
        assert docs.search(QUESTION, k=4, mode="bm25")[0].source == "1"
        assert docs.search(QUESTION, k=4)[0].source == "1"
        copied = docs.recompress("float16")
        assert not copied.in_place
        assert [hit.source for hit in docs.search(QUESTION, k=1, mode="bm25")] == ["1"]


def test_a_copy_keeps_its_terms(tmp_path):
    with opened(tmp_path / "q") as docs:
        before = docs.search(QUESTION, k=4, mode="bm25")
        docs.recompress("256d+float16")
        after = docs.search(QUESTION, k=4, mode="bm25")
        assert [(hit.source, hit.score) for hit in after] == [(hit.source, hit.score) for hit in before]
