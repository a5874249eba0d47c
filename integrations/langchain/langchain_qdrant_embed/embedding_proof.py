"""Proof that embeddings made the vectors of a collection: some stored texts are embedded again, and compared."""

from __future__ import annotations

from itertools import islice

from langchain_core.embeddings import Embeddings
from qdrant_client import models

from langchain_qdrant_embed.runtime import LEAST
from qdrant_embed import Collection, Hit
from qdrant_embed.errors import RecipeMismatchError

HANDFUL, LOOKED_AT = 3, 32
LEAST_OF_CODES = 0.9
"""Of vectors that are kept in fewer bits than the model gives."""


def require_same(collection: Collection, embeddings: Embeddings) -> None:
    """Refuse embeddings that did not make the vectors of a collection; one without points passes.

    :raises RecipeMismatchError: Texts embedded again are not near their vectors; the cosines are told.
    """
    records, _ = collection.parts.points.scroll(collection.name, limit=LOOKED_AT)
    texts = sorted(map(Hit.from_point, records), key=lambda hit: len(hit.text), reverse=True)
    chosen = list(islice((hit for hit in texts if hit.chunk_index == 0), HANDFUL))
    if not chosen:
        return
    made = embeddings.embed_documents([hit.text for hit in chosen])
    scores = [_score(collection, hit, vector) for hit, vector in zip(chosen, made, strict=True)]
    least = LEAST if collection.recipe.compression == "float32" else LEAST_OF_CODES
    if min(scores) < least:
        figures = ", ".join(f"{score:.4f}" for score in scores)
        raise RecipeMismatchError(
            f"these {type(embeddings).__name__} did not make the vectors of collection {collection.name!r}: "
            f"{len(scores)} stored texts, embedded again, have a cosine of {figures} with their vectors, where "
            f"{least} is the least. Give the embeddings that made them, or another name for a new collection."
        )


def _score(collection: Collection, hit: Hit, vector: list[float]) -> float:
    only = models.Filter(must=[models.HasIdCondition(has_id=[hit.id])])
    return next((found.score for found in collection.search_vector(vector, 1, filter=only)), 0.0)
