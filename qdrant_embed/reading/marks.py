"""Folders that hold no documents, told by what a program puts into each of its own: databases, caches, environments."""

from __future__ import annotations

import json
import os
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

from qdrant_embed.reading.contents import open_file

DATABASE = "data of a vector database"
CACHE_SIGNATURE = b"Signature: 8a477f597d28d172789f06886806bc55"
"""First bytes of a `CACHEDIR.TAG` (https://bford.info/cachedir/)."""


@dataclass(frozen=True, slots=True)
class _Database:
    """A kind of folder in which vectors are kept.

    :param marks: Names that such a folder always has.
    :param entries: Every name that the database itself puts into it; a folder's ends with `/`.
    """

    marks: frozenset[str]
    entries: frozenset[str]


_OURS = _Database(
    frozenset({"catalog.json", "shards"}), frozenset({"catalog.json", ".lock", "shards/", "attachments/"})
)
_DATABASES = (
    _OURS,
    # QdrantClient(path=…)
    _Database(frozenset({"meta.json", "collection", ".lock"}), frozenset({"meta.json", "collection/", ".lock"})),
    # The storage folder of a server, often mounted from the project's own folder.
    _Database(
        frozenset({"raft_state.json", "collections"}),
        frozenset({"raft_state.json", "collections/", "aliases/", "snapshots/", ".deleted/", ".qdrant_fs_check"}),
    ),
    # A single Qdrant Edge shard.
    _Database(
        frozenset({"edge_config.json", "segments"}),
        frozenset({"edge_config.json", "segments/", "wal/", "payload_index/"}),
    ),
)
_MARKS = frozenset().union(*(database.marks for database in _DATABASES), {".lock"})
_NPM = frozenset({".package-lock.json", ".modules.yaml", ".yarn-integrity", ".yarn-state.yml"})


def database_entries(folder: Path, names: AbstractSet[str]) -> frozenset[str]:
    """Return what a vector database keeps in a folder, empty if there is none in it.

    :param names: What the folder holds.
    """
    for database in _DATABASES:
        if database.marks <= names and (database is not _OURS or ".lock" in names or _is_catalog(folder)):
            return database.entries
    return frozenset()


def is_database_data(path: Path) -> bool:
    """Tell whether a file or folder is part of what a vector database keeps in a folder above it."""
    for above in path.parents:
        names = {name for name in _MARKS if os.path.lexists(above / name)}
        first = path.relative_to(above).parts[0]
        if {first, f"{first}/"} & database_entries(above, names):
            return True
    return False


def reason_not_to_read(folder: Path, names: AbstractSet[str]) -> str | None:
    """Say what a folder below the ingested one holds instead of documents, None if nothing says so.

    :param names: What the folder holds.
    """
    if database_entries(folder, names):
        return DATABASE
    if "CACHEDIR.TAG" in names and _starts_with(folder / "CACHEDIR.TAG", CACHE_SIGNATURE):
        return "cache (CACHEDIR.TAG)"
    if "pyvenv.cfg" in names:
        return "Python environment (pyvenv.cfg)"
    if "conda-meta" in names:
        return "conda environment (conda-meta)"
    if folder.name == "node_modules" and (_NPM & names or os.path.exists(folder.parent / "package.json")):  # noqa: PTH110
        return "packages of npm (node_modules)"
    return None


def _is_catalog(folder: Path) -> bool:
    try:
        with open_file(folder / "catalog.json") as stream:
            stored = json.load(stream)
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(stored, dict) and {"format", "collections"} <= set(stored)


def _starts_with(file: Path, signature: bytes) -> bool:
    try:
        with open_file(file) as stream:
            return stream.read(len(signature)) == signature
    except OSError:
        return False
