"""`--dry-run`: read and chunk as an ingest would, with the model's own tokenizer, and only count."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from qdrant_embed.chunking import Chunker, chunk_document, make_chunker
from qdrant_embed.embedders import load_dense
from qdrant_embed.embedding import Embedder
from qdrant_embed.errors import ReadError
from qdrant_embed.ingest.report import IngestReport, Tally
from qdrant_embed.parts import chunk_limit
from qdrant_embed.reading.files import ReadOptions, Skipped, SourceFile, find_root, walk
from qdrant_embed.reading.reader import Reader
from qdrant_embed.recipe import Recipe


def rehearse(path: str, recipe: Recipe, reading: ReadOptions, progress: Callable[[IngestReport], None]) -> IngestReport:
    """Return the counts of an ingest into an empty collection; `tokens` is what the model would be given.

    Neither the model's weights nor the collection's points are touched, so nothing counts as embedded or reused.
    """
    embedder = load_dense(recipe)
    chunker = make_chunker(recipe.chunker, embedder.tokens, chunk_limit(recipe, embedder))
    rehearsal = _Rehearsal(embedder, chunker, recipe.window, Tally())
    with Reader(reading) as reader:
        for item in walk(find_root(path), reading):
            rehearsal.take(item, reader)
            counts = rehearsal.tally.report()
            # The display takes what is embedded for what is done; here that is what is chunked.
            progress(replace(counts, embedded=counts.chunks))
    return rehearsal.tally.report()


@dataclass(frozen=True, slots=True)
class _Rehearsal:
    embedder: Embedder
    chunker: Chunker
    window: str
    tally: Tally

    def take(self, item: SourceFile | Skipped, reader: Reader) -> None:
        if isinstance(item, Skipped):
            self.tally.fail(item.source, item.reason) if item.failed else self.tally.skip(item.reason)
            return
        self.tally.add(documents=1)
        try:
            with self.tally.busy("read"):
                document = reader.read(item)
        except ReadError as error:
            self.tally.fail(item.source, error.reason)
            return
        with self.tally.busy("chunk"):
            texts = [chunk.embed_text for chunk in chunk_document(document, self.chunker)]
            self._count(item.source, self.embedder.tokens.count_batch(texts))

    def _count(self, source: str, lengths: Sequence[int]) -> None:
        budget = self.embedder.chunk_budget
        around = self.embedder.max_tokens - budget
        self.tally.add(chunks=len(lengths), tokens=sum(lengths) + around * len(lengths))
        too_long = sum(length > budget for length in lengths)
        if too_long and self.window == "error":
            self.tally.fail(source, f"{too_long} chunks are longer than the model, and the window strategy is 'error'")
        else:
            self.tally.add(**{"truncated" if self.window == "truncate" else "windowed": too_long})
