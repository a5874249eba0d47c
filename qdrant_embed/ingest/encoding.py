"""Pieces to vectors, each strategy for long texts by its own call of the embedder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from qdrant_embed.embedding import Embedder
from qdrant_embed.ingest.pieces import Piece
from qdrant_embed.types import FloatArray


@dataclass(frozen=True, slots=True)
class Made:
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


def encode(embedder: Embedder, pieces: Sequence[Piece]) -> tuple[list[Made], dict[str, int]]:
    """Return the vectors of pieces, and the counts of the report.

    :raises ModelError: The model gave none.
    """
    if embedder.window.name == "windows":
        found = embedder.encode_windows([piece.chunk.embed_text for piece in pieces])
        made = [
            Made(text.vectors, tuple(chain.from_iterable(text.spans)) if len(text.spans) > 1 else ())
            for text in found.texts
        ]
        return made, {"tokens": found.tokens, "windowed": found.windowed, "stretched": found.stretched}
    if embedder.window.name == "late":
        late = embedder.encode_passages([piece.passage for piece in pieces if piece.passage is not None])
        # What was read in several windows is a document here, and counted where documents are known.
        counts = {"tokens": late.tokens, "late": len(pieces), "stretched": late.stretched}
        return list(map(Made, late.vectors)), counts
    encoded = embedder.encode_documents([piece.chunk.embed_text for piece in pieces])
    counts = {
        "tokens": encoded.tokens,
        "truncated": encoded.truncated,
        "windowed": encoded.windowed,
        "stretched": encoded.stretched,
    }
    return list(map(Made, encoded.vectors)), counts
