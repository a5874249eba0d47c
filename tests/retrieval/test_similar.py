"""More like this, and by a vector, on each local engine."""

import numpy as np
import pytest

from qdrant_embed import Document
from qdrant_embed.errors import ConfigurationError

pytestmark = pytest.mark.anywhere


def test_passages_like_a_hit_without_it(harbour):
    hit = harbour.search("herring is landed", k=1)[0]
    found = harbour.similar(hit, k=3)
    assert hit.id not in {other.id for other in found}
    assert len(found) == 3
    assert found == harbour.similar(hit.id, k=3)
    assert found.to_pandas()["rank"].tolist() == [1, 2, 3]
    assert hit.place in found.title


@pytest.mark.folder
@pytest.mark.parametrize("compression", ["float32", "float16", "int8", "bits", "full+bits+rescore2", "256d+float16"])
def test_it_finds_the_twin_whatever_is_stored(make_collection, compression):
    docs = make_collection(compression=compression)
    texts = [f"Ship {number} carries cargo {number * 7} to port {number * 13}." for number in range(40)]
    docs.ingest([Document(text=text, source=text) for text in (*texts, f"{texts[7]} Indeed.")])
    (twin,) = docs.similar(docs.chunks(texts[7])[0], k=1)
    assert twin.text == f"{texts[7]} Indeed."
    assert twin.score > 0.7


def test_several_hits_are_taken_together(harbour):
    hits = harbour.search("keys", k=2)
    found = harbour.similar(hits, k=2, filter={"source": "guide/*"})
    assert not {hit.id for hit in hits} & {hit.id for hit in found}
    assert all(hit.source.startswith("guide/") for hit in found)


@pytest.mark.parametrize("harbour", ["memory"], indirect=True)
def test_passages_named_by_their_ids_are_fetched_in_one_request(harbour, monkeypatch):
    ids = [hit.id for hit in harbour.search("keys", k=4)]
    asked, retrieve = [], harbour.engine.retrieve

    def watched(name, wanted, **named):
        asked.append(len(wanted))
        return retrieve(name, wanted, **named)

    monkeypatch.setattr(harbour.engine, "retrieve", watched)
    one = harbour.similar(ids[:1], k=2)
    requests = len(asked)
    assert one
    found = harbour.similar([ids[0], harbour.get(ids[1]), *ids[2:]], k=2)
    assert not set(ids) & {hit.id for hit in found}
    # That of `get` is one more.
    assert len(asked) == 2 * requests + 1


def test_by_a_vector_as_by_its_question(harbour):
    vector = harbour.embedder.embed_queries(["cables of cranes"])[0]
    by_words = harbour.search("cables of cranes", k=3, mode="dense")
    for given in (vector, vector.tolist(), vector[None]):
        found = harbour.search_vector(given, k=3)
        assert [(hit.id, hit.score) for hit in found] == [(hit.id, hit.score) for hit in by_words]
    assert harbour.search_vector(vector, k=2, offset=1) == by_words[1:]


@pytest.mark.parametrize("vector", [[1.0], "text", None, [[1.0, 2.0], [3.0, 4.0]]])
def test_what_is_no_vector_is_refused(harbour, vector):
    with pytest.raises(ConfigurationError, match="a vector must be"):
        harbour.search_vector(vector)
    with pytest.raises(ConfigurationError, match="finite"):
        harbour.search_vector(np.full(harbour.embedder.dim, np.nan))


def test_nothing_to_be_like(harbour):
    with pytest.raises(ConfigurationError, match="nothing to be similar to"):
        harbour.similar([])
    with pytest.raises(ConfigurationError, match="no point"):
        harbour.similar("5b3c5f0e-6d6c-5c5e-9a53-1f0d8b8a4e51")


def test_search_by_a_hit_says_what_to_type(harbour):
    hit = harbour.search("keys", k=1)[0]
    with pytest.raises(ConfigurationError, match=r"docs\.similar\(hit\)"):
        harbour.search(hit)
