"""The map of a collection: which points it shows, where each stands, and what its groups are about."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from qdrant_embed.collection_parts import CollectionParts
from qdrant_embed.compression.binary_codes import unpack_signs
from qdrant_embed.explore.background_task import Report
from qdrant_embed.explore.map_cache import load_map, map_key, save_map
from qdrant_embed.explore.map_clusters import drawn_texts, groups_of, labels_of
from qdrant_embed.explore.neighbor_map import laid_out
from qdrant_embed.store.scroll import dense_of, pages, payloads_of
from qdrant_embed.types import DENSE, FloatArray, IntArray, Json

MOST_POINTS = 100_000
GRID = 65_535
"""Coordinates are whole numbers from 0 to this one, two bytes each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionMap:
    """Points of a collection in the plane.

    :param ids: Of its points, in the order of `places`.
    :param places: Where each stands (n, 2).
    :param groups: Number of the group of each (n,), the largest group first.
    :param labels: Words of each group, the most telling first.
    :param kept: Share of the nearest neighbors that are such in the map, too.
    :param total: Points of the collection; more than `ids` where a sample is shown.
    """

    ids: Sequence[str]
    places: FloatArray
    groups: IntArray
    labels: Sequence[Sequence[str]]
    kept: float
    total: int

    def as_dict(self) -> dict[str, Json]:
        """Return the map as JSON-ready values: `x` and `y` as little-endian 16-bit, `group` as 8-bit, in base64."""
        low = self.places.min(0, initial=0)
        extent = max(float((self.places.max(0, initial=0) - low).max()), 1e-9)
        grid = np.round((self.places - low) / extent * GRID).astype("<u2")
        return {
            "points": len(self.ids),
            "total": self.total,
            "kept": self.kept,
            "labels": [list(words) for words in self.labels],
            "x": _encoded(grid[:, 0]),
            "y": _encoded(grid[:, 1]),
            "group": _encoded(self.groups.astype(np.uint8)),
        }


def _encoded(numbers: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(numbers).tobytes()).decode()


def make_map(parts: CollectionParts, name: str, on: Report, most: int = MOST_POINTS) -> CollectionMap:
    """Return the map of a collection, laid out anew unless these points were already.

    Its points are the first ones by id; ids are hashes, so that these are a random sample.

    """
    on("reading the points", 0.0)
    ids = [str(one.id) for page in pages(parts.points, name, 4096) for one in page]
    total, ids = len(ids), sorted(ids)[:most]
    key = map_key(parts.generation.stored["fingerprint"], str(parts.codec.compression.points), ids)
    found = load_map(key, len(ids))
    if found is None:
        ids, vectors = read_vectors(parts, name, most, on)
        found = laid_out(vectors, on=lambda doing, done: on(doing, 0.1 + 0.85 * done))
        key = map_key(parts.generation.stored["fingerprint"], str(parts.codec.compression.points), ids)
        save_map(key, *found)
    places, kept = found
    on("naming its groups", 0.96)
    groups = groups_of(places)
    drawn = [[ids[one] for one in own] for own in drawn_texts(groups)]
    fetched = [payloads_of(parts.points, name, own, fields=["text"]).values() for own in drawn]
    texts = [[payload["text"] for payload in payloads] for payloads in fetched]
    labels = labels_of(texts, parts.bm25)
    return CollectionMap(ids=ids, places=places, groups=groups, labels=labels, kept=kept, total=max(total, len(ids)))


def read_vectors(parts: CollectionParts, name: str, most: int, on: Report) -> tuple[list[str], FloatArray]:
    """Return ids, sorted, and the unit vectors of their points (n, dim): of several windows, their mean.

    Of a collection that keeps nothing but signs (`bits`), -1 and 1 are taken for numbers: the distance of two such
    vectors grows with the number of signs that differ, which is how the collection itself finds what is near.
    """
    codec = parts.codec
    signs = codec.compression.datatype == "bits" and not codec.compression.full
    found: dict[str, FloatArray] = {}
    every = pages(parts.points, name, codec.page, vectors=[DENSE])
    for page in islice(every, -(-most // codec.page)):
        rows, held = dense_of(page)
        raw = np.asarray(
            unpack_signs(rows.astype(np.uint8), codec.vector_codec.bits) if signs else codec.raw(rows), np.float32
        )
        starts = np.concatenate([[0], np.cumsum(held)[:-1]])
        means = np.add.reduceat(raw, starts, axis=0) / np.asarray(held)[:, None]
        found.update(zip((str(record.id) for record in page), means.astype(np.float32), strict=True))
        on("reading the vectors", 0.1 * min(1.0, len(found) / most))
    ids = sorted(found)[:most]
    vectors = np.stack([found[one] for one in ids]) if ids else np.zeros((0, 1), np.float32)
    return ids, vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
