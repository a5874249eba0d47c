"""The third stage: blocks of pieces get their vectors, from the collection where it has them, else from the model."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from qdrant_embed.ingest.pieces import Closing, Piece
from qdrant_embed.ingest.report import Tally
from qdrant_embed.ingest.retrying import in_halves
from qdrant_embed.ingest.target import Target, match_any
from qdrant_embed.store.points import CHUNK_COUNT, payload
from qdrant_embed.store.schema import DENSE
from qdrant_embed.types import FloatArray, Json

BLOCK_PIECES = 256
BLOCK_CHARACTERS = 256_000
"""A block ends at whichever comes first, so that long chunks do not make a crash expensive."""
RECENT_VECTORS = 4096
"""Vectors kept at hand; must exceed what is in flight between this stage and the store."""


@dataclass(frozen=True, slots=True)
class ReadyPiece:
    """A piece with its vector; `unchanged` if the collection holds exactly this point already.

    :param coded: Whether the vector is as the store has it, not as the model gave it.
    :param beside: Vectors of the models beside the dense one, by name, as engines store them.
    """

    piece: Piece
    vector: FloatArray | None
    unchanged: bool = False
    coded: bool = False
    beside: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Block:
    """What is written in one go.

    :param incomplete: Ids of documents of which some piece could not be embedded.
    """

    pieces: Sequence[ReadyPiece]
    closings: Sequence[Closing]
    incomplete: frozenset[str]


def to_blocks(target: Target, stream: Iterable[Piece | Closing], tally: Tally) -> Iterator[Block]:
    """Gather pieces into blocks and give each piece its vector."""
    vectors = Vectors(target, tally)
    for pieces, closings in _gather(stream):
        with tally.busy("embed"):
            block = vectors.attach(pieces, closings)
        yield block


def _gather(stream: Iterable[Piece | Closing]) -> Iterator[tuple[list[Piece], list[Closing]]]:
    pieces: list[Piece] = []
    closings: list[Closing] = []
    characters = 0
    for item in stream:
        piece = item.head if isinstance(item, Closing) else item
        if isinstance(item, Closing):
            closings.append(item)
        if piece is not None:
            pieces.append(piece)
            characters += len(piece.chunk.text)
        if len(pieces) >= BLOCK_PIECES or characters >= BLOCK_CHARACTERS or len(closings) >= BLOCK_PIECES:
            yield pieces, closings
            pieces, closings, characters = [], [], 0
    if pieces or closings:
        yield pieces, closings


class Vectors:
    """Finds or makes the vector of every text, each distinct text once."""

    def __init__(self, target: Target, tally: Tally) -> None:
        self._target = target
        self._tally = tally
        self._recent: OrderedDict[str, FloatArray] = OrderedDict()
        self._coded: set[str] = set()
        self._incomplete: set[str] = set()

    def attach(self, pieces: Sequence[Piece], closings: Sequence[Closing]) -> Block:
        """Return the block with a vector for every piece that needs one and can have one."""
        unchanged = self._unchanged(pieces)
        texts = {piece.text_hash: piece.chunk.embed_text for piece in pieces if piece.id not in unchanged}
        missing = [key for key in texts if key not in self._recent]
        known = {key: self._recent[key] for key in texts if key in self._recent}
        known |= self._from_store(missing)
        to_embed = [key for key in missing if key not in known]
        failures: dict[str, str] = {}
        known |= self._embed({key: texts[key] for key in to_embed}, failures)
        self._remember(known)
        ready = [
            ReadyPiece(
                piece,
                known.get(piece.text_hash),
                unchanged=piece.id in unchanged,
                coded=piece.text_hash in self._coded,
            )
            for piece in pieces
            if piece.id in unchanged or piece.text_hash in known
        ]
        self._report_failures(pieces, failures)
        self._tally.add(reused=len(ready) - (len(to_embed) - len(failures)))
        return Block(ready, closings, frozenset(self._incomplete))

    def _unchanged(self, pieces: Sequence[Piece]) -> set[str]:
        """Return the ids of pieces that the collection holds exactly as they are."""
        doubtful = {piece.id: piece for piece in pieces if piece.stored}
        if not doubtful:
            return set()
        records = self._target.engine.retrieve(self._target.name, list(doubtful), with_payload=True, with_vectors=False)
        same = set()
        for record in records:
            piece = doubtful[str(record.id)]
            stored: dict[str, Json] = dict(record.payload or {})
            stored.pop(CHUNK_COUNT, None)
            if stored == payload(piece.document, piece.chunk, piece.text_hash):
                same.add(piece.id)
        return same

    def _from_store(self, keys: Sequence[str]) -> dict[str, FloatArray]:
        """Return the vectors of texts that some point, of any document, already has."""
        from qdrant_client import models

        if not keys:
            return {}
        found: dict[str, FloatArray] = {}
        where = models.Filter(must=[match_any("text_hash", keys)])
        for record in self._target.scroll(where, ["text_hash"], vectors=[DENSE]):
            vector = record.vector[DENSE] if isinstance(record.vector, dict) else record.vector
            found[(record.payload or {})["text_hash"]] = np.asarray(vector, np.float32)
        self._coded |= found.keys()
        return found

    def _embed(self, texts: dict[str, str], failures: dict[str, str]) -> dict[str, FloatArray]:
        made: dict[str, FloatArray] = {}

        def embed(keys: Sequence[str]) -> None:
            encoded = self._target.embedder.encode_documents([texts[key] for key in keys])
            made.update(zip(keys, encoded.vectors, strict=True))
            self._tally.add(
                embedded=len(keys), tokens=encoded.tokens, truncated=encoded.truncated, windowed=encoded.windowed
            )

        def give_up(key: str, error: Exception) -> None:
            failures[key] = f"{type(error).__name__}: {error}"

        if texts:
            in_halves(list(texts), embed, give_up)
        return made

    def _remember(self, vectors: dict[str, FloatArray]) -> None:
        for key, vector in vectors.items():
            self._recent[key] = vector
            self._recent.move_to_end(key)
        while len(self._recent) > RECENT_VECTORS:
            self._coded.discard(self._recent.popitem(last=False)[0])

    def _report_failures(self, pieces: Sequence[Piece], failures: dict[str, str]) -> None:
        for piece in pieces:
            if piece.text_hash in failures:
                self._incomplete.add(piece.document.id)
                where = f"characters {piece.chunk.start}-{piece.chunk.end}"
                self._tally.fail(piece.document.source, f"{where} could not be embedded: {failures[piece.text_hash]}")
                self._tally.add(chunks=-1)
