"""Vectors of models beside the dense one: stored, reused by text, searched alone and together, on each local engine."""

import numpy as np
import pytest

from qdrant_embed import Collection, Document, Recipe
from qdrant_embed.embedding import MultiVectorEmbedder, SparseEmbedder
from qdrant_embed.errors import ConfigurationError, ModelError, RecipeMismatchError
from qdrant_embed.recipe import fingerprint
from qdrant_embed.store.points import chunk_of
from tests.support.tiny_encoders import save_colbert, save_splade
from tests.support.tiny_models import save_tiny_model

FIXED = {"strategy": "fixed", "length": 16}
QUESTION = "when are lost keys reported?"


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Return the recipe entries of a tiny SPLADE and a tiny ColBERT."""
    splade = save_splade(tmp_path_factory.mktemp("splade"))
    return {"sparse": str(splade), "multivector": str(save_colbert(tmp_path_factory.mktemp("c"), expansion=FIXED))}


@pytest.fixture
def harbour(make_collection, pages, models):
    collection = make_collection(chunk_tokens=24, **models)
    collection.ingest(pages)
    return collection


def stored(collection):
    found, _ = collection.engine.scroll("harbour", limit=100, with_vectors=True)
    return {record.payload["text"]: record.vector for record in found}


def count_calls(monkeypatch):
    calls = []
    for kind in (SparseEmbedder, MultiVectorEmbedder):

        def counted(self, texts, side, real=kind._pass):
            calls.append(side)
            return real(self, texts, side)

        monkeypatch.setattr(kind, "_pass", counted)
    return calls


def test_every_point_has_the_vectors_that_the_models_give(harbour):
    records, _ = harbour.engine.scroll("harbour", limit=100, with_vectors=True)
    assert len(records) == harbour.count() > 5
    texts = [chunk_of(record.payload).embed_text for record in records]
    weights, tokens = (harbour.parts.auxiliary[name].embed_documents(texts) for name in ("sparse", "multivector"))
    for record, sparse, vectors in zip(records, weights, tokens, strict=True):
        kept = record.vector
        order = np.argsort(kept["sparse"].indices)
        np.testing.assert_array_equal(np.array(kept["sparse"].indices)[order], sparse.indices)
        np.testing.assert_allclose(np.array(kept["sparse"].values)[order], sparse.values, rtol=1e-5)
        np.testing.assert_allclose(np.array(kept["multivector"]), vectors, atol=2e-3)  # kept in half precision


def test_a_second_ingest_runs_no_model(harbour, pages, monkeypatch):
    calls = count_calls(monkeypatch)
    report = harbour.ingest(pages)
    assert (report.embedded, report.failed, calls) == (0, (), [])


def test_a_text_that_some_point_has_is_not_embedded_again(make_collection, models, monkeypatch):
    collection = make_collection(**models)
    collection.ingest([Document(text="Crane four lifts twelve tons.", source="a")])
    calls = count_calls(monkeypatch)
    report = collection.ingest([Document(text="Crane four lifts twelve tons.", source="b")])
    assert (report.embedded, report.reused, calls) == (0, 1, [])
    one, other = (record.vector for record in collection.engine.scroll("harbour", with_vectors=True)[0])
    assert one["sparse"].values == other["sparse"].values
    np.testing.assert_allclose(one["multivector"], other["multivector"], atol=1e-3)


@pytest.mark.parametrize("engine_kind", ["folder", "memory"])
def test_every_mode_finds_and_filters(harbour):
    for mode in ("hybrid", "dense", "bm25", "sparse", "multivector"):
        hits = harbour.search(QUESTION, k=3, mode=mode)
        assert hits, mode
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
        only = harbour.search(QUESTION, k=9, mode=mode, filter={"source": "guide/*"})
        assert {hit.source for hit in only} <= {"guide/keys.md", "guide/cranes.md"}
        least = 0.999 * hits[0].score
        few, every = (harbour.search(QUESTION, k=9, mode=mode, min_score=score) for score in (least, None))
        assert few[0].id == hits[0].id
        assert list(few) == [hit for hit in every if hit.score >= least]


def test_scores_are_those_of_the_models(harbour):
    auxiliary, found = harbour.parts.auxiliary, stored(harbour)
    term = auxiliary["sparse"].embed_queries([QUESTION])[0]
    asked = dict(zip(term.indices.tolist(), term.values.tolist(), strict=True))
    for hit in harbour.search(QUESTION, k=5, mode="sparse"):
        kept = found[hit.text]["sparse"]
        dot = sum(asked.get(index, 0.0) * value for index, value in zip(kept.indices, kept.values, strict=True))
        assert hit.score == pytest.approx(dot, rel=1e-4)
    tokens = auxiliary["multivector"].embed_queries([QUESTION])[0]
    best = {text: (tokens @ np.array(vectors["multivector"]).T).max(axis=1) for text, vectors in found.items()}
    every = {text: float(cosines.sum()) for text, cosines in best.items()}
    for mode in ("multivector", "hybrid"):
        hits = harbour.search(QUESTION, k=5, mode=mode)
        assert [hit.score for hit in hits] == pytest.approx([every[hit.text] for hit in hits], rel=2e-3)
        assert hits[0].score == pytest.approx(max(every.values()), rel=2e-3)


def test_a_sparse_model_alone_is_fused(make_collection, pages, models):
    collection = make_collection(chunk_tokens=24, sparse=models["sparse"])
    collection.ingest(pages)
    fused = {hit.id for hit in collection.search(QUESTION, k=20)}
    assert {hit.id for hit in collection.search(QUESTION, k=20, mode="sparse")} <= fused
    top = collection.search(QUESTION, k=1)[0].score
    assert 0 < top <= 1
    assert collection.search(QUESTION, k=1, mode="rrf")[0].score <= 3 / 2, "three reciprocal ranks, of 1/2 at most each"
    with pytest.raises(ConfigurationError, match=r"no multivector vectors.*hybrid, rrf, dense, bm25, sparse"):
        collection.search(QUESTION, mode="multivector")


@pytest.mark.parametrize(
    ("compression", "engine_kind"),
    [("float16", "folder"), ("bits", "memory"), ("rotate+bits", "folder"), ("256d!+full+bits+rescore4", "memory")],
)
def test_a_copy_with_another_compression_carries_them_along(harbour, pages, monkeypatch, compression):
    before = stored(harbour)
    harbour.recompress(compression)
    after = {
        record.payload["text"]: record.vector
        for record in harbour.engine.scroll("harbour", limit=100, with_vectors=["sparse", "multivector"])[0]
    }
    assert before.keys() == after.keys()
    for text, vectors in after.items():
        assert vectors["sparse"].values == before[text]["sparse"].values
        np.testing.assert_allclose(vectors["multivector"], before[text]["multivector"], atol=1e-3)
    hybrid, tokens = (harbour.search(QUESTION, k=3, mode=mode) for mode in ("hybrid", "multivector"))
    assert [hit.text for hit in hybrid] == [hit.text for hit in tokens]
    calls = count_calls(monkeypatch)
    assert harbour.ingest(pages).embedded == 0
    assert calls == []


def test_signs_and_a_sparse_model_are_fused(make_collection, pages, models):
    collection = make_collection(chunk_tokens=24, sparse=models["sparse"], compression="bits")
    collection.ingest(pages)
    found = {hit.id for hit in collection.search(QUESTION, k=30)}
    lists = [collection.search(QUESTION, k=30, mode=mode) for mode in ("sparse", "bm25", "dense")]
    assert {hit.id for hits in lists for hit in hits} == found


@pytest.mark.parametrize("engine_kind", ["folder"])
def test_another_sparse_model_is_refused(harbour, models, tmp_path, location):
    other = save_splade(tmp_path / "other", pooling="sum")
    harbour.close()
    recipe = Recipe(model="hashing", chunk_tokens=24, sparse=str(other), multivector=models["multivector"])
    with pytest.raises(RecipeMismatchError, match="sparse"):
        Collection.open("harbour", at=location, recipe=recipe)


def test_what_a_multivector_model_ranks_again_keeps_its_confidence(harbour):
    hits = harbour.search(QUESTION, k=20, explain=True)
    assert 0 < hits.confidence < 1
    assert hits[0].explain().confidence == hits.confidence
    assert any(term.idf for hit in hits for term in hit.explain().terms)
    assert harbour.search(QUESTION, k=20, min_confidence=hits.confidence) == hits
    assert harbour.search(QUESTION, k=3, min_confidence=1.0) == []


@pytest.mark.folder
def test_other_weights_in_the_same_place_are_refused(make_collection, tmp_path):
    folder = save_colbert(tmp_path / "model", expansion=FIXED)
    collection = make_collection(multivector=str(folder))
    collection.ingest([Document(text="Crane four lifts twelve tons.", source="a")])
    collection.close()
    save_colbert(tmp_path / "model", dim=12, expansion=FIXED)
    with (
        Collection.open("harbour", at=tmp_path / "qdrant_data") as again,
        pytest.raises(RecipeMismatchError, match="dim"),
    ):
        again.search("crane")


def test_a_dense_model_as_a_sparse_one_creates_nothing(tmp_path):
    dense = save_tiny_model(tmp_path / "dense")
    with pytest.raises(ConfigurationError, match=r"is a dense model.*Recipe\(model="):
        Collection.open("harbour", at=tmp_path / "data", recipe=Recipe(model="hashing", sparse=str(dense)))
    with pytest.raises(ModelError):
        Collection.open("harbour", at=tmp_path / "data", recipe=Recipe(model="hashing", sparse="./nowhere"))


def test_a_text_that_a_model_cannot_read_is_listed(make_collection, models, monkeypatch):
    collection = make_collection(**models)
    real = SparseEmbedder._pass

    def fail(self, texts, side):
        if any("twelve" in text for text in texts):
            raise ModelError("it will not")
        return real(self, texts, side)

    monkeypatch.setattr(SparseEmbedder, "_pass", fail)
    texts = ["Crane four lifts twelve tons.", "Crane five lifts thirty tons."]
    documents = [Document(text=text, source=text[6:10]) for text in texts]
    report = collection.ingest(documents)
    assert [failure.source for failure in report.failed] == ["four"]
    assert "it will not" in report.failed[0].reason
    assert collection.count() == 1
    monkeypatch.setattr(SparseEmbedder, "_pass", real)
    assert collection.ingest(documents).failed == ()
    assert collection.count() == 2


def test_long_chunks_are_read_in_windows_by_every_model(make_collection, models):
    collection = make_collection(**models)
    report = collection.ingest([Document(text="harbour keys are counted " * 60, source="long")])
    assert report.windowed >= 2
    vector = collection.engine.scroll("harbour", with_vectors=["multivector"])[0][0].vector["multivector"]
    assert len(vector) > 64


def test_a_recipe_without_them_keeps_its_fingerprint(models):
    plain = Recipe(model="hashing")
    assert not {"sparse", "multivector"} & set(plain.as_dict())
    with_sparse = Recipe(model="hashing", sparse=models["sparse"])
    assert Recipe.from_dict(with_sparse.as_dict()) == with_sparse
    assert fingerprint(plain, {}) != fingerprint(with_sparse, {})
