"""What every sparse and multi-vector embedder keeps to.

    from qdrant_embed import load_sparse
    from qdrant_embed.testing import check_auxiliary

    def test_my_model():
        check_auxiliary(load_sparse("my-model"))

Plain functions that assert; `check_auxiliary` calls them all.
"""
# ruff: noqa: S101

from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import Any

import numpy as np

from qdrant_embed.embedding import SparseVector
from qdrant_embed.embedding.auxiliary import AuxiliaryEmbedder
from qdrant_embed.testing.conformance.embedders import TEXTS, TOLERANCE, check_single_text_is_refused
from qdrant_embed.types import FloatArray

Embedder = AuxiliaryEmbedder[Any]


def check_auxiliary(embedder: Embedder) -> None:
    """Assert everything that a sparse or multi-vector embedder promises."""
    check_form(embedder)
    check_empty_list(embedder)
    check_single_text_is_refused(embedder)
    check_order(embedder)
    check_batch_independence(embedder)
    check_very_long_text(embedder)
    check_pickle(embedder)


def check_form(embedder: Embedder) -> None:
    """Require one finite vector a text: terms ascending and once each, or unit vectors of the right width."""
    for vectors in (embedder.embed_documents(TEXTS), embedder.embed_queries(TEXTS)):
        assert len(vectors) == len(TEXTS), f"{len(vectors)} vectors for {len(TEXTS)} texts"
        for vector in vectors:
            if isinstance(vector, SparseVector):
                assert (np.diff(vector.indices) > 0).all(), "terms are not ascending, or stand twice"
                assert vector.values.dtype == np.float32
                assert not len(vector.indices) or vector.indices[-1] < embedder.dim
                assert np.isfinite(vector.values).all()
                assert vector.values.all(), "a weight is zero"
            else:
                assert vector.shape[1:] == (embedder.dim,) and len(vector), f"shape {vector.shape}"
                assert vector.dtype == np.float32
                lengths = np.linalg.norm(vector, axis=1)
                assert np.allclose(lengths, 1.0, atol=TOLERANCE), f"lengths between {lengths.min()} and {lengths.max()}"


def check_empty_list(embedder: Embedder) -> None:
    """Require no vectors for no texts."""
    assert len(embedder.embed_documents([])) == len(embedder.embed_queries([])) == 0


def check_order(embedder: Embedder) -> None:
    """Require vectors in the order of their texts, whatever the batches are sorted by."""
    for embed in (embedder.embed_documents, embedder.embed_queries):
        forwards = embed(TEXTS)
        assert_close(embedder, forwards, embed(TEXTS[::-1])[::-1], "another order of texts")
        first, other = (_flat(embedder, vector).mean(axis=0) for vector in (forwards[0], forwards[2]))
        assert not np.allclose(first, other, atol=1e-3), "different texts got the same vector"


def check_batch_independence(embedder: Embedder) -> None:
    """Require the same vector of a text in company and alone."""
    for embed in (embedder.embed_documents, embedder.embed_queries):
        together = embed(TEXTS)
        assert_close(embedder, together, [embed([text])[0] for text in TEXTS], "batches of one")
        assert_close(embedder, list(together) * 12, embed(TEXTS * 12), "a large batch")


def check_very_long_text(embedder: Embedder) -> None:
    """Require that nothing of a text of many windows is lost, and that its neighbors keep their vectors."""
    long = "w5 w6 harbour " * (4 * embedder.max_tokens)
    encoded = embedder.encode_documents(["w1", long, "w2"])
    assert (encoded.windowed, encoded.truncated) == (1, 0)
    assert encoded.tokens >= embedder.token_counter.count(long)
    neighbors = embedder.embed_documents(["w1", "w2"])
    assert_close(embedder, [encoded.vectors[0], encoded.vectors[2]], neighbors, "a long neighbor")


def check_pickle(embedder: Embedder) -> None:
    """Require the same vectors of a copy made by pickle, which loads its own weights."""
    copy: Embedder = pickle.loads(pickle.dumps(embedder))  # noqa: S301 - our own object, made one line ago
    assert copy.fingerprint == embedder.fingerprint, "the copy has another fingerprint"
    assert_close(embedder, embedder.embed_documents(TEXTS[:3]), copy.embed_documents(TEXTS[:3]), "a pickled copy")


def assert_close(embedder: Embedder, expected: Sequence[Any], found: Sequence[Any], what: str) -> None:
    """Require the same vectors, up to rounding."""
    assert len(expected) == len(found)
    for left, right in zip(expected, found, strict=True):
        one, other = _flat(embedder, left), _flat(embedder, right)
        assert one.shape == other.shape, f"{what} changed the number of vectors from {one.shape} to {other.shape}"
        worst = float(np.abs(one - other).max())
        assert worst <= TOLERANCE * max(1.0, float(np.abs(one).max())), f"{what} changed vectors by {worst}"


def _flat(embedder: Embedder, vector: SparseVector | FloatArray) -> FloatArray:
    """Return (rows, dim): a sparse vector as one row with its zeros."""
    if not isinstance(vector, SparseVector):
        return vector
    row = np.zeros((1, embedder.dim), np.float32)
    row[0, vector.indices] = vector.values
    return row
