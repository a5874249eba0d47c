"""What is measured of a collection: its texts, and the vectors of its first points, whose ids are hashes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qdrant_embed.display import counted
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.evaluation.drawn_questions import StoredText
from qdrant_embed.store.collection_codec import CollectionCodec
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.scroll import PAGE, pages
from qdrant_embed.store.stored_vectors import vector_pages
from qdrant_embed.types import FloatArray

if TYPE_CHECKING:
    from qdrant_client import models

FEWEST = 50
_FIELDS = ("text", "source", "title", "headings", "chunk_index")


@dataclass(frozen=True, slots=True)
class CollectionSample:
    """Points: all their vectors as the model gave them, how many each has, and its text."""

    vectors: FloatArray
    counts: list[int]
    texts: list[StoredText]

    def in_order(self) -> CollectionSample:
        """Return the points in the order of the corpus, in which searches give equal ones."""
        order = sorted(range(len(self.texts)), key=lambda place: (self.texts[place].source, self.texts[place].index))
        rows = np.split(self.vectors, np.cumsum(self.counts)[:-1])
        return CollectionSample(
            np.concatenate([rows[place] for place in order]),
            [self.counts[place] for place in order],
            [self.texts[place] for place in order],
        )


def sample_texts(engine: Engine, name: str) -> list[StoredText]:
    """Return the texts of all points."""
    return [text for records in pages(engine, name, PAGE, fields=_FIELDS) for text in _texts(records)]


def sample_vectors(engine: Engine, name: str, codec: CollectionCodec, most: int) -> CollectionSample:
    """Return points until they have so many vectors, all of them whole.

    :raises ConfigurationError: There are too few to compress, or no numbers any more.
    """
    vectors: list[FloatArray] = []
    counts: list[int] = []
    texts: list[StoredText] = []
    for records, rows, each in vector_pages(engine, name, codec, fields=_FIELDS, most=most):
        vectors.append(codec.raw(rows))
        counts += each
        texts += _texts(records)
    if len(texts) < FEWEST:
        raise ConfigurationError(
            f"collection {name!r} holds {counted(len(texts), 'chunk')}; fewer than {FEWEST} tell nothing about "
            "compression, and need none."
        )
    kept = max(FEWEST, int(np.searchsorted(np.cumsum(counts), most, side="right")))
    counts = counts[:kept]
    return CollectionSample(np.concatenate(vectors)[: sum(counts)], counts, texts[:kept])


def _texts(records: Sequence[models.Record]) -> list[StoredText]:
    return [
        StoredText(
            id=str(record.id),
            text=str(fields["text"]),
            source=str(fields["source"]),
            title=str(fields.get("title", "")),
            headings=tuple(fields.get("headings", ())),
            index=int(fields["chunk_index"]),
        )
        for record, fields in ((record, record.payload or {}) for record in records)
    ]
