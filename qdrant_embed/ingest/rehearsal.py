"""A dry run: read and chunk as an ingest would, with the models' own tokenizers, and only count."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from qdrant_embed.embedding import Embedder
from qdrant_embed.embedding.companions import CompanionEmbedder
from qdrant_embed.embedding.late import LatePassage, stretched, tokens_read
from qdrant_embed.errors import TextTooLongError
from qdrant_embed.ingest.pieces import Gathered, Piece, gathered, to_pieces
from qdrant_embed.ingest.sources import Run, Work
from qdrant_embed.ingest.target import Target, match_any


def rehearse(run: Run, works: Iterable[Work]) -> None:
    """Count what an ingest of these documents would do; `tokens` is what the models would be given.

    Neither the weights of the models nor the collection's points are touched, so nothing counts as embedded.
    """
    target, tally = run.target, run.tally
    met: set[str] = set()
    for block in gathered(to_pieces(target, _listed(run, works), tally)):
        tally.add(stored=sum(closing.head is not None for closing in block.closings))
        with tally.busy("embed"):
            new = _new(target, block, met)
            tally.add(reused=len(block.pieces) - len(new))
            _count_dense(run, new)
            for model in target.beside.values():
                _count_beside(run, model, new)
        progress = run.options.progress
        if callable(progress):
            progress(tally.report())


def _listed(run: Run, works: Iterable[Work]) -> Iterable[Work]:
    for work in works:
        run.tally.would("to_embed", work.document.source)
        yield work


def _new(target: Target, block: Gathered, met: set[str]) -> list[Piece]:
    """Return a piece for each text of the block that has no vector yet, neither here nor in the collection."""
    from qdrant_client import models

    texts = {piece.text_hash: piece for piece in block.pieces if piece.text_hash not in met}
    met.update(texts)
    if texts:
        where = models.Filter(must=[match_any("text_hash", texts)])
        for record in target.scroll(where, ["text_hash"]):
            texts.pop((record.payload or {})["text_hash"], None)
    return list(texts.values())


def _count_dense(run: Run, pieces: Sequence[Piece]) -> None:
    embedder = run.target.embedder
    passages = [piece.passage for piece in pieces if piece.passage is not None]
    if embedder.window.name == "late":
        _count_late(run, embedder, passages)
        return
    lengths = embedder.tokens.count_batch([piece.chunk.embed_text for piece in pieces])
    around = embedder.max_tokens - embedder.chunk_budget
    most = embedder.window.tokens or embedder.max_tokens
    beyond = embedder.stretched_beyond
    too_long = [piece for piece, length in zip(pieces, lengths, strict=True) if length > most - around]
    strategy = embedder.window.name
    if strategy == "error":
        _refuse(run, too_long)
    run.tally.add(
        tokens=sum(lengths) + around * len(lengths),
        stretched=sum(bool(beyond) and min(length + around, most) > beyond for length in lengths),
        **{"truncated" if strategy == "truncate" else "windowed": len(too_long) * (strategy != "error")},
    )


def _count_late(run: Run, embedder: Embedder, passages: Sequence[LatePassage]) -> None:
    run.tally.add(
        late=len(passages),
        tokens=tokens_read(passages),
        stretched=stretched(passages, embedder.stretched_beyond),
    )


def _count_beside(run: Run, model: CompanionEmbedder[Any], pieces: Sequence[Piece]) -> None:
    try:
        run.tally.add(**model.count_documents([piece.chunk.embed_text for piece in pieces]))
    except TextTooLongError:
        if len(pieces) == 1:
            _refuse(run, pieces)
            return
        for piece in pieces:
            _count_beside(run, model, [piece])


def _refuse(run: Run, pieces: Sequence[Piece]) -> None:
    for piece in pieces:
        where = f"characters {piece.chunk.start}-{piece.chunk.end} could not be embedded"
        run.tally.fail(piece.document.source, f"{where}: longer than the model, and the window strategy is 'error'")
        run.tally.add(chunks=-1)
