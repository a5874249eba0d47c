"""Between embedding and writing: the vectors of the models beside the dense one, from the collection or the models."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from qdrant_embed.ingest.context import IngestContext, match_any
from qdrant_embed.ingest.embed_retry import in_halves
from qdrant_embed.ingest.embed_stage import EmbeddedChunk, WriteBatch
from qdrant_embed.ingest.monitoring.report import Tally
from qdrant_embed.store.points import engine_vector

RECENT_TEXTS = 1024
"""Texts whose vectors are kept at hand: a vector for each token is a hundred kilobytes for one text."""
Named = Mapping[str, Any]
"""Name of a vector → the vector, as engines store it."""


def add_auxiliary_vectors(target: IngestContext, blocks: Iterable[WriteBatch], tally: Tally) -> Iterator[WriteBatch]:
    """Yield the blocks with the vectors of all models; as they are where the recipe names only the dense one."""
    if not target.auxiliary:
        yield from blocks
        return
    vectors = AuxiliaryVectors(target, tally)
    for block in blocks:
        with tally.busy("embed"):
            ready = vectors.attach(block)
        yield ready


class AuxiliaryVectors:
    """Finds or makes the further vectors of every text, each distinct text once."""

    def __init__(self, target: IngestContext, tally: Tally) -> None:
        self._target = target
        self._tally = tally
        self._recent: OrderedDict[str, Named] = OrderedDict()

    def attach(self, block: WriteBatch) -> WriteBatch:
        """Return the block with all vectors; without the pieces that could not be embedded."""
        texts = {ready.piece.text_hash: ready.piece.chunk.embed_text for ready in block.pieces if not ready.unchanged}
        known = {key: self._recent[key] for key in texts if key in self._recent}
        known |= self._from_store([key for key in texts if key not in known])
        failures: dict[str, str] = {}
        known |= self._embed({key: text for key, text in texts.items() if key not in known}, failures)
        self._remember(known)
        kept: list[EmbeddedChunk] = []
        incomplete = set(block.incomplete)
        for ready in block.pieces:
            piece = ready.piece
            if ready.unchanged or piece.text_hash in known:
                kept.append(ready if ready.unchanged else replace(ready, auxiliary=known[piece.text_hash]))
                continue
            incomplete.add(piece.document.id)
            where = f"characters {piece.chunk.start}-{piece.chunk.end}"
            self._tally.fail(piece.document.source, f"{where} could not be embedded: {failures[piece.text_hash]}")
            self._tally.add(chunks=-1)
        return WriteBatch(kept, block.closings, frozenset(incomplete))

    def _from_store(self, keys: Sequence[str]) -> dict[str, Named]:
        """Return the vectors of texts that some point, of any document, already has."""
        from qdrant_client import models

        if not keys:
            return {}
        names = list(self._target.auxiliary)
        found: dict[str, Named] = {}
        where = models.Filter(must=[match_any("text_hash", keys)])
        for record in self._target.scroll(where, ["text_hash"], vectors=names):
            stored = record.vector if isinstance(record.vector, dict) else {}
            if all(name in stored for name in names):
                found[(record.payload or {})["text_hash"]] = {name: _as_made(stored[name]) for name in names}
        return found

    def _embed(self, texts: Mapping[str, str], failures: dict[str, str]) -> dict[str, Named]:
        made: dict[str, dict[str, Any]] = {}

        def embed(keys: Sequence[str]) -> None:
            chosen = [texts[key] for key in keys]
            found: list[dict[str, Any]] = [{} for _ in keys]
            for name, model in self._target.auxiliary.items():
                encoded = model.encode_documents(chosen)
                for vectors, vector in zip(found, encoded.vectors, strict=True):
                    vectors[name] = engine_vector(vector)
                self._tally.add(tokens=encoded.tokens, truncated=encoded.truncated, windowed=encoded.windowed)
            made.update(zip(keys, found, strict=True))

        def give_up(key: str, error: Exception) -> None:
            failures[key] = f"{type(error).__name__}: {error}"

        if texts:
            in_halves(list(texts), embed, give_up)
        return dict(made)

    def _remember(self, vectors: Mapping[str, Named]) -> None:
        for key, named in vectors.items():
            self._recent[key] = named
            self._recent.move_to_end(key)
        while len(self._recent) > RECENT_TEXTS:
            self._recent.popitem(last=False)


def _as_made(stored: Any) -> Any:
    """Return a vector that an engine gave as it was handed over: vectors of tokens as an array."""
    return np.asarray(stored, np.float32) if isinstance(stored, list) else stored
