"""From the bytes of an answer to vectors, believing nothing."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

import numpy as np

from qdrant_embed.runtimes.api.errors import MalformedResponseError
from qdrant_embed.types import FloatArray


def read_vectors(body: bytes, count: int, dim: int) -> FloatArray:
    """Return the vectors (count, dim) of an answer, float32, in the order of the texts that were sent.

    :raises Malformed: It is no JSON, holds no vectors, not `count` of them, not of `dim` dimensions, an index twice,
        or a value that is not a finite number.
    """
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        raise MalformedResponseError(f"the answer of {len(body)} bytes is not valid JSON") from None
    rows = _ordered(_rows(answer), count)
    vectors = np.empty((count, dim), np.float32)
    for place, row in enumerate(rows):
        vector = _vector(row)
        if vector.shape != (dim,):
            raise MalformedResponseError(
                f"a vector has {vector.size} dimensions where {dim} were expected; if the model gives that many, "
                f"write dim = {vector.size} into its preset"
            )
        vectors[place] = vector
    if not np.isfinite(vectors).all():
        raise MalformedResponseError("a vector holds a value that is not a finite number")
    return vectors


def _rows(answer: Any) -> list[tuple[int | None, Any]]:
    """Return index (where the answer has one) and vector of each row, in the order of the answer."""
    if isinstance(answer, dict) and isinstance(answer.get("data"), list):
        rows = answer["data"]
        if all(isinstance(row, dict) and "embedding" in row for row in rows):
            return [(row.get("index"), row["embedding"]) for row in rows]
    found = answer.get("embeddings") if isinstance(answer, dict) else None
    if isinstance(found, dict):
        found = found.get("float")
    if isinstance(found, list):
        return [(None, row) for row in found]
    raise MalformedResponseError("the answer holds no vectors")


def _ordered(rows: list[tuple[int | None, Any]], count: int) -> list[Any]:
    if len(rows) != count:
        raise MalformedResponseError(f"{len(rows)} vectors came for {count} texts")
    if all(index is None for index, _ in rows):
        return [row for _, row in rows]
    places = {index: row for index, row in rows if type(index) is int}
    if places.keys() != set(range(count)):
        raise MalformedResponseError(f"the answer's indices are not those of {count} texts, each once")
    return [places[place] for place in range(count)]


def _vector(row: Any) -> FloatArray:
    try:
        if isinstance(row, str):
            return np.frombuffer(base64.b64decode(row, validate=True), "<f4")
        numbers = np.array(row)
        if numbers.ndim == 1 and numbers.dtype.kind in "fiu":
            with np.errstate(over="ignore"):  # what becomes infinite is refused below
                return numbers.astype(np.float32)
    except (binascii.Error, ValueError):
        pass
    raise MalformedResponseError("a vector is neither a list of numbers nor base64 of 32 bit floats")
