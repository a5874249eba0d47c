"""Maps kept in the user's cache folder, so that the same points need not be laid out again."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from qdrant_embed.models.files.word_vectors import cache_folder
from qdrant_embed.types import FloatArray

KEPT = 16
"""Maps that are kept at the most; the one that was used longest ago goes first."""
METHOD = "3"
"""Another one, whenever the same vectors would be laid out otherwise."""


def map_key(fingerprint: str, compression: str, ids: Sequence[str]) -> str:
    """Return what names the map of points: an id says which text a point is of, the rest what was made of it."""
    digest = hashlib.blake2b(f"{METHOD}\n{fingerprint}\n{compression}\n".encode(), digest_size=16)
    for one in ids:
        digest.update(one.encode() + b"\n")
    return digest.hexdigest()


def load_map(key: str, points: int) -> tuple[FloatArray, float] | None:
    """Return the places (points, 2) and the share of neighbors kept that are there for a key; None if there are none.

    A file that is damaged, or another's, is passed over.
    """
    path = _place(key)
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as found:
            places, kept = np.asarray(found["places"], np.float32), float(found["kept"])
    except (OSError, ValueError, KeyError, EOFError, TypeError, BadZipFile):
        return None
    if places.shape != (points, 2) or not np.isfinite(places).all():
        return None
    with suppress(OSError):
        os.utime(path)
    return places, kept


def save_map(key: str, places: FloatArray, kept: float) -> None:
    """Keep a map for this user alone, and remove what is too many; a folder that cannot be written keeps none."""
    folder = _place(key).parent
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        number, unfinished = tempfile.mkstemp(dir=folder, suffix=".part")
        try:
            with os.fdopen(number, "wb") as file:
                np.savez(file, places=places, kept=kept)
            Path(unfinished).replace(_place(key))
        except BaseException:
            Path(unfinished).unlink(missing_ok=True)
            raise
        for old in sorted(folder.glob("*.npz"), key=lambda path: -path.stat().st_mtime)[KEPT:]:
            old.unlink(missing_ok=True)


def _place(key: str) -> Path:
    return cache_folder() / "maps" / f"{key}.npz"
