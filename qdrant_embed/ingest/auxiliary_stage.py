"""The vectors of auxiliary models, which stand beside the dense ones: from the collection, else from the models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from qdrant_client import models

from qdrant_embed.embedding.recipe_models import AuxiliaryModels
from qdrant_embed.ingest.chunk_stage import ChunkTask
from qdrant_embed.ingest.context import IngestContext
from qdrant_embed.ingest.embed_stage import WriteBatch
from qdrant_embed.ingest.monitoring.report import Tally
from qdrant_embed.ingest.vector_source import VectorSource
from qdrant_embed.store.points import engine_vector

RECENT_TEXTS = 1024
"""Texts whose vectors are kept at hand: a vector for each token is a hundred kilobytes for one text."""
NamedVectors = Mapping[str, Any]
"""Name of a vector → the vector, as engines store it."""


class AuxiliaryVectors:
    """The vectors of all auxiliary models, by name."""

    def __init__(self, auxiliary: AuxiliaryModels) -> None:
        self._models = auxiliary
        self.names, self.recent = list(auxiliary), RECENT_TEXTS

    def rows(self, made: NamedVectors) -> int:
        """Return how much of `recent` this takes: a text is one."""
        return 1

    def stored(self, record: models.Record) -> NamedVectors | None:
        """Return what a point has; None if it lacks the vector of some model."""
        stored = record.vector if isinstance(record.vector, dict) else {}
        if any(name not in stored for name in self.names):
            return None
        return {name: _as_made(stored[name]) for name in self.names}

    def encode(self, tasks: Sequence[ChunkTask]) -> tuple[Sequence[NamedVectors], Mapping[str, int]]:
        """Return what the models make of each text, and the counts of the report."""
        texts = [task.chunk.embed_text for task in tasks]
        found: list[dict[str, Any]] = [{} for _ in tasks]
        counts: Counter[str] = Counter()
        for name, model in self._models.items():
            encoded = model.encode_documents(texts)
            for vectors, vector in zip(found, encoded.vectors, strict=True):
                vectors[name] = engine_vector(vector)
            counts.update(encoded.counts)
        return found, counts


def with_auxiliary(target: IngestContext, batches: Iterable[WriteBatch], tally: Tally) -> Iterator[WriteBatch]:
    """Yield the batches with the vectors of all models; as they are where the recipe names only the dense one."""
    if not target.auxiliary:
        yield from batches
        return
    source = VectorSource(target, tally, AuxiliaryVectors(target.auxiliary))
    for batch in batches:
        with tally.busy("embed"):
            changed = [chunk.task for chunk in batch.chunks if chunk.vectors is not None]
            found, _ = source.vectors_of(changed)
            chunks = [
                chunk if chunk.vectors is None else replace(chunk, auxiliary=found[chunk.task.text_hash])
                for chunk in batch.chunks
                if chunk.vectors is None or chunk.task.text_hash in found
            ]
            incomplete = batch.incomplete | {task.document.id for task in changed if task.text_hash not in found}
        yield WriteBatch(chunks, batch.ends, incomplete)


def _as_made(stored: Any) -> Any:
    """Return a vector that an engine gave as it was handed over: vectors of tokens as an array."""
    return np.asarray(stored, np.float32) if isinstance(stored, list) else stored
