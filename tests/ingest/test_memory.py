"""Long documents, one after the other: memory is that of a few of them, however many there are."""

import gc
import random
import re
import tracemalloc

import pytest

from qdrant_embed import Document, tokens
from qdrant_embed.ingest import changed_documents, chunk_stage, embed_stage, pipeline
from tests.support.tiny_models import SENTENCES, save_tiny_model

WORDS = sorted({word for word in re.findall("[a-z]{4,}", " ".join(SENTENCES))})
LENGTH = 300
"""Words of a document: some windows of the tiny model."""
LIMITS = (
    (chunk_stage, "BATCH_CHARACTERS", 2_000),
    (embed_stage, "RECENT_VECTORS", 64),
    (pipeline, "QUEUED_DOCUMENTS", 1),
    (pipeline, "QUEUED_BATCHES", 1),
    (changed_documents, "LOOK_UP_BATCH", 2),
    (tokens, "_REMEMBERED_TEXTS", 16),
    (tokens, "_REMEMBERED_CHARACTERS", 1_000),
)
"""What memory is bounded by, as much lower as these documents are shorter than those of 100 000 tokens."""


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return str(save_tiny_model(tmp_path_factory.mktemp("tiny"), "bert", max_tokens=64))


def documents(count, seed):
    """Yield documents that share no paragraph, each made when it is asked for."""
    for number in range(count):
        gc.collect()  # cycles that the collector has not met yet are not what grows
        words = random.Random(seed + number).choices(WORDS, k=LENGTH)
        yield Document(text=" ".join(words), source=f"{seed + number}.txt")


def peak_of(docs, count, seed):
    """Return the most bytes that Python and numpy held while so many documents were ingested."""
    gc.collect()
    gc.freeze()  # so that collections during the run are quick
    usual = gc.get_threshold()
    gc.set_threshold(700, 10, 10)  # as Python does unless it is told otherwise: what waits for it is memory, too
    tracemalloc.start()
    try:
        done = docs.ingest(documents(count, seed))
        return tracemalloc.get_traced_memory()[1], done
    finally:
        tracemalloc.stop()
        gc.set_threshold(*usual)


@pytest.mark.folder  # in memory, the points are what grows
@pytest.mark.parametrize("window", ["pcw", "windows", "late"])
def test_many_long_documents_take_no_more_memory_than_few(make_collection, model, monkeypatch, window):
    for module, name, lower in LIMITS:
        assert getattr(module, name) > lower
        monkeypatch.setattr(module, name, lower)
    chunks = {"chunk_tokens": 48} if window == "late" else {"chunker": "document"}
    docs = make_collection(model=model, window=window, **chunks)
    docs.ingest(documents(1, 900))  # what is loaded once
    few, done = peak_of(docs, 4, 0)
    peaks = []
    # How full the queues are at once depends on how threads take turns; what grows with the documents does each time.
    while not peaks or (min(peaks) >= 1.7 * few and len(peaks) < 3):
        peak, more = peak_of(docs, 13, 100 * (len(peaks) + 1))
        assert (done.windowed, more.windowed) == (4, 13)
        assert more.tokens > 3 * done.tokens > 6 * LENGTH
        peaks.append(peak)
    assert min(peaks) < 1.7 * few, f"{few:,} bytes for 4 documents, {peaks} for 13"
