"""Whether hits have to name the ingested folder that they come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from qdrant_embed.retrieval.hits import Hit
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.metadata import read_roots


def with_roots(engine: Engine, name: str, found: Sequence[Sequence[Hit]]) -> list[list[Hit]]:
    """Return lists of hits that say in their places which folder they are of, if the collection holds several."""
    if any(hit.root for hits in found for hit in hits) and len(read_roots(engine, name)) > 1:
        return [[replace(hit, several_roots=True) for hit in hits] for hits in found]
    return list(map(list, found))
