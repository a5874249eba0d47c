"""A dry run: read and chunk as an ingest would, with the models' own tokenizers, and only count."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from qdrant_embed.embedding.late_chunking import late_counts
from qdrant_embed.errors import TextTooLongError
from qdrant_embed.ingest.changed_documents import ChangedDocument, Run
from qdrant_embed.ingest.chunk_stage import ChunkBatch, ChunkTask, batched, fail_chunk, in_chunks
from qdrant_embed.ingest.context import IngestContext, matching


def rehearse(run: Run, works: Iterable[ChangedDocument]) -> None:
    """Count what an ingest of these documents would do; `tokens` is what the models would be given.

    Neither the weights of the models nor the collection's points are touched, so nothing counts as embedded.
    """
    target, tally = run.target, run.tally
    met: set[str] = set()
    for batch in batched(in_chunks(target, _listed(run, works), tally)):
        tally.add(stored=sum(end.head is not None for end in batch.ends))
        with tally.busy("embed"):
            new = _new(target, batch, met)
            counted, refused = _counted(run, new)
            met -= refused.keys()
            kept = _without(run, batch.tasks, refused)
            tally.add(reused=len(kept) - len(counted))
        progress = run.options.progress
        if callable(progress):
            progress(tally.report())


def _listed(run: Run, works: Iterable[ChangedDocument]) -> Iterable[ChangedDocument]:
    for work in works:
        run.tally.would("to_embed", work.document.source)
        yield work


def _new(target: IngestContext, batch: ChunkBatch, met: set[str]) -> list[ChunkTask]:
    """Return a chunk for each text of the batch that has no vector yet, neither here nor in the collection."""
    texts = {task.text_hash: task for task in batch.tasks if task.text_hash not in met}
    met.update(texts)
    if texts:
        for record in target.scroll(matching(text_hash=texts), ["text_hash"]):
            texts.pop((record.payload or {})["text_hash"], None)
    return list(texts.values())


Refused = dict[str, TextTooLongError]
"""Hash of a text → why no model would embed it."""


def _counted(run: Run, tasks: Sequence[ChunkTask]) -> tuple[list[ChunkTask], Refused]:
    """Count what all models would read; return what would be embedded, and why the rest would not."""
    embedder, refused = run.target.embedder, Refused()
    if embedder.window.name == "late":
        passages = [task.passage for task in tasks if task.passage is not None]
        run.tally.add(**{**late_counts(passages, embedder.native_tokens), "windowed": 0, "late": len(passages)})
        left = list(tasks)
    else:
        left = _count_texts(run, embedder.count_documents, tasks, refused)
    for model in run.target.auxiliary.values():
        left = _count_texts(run, model.count_documents, left, refused)
    return left, refused


def _count_texts(
    run: Run, count: Callable[[Sequence[str]], dict[str, int]], tasks: Sequence[ChunkTask], refused: Refused
) -> list[ChunkTask]:
    """Count what a model would read; return the chunks without those that are too long for it, which are noted."""
    try:
        run.tally.add(**count([task.chunk.embed_text for task in tasks]))
    except TextTooLongError as error:
        if len(tasks) > 1:
            return [left for task in tasks for left in _count_texts(run, count, [task], refused)]
        refused[tasks[0].text_hash] = error
        return []
    return list(tasks)


def _without(run: Run, tasks: Sequence[ChunkTask], refused: Refused) -> list[ChunkTask]:
    """Return the chunks that can be embedded; list the others as failed."""
    for task in tasks:
        if task.text_hash in refused:
            fail_chunk(run.tally, task, "embedded", refused[task.text_hash])
    return [task for task in tasks if task.text_hash not in refused]
