from collections import Counter

import pytest

from qdrant_embed.explore.chunk_statistics import chunk_statistics
from qdrant_embed.store.points import CHUNK_COUNT


@pytest.fixture
def counted(harbour):
    return chunk_statistics(harbour.parts, "harbour", lambda *_: None)


def test_lengths_are_those_of_the_model(harbour, counted):
    every = harbour.to_pandas()
    embedder = harbour.embedder
    around = embedder.max_tokens - embedder.chunk_budget
    lengths = [
        embedder.token_counter.count(f"{row.context}\n\n{row.text}" if row.context else row.text) + around
        for row in every.itertuples()
    ]
    tokens = counted["tokens"]
    assert counted["chunks"] == counted["total"] == len(lengths)
    assert (tokens["least"], tokens["most"]) == (min(lengths), max(lengths))
    assert tokens["mean"] == pytest.approx(sum(lengths) / len(lengths), abs=0.05)
    slow = [
        sum(low <= length < high for length in lengths)
        for low, high in zip(tokens["edges"], tokens["edges"][1:], strict=False)
    ]
    assert tokens["counts"] == slow


def test_documents_kinds_and_windows_are_counted(harbour, counted):
    every = harbour.to_pandas()
    assert counted["documents"] == every["document_id"].nunique()
    sizes = Counter(every["document_id"])
    assert counted["chunks_of_documents"]["most"] == max(sizes.values())
    assert sum(kind["chunks"] for kind in counted["kinds"]) == len(every)
    assert counted["windows"] == [{"windows": 1, "chunks": len(every)}]


def test_equal_texts_and_those_without_words_are_named(counted):
    assert counted["duplicates"]["texts"] == counted["duplicates"]["chunks"] == 1
    twins = counted["duplicates"]["most"][0]
    assert {twins["source"], *(one["source"] for one in twins["also"])} == {"twin1.txt", "twin2.txt"}
    assert [one["source"] for one in counted["wordless"]["first"]] == ["stars.txt"]


def test_a_document_that_was_cut_off_is_named_with_and_without_its_first_chunk(make_collection, counted):
    assert counted["unfinished"] == {"total": 0, "first": []}
    docs = make_collection(chunk_tokens=24)
    docs.ingest([{"text": "Rope is coiled.\n\n" * 30, "source": name} for name in "abc"], root="ropes")
    first = {name: docs.chunks(name)[0].id for name in "ab"}
    docs.engine.set_payload(docs.name, payload={CHUNK_COUNT: 0}, points=[first["a"]])
    docs.delete(ids=[first["b"]])
    found = chunk_statistics(docs.parts, docs.name, lambda *_: None)["unfinished"]
    assert found == {"total": 2, "first": [{"root": "ropes", "source": name} for name in "ab"]}


def test_of_a_sample_it_is_not_known_what_is_whole(harbour, monkeypatch):
    monkeypatch.setattr(type(harbour.parts.codec), "page", 2)
    found = chunk_statistics(harbour.parts, "harbour", lambda *_: None, most=2)
    assert (found["chunks"], found["total"], found["unfinished"]) == (2, harbour.count(), None)


def test_windows_are_counted_where_each_has_a_vector(make_collection):
    docs = make_collection(window="windows:8", chunker="document")
    docs.ingest([{"text": "one two three", "source": "short"}, {"text": "word " * 40, "source": "long"}])
    counted = chunk_statistics(docs.parts, docs.name, lambda *_: None)
    assert sum(one["chunks"] for one in counted["windows"]) == counted["chunks"] == docs.count()
