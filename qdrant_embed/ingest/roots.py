"""Which folder a source is relative to, remembered with the collection.

Two folders may hold a `README.md` each. Points therefore carry the *root* they were ingested under: a short label, by
default the folder's name. The collection remembers a hash of each root's place, so that the same label is never used
for two folders by accident (the second would delete the first one's documents), and no path of a user's machine is
sent to a server.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from qdrant_embed.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class RootLabel:
    """A label and the folder that sources under it are relative to."""

    label: str
    base: Path

    @property
    def place(self) -> str:
        """Hash of where the base is."""
        return place(self.base)

    def relative(self, folder: Path) -> str:
        """Return the prefix that turns a path relative to `folder` into one relative to the base: `""` or `"a/b/"`."""
        inside = folder.relative_to(self.base).as_posix()
        return "" if inside == "." else f"{inside}/"


def place(folder: Path) -> str:
    """Hash where a folder is."""
    return hashlib.blake2b(str(folder.resolve()).encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()


def resolve(folder: Path, label: str | None, stored: Mapping[str, str]) -> RootLabel:
    """Find the root that `folder` belongs to, or make a new one of it.

    :param label: What the user calls the root, None to take a known root that contains the folder, else its name.
    :param stored: label → place of every root that the collection knows.
    :raises ConfigurationError: The label is in use for another folder and was not given by the user.
    """
    folder = folder.resolve()
    if label is not None:
        return RootLabel(label, folder)
    labels = {where: name for name, where in stored.items()}
    for candidate in (folder, *folder.parents):
        if place(candidate) in labels:
            return RootLabel(labels[place(candidate)], candidate)
    name = folder.name or "root"
    if name in stored:
        raise ConfigurationError(
            f"the collection already holds a folder called {name!r} from another place. If it has moved, say so with "
            f"root={name!r} (--root {name}); to keep both, give this one a label of its own, e.g. root='{name}-2'."
        )
    return RootLabel(name, folder)


def refuse_nested(folder: Path, root: RootLabel, stored: Mapping[str, str]) -> None:
    """Refuse a folder that is ingested already as a root of its own: its documents would be there twice.

    :raises ConfigurationError: `folder` is another root's place.
    """
    where = place(folder)
    for label, known in stored.items():
        if known == where and label != root.label:
            raise ConfigurationError(
                f"the folder {folder.name!r} inside {root.base.name!r} was ingested before as a root of its own "
                f"({label!r}); its documents would be found twice. Remove them first: "
                f"collection.delete(root={label!r}) (qdrant-embed delete --root {label})."
            )
