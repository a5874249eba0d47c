"""What a folder holds: names, configuration, metadata and aliases, in one small JSON file, replaced atomically."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from qdrant_embed.display import reason
from qdrant_embed.errors import CollectionNotFoundError, StoreError
from qdrant_embed.types import Json

CATALOG_FILE = "catalog.json"
FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One collection.

    :param folder: Name of its folder under `shards`: a UUID, since a collection's name need not be a legal file name.
    :param config: `qdrant_client.models.CreateCollection` as JSON.
    """

    folder: str
    config: Mapping[str, Json]
    metadata: Mapping[str, Json] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """All collections and aliases of a folder; a value, changed by making another."""

    collections: Mapping[str, Entry] = field(default_factory=lambda: MappingProxyType({}))
    aliases: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def read(cls, folder: Path) -> Catalog:
        """Read a folder's catalog; an empty one if there is none yet.

        :raises StoreError: The file is damaged, or of a newer version of this library.
        """
        path = folder / CATALOG_FILE
        try:
            stored = json.loads(path.read_text(encoding="utf-8-sig"))
        except FileNotFoundError:
            return cls()
        except OSError as error:
            raise StoreError(f"{str(path)!r} cannot be read: {reason(error)}.") from error
        except (ValueError, RecursionError) as error:
            raise _damaged(path, str(error)) from error
        if isinstance(stored, dict) and isinstance(stored.get("format"), int) and stored["format"] > FORMAT:
            raise StoreError(
                f"{str(path)!r} is a catalog of format {stored['format']}, and this version of qdrant-embed reads "
                f"{FORMAT}. Type: pip install --upgrade qdrant-embed"
            )
        return _checked(path, stored)

    def write(self, folder: Path) -> None:
        """Replace the folder's catalog: after a crash, the old one or this one is there, whole."""
        path, fresh = folder / CATALOG_FILE, folder / f"{CATALOG_FILE}.new"
        content: dict[str, Any] = {
            "format": FORMAT,
            "collections": {name: asdict(entry) for name, entry in self.collections.items()},
            "aliases": dict(self.aliases),
        }
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(content, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        sync_folder(folder)

    def resolve(self, name: str) -> tuple[str, Entry]:
        """Return a collection's own name and entry, given its name or an alias.

        :raises CollectionNotFoundError: There is none; those that exist are named.
        """
        own = self.aliases.get(name, name)
        if own not in self.collections:
            there = ", ".join(sorted(self.collections)) or "none"
            raise CollectionNotFoundError(f"there is no collection {name!r} here; collections found: {there}.")
        return own, self.collections[own]

    def called(self, name: str) -> str:
        """Return what users call a collection in messages: by an alias, where it has one."""
        own = self.aliases.get(name, name)
        return min((alias for alias, to in self.aliases.items() if to == own), default=own)

    def __contains__(self, name: object) -> bool:
        """Tell whether a collection or an alias has this name."""
        return name in self.collections or name in self.aliases

    def with_entry(self, name: str, entry: Entry) -> Catalog:
        """Return a catalog in which the collection is as given."""
        return replace(self, collections={**self.collections, name: entry})

    def without(self, name: str) -> Catalog:
        """Return a catalog without the collection and its aliases."""
        return replace(
            self,
            collections={other: entry for other, entry in self.collections.items() if other != name},
            aliases={alias: target for alias, target in self.aliases.items() if target != name},
        )


def _checked(path: Path, stored: Any) -> Catalog:
    """Return what a catalog's file says, made sure to have the shape that it is written in.

    :raises StoreError: It has another one.
    """
    if not isinstance(stored, dict) or stored.get("format") != FORMAT:
        raise _damaged(path, f"it says nothing of format {FORMAT}")
    named, aliases = stored.get("collections"), stored.get("aliases")
    if not isinstance(named, dict) or not isinstance(aliases, dict):
        raise _damaged(path, "'collections' and 'aliases' are not both objects")
    entries = {}
    for name, entry in named.items():
        try:
            entries[name] = Entry(**entry)
        except TypeError:
            raise _damaged(path, f"the entry of {name!r} has other fields than folder, config and metadata") from None
        _require_types(path, name, entries[name])
    folders = [entry.folder for entry in entries.values()]
    if len(set(folders)) < len(folders):
        raise _damaged(path, "two collections have the same folder")
    # A name that leads nowhere names nothing, and hinders nobody.
    kept = {alias: own for alias, own in aliases.items() if isinstance(own, str) and own in entries}
    return Catalog(collections=entries, aliases=kept)


def _require_types(path: Path, name: str, entry: Entry) -> None:
    folder = entry.folder
    plain = isinstance(folder, str) and folder not in ("", ".", "..") and Path(folder).name == folder
    metadata = entry.metadata is None or isinstance(entry.metadata, dict)
    if not (plain and metadata and isinstance(entry.config, dict)):
        raise _damaged(path, f"the entry of {name!r} is of a wrong shape")


def _damaged(path: Path, how: str) -> StoreError:
    return StoreError(
        f"{str(path)!r} is damaged ({how}), or was written by a newer qdrant-embed. Restore it from a copy of the "
        "folder, or type: pip install --upgrade qdrant-embed"
    )


def sync_folder(folder: Path) -> None:
    """Bring renames inside a folder to disk (Windows does so by itself)."""
    if sys.platform != "win32":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
