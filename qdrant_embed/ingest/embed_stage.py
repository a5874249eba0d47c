"""The third stage: blocks of pieces get their vectors, from the collection where it has them, else from the model."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

import numpy as np

from qdrant_embed.embedding import Embedder
from qdrant_embed.ingest.chunk_stage import ChunkBatch, ChunkTask, DocumentEnd
from qdrant_embed.ingest.context import IngestContext, match_any
from qdrant_embed.ingest.embed_retry import in_halves
from qdrant_embed.ingest.monitoring.report import Tally
from qdrant_embed.store.collection_codec import FIT_VECTORS, CollectionCodec
from qdrant_embed.store.points import CHUNK_COUNT, WINDOWS, payload
from qdrant_embed.store.scroll import vector_of
from qdrant_embed.types import DENSE, FloatArray, Json

RECENT_VECTORS = 4096
"""Vectors kept at hand, those of windows counted one by one; what is in flight to the store is usually among them."""


@dataclass(frozen=True, slots=True)
class ChunkVectors:
    """What was made of a text.

    :param vector: (dim,), or (windows, dim) where each window has one.
    :param windows: Where windows stand, as in `store.points.WINDOWS`; empty where there is one.
    :param coded: Whether the vector is as the store has it, not as the model gave it.
    """

    vector: FloatArray
    windows: Sequence[int] = ()
    coded: bool = False

    @property
    def rows(self) -> int:
        """How many vectors these are."""
        return 1 if self.vector.ndim == 1 else len(self.vector)


@dataclass(frozen=True, slots=True)
class EmbeddedChunk:
    """A piece with its vector; `unchanged` if the collection holds exactly this point already.

    :param vector: (dim,), or (windows, dim) where each window of its text has one.
    :param coded: Whether the vector is as the store has it, not as the model gave it.
    :param beside: Vectors of the models beside the dense one, by name, as engines store them.
    :param windows: Where windows stand, as in `store.points.WINDOWS`.
    """

    piece: ChunkTask
    vector: FloatArray | None
    unchanged: bool = False
    coded: bool = False
    auxiliary: Mapping[str, Any] = field(default_factory=dict)
    windows: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class WriteBatch:
    """What is written in one go.

    :param incomplete: Ids of documents of which some piece could not be embedded.
    """

    pieces: Sequence[EmbeddedChunk]
    closings: Sequence[DocumentEnd]
    incomplete: frozenset[str]


def to_blocks(target: IngestContext, stream: Iterable[ChunkBatch], tally: Tally) -> Iterator[WriteBatch]:
    """Give each piece its vector."""
    vectors = VectorSource(target, tally)
    for gathered in stream:
        with tally.busy("embed"):
            block = vectors.attach(gathered.pieces, gathered.closings)
        yield block


class VectorSource:
    """Finds or makes the vector of every text, each distinct text once."""

    def __init__(self, target: IngestContext, tally: Tally) -> None:
        self._target = target
        self._tally = tally
        self._recent: OrderedDict[str, ChunkVectors] = OrderedDict()
        self._recent_rows = 0
        self._incomplete: set[str] = set()

    def attach(self, pieces: Sequence[ChunkTask], closings: Sequence[DocumentEnd]) -> WriteBatch:
        """Return the block with a vector for every piece that needs one and can have one."""
        unchanged = self._unchanged(pieces)
        texts = {piece.text_hash: piece for piece in pieces if piece.id not in unchanged}
        missing = [key for key in texts if key not in self._recent]
        known = {key: self._recent[key] for key in texts if key in self._recent}
        known |= self._from_store(missing)
        to_embed = [key for key in missing if key not in known]
        failures: dict[str, str] = {}
        known |= self._embed({key: texts[key] for key in to_embed}, failures)
        self._remember(known)
        ready = [
            self._ready(piece, known.get(piece.text_hash), unchanged=piece.id in unchanged)
            for piece in pieces
            if piece.id in unchanged or piece.text_hash in known
        ]
        self._report_failures(pieces, failures)
        self._tally.add(reused=len(ready) - (len(to_embed) - len(failures)))
        return WriteBatch(ready, closings, frozenset(self._incomplete))

    def _ready(self, piece: ChunkTask, made: ChunkVectors | None, *, unchanged: bool) -> EmbeddedChunk:
        if made is None:
            return EmbeddedChunk(piece, None, unchanged)
        return EmbeddedChunk(piece, made.vector, unchanged, made.coded, windows=made.windows)

    def _unchanged(self, pieces: Sequence[ChunkTask]) -> set[str]:
        """Return the ids of pieces that the collection holds exactly as they are."""
        doubtful = {piece.id: piece for piece in pieces if piece.stored}
        if not doubtful:
            return set()
        records = self._target.engine.retrieve(self._target.name, list(doubtful), with_payload=True, with_vectors=False)
        same = set()
        for record in records:
            piece = doubtful[str(record.id)]
            stored: dict[str, Json] = dict(record.payload or {})
            for mark in (CHUNK_COUNT, WINDOWS):
                stored.pop(mark, None)
            if stored == payload(piece.document, piece.chunk, piece.text_hash):
                same.add(piece.id)
        return same

    def _from_store(self, keys: Sequence[str]) -> dict[str, ChunkVectors]:
        """Return the vectors of texts that some point, of any document, already has."""
        from qdrant_client import models

        if not keys:
            return {}
        found: dict[str, ChunkVectors] = {}
        where = models.Filter(must=[match_any("text_hash", keys)])
        for record in self._target.scroll(where, ["text_hash", WINDOWS], vectors=[DENSE]):
            payload_ = record.payload or {}
            stored = np.asarray(vector_of(record, DENSE), np.float32)
            found[payload_["text_hash"]] = ChunkVectors(stored, payload_.get(WINDOWS, ()), coded=True)
        return found

    def _embed(self, texts: dict[str, ChunkTask], failures: dict[str, str]) -> dict[str, ChunkVectors]:
        made: dict[str, ChunkVectors] = {}

        def embed(keys: Sequence[str]) -> None:
            found, counts = _encode(self._target.embedder, [texts[key] for key in keys])
            made.update(zip(keys, found, strict=True))
            self._tally.add(embedded=len(keys), **counts)

        def give_up(key: str, error: Exception) -> None:
            failures[key] = f"{type(error).__name__}: {error}"

        if texts:
            in_halves(list(texts), embed, give_up)
        return made

    def _remember(self, vectors: dict[str, ChunkVectors]) -> None:
        for key, made in vectors.items():
            if key not in self._recent:
                self._recent_rows += made.rows
            self._recent[key] = made
            self._recent.move_to_end(key)
        while self._recent_rows > RECENT_VECTORS:
            key, made = self._recent.popitem(last=False)
            self._recent_rows -= made.rows

    def _report_failures(self, pieces: Sequence[ChunkTask], failures: dict[str, str]) -> None:
        for piece in pieces:
            if piece.text_hash in failures:
                self._incomplete.add(piece.document.id)
                where = f"characters {piece.chunk.start}-{piece.chunk.end}"
                self._tally.fail(piece.document.source, f"{where} could not be embedded: {failures[piece.text_hash]}")
                self._tally.add(chunks=-1)


def _encode(embedder: Embedder, pieces: Sequence[ChunkTask]) -> tuple[list[ChunkVectors], dict[str, int]]:
    """Return the vectors of pieces, and the counts of the report.

    :raises ModelError: The model gave none.
    """
    if embedder.window.name == "windows":
        found = embedder.encode_windows([piece.chunk.embed_text for piece in pieces])
        made = [
            ChunkVectors(text.vectors, tuple(chain.from_iterable(text.spans)) if len(text.spans) > 1 else ())
            for text in found.texts
        ]
        return made, {"tokens": found.tokens, "windowed": found.windowed, "extended": found.extended}
    if embedder.window.name == "late":
        late = embedder.encode_late_passages([piece.passage for piece in pieces if piece.passage is not None])
        # What was read in several windows is a document here, and counted where documents are known.
        counts = {"tokens": late.tokens, "late": len(pieces), "extended": late.extended}
        return list(map(ChunkVectors, late.vectors)), counts
    encoded = embedder.encode_documents([piece.chunk.embed_text for piece in pieces])
    counts = {
        "tokens": encoded.tokens,
        "truncated": encoded.truncated,
        "windowed": encoded.windowed,
        "extended": encoded.extended,
    }
    return list(map(ChunkVectors, encoded.vectors)), counts


def coded(codec: CollectionCodec, blocks: Iterable[WriteBatch]) -> Iterator[WriteBatch]:
    """Yield the blocks with every vector as the store will have it."""
    stream = iter(blocks)
    if not codec.ready():
        # A rotation that is only drawn has nothing to wait for.
        held, vectors = _first(stream, FIT_VECTORS if codec.compression.fitted else 1)
        if vectors:
            codec.fit(np.concatenate(vectors))
        for block in held:
            yield _coded(codec, block)
    for block in stream:
        yield _coded(codec, block)


def _first(stream: Iterator[WriteBatch], wanted: int) -> tuple[list[WriteBatch], list[np.ndarray]]:
    held: list[WriteBatch] = []
    vectors: list[np.ndarray] = []
    for block in stream:
        held.append(block)
        fresh = [ready.vector for ready in block.pieces if ready.vector is not None and not ready.coded]
        vectors += [np.atleast_2d(vector) for vector in fresh]
        if sum(map(len, vectors)) >= wanted:
            break
    return held, vectors


def _coded(codec: CollectionCodec, block: WriteBatch) -> WriteBatch:
    """Code the block's fresh vectors; those that came from the store are as they shall be."""
    fresh = [place for place, ready in enumerate(block.pieces) if ready.vector is not None and not ready.coded]
    if codec.compression.plain or not fresh:
        return block
    pieces: list[EmbeddedChunk] = list(block.pieces)
    made = codec.stored_each([np.asarray(pieces[place].vector, np.float32) for place in fresh])
    for place, vector in zip(fresh, made, strict=True):
        pieces[place] = replace(pieces[place], vector=vector, coded=True)
    return replace(block, pieces=pieces)
