"""The third stage: batches of chunks get their vectors, from the collection where it has them, else from the model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

import numpy as np
from qdrant_client import models

from qdrant_embed.embedding import Embedder
from qdrant_embed.ingest.chunk_stage import ChunkBatch, ChunkTask, DocumentEnd
from qdrant_embed.ingest.context import IngestContext
from qdrant_embed.ingest.monitoring.report import Tally
from qdrant_embed.ingest.vector_source import VectorSource
from qdrant_embed.store.collection_codec import FIT_VECTORS, CollectionCodec
from qdrant_embed.store.points import CHUNK_COUNT, WINDOWS, payload
from qdrant_embed.store.scroll import vector_of
from qdrant_embed.types import DENSE, FloatArray, Json

RECENT_VECTORS = 4096
"""Vectors kept at hand, those of windows counted one by one."""


@dataclass(frozen=True, slots=True)
class ChunkVectors:
    """What the dense model made of a text.

    :param vector: (dim,), or (windows, dim) where each window has one.
    :param windows: Where windows stand, as in `store.points.WINDOWS`; empty where there is one.
    :param encoded: Whether the vector is as the store has it, not as the model gave it.
    """

    vector: FloatArray
    windows: Sequence[int] = ()
    encoded: bool = False


@dataclass(frozen=True, slots=True)
class EmbeddedChunk:
    """A chunk with its vectors.

    :param vectors: None where the collection holds exactly this point already.
    :param auxiliary: Vectors of auxiliary models by name, as engines store them.
    """

    task: ChunkTask
    vectors: ChunkVectors | None
    auxiliary: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WriteBatch:
    """What is written in one go.

    :param incomplete: Ids of documents of which some chunk could not be embedded.
    """

    chunks: Sequence[EmbeddedChunk]
    ends: Sequence[DocumentEnd]
    incomplete: frozenset[str]


class DenseVectors:
    """The vectors of the dense model."""

    names = (DENSE,)

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self.recent = RECENT_VECTORS

    def rows(self, made: ChunkVectors) -> int:
        """Return how much of `recent` this takes: each window counts."""
        return len(np.atleast_2d(made.vector))

    def stored(self, record: models.Record) -> ChunkVectors:
        """Return what a point has."""
        stored = np.asarray(vector_of(record, DENSE), np.float32)
        return ChunkVectors(stored, (record.payload or {}).get(WINDOWS, ()), encoded=True)

    def encode(self, tasks: Sequence[ChunkTask]) -> tuple[Sequence[ChunkVectors], Mapping[str, int]]:
        """Return the vectors of texts, and the counts of the report.

        :raises ModelError: The model gave none.
        """
        window = self._embedder.window.name
        texts = [task.chunk.embed_text for task in tasks]
        if window == "windows":
            windows = self._embedder.encode_windows(texts)
            made = [
                ChunkVectors(text.vectors, tuple(chain.from_iterable(text.spans)) if len(text.spans) > 1 else ())
                for text in windows.vectors
            ]
            return made, {"embedded": len(tasks), **windows.counts}
        if window == "late":
            late = self._embedder.encode_late_passages([task.passage for task in tasks if task.passage is not None])
            # What was read in several windows is a document here, and counted where documents are known.
            counts = {**late.counts, "windowed": 0, "late": len(tasks), "embedded": len(tasks)}
            return list(map(ChunkVectors, late.vectors)), counts
        encoded = self._embedder.encode_documents(texts)
        return list(map(ChunkVectors, encoded.vectors)), {"embedded": len(tasks), **encoded.counts}


def with_vectors(target: IngestContext, batches: Iterable[ChunkBatch], tally: Tally) -> Iterator[WriteBatch]:
    """Yield the batches with the vectors of the dense model; chunks that have none are left out."""
    source = VectorSource(target, tally, DenseVectors(target.embedder))
    for batch in batches:
        with tally.busy("embed"):
            unchanged = _unchanged(target, batch.tasks)
            changed = [task for task in batch.tasks if task.id not in unchanged]
            found, made = source.vectors_of(changed)
            chunks = [
                EmbeddedChunk(task, None if task.id in unchanged else found[task.text_hash])
                for task in batch.tasks
                if task.id in unchanged or task.text_hash in found
            ]
            incomplete = frozenset(task.document.id for task in changed if task.text_hash not in found)
            tally.add(reused=len(chunks) - made)
        yield WriteBatch(chunks, batch.ends, incomplete)


def _unchanged(target: IngestContext, tasks: Sequence[ChunkTask]) -> set[str]:
    """Return the ids of chunks that the collection holds exactly as they are."""
    doubtful = {task.id: task for task in tasks if task.stored}
    if not doubtful:
        return set()
    records = target.engine.retrieve(target.name, list(doubtful), with_payload=True, with_vectors=False)
    same = set()
    for record in records:
        task = doubtful[str(record.id)]
        stored: dict[str, Json] = dict(record.payload or {})
        for mark in (CHUNK_COUNT, WINDOWS):
            stored.pop(mark, None)
        if stored == payload(task.document, task.chunk, task.text_hash):
            same.add(task.id)
    return same


def encoded(codec: CollectionCodec, batches: Iterable[WriteBatch]) -> Iterator[WriteBatch]:
    """Yield the batches with every vector as the store will have it."""
    stream = iter(batches)
    if not codec.ready():
        # A rotation that is only drawn has nothing to wait for.
        held, vectors = _first(stream, FIT_VECTORS if codec.compression.fitted else 1)
        if vectors:
            codec.fit(np.concatenate(vectors))
        for batch in held:
            yield _encoded(codec, batch)
    for batch in stream:
        yield _encoded(codec, batch)


def _first(stream: Iterator[WriteBatch], wanted: int) -> tuple[list[WriteBatch], list[FloatArray]]:
    held: list[WriteBatch] = []
    vectors: list[FloatArray] = []
    for batch in stream:
        held.append(batch)
        vectors += [np.atleast_2d(made.vector) for made in _fresh(batch).values()]
        if sum(map(len, vectors)) >= wanted:
            break
    return held, vectors


def _fresh(batch: WriteBatch) -> dict[int, ChunkVectors]:
    """Return the vectors that came from the model, by the places of their chunks."""
    made = ((place, chunk.vectors) for place, chunk in enumerate(batch.chunks))
    return {place: vectors for place, vectors in made if vectors is not None and not vectors.encoded}


def _encoded(codec: CollectionCodec, batch: WriteBatch) -> WriteBatch:
    """Code the batch's fresh vectors; those that came from the store are as they shall be."""
    fresh = _fresh(batch)
    if codec.compression.plain or not fresh:
        return batch
    stored = iter(codec.stored_each([np.asarray(made.vector, np.float32) for made in fresh.values()]))
    vectors = {place: replace(made, vector=next(stored), encoded=True) for place, made in fresh.items()}
    chunks = [replace(chunk, vectors=vectors.get(place, chunk.vectors)) for place, chunk in enumerate(batch.chunks)]
    return replace(batch, chunks=chunks)
