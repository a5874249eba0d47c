"""A dry run: read and chunk as an ingest would, with the models' own tokenizers, and only count."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from qdrant_embed.embedding import Embedder
from qdrant_embed.embedding.late_chunking import LatePassage, extended, tokens_read
from qdrant_embed.errors import TextTooLongError
from qdrant_embed.ingest.changed_documents import ChangedDocument, Run
from qdrant_embed.ingest.chunk_stage import ChunkBatch, ChunkTask, gathered, to_pieces
from qdrant_embed.ingest.context import IngestContext, match_any


def rehearse(run: Run, works: Iterable[ChangedDocument]) -> None:
    """Count what an ingest of these documents would do; `tokens` is what the models would be given.

    Neither the weights of the models nor the collection's points are touched, so nothing counts as embedded.
    """
    target, tally = run.target, run.tally
    met: set[str] = set()
    for block in gathered(to_pieces(target, _listed(run, works), tally)):
        tally.add(stored=sum(closing.head is not None for closing in block.closings))
        with tally.busy("embed"):
            new = _new(target, block, met)
            counted, refused = _counted(run, new)
            met -= refused.keys()
            kept = _without(run, block.pieces, refused)
            tally.add(reused=len(kept) - len(counted))
        progress = run.options.progress
        if callable(progress):
            progress(tally.report())


def _listed(run: Run, works: Iterable[ChangedDocument]) -> Iterable[ChangedDocument]:
    for work in works:
        run.tally.would("to_embed", work.document.source)
        yield work


def _new(target: IngestContext, block: ChunkBatch, met: set[str]) -> list[ChunkTask]:
    """Return a piece for each text of the block that has no vector yet, neither here nor in the collection."""
    from qdrant_client import models

    texts = {piece.text_hash: piece for piece in block.pieces if piece.text_hash not in met}
    met.update(texts)
    if texts:
        where = models.Filter(must=[match_any("text_hash", texts)])
        for record in target.scroll(where, ["text_hash"]):
            texts.pop((record.payload or {})["text_hash"], None)
    return list(texts.values())


Refused = dict[str, TextTooLongError]
"""Hash of a text → why no model would embed it."""


def _counted(run: Run, pieces: Sequence[ChunkTask]) -> tuple[list[ChunkTask], Refused]:
    """Count what all models would read; return what would be embedded, and why the rest would not."""
    embedder, refused = run.target.embedder, Refused()
    if embedder.window.name == "late":
        _count_late(run, embedder, [piece.passage for piece in pieces if piece.passage is not None])
        left = list(pieces)
    else:
        left = _count_texts(run, embedder.count_documents, pieces, refused)
    for model in run.target.auxiliary.values():
        left = _count_texts(run, model.count_documents, left, refused)
    return left, refused


def _count_late(run: Run, embedder: Embedder, passages: Sequence[LatePassage]) -> None:
    run.tally.add(
        late=len(passages),
        tokens=tokens_read(passages),
        extended=extended(passages, embedder.native_tokens),
    )


def _count_texts(
    run: Run, count: Callable[[Sequence[str]], dict[str, int]], pieces: Sequence[ChunkTask], refused: Refused
) -> list[ChunkTask]:
    """Count what a model would read; return the pieces without those that are too long for it, which are noted."""
    try:
        run.tally.add(**count([piece.chunk.embed_text for piece in pieces]))
    except TextTooLongError as error:
        if len(pieces) > 1:
            return [left for piece in pieces for left in _count_texts(run, count, [piece], refused)]
        refused[pieces[0].text_hash] = error
        return []
    return list(pieces)


def _without(run: Run, pieces: Sequence[ChunkTask], refused: Refused) -> list[ChunkTask]:
    """Return the pieces that can be embedded; list the others as failed."""
    for piece in pieces:
        error = refused.get(piece.text_hash)
        if error is not None:
            where = f"characters {piece.chunk.start}-{piece.chunk.end} could not be embedded"
            run.tally.fail(piece.document.source, f"{where}: {type(error).__name__}: {error}")
            run.tally.add(chunks=-1)
    return [piece for piece in pieces if piece.text_hash not in refused]
