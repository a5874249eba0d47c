"""Dimensions cut later give the vectors that a model of fewer dimensions gives, however they are compared."""

import numpy as np
import pytest

from qdrant_embed import Document
from qdrant_embed.calibration.trial import try_settings
from qdrant_embed.compression import Compression, VectorCodec
from qdrant_embed.evaluation.exact_search import exact_search
from tests.calibration.footprints import count_in_a_fork

TEXTS = [f"Crane {n} lifts {n * 7} tons of {['herring', 'cod', 'eel', 'hull'][n % 4]} at pier {n}." for n in range(60)]


@pytest.fixture(params=["dot", "euclid", "cosine"])
def make(request, tmp_path, monkeypatch, make_collection):
    """Return what opens collections whose model makes unit vectors and compares them by one distance or another."""
    presets = tmp_path / "presets.toml"
    presets.write_text(f'[models.hashing]\nnormalize = true\ndistance = "{request.param}"\n')
    monkeypatch.setenv("QDRANT_EMBED_PRESETS", str(presets))
    return make_collection


def vectors(collection):
    records, _ = collection.engine.scroll(collection.name, limit=100, with_vectors=True, with_payload=True)
    return {r.payload["source"]: {k: v for k, v in r.vector.items() if k != "bm25"} for r in records}


@pytest.mark.parametrize("compression", ["64d!", "64d!+full+rescore4"])
def test_a_recompressed_collection_holds_what_an_ingest_would_write(make, compression):
    documents = [Document(text=text, source=f"{n}.txt") for n, text in enumerate(TEXTS)]
    old, new = make("old"), make("new", compression=compression)
    old.ingest(documents)
    new.ingest(documents)
    old.recompress(compression)
    found, wanted = vectors(old), vectors(new)
    for source in wanted:
        for name, vector in wanted[source].items():
            np.testing.assert_allclose(found[source][name], vector, atol=1e-6)
    best, same = (found.search("cod at pier 8", k=1, mode="dense")[0] for found in (old, new))
    assert best.score == pytest.approx(same.score, abs=1e-5)


@pytest.mark.parametrize("distance", ["dot", "euclid"])
def test_parts_of_unit_vectors_are_unit_vectors_too_while_measured(distance, monkeypatch):
    """Of 4 dimensions the last 2 make vectors shorter, so that unless they are normalized anew others are nearest."""
    count_in_a_fork(monkeypatch)
    rng = np.random.default_rng(0)
    angles, shares = rng.uniform(0, np.pi, 80), rng.uniform(0.1, 1, 80)
    plane = np.stack([np.cos(angles), np.sin(angles)], 1)
    rest = np.sqrt(1 - shares**2)[:, None] * [[0.6, 0.8]]
    whole = np.concatenate([plane * shares[:, None], rest], 1).astype(np.float32)
    truth = exact_search(whole, whole[:5], 3, distance, normalize=True)
    [trial] = try_settings([Compression.parse("2d!")], truth)
    wanted = np.argsort(-(plane[:5] @ plane.T), axis=1)[:, :3]
    assert [list(places) for places in trial.found] == wanted.tolist()


@pytest.mark.parametrize(
    ("distance", "normalize", "unit"),
    [("dot", True, True), ("dot", False, False), ("euclid", True, True), ("cosine", False, True)],
)
def test_the_small_vector_beside_the_whole_one_is_of_unit_length_where_the_models_are(distance, normalize, unit):
    whole = np.random.default_rng(1).standard_normal((20, 8)).astype(np.float32)
    vector_codec = VectorCodec.start(Compression.parse("4d!+full+rescore2"), 8, distance, normalize=normalize)
    lengths = np.linalg.norm(vector_codec.encode(whole), axis=1)
    assert np.allclose(lengths, 1, atol=1e-6) == unit
