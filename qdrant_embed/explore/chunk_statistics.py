"""What the chunks of a collection are like: how long, how many windows, which are equal, which say nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np

from qdrant_embed.collection_parts import CollectionParts
from qdrant_embed.explore.background_task import Report
from qdrant_embed.store.points import CHUNK_COUNT
from qdrant_embed.store.scroll import pages, vector_of
from qdrant_embed.types import DENSE, Json, join_context

MOST_CHUNKS = 100_000
LISTED = 50
"""Of duplicates and of chunks without words, at the most."""
BINS = 24
_FIELDS = ("text", "context", "source", "root", "chunk_index", "text_hash", "document_id", "media_type", CHUNK_COUNT)
_SHOWN = 200
"""Characters of a text that is listed."""


def chunk_statistics(parts: CollectionParts, name: str, on: Report, most: int = MOST_CHUNKS) -> dict[str, Json]:
    """Return counts of the first chunks of a collection by id, up to `most` of them: ids are hashes."""
    tokens: list[int] = []
    windows: Counter[int] = Counter()
    documents = _Documents()
    kinds: Counter[str] = Counter()
    equal: dict[str, list[Mapping[str, Any]]] = {}
    wordless: list[Mapping[str, Any]] = []
    embedder = parts.embedder
    around = embedder.max_tokens - embedder.chunk_budget
    several = parts.codec.windows
    total = parts.points.count(name, exact=True).count
    for payloads, held in _pages(parts, name, most, several=several):
        texts = [join_context(one.get("context", ""), one["text"]) for one in payloads]
        tokens += [length + around for length in embedder.token_counter.count_batch(texts)]
        windows.update(held)
        documents.meet(payloads)
        kinds.update(one.get("media_type", "") or "unknown" for one in payloads)
        for one in payloads:
            equal.setdefault(one["text_hash"], []).append(_place(one))
            if not any(map(str.isalnum, one["text"])):
                wordless.append(_place(one))
        on("reading the chunks", min(1.0, len(tokens) / max(1, min(total, most))))
    twins = sorted((group for group in equal.values() if len(group) > 1), key=len, reverse=True)
    return {
        "chunks": len(tokens),
        "total": total,
        "documents": len(documents.chunks),
        "reads": embedder.max_tokens,
        "tokens": {**_spread(tokens), "longer": sum(one > embedder.max_tokens for one in tokens)},
        "chunks_of_documents": _spread(list(documents.chunks.values())),
        "windows": [{"windows": number, "chunks": often} for number, often in sorted(windows.items())],
        "kinds": [{"kind": kind, "chunks": often} for kind, often in kinds.most_common(12)],
        "duplicates": {
            "texts": len(twins),
            "chunks": sum(map(len, twins)) - len(twins),
            "most": [{"times": len(group), **group[0], "also": group[1:6]} for group in twins[:LISTED]],
        },
        "wordless": {"chunks": len(wordless), "first": wordless[:LISTED]},
        "unfinished": documents.unfinished() if total <= most else None,
    }


@dataclass(slots=True)
class _Documents:
    """The documents that chunks are of.

    :ivar chunks: By document, how many there are.
    :ivar whole: Documents of which a chunk says how many it has: the last thing that an ingest writes.
    """

    chunks: Counter[str] = field(default_factory=Counter)
    places: dict[str, tuple[str, str]] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)

    def meet(self, payloads: Sequence[Mapping[str, Any]]) -> None:
        """Count some chunks."""
        self.chunks.update(one["document_id"] for one in payloads)
        self.places.update((one["document_id"], (one.get("root", ""), one["source"])) for one in payloads)
        self.whole.update(one["document_id"] for one in payloads if one.get(CHUNK_COUNT))

    def unfinished(self) -> dict[str, Json]:
        """Return those that are not whole: an ingest was cut off there, or goes on."""
        found = sorted(place for document, place in self.places.items() if document not in self.whole)
        return {"total": len(found), "first": [{"root": root, "source": source} for root, source in found[:LISTED]]}


def _pages(
    parts: CollectionParts, name: str, most: int, *, several: bool
) -> Iterator[tuple[list[Mapping[str, Any]], list[int]]]:
    """Yield payloads, and how many windows each chunk has."""
    size = parts.codec.page
    every = pages(parts.points, name, size, fields=_FIELDS, vectors=[DENSE] * several)
    for page in islice(every, -(-most // size)):
        held = [len(np.atleast_2d(np.asarray(vector_of(one, DENSE)))) if several else 1 for one in page]
        yield [one.payload or {} for one in page], held


def _place(payload: Mapping[str, Any]) -> dict[str, Json]:
    return {
        "source": payload["source"],
        "root": payload.get("root", ""),
        "chunk_index": payload["chunk_index"],
        "text": payload["text"][:_SHOWN],
    }


def _spread(numbers: Sequence[int]) -> dict[str, Json]:
    """Return quantiles of whole numbers, and how many lie in each of some bins of equal width."""
    if not numbers:
        return {"least": 0, "median": 0, "mean": 0.0, "p95": 0, "most": 0, "edges": [], "counts": []}
    sizes = np.asarray(numbers)
    low, high = int(sizes.min()), int(sizes.max())
    width = max(1, -(-(high - low + 1) // BINS))
    counts = np.bincount((sizes - low) // width)
    return {
        "least": low,
        "median": int(np.median(sizes)),
        "mean": round(float(sizes.mean()), 1),
        "p95": int(np.quantile(sizes, 0.95)),
        "most": high,
        "edges": [low + width * place for place in range(len(counts) + 1)],
        "counts": counts.tolist(),
    }
