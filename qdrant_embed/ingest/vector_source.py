"""The vectors of texts: those at hand, else those that the collection has, else what a model makes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Generic, Protocol, TypeVar

from qdrant_client import models

from qdrant_embed.ingest.chunk_stage import ChunkTask, fail_chunk
from qdrant_embed.ingest.context import IngestContext, matching
from qdrant_embed.ingest.embed_retry import in_halves
from qdrant_embed.ingest.monitoring.report import Tally
from qdrant_embed.store.points import WINDOWS

V = TypeVar("V")


class VectorKind(Protocol[V]):
    """One kind of vectors: how they are read from points, and how they are made."""

    @property
    def names(self) -> Sequence[str]:
        """Names of the vectors in the collection."""

    recent: int
    """Rows kept at hand; what is in flight to the store is usually among them."""

    def rows(self, made: V) -> int:
        """Return how much of `recent` this takes."""

    def stored(self, record: models.Record) -> V | None:
        """Return what a point has; None if it lacks some of it."""

    def encode(self, tasks: Sequence[ChunkTask]) -> tuple[Sequence[V], Mapping[str, int]]:
        """Return what is made of each text, and the counts of the report.

        :raises ModelError: The model gave nothing.
        """


class VectorSource(Generic[V]):
    """Finds or makes one kind of vectors, for each distinct text once."""

    def __init__(self, target: IngestContext, tally: Tally, kind: VectorKind[V]) -> None:
        self._target, self._tally, self._kind = target, tally, kind
        self._recent: OrderedDict[str, V] = OrderedDict()
        self._rows = 0

    def vectors_of(self, tasks: Sequence[ChunkTask]) -> tuple[Mapping[str, V], int]:
        """Return the vectors by `text_hash`, and how many were made; chunks that have none are listed as failed."""
        texts = {task.text_hash: task for task in tasks}
        known = {key: self._recent[key] for key in texts if key in self._recent}
        known |= self._from_store([key for key in texts if key not in known])
        made, errors = self._from_model({key: task for key, task in texts.items() if key not in known})
        known |= made
        self._remember(known)
        for task in tasks:
            if task.text_hash in errors:
                fail_chunk(self._tally, task, "embedded", errors[task.text_hash])
        return known, len(made)

    def _from_store(self, keys: Sequence[str]) -> dict[str, V]:
        """Return the vectors of texts that some point, of any document, already has."""
        found: dict[str, V] = {}
        where = matching(text_hash=keys)
        for record in self._target.scroll(where, ["text_hash", WINDOWS], vectors=self._kind.names) if keys else ():
            stored = self._kind.stored(record)
            if stored is not None:
                found[(record.payload or {})["text_hash"]] = stored
        return found

    def _from_model(self, texts: Mapping[str, ChunkTask]) -> tuple[dict[str, V], dict[str, Exception]]:
        made: dict[str, V] = {}
        errors: dict[str, Exception] = {}

        def embed(keys: Sequence[str]) -> None:
            found, counts = self._kind.encode([texts[key] for key in keys])
            made.update(zip(keys, found, strict=True))
            self._tally.add(**counts)

        if texts:
            in_halves(list(texts), embed, errors.__setitem__)
        return made, errors

    def _remember(self, vectors: Mapping[str, V]) -> None:
        for key, made in vectors.items():
            if key not in self._recent:
                self._rows += self._kind.rows(made)
            self._recent[key] = made
            self._recent.move_to_end(key)
        while self._rows > self._kind.recent:
            self._rows -= self._kind.rows(self._recent.popitem(last=False)[1])
