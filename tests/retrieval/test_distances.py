"""Models that do not compare by cosine: nearest first, and scores of which more is better, wherever they come out."""

import numpy as np
import pytest

from qdrant_embed import Document
from qdrant_embed.compression import Compression
from tests.support.tiny_models import save_tiny_model

WORDS = ("anchor", "beam", "crane", "dock", "eel", "fish", "gate", "hull", "iron", "jetty", "keel", "lamp", "mast")
QUESTIONS = ["crane dock fish", "iron jetty", "lamp mast gate gate"]
K = 10
EXACT = ("float32", "rotate", "128d!", "128d!+full+rescore8", "full+bits+rotate+rescore40")
COMPRESSIONS = (*EXACT, "uint8", "center+float16", "int8+rescore8")


@pytest.fixture(params=[("euclid", None), ("euclid", ":memory:"), ("dot", None)], ids=["euclid", "in memory", "dot"])
def compared(request, tmp_path, monkeypatch):
    """Let the model of hashed words compare its counts otherwise; return by what, and where collections live."""
    distance, at = request.param
    presets = tmp_path / "presets.toml"
    presets.write_text(f'[models.hashing]\nnormalize = false\ndistance = "{distance}"\n')
    monkeypatch.setenv("QDRANT_EMBED_PRESETS", str(presets))
    return distance, at


@pytest.fixture
def distance(compared):
    return compared[0]


def documents(count=60):
    """Return texts of very different lengths, so that by distance others are nearest than by cosine."""
    rng = np.random.default_rng(8)
    texts = [" ".join(rng.choice(WORDS, rng.integers(1, 12))) for _ in range(count)]
    return [Document(text=text, source=f"{place:02}.txt") for place, text in enumerate(texts)]


def wanted(collection, questions, distance):
    """Return (questions, documents) scores by the embedder alone: the slow twin."""
    vectors = collection.embedder.embed_documents([document.text for document in documents()])
    asked = collection.embedder.embed_queries(questions)
    if distance == "dot":
        return asked @ vectors.T
    return -np.linalg.norm(asked[:, None] - vectors[None], axis=2)


@pytest.fixture
def opened(compared, make_collection):
    distance, at = compared

    def make(compression, count=60):
        parsed = Compression.parse(compression)
        if at and parsed.code:
            pytest.skip("the engine in memory has no codes")
        if parsed.datatype == "uint8" and distance == "dot":
            pytest.skip("whole numbers keep no dot products")
        collection = make_collection(at=at, compression=compression)
        collection.ingest(documents(count))
        return collection

    return make


@pytest.mark.folder
@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_the_nearest_come_first_in_batches_too(opened, distance, compression):
    collection = opened(compression)
    scores = wanted(collection, QUESTIONS, distance)
    tolerance = 1e-4 if compression in EXACT else 0.2
    together = collection.search(QUESTIONS, k=K, mode="dense")
    for question, hits, row in zip(QUESTIONS, together, scores, strict=True):
        assert [hit.score for hit in hits] == pytest.approx(np.sort(row)[::-1][:K].tolist(), abs=tolerance)
        assert [hit.score for hit in hits] == pytest.approx([row[int(h.source[:2])] for h in hits], abs=tolerance)
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
        alone = collection.search(question, k=K, mode="dense")
        assert [hit.score for hit in alone] == pytest.approx([hit.score for hit in hits], abs=1e-4)


@pytest.mark.parametrize("compression", ["float32", "128d!+full+rescore8", "uint8"])
def test_min_score_keeps_what_is_nearer(opened, compression):
    collection = opened(compression)
    hits = collection.search(QUESTIONS[0], k=K, mode="dense")
    best, worst = hits[0].score, hits[-1].score
    line = (best + worst) / 2
    kept = collection.search(QUESTIONS[0], k=K, mode="dense", min_score=line)
    assert 0 < len(kept) < K
    assert kept == [hit for hit in hits if hit.score >= line]
    assert collection.search(QUESTIONS[0], k=K, mode="dense", min_score=best + 1) == []
    assert len(collection.search(QUESTIONS[0], k=K, mode="dense", min_score=worst - 1)) == K


