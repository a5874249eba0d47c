"""Whether hits have to name the ingested folder that they come from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from qdrant_embed.retrieval.hits import Hit
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.metadata import read_roots


class KnownRoots:
    """The ingested folders of a collection, as last heard of: a search does not ask for them again.

    :param labels: Those that its metadata named when they were read.
    """

    def __init__(self, engine: Engine, name: str, labels: Iterable[str]) -> None:
        self._engine, self._name = engine, name
        self._labels, self._met = set(labels), {"", *labels}

    def forget(self) -> None:
        """Ask again at the next hit: this handle has changed the collection."""
        self._met = set()

    def named(self, found: Sequence[Sequence[Hit]]) -> list[list[Hit]]:
        """Return lists of hits that say in their places which folder they are of, if the collection holds several."""
        roots = {hit.root for hits in found for hit in hits}
        if any(roots):
            if not roots <= self._met:
                self._labels = set(read_roots(self._engine, self._name))
                self._met = {"", *self._labels, *roots}
            if len(self._labels) > 1:
                return [[replace(hit, several_roots=True) for hit in hits] for hits in found]
        return list(map(list, found))
