"""Which folder a source is relative to, remembered with the collection.

Two folders may hold a `README.md` each. Points therefore carry the *root* they were ingested under: a short label, by
default the folder's name. The collection remembers a hash of each root's place, so that the same label is never used
for two folders by accident (the second would delete the first one's documents), and no path of a user's machine is
sent to a server.
"""

from __future__ import annotations

import difflib
import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from types import MappingProxyType

from qdrant_embed.errors import ConfigurationError
from qdrant_embed.ingest.context import below
from qdrant_embed.reading.files import ReadOptions, Root, SourceFile, safe_name, walk
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.metadata import note_root, read_roots

GIVEN = "given"
"""Stands for the place of a root whose documents were handed over, and come from no folder."""
NAMED_AT_MOST = 5


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


class Roots:
    """The roots of a collection, as it remembers them.

    :param name: Name of the collection.
    """

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self._name = name

    def known(self) -> dict[str, str]:
        """Return label → place of every root."""
        return read_roots(self._engine, self._name)

    @contextmanager
    def holding(self, label: str, place: str, *, dry: bool) -> Iterator[None]:
        """Remember a root while something is ingested under it, and from then on.

        One that is new is forgotten again if the block fails before anything is stored under it: it would refuse
        another folder of its name for ever.

        :param dry: Whether to remember nothing.
        """
        before = {} if dry else self.known()
        if dry or before.get(label) == place:
            yield
            return
        note_root(self._engine, self._name, label, place)
        try:
            yield
        except BaseException:
            if label not in before and not self.holds(label, ""):
                note_root(self._engine, self._name, label, "")
            raise

    def require(self, label: str, place: str) -> None:
        """Refuse to remove anything where another program has given the label to another folder at the same time.

        :raises ConfigurationError: It has.
        """
        found = self.known().get(label)
        if found is None:  # another ingest of the folder failed, and forgot it
            note_root(self._engine, self._name, label, place)
        elif found != place:
            raise ConfigurationError(
                f"another program has ingested another folder as {label!r} at the same time; nothing was removed. Give "
                f"this one a label of its own, e.g. root='{label}-2'."
            )

    def holds(self, label: str, within: str) -> bool:
        """Tell whether there are documents of a root whose sources begin with a prefix."""
        where = below(self._engine, self._name, label, within)
        return self._engine.count(self._name, count_filter=where, exact=True).count > 0


def resolve(
    folder: Path, label: str | None, stored: Mapping[str, str], here: Mapping[str, RootLabel] = MappingProxyType({})
) -> RootLabel:
    """Find the root that `folder` belongs to, or make a new one of it.

    :param label: What the user calls the root, None to take a known root that contains the folder, else its name. A
        folder inside the known root of that label is a part of it.
    :param stored: label → place of every root that the collection knows.
    :param here: Roots that are ingested together with this one.
    :raises ConfigurationError: The label is in use for another folder and was not given by the user, or is that of
        documents that come from no folder.
    """
    folder = folder.resolve()
    if label is not None and stored.get(label) == GIVEN:
        raise ConfigurationError(
            f"the root {label!r} holds documents that come from no folder, and ingesting one under this label would "
            f"remove them. Give the folder another label, e.g. root='{label}-files'."
        )
    if label is not None:
        # A part of the root of that label stays one; else the root has moved here, or is new.
        base = next((above for above in folder.parents if place(above) == stored.get(label)), folder)
        return RootLabel(label, base)
    labels = {where: name for name, where in stored.items()}
    for candidate in (folder, *folder.parents):
        if place(candidate) in labels:
            return RootLabel(labels[place(candidate)], candidate)
    name = folder.name or "root"
    if name in here:
        raise two_of_a_name(name, here[name].base, folder)
    if name in stored:
        raise ConfigurationError(
            f"the collection already holds a folder called {name!r} from another place. If it has moved, say so with "
            f"root={name!r}; to keep both, give this one a label of its own, e.g. root='{name}-2'."
        )
    return RootLabel(name, folder)


def two_of_a_name(label: str, first: Path, second: Path) -> ConfigurationError:
    """Return the error for two folders that are ingested together and would have the same label."""
    parents = first.parent.name or "1", second.parent.name or "2"
    a, b = (f"{label}-{parent}" for parent in (parents if parents[0] != parents[1] else ("1", "2")))
    return ConfigurationError(
        f"two different folders would both be called {label!r}; the second would remove the documents of the first. "
        f"Give each a label of its own: '{a}={first}' '{b}={second}'."
    )


def refuse_nested(folder: Path, root: RootLabel, stored: Mapping[str, str]) -> None:
    """Refuse a folder that is ingested already as a root of its own: its documents would be there twice.

    :raises ConfigurationError: `folder` is another root's place.
    """
    where = place(folder)
    inside = "" if folder == root.base else f" inside {root.base.name!r}"
    for label, known in stored.items():
        if known == where and label != root.label:
            raise ConfigurationError(
                f"the folder {folder.name!r}{inside} is a root of its own ({label!r}); its documents "
                f"would be found twice. Leave one of the two out; or, if they are there already, remove them first: "
                f"collection.delete(root={label!r}) (qdrant-embed delete --root {quote(label)})."
            )


def refuse_inside(root: RootLabel, stored: Mapping[str, str], holds: Callable[[str, str], bool]) -> None:
    """Refuse a new root in a folder that is ingested already: its documents would be there twice.

    :param holds: As `Roots.holds`; a folder that the outer root leaves out may be a root of its own.
    :raises ConfigurationError: The collection has documents below it under another label.
    """
    labels = {where: label for label, where in stored.items() if label != root.label}
    for above in (root.base, *root.base.parents):
        label = labels.get(place(above))
        if label is None:
            continue
        within = RootLabel(label, above).relative(root.base)
        if holds(label, within):
            named = f"{within}*"
            raise ConfigurationError(
                f"the folder {root.base.name!r} stands in one that was ingested before as the root {label!r}; its "
                f"documents would be found twice. Leave the label {root.label!r} out to ingest it as a part of that "
                f"one. Or remove them first: collection.delete({named!r}, root={label!r}) (qdrant-embed delete --root "
                f"{quote(label)} --source {quote(named)}); and exclude {within!r} from that one from then on."
            )


def require_match(root: Root, options: ReadOptions) -> None:
    """Refuse a glob that matches no file that is read: a misspelled one would look like success.

    :raises ConfigurationError: Nothing matches; names that are like it, and what was passed over, are said.
    """
    if root.pattern is None:
        return
    passed_over: Counter[str] = Counter()
    for item in walk(root, options):
        if isinstance(item, SourceFile) or item.failed:
            return
        passed_over[item.reason] += 1
    names = sorted(safe_name(name) for name in os.listdir(root.folder))  # noqa: PTH208
    near = difflib.get_close_matches(root.pattern, names, n=NAMED_AT_MOST, cutoff=0.3) or names[:NAMED_AT_MOST]
    there = f" In {root.folder.name!r} there are: {', '.join(map(repr, near))}." if near else ""
    skipped = ", ".join(f"{count} {reason}" for reason, count in sorted(passed_over.items()))
    raise ConfigurationError(
        f"no file matches {root.pattern!r} in the folder {root.folder.name!r}"
        f"{f' (passed over: {skipped})' if skipped else ''}.{there} '**/' stands for any number of folders."
    )
