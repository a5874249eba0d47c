"""Shortlists of learned codes that are corrected while they are read, in collections."""

import numpy as np
import pytest

from qdrant_embed import Document
from qdrant_embed.compression import Transform
from qdrant_embed.compression.binary_codes import pack_signs
from qdrant_embed.retrieval.binary.adaptive_rescoring import rescore_in_rounds
from qdrant_embed.store.filters import to_filter

WORDS = ("anchor", "beam", "crane", "dock", "eel", "fish", "gate", "hull", "iron", "jetty", "keel", "lamp", "mast")
QUESTIONS = ["crane dock fish", "iron jetty keel", "lamp mast gate", "hull anchor eel", "beam crane mast", "fish gate"]
SETTING = "full+bits+learned{bits}+rescore{times}"


def documents(count=240):
    rng = np.random.default_rng(11)
    texts = [" ".join(rng.choice(WORDS, rng.integers(2, 9))) + f" {place}" for place in range(count)]
    return [Document(text=text, source=f"{place:03}.txt", metadata={"even": place % 2 == 0}) for place, text in
            enumerate(texts)]  # fmt: skip


def code(collection, bits):
    """Return a code of drawn directions whose queries keep their numbers: wrong enough to be corrected."""
    matrix = np.random.default_rng(2).standard_normal((bits, collection.embedder.dim)).astype(np.float32)
    # Projections by drawn directions have the cosine as their mean.
    scale = np.float32(np.sqrt(np.pi / 2) / bits)
    return Transform(dim=collection.embedder.dim, matrix=matrix, query_matrix=matrix * scale)


def sources(hits):
    return [hit.source for hit in hits]


@pytest.fixture
def shortlists(collection, monkeypatch):
    """Return a list that fills with the ids each search ranks by whole vectors, and one of those read before."""
    ranked, read = [], []
    engine_retrieve, engine_query = collection.engine.retrieve, collection.engine.query_batch_points

    def retrieve(name, ids, **given):
        if given.get("with_vectors"):
            read.extend(ids)
        return engine_retrieve(name, ids, **given)

    def query_batch_points(name, requests):
        ranked.extend(ids_of(requests[0].filter))
        return engine_query(name, requests=requests)

    monkeypatch.setattr(collection.engine, "retrieve", retrieve)
    monkeypatch.setattr(collection.engine, "query_batch_points", query_batch_points)
    return ranked, read


def ids_of(condition):
    """Return the lists of ids that a filter names, those of filters inside it included."""
    if hasattr(condition, "has_id"):
        return [condition.has_id]
    return [ids for part in getattr(condition, "must", None) or () for ids in ids_of(part)]


def twin(collection, trained, question, wanted, filter_):
    """Return the sources that shall be ranked, found by arrays alone."""
    kept = [document for document in documents() if filter_ is None or document.metadata["even"]]
    vectors = collection.embedder.embed_documents([document.text for document in kept])
    asked = collection.embedder.embed_queries([question])
    signs = np.where(trained.rotate(vectors) > 0, np.float32(1), np.float32(-1))
    scores = signs @ trained.weigh(asked)[0]
    order = np.argsort(-scores, kind="stable")

    def read(places):
        found = vectors[order[places]]
        return places, found @ asked[0], trained.weigh(found)

    chosen = rescore_in_rounds(scores[order], pack_signs(signs[order]), trained.width, wanted, read)
    return {kept[place].source for place in order[chosen]}


@pytest.mark.parametrize("filter_", [None, {"even": True}])
@pytest.mark.parametrize("bits", [28, 64])
def test_collections_read_what_arrays_say(collection, shortlists, monkeypatch, bits, filter_):
    for name, value in (("DEPTH", 10), ("SPARE_FOR_TIES", 0)):  # few documents, of which not all are to be rescored
        monkeypatch.setattr(f"qdrant_embed.retrieval.lists.{name}", value)
    collection.ingest(documents())
    trained = code(collection, bits)
    setting = SETTING.format(bits=bits, times=4)
    collection.recompress(setting, trained=trained)
    collection.search(QUESTIONS[0], k=10, mode="dense", filter=filter_)
    assert collection.recompress(f"{setting}+rounds").in_place
    collection.search(QUESTIONS[0], k=10, mode="dense", filter=filter_)
    ranked, read = shortlists
    at_once, rounds = (set(source_of(collection, ids)) for ids in ranked)
    assert rounds == twin(collection, trained, QUESTIONS[0], 40, filter_)
    assert at_once != rounds
    # No vector is read for the last round but to be ranked, and none twice.
    assert (len(rounds), len(set(read)), len(read)) == (40, 30, 30)
    assert set(read) <= set(ranked[-1])


def source_of(collection, ids):
    return [record.payload["source"] for record in collection.engine.retrieve(collection.name, ids)]


def test_scores_are_the_models_own_and_hybrid_searches_go_on(collection):
    collection.ingest(documents())
    before = collection.search(QUESTIONS[0], k=5, mode="dense")
    collection.recompress(SETTING.format(bits=64, times=20) + "+rounds", trained=code(collection, 64))
    after = collection.search(QUESTIONS[0], k=5, mode="dense")
    assert [hit.score for hit in after] == pytest.approx([hit.score for hit in before], abs=1e-4)
    assert len(collection.search(QUESTIONS[0], k=5)) == 5


def test_points_that_are_gone_are_passed_over(collection):
    collection.ingest(documents())
    collection.recompress(SETTING.format(bits=64, times=4) + "+rounds", trained=code(collection, 64))
    best = collection.search(QUESTIONS[0], k=3, mode="dense")
    # As a writer that died before it could say so.
    gone = to_filter({"source": best[0].source})
    collection.engine.delete(collection.name, gone)
    left = collection.search(QUESTIONS[0], k=10, mode="dense")
    assert len(left) == 10
    assert best[0].source not in sources(left)


def test_windows_are_corrected_by_the_window_that_was_found(make_collection):
    collection = make_collection(window="windows:24", chunker="document")
    rng = np.random.default_rng(3)
    texts = [" ".join(rng.choice(WORDS, rng.integers(20, 90))) for _ in range(90)]
    collection.ingest([Document(text=text, source=f"{place}.txt") for place, text in enumerate(texts)])
    expected = [sources(collection.search(question, k=5, mode="dense")) for question in QUESTIONS]
    collection.recompress(SETTING.format(bits=64, times=5) + "+rounds", trained=code(collection, 64))
    found = [sources(collection.search(question, k=5, mode="dense")) for question in QUESTIONS]
    shares = [len(set(one) & set(other)) / 5 for one, other in zip(found, expected, strict=True)]
    assert np.mean(shares) > 0.6
    assert all(hit.window for hit in collection.search(QUESTIONS[0], k=5, mode="dense"))
