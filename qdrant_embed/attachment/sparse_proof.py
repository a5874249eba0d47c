"""Proof that sparse vectors are what a model, or BM25, makes of the stored texts."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Literal

from qdrant_embed.attachment.foreign_layout import ForeignLayout
from qdrant_embed.attachment.model_proof import HANDFUL, LEAST
from qdrant_embed.attachment.payload_view import embedded_with_metadata, text_in
from qdrant_embed.embedding import SparseEmbedder
from qdrant_embed.embedding.bm25 import Bm25Encoder
from qdrant_embed.errors import RecipeMismatchError
from qdrant_embed.store.engine import Engine

LEAST_OF_WORDS = 0.9
"""Cosine of weights of terms above which both are BM25's: programs differ in what they take for a word."""

TermsOf = Literal["text", "node"]
"""The text alone, or a node of LlamaIndex with its metadata."""
Weights = Mapping[int, float]


def prove_bm25(engine: Engine, name: str, layout: ForeignLayout, language: str) -> TermsOf | None:
    """Return of what the sparse vectors of a collection are BM25's terms, by ids that this library's have too.

    None where they are something else.
    """
    encoder = Bm25Encoder(language)
    found = _agreements(engine, name, layout, lambda text: dict(zip(*encoder.encode_document(text), strict=True)))
    return next((of for of, least in found.items() if least >= LEAST_OF_WORDS), None)


def prove_sparse(engine: Engine, name: str, layout: ForeignLayout, model: SparseEmbedder) -> TermsOf:
    """Return of what a sparse model made the sparse vectors of a collection.

    :raises RecipeMismatchError: It did not make them.
    """

    def weights(text: str) -> Weights:
        (made,) = model.embed_documents([text])
        return dict(zip(made.indices.tolist(), made.values.tolist(), strict=True))

    found = _agreements(engine, name, layout, weights)
    for of, least in found.items():
        if least >= LEAST:
            return of
    figures = ", ".join(f"{least:.4f} of the {of}" for of, least in found.items()) or "no text has such a vector"
    raise RecipeMismatchError(
        f"the sparse model {model.preset.name!r} did not make the vectors {layout.sparse!r} of collection {name!r}: of "
        f"some stored texts, embedded again, the least cosine is {figures}; {LEAST} or more is expected. Name another "
        "one, or none: Collection.attach(…, model='…')."
    )


def _agreements(
    engine: Engine, name: str, layout: ForeignLayout, weights: Callable[[str], Weights]
) -> dict[TermsOf, float]:
    """Return the least cosine of stored sparse vectors with those that are made again, by what they are made of."""
    records, _ = engine.scroll(name, limit=HANDFUL, with_payload=True, with_vectors=[layout.sparse])
    found: dict[TermsOf, float] = {}
    for record in records:
        stored: Any = record.vector.get(layout.sparse) if isinstance(record.vector, dict) else None
        text = text_in(layout, record.payload or {})
        if stored is None or not stored.indices or not text:
            continue
        kept = dict(zip(stored.indices, stored.values, strict=True))
        found["text"] = min(found.get("text", 1.0), _cosine(kept, weights(text)))
        if layout.in_json:
            node = embedded_with_metadata(record.payload or {}, text)
            found["node"] = min(found.get("node", 1.0), _cosine(kept, weights(node)))
    return found


def _cosine(stored: Weights, made: Weights) -> float:
    shared = sum(weight * stored.get(term, 0.0) for term, weight in made.items())
    lengths = [math.sqrt(sum(weight * weight for weight in one.values())) for one in (stored, made)]
    return shared / (lengths[0] * lengths[1]) if all(lengths) else 0.0