@pytest.mark.parametrize("compression", ["float32", "uint8", "full+bits+rotate+rescore40"])
def test_the_nearest_are_first_in_the_list_that_is_fused(opened, compression):
    collection = opened(compression)
    question = documents()[7].text
    dense = collection.search(question, k=K, mode="dense")
    nearest = {hit.id for hit in dense if hit.score > dense[0].score - 1e-4}
    for mode in ("rrf", "hybrid"):
        fused = collection.search(question, k=60, mode=mode, explain=True)
        assert [hit.score for hit in fused] == sorted((hit.score for hit in fused), reverse=True)
        ranks = [
            part.rank for hit in fused if hit.id in nearest for part in hit.explain().lists if part.name == "dense"
        ]
        assert min(ranks) == 1


@pytest.mark.folder
@pytest.mark.parametrize(
    ("compared", "compression"),
    [(("dot", None), "rotate+binary"), (("euclid", None), "rotate+binary+query8"), (("dot", None), "rotate+binary2")],
    indirect=["compared"],
)
def test_codes_alone_keep_the_engines_order(opened, monkeypatch, compression):
    """Under a distance the engine's scores of sign codes are no distances, and neither rise nor fall throughout."""
    collection = opened(compression, count=300)
    answers, ask = [], collection.engine.rank
    monkeypatch.setattr(
        type(collection.engine), "rank", lambda engine, *asked: answers.append(ask(*asked)) or answers[-1]
    )
    hits = collection.search(QUESTIONS[0], k=200, mode="dense")
    theirs = {point.id: point.score for point in answers[0][0]}
    assert [theirs[hit.id] for hit in hits] == list(theirs.values())[:200]
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_the_llama_index_retriever_puts_the_nearest_first(opened, distance):
    collection = opened("float32")
    nodes = collection.as_retriever(k=4, mode="dense").retrieve(QUESTIONS[0])
    row = wanted(collection, QUESTIONS[:1], distance)[0]
    assert [node.score for node in nodes] == pytest.approx(np.sort(row)[::-1][:4].tolist(), abs=1e-4)


def test_windows_count_by_the_nearest(make_collection, compared):
    distance, at = compared
    collection = make_collection(at=at, window="windows:24", chunker="document")
    rng = np.random.default_rng(3)
    texts = [" ".join(rng.choice(WORDS, 60)) for _ in range(8)]
    collection.ingest([Document(text=text, source=f"{place}.txt") for place, text in enumerate(texts)])
    windows = [text.vectors for text in collection.embedder.encode_windows(texts).vectors]
    asked = collection.embedder.embed_queries(QUESTIONS[:1])[0]
    nearness = [(v @ asked).max() if distance == "dot" else -np.linalg.norm(v - asked, axis=1).min() for v in windows]
    hits = collection.search(QUESTIONS[0], k=4, mode="dense")
    assert [hit.score for hit in hits] == pytest.approx(sorted(map(float, nearness), reverse=True)[:4], abs=1e-4)
    assert all(hit.window for hit in hits)


def test_a_folder_of_sentence_transformers_says_how_it_compares(make_collection, tmp_path):
    from sentence_transformers import SentenceTransformer

    folder = save_tiny_model(tmp_path / "model", normalize=False)
    model = SentenceTransformer(str(folder), device="cpu")
    model.similarity_fn_name = "euclidean"
    model.save_pretrained(str(folder), create_model_card=False)
    collection = make_collection(model=str(folder))
    texts = ["crane four lifts twelve tons", "the night watch keeps the keys", "cod is landed at pier seven"]
    collection.ingest([Document(text=text, source=text) for text in texts])
    question = "who keeps the keys at night?"
    theirs = model.similarity(model.encode([question]), model.encode(texts))[0].tolist()
    hits = collection.search(question, k=3, mode="dense")
    assert [hit.score for hit in hits] == pytest.approx(sorted(theirs, reverse=True), abs=1e-3)
    assert [hit.source for hit in hits] == [texts[place] for place in np.argsort(theirs)[::-1]]
