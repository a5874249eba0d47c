"""Vectors kept on disk, so that a text which was embedded once costs no model time again, in any collection."""

from __future__ import annotations

import json
import logging
import os
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from functools import lru_cache
from pathlib import Path

import numpy as np

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.types import FloatArray, Json, digest

log = logging.getLogger(__name__)

EMBEDDINGS_VARIABLE = "QDRANT_EMBED_EMBEDDINGS"
"""Environment variable that names the file in which vectors are kept; none are if it is not set."""
Make = Callable[[Sequence[int]], Sequence[FloatArray]]
"""Places among the keys → their vectors (dim,)."""
WAIT = 30.0
"""Seconds for which another process may hold the file."""
_MADE = 1
"""To be raised when vectors made before are not to be trusted: until 1, weights could be random."""
_AT_ONCE = 500
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS vectors (model BLOB NOT NULL, text BLOB NOT NULL, vector BLOB NOT NULL, "
    "PRIMARY KEY (model, text)) WITHOUT ROWID"
)


class EmbeddingCache:
    """A SQLite file of vectors, float32, by model and by what the model reads; several processes may share it.

    What is kept is what comes out of the model, before windows are joined, dimensions cut and lengths made equal:
    collections that chunk or compress differently share it wherever their texts are the same.

    It saves time and is not needed: once it has been opened, whatever happens to the file (a full disk, a lock, a
    broken page) is warned of once, and vectors come from the model.

    :param path: The file; made if it is not there.
    :raises ConfigurationError: The file is no such memory, or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._warned = False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with closing(self._connect()) as connection, connection:
                connection.execute("PRAGMA journal_mode=WAL")
        except (sqlite3.Error, OSError) as error:
            raise ConfigurationError(
                f"vectors cannot be kept in {path}: {error}. Name another file in {EMBEDDINGS_VARIABLE}, or unset it."
            ) from error

    def recall(self, model: Mapping[str, Json], keys: Sequence[bytes], make: Make) -> list[FloatArray]:
        """Return a vector (dim,) for every key: what is known, and for the rest what `make` gives, which is kept.

        :param model: Everything that decides the vectors, JSON-ready.
        :param keys: Digests of what the model reads; equal ones are made once.
        """
        kept_under = digest(json.dumps({**model, "made": _MADE}, sort_keys=True, ensure_ascii=False).encode())
        found = self._get(kept_under, keys)
        missing = {key: place for place, key in enumerate(keys) if key not in found}
        if missing:
            made = make(list(missing.values()))
            fresh = dict(zip(missing, made, strict=True))
            self._put(kept_under, fresh)
            found |= fresh
        return [found[key] for key in keys]

    def _get(self, model: bytes, keys: Sequence[bytes]) -> dict[bytes, FloatArray]:
        found: dict[bytes, FloatArray] = {}
        distinct = list(dict.fromkeys(keys))
        try:
            with closing(self._connect()) as connection:
                for start in range(0, len(distinct), _AT_ONCE):
                    asked = distinct[start : start + _AT_ONCE]
                    marks = ",".join("?" * len(asked))
                    query = f"SELECT text, vector FROM vectors WHERE model = ? AND text IN ({marks})"  # noqa: S608 - marks
                    for key, blob in connection.execute(query, (model, *asked)):
                        found[key] = np.frombuffer(blob, np.float32)
        except sqlite3.Error as error:
            self._warn(error)
        return found

    def _put(self, model: bytes, vectors: Mapping[bytes, FloatArray]) -> None:
        rows = [(model, key, np.ascontiguousarray(vector, np.float32).tobytes()) for key, vector in vectors.items()]
        try:
            with closing(self._connect()) as connection, connection:
                connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", rows)
        except sqlite3.Error as error:
            self._warn(error)

    def _warn(self, error: sqlite3.Error) -> None:
        """Say once that the file fails; it is asked again all the same, since locks and full disks pass."""
        if not self._warned:
            self._warned = True
            log.warning(
                "%s fails (%s): no vector is lost, but some are not kept for the next time. Make room, or name another "
                "file in %s",
                self._path,
                error,
                EMBEDDINGS_VARIABLE,
            )

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=WAIT)
        try:
            connection.execute(_SCHEMA)
        except BaseException:
            connection.close()
            raise
        return connection


def cached_vectors(model: Mapping[str, Json], keys: Iterable[bytes], make: Make) -> FloatArray:
    """Return the vectors (n, dim) of all keys, from the file that the environment names, if it names one.

    :param model: Everything that decides the vectors, JSON-ready.
    """
    return np.stack(recalled_each(model, keys, make))


def recalled_each(model: Mapping[str, Json], keys: Iterable[bytes], make: Make) -> Sequence[FloatArray]:
    """As `cached_vectors`, for vectors that may differ in length."""
    named = os.environ.get(EMBEDDINGS_VARIABLE)
    listed = list(keys)
    if not named:
        return make(range(len(listed)))
    return _memory(Path(named).expanduser().absolute()).recall(model, listed, make)


_memory = lru_cache(maxsize=8)(EmbeddingCache)
