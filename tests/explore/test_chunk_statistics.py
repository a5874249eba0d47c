from collections import Counter

import pytest

from qdrant_embed.explore.chunk_statistics import chunk_statistics, unfinished


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


def test_a_sample_is_said_to_be_one(harbour):
    page = harbour.parts.codec.page
    assert page > harbour.count()
    assert unfinished(harbour.parts) == []


def test_windows_are_counted_where_each_has_a_vector(make_collection):
    docs = make_collection(window="windows:8", chunker="document")
    docs.ingest([{"text": "one two three", "source": "short"}, {"text": "word " * 40, "source": "long"}])
    counted = chunk_statistics(docs.parts, docs.name, lambda *_: None)
    assert sum(one["chunks"] for one in counted["windows"]) == counted["chunks"] == docs.count()
