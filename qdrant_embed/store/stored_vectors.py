"""What training, exporting, calibrating and copying read of a collection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from qdrant_embed.store.collection_codec import CollectionCodec
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.points import WINDOWS, chunk_of
from qdrant_embed.store.scroll import dense_of, pages
from qdrant_embed.types import DENSE, FloatArray

if TYPE_CHECKING:
    from qdrant_client import models

PAGE = 1024


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of a collection's points, in the order of their ids."""

    ids: list[str]
    texts: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What a collection's vectors hold, in the order of the points' ids: one row a point, or one for each window.

    :param ids: (n) the point of each row.
    :param windows: (n) which window of its point a row is; None where points have one vector.
    :param texts: (n) what was embedded into each row; empty if that was not asked for.
    :param vectors: (n, width).
    """

    ids: list[str]
    windows: list[int] | None
    texts: list[str]
    vectors: FloatArray


def read_texts(engine: Engine, name: str) -> Texts:
    """Read the text of every point, and nothing of its vectors."""
    found = Texts([], [])
    for records in pages(engine, name, PAGE, fields=["text"]):
        found.ids.extend(str(record.id) for record in records)
        found.texts.extend(str((record.payload or {})["text"]) for record in records)
    return found


def vector_pages(
    engine: Engine,
    name: str,
    codec: CollectionCodec,
    *,
    vector: str = DENSE,
    fields: Sequence[str] | bool = False,
    most: int | None = None,
) -> Iterator[tuple[list[models.Record], FloatArray, list[int]]]:
    """Yield pages of points: what their vectors hold as it is stored, (rows, width), and how many rows each point has.

    :param most: Rows after which no page is read. Ids are hashes, so the first points are a random sample of all.
    """
    read = 0
    for records in pages(engine, name, codec.page, fields=fields, vectors=[vector]):
        rows, counts = dense_of(records, vector)
        yield records, rows, counts
        read += len(rows)
        if most is not None and read >= most:
            return


def read_rows(engine: Engine, name: str, codec: CollectionCodec, *, vector: str = DENSE, texts: bool = False) -> Rows:
    """Read one vector of every point, as it is stored.

    :param vector: Its name.
    :param texts: Read what was embedded too.
    """
    ids: list[str] = []
    windows: list[int] = []
    embedded: list[str] = []
    vectors: list[FloatArray] = []
    for records, rows, counts in vector_pages(engine, name, codec, vector=vector, fields=texts):
        vectors.append(rows)
        for record, count in zip(records, counts, strict=True):
            ids += [str(record.id)] * count
            windows += range(count)
            embedded += _window_texts(record.payload or {}, count) if texts else []
    return Rows(
        ids=ids,
        windows=windows if codec.windows else None,
        texts=embedded,
        vectors=np.concatenate(vectors) if vectors else np.zeros((0, codec.vector_codec.width), np.float32),
    )


def _window_texts(fields: dict[str, Any], count: int) -> list[str]:
    """Return what each window of a point read: the point's whole text where it has one window."""
    text, places = chunk_of(fields).embed_text, fields.get(WINDOWS)
    if not places:
        return [text] * count
    return [text[start:end] for start, end in zip(places[::2], places[1::2], strict=True)]
