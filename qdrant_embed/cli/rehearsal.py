"""`--dry-run`: read and chunk as an ingest would, with the model's own tokenizer, and only count."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from qdrant_embed.chunking import Chunker, chunk_document, make_chunker
from qdrant_embed.embedders import load_dense
from qdrant_embed.embedding import Embedder
from qdrant_embed.embedding.late import LatePassage, stretched, tokens_read, windows_read
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
    rehearsal = _Rehearsal(embedder, chunker, Tally())
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
    tally: Tally

    def take(self, item: SourceFile | Skipped, reader: Reader) -> None:
        if isinstance(item, Skipped):
            self.tally.fail(item.source, item.reason) if item.failed else self.tally.skip(item.reason)
            return
        self.tally.add(documents=1)
        try:
            with self.tally.busy("read"):
                document = reader.read(item).document
        except ReadError as error:
            self.tally.fail(item.source, error.reason)
            return
        with self.tally.busy("chunk"):
            chunks = list(chunk_document(document, self.chunker))
            if self.embedder.window.name == "late":
                passages = self.embedder.passages(document.text, [(chunk.start, chunk.end) for chunk in chunks])
                self._count_late(passages)
                return
            self._count(item.source, self.embedder.tokens.count_batch([chunk.embed_text for chunk in chunks]))

    def _count_late(self, passages: Sequence[LatePassage]) -> None:
        self.tally.add(
            chunks=len(passages),
            late=len(passages),
            tokens=tokens_read(passages),
            windowed=int(windows_read(passages) > 1),
            stretched=stretched(passages, self.embedder.stretched_beyond),
        )

    def _count(self, source: str, lengths: Sequence[int]) -> None:
        around = self.embedder.max_tokens - self.embedder.chunk_budget
        most = self.embedder.window.tokens or self.embedder.max_tokens
        beyond = self.embedder.stretched_beyond
        budget = most - around
        self.tally.add(chunks=len(lengths), tokens=sum(lengths) + around * len(lengths))
        too_long = sum(length > budget for length in lengths)
        strategy = self.embedder.window.name
        if too_long and strategy == "error":
            self.tally.fail(source, f"{too_long} chunks are longer than the model, and the window strategy is 'error'")
        else:
            read_stretched = sum(bool(beyond) and min(length + around, most) > beyond for length in lengths)
            self.tally.add(
                **{"truncated" if strategy == "truncate" else "windowed": too_long}, stretched=read_stretched
            )
