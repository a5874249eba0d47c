"""Vectors kept on disk, so that a text which was embedded once costs no model time again, in any collection."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.types import FloatArray, Json

EMBEDDINGS_VARIABLE = "QDRANT_EMBED_EMBEDDINGS"
"""Environment variable that names the file in which vectors are kept; none are if it is not set."""
_AT_ONCE = 500
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS vectors (model BLOB NOT NULL, text BLOB NOT NULL, vector BLOB NOT NULL, "
    "PRIMARY KEY (model, text)) WITHOUT ROWID"
)


class VectorMemory:
    """A SQLite file of vectors, float32, by model and text; several processes may share it.

    What is kept is what comes out of the model, before dimensions are cut and lengths made equal: collections that
    compress differently share it.

    :param path: The file; made if it is not there.
    :param model: Everything that decides the vectors, JSON-ready.
    :raises ConfigurationError: The file is no such memory, or cannot be written.
    """

    def __init__(self, path: Path, model: Mapping[str, Json]) -> None:
        self._path = path
        self._model = _digest(json.dumps(model, sort_keys=True, ensure_ascii=False))
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with closing(self._connect()) as connection, connection:
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute(_SCHEMA)
        except (sqlite3.Error, OSError) as error:
            raise ConfigurationError(
                f"vectors cannot be kept in {path}: {error}. Name another file in {EMBEDDINGS_VARIABLE}, or unset it."
            ) from error

    def get(self, texts: Sequence[str]) -> dict[int, FloatArray]:
        """Return place → vector (dim,) of the texts that are known."""
        places: dict[bytes, list[int]] = {}
        for place, text in enumerate(texts):
            places.setdefault(_digest(text), []).append(place)
        found: dict[int, FloatArray] = {}
        with self._lock, closing(self._connect()) as connection:
            for keys in _slices(list(places)):
                marks = ",".join("?" * len(keys))
                query = f"SELECT text, vector FROM vectors WHERE model = ? AND text IN ({marks})"  # noqa: S608 - marks
                for key, blob in connection.execute(query, (self._model, *keys)):
                    found |= dict.fromkeys(places[key], np.frombuffer(blob, np.float32))
        return found

    def put(self, texts: Sequence[str], vectors: FloatArray) -> None:
        """Keep the vectors (n, dim) of texts."""
        rows = [
            (self._model, _digest(text), np.ascontiguousarray(vector, np.float32).tobytes())
            for text, vector in zip(texts, vectors, strict=True)
        ]
        with self._lock, closing(self._connect()) as connection, connection:
            connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", rows)

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=30.0)


def memory_file() -> Path | None:
    """Return the file that the environment names."""
    named = os.environ.get(EMBEDDINGS_VARIABLE)
    return Path(named).expanduser() if named else None


def _slices(keys: list[bytes]) -> Iterator[list[bytes]]:
    for start in range(0, len(keys), _AT_ONCE):
        yield keys[start : start + _AT_ONCE]


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=20).digest()
