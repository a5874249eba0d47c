"""What every embedder keeps to, whatever runs its weights.

    from qdrant_embed import load_embedder
    from qdrant_embed.testing import check_embedder

    def test_my_runtime():
        check_embedder(load_embedder("my-model", runtime="my-runtime"))

Plain functions that assert; `check_embedder` calls them all.
"""
# ruff: noqa: S101

from __future__ import annotations

import pickle
from bisect import bisect_right
from typing import Any

import numpy as np

from qdrant_embed.embedding import Embedder
from qdrant_embed.embedding.auxiliary import AuxiliaryEmbedder
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.types import FloatArray

TOLERANCE = 1e-5
_TOLERANCES = {"bf16": 0.03, "int8": 0.1}
"""Precision → what the numbers of a vector may differ by from batch to batch; a sum is rounded where its batch ends."""
TEXTS = (
    "w1 w2 w3.",
    "",
    "Master keys are rotated every ninety days by the harbour master.",
    " \n\t ",
    "w4",
    "統一 résumé ﷽ 🧪 \u0000 end",
    "w7 w8 w9 w10 w11 w12 " * 3,
    "w1 w2 w3.",
)
"""Short and long, empty and blank, several scripts, one text twice."""


def check_embedder(embedder: Embedder) -> None:
    """Assert everything that an embedder promises."""
    check_shape(embedder)
    check_empty_list(embedder)
    check_single_text_is_refused(embedder)
    check_order(embedder)
    check_batch_independence(embedder)
    check_unit_length(embedder)
    check_very_long_text(embedder)
    check_counts(embedder)
    check_pickle(embedder)


def check_shape(embedder: Embedder) -> None:
    """Require (n, dim) float32, finite, of both calls, also for empty and blank texts."""
    for vectors in (embedder.embed_documents(TEXTS), embedder.embed_queries(TEXTS)):
        assert vectors.shape == (len(TEXTS), embedder.dim), f"shape {vectors.shape}"
        assert vectors.dtype == np.float32, f"dtype {vectors.dtype}"
        assert np.isfinite(vectors).all(), "a vector holds something that is not a number"


def check_empty_list(embedder: Embedder) -> None:
    """Require no vectors, of the right width, for no texts."""
    for vectors in (embedder.embed_documents([]), embedder.embed_queries([])):
        assert vectors.shape == (0, embedder.dim), f"shape {vectors.shape}"
        assert vectors.dtype == np.float32, f"dtype {vectors.dtype}"


def check_single_text_is_refused(embedder: Embedder | AuxiliaryEmbedder[Any]) -> None:
    """Require an error for a string in place of a list: it would be read letter by letter."""
    for read in (embedder.embed_documents, embedder.embed_queries, embedder.count_documents):
        try:
            read("one text")
        except ConfigurationError as error:
            assert "list" in str(error), f"the message does not say what to give: {error}"
        else:
            raise AssertionError(f"{read.__name__} took a single string for a list of texts")


def check_order(embedder: Embedder) -> None:
    """Require vectors in the order of their texts, whatever the batches are sorted by."""
    forwards, backwards = embedder.embed_documents(TEXTS), embedder.embed_documents(TEXTS[::-1])
    _assert_close(embedder, forwards, backwards[::-1], "another order of texts")
    assert not np.allclose(forwards[0], forwards[2], atol=1e-3), "different texts got the same vector"


def check_batch_independence(embedder: Embedder) -> None:
    """Require the same vector of a text in company and alone."""
    together = embedder.embed_documents(TEXTS)
    alone = np.concatenate([embedder.embed_documents([text]) for text in TEXTS])
    _assert_close(embedder, together, alone, "batches of one")
    many = embedder.embed_documents(TEXTS * 8)
    _assert_close(embedder, np.tile(together, (8, 1)), many, "a large batch")


def check_unit_length(embedder: Embedder) -> None:
    """Require unit length where the preset says so."""
    if embedder.preset.normalize:
        lengths = np.linalg.norm(embedder.embed_documents(TEXTS), axis=1)
        assert np.allclose(lengths, 1.0, atol=TOLERANCE), f"lengths between {lengths.min()} and {lengths.max()}"


def check_very_long_text(embedder: Embedder) -> None:
    """Require one vector for a text of many windows, and unchanged ones for its neighbors."""
    long = "w5 w6 harbour " * embedder.max_tokens
    vectors = embedder.embed_documents(["w1", long, "w2"])
    assert vectors.shape == (3, embedder.dim), f"shape {vectors.shape}"
    assert np.isfinite(vectors).all(), "a vector holds something that is not a number"
    _assert_close(embedder, vectors[[0, 2]], embedder.embed_documents(["w1", "w2"]), "a long neighbor")


def check_counts(embedder: Embedder) -> None:
    """Require the same vectors of `encode_documents`, and that a text within the chunk budget is read in one pass."""
    encoded = embedder.encode_documents(TEXTS)
    _assert_close(embedder, encoded.vectors, embedder.embed_documents(TEXTS), "encode_documents")
    assert encoded.tokens >= sum(embedder.token_counter.count_batch(TEXTS)), f"{encoded.tokens} tokens were counted"
    assert 0 < embedder.chunk_budget <= embedder.max_tokens, f"chunk_budget {embedder.chunk_budget}"
    budget, count = embedder.chunk_budget, embedder.token_counter.count
    most = bisect_right(range(1, budget + 1), budget, key=lambda words: count(" ".join(["w1"] * words)))
    full = embedder.encode_documents([" ".join(["w1"] * most)])
    assert (full.truncated, full.windowed) == (0, 0), "a text that keeps to chunk_budget was cut"


def check_pickle(embedder: Embedder) -> None:
    """Require the same vectors of a copy made by pickle, which loads its own weights."""
    copy: Embedder = pickle.loads(pickle.dumps(embedder))  # noqa: S301 - our own object, made one line ago
    assert copy.fingerprint == embedder.fingerprint, "the copy has another fingerprint"
    _assert_close(embedder, embedder.embed_documents(TEXTS[:3]), copy.embed_documents(TEXTS[:3]), "a pickled copy")


def _assert_close(embedder: Embedder, expected: FloatArray, found: FloatArray, what: str) -> None:
    worst = float(np.abs(expected - found).max()) if expected.size else 0.0
    tolerance = _TOLERANCES.get(embedder.runtime.partition(":")[2], TOLERANCE)
    assert worst <= tolerance * max(1.0, float(np.abs(expected).max())), f"{what} changed vectors by {worst}"
