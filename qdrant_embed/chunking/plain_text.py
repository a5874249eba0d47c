"""Chunkers for text without markup: `recursive`, `sentences` and `tokens`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from semantic_text_splitter import TextSplitter

from qdrant_embed.chunking.base import ChunkLimit
from qdrant_embed.chunking.boundaries import line_levels, natural_cut
from qdrant_embed.chunking.merging import cut
from qdrant_embed.chunking.segments import LineSegments
from qdrant_embed.chunking.token_limit import Fitter, TextPart
from qdrant_embed.chunking.token_ruler import Ruler, trimmed
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.tokens import HuggingFaceTokens, TokenCounter, encodable
from qdrant_embed.types import Span

WINDOW = 20_000
"""Characters that the splitter of sentences is given at once: it looks at all of them many times."""
_BREAK = re.compile(r"[\r\n]")


class FittedChunker(LineSegments):
    """What the chunkers here share: spans that are fitted to the limit."""

    def __init__(self, counter: TokenCounter, limit: ChunkLimit) -> None:
        self._fitter = Fitter(counter, limit)


class RecursiveChunker(FittedChunker):
    """Cuts at blank lines, then lines, then sentences, words and characters.

    *Does*: cuts only what does not fit, keeps what is indented together, and lets an edit change only the chunks that
    hold it (see `merging`). *Needs*: nothing.
    *Relation*: `markdown` knows headings and blocks besides; `sentences` fills chunks better.
    """

    def spans(self, text: str) -> Iterator[Span]:
        """Yield the spans of the text, in order."""
        return chunk_by_levels(text, line_levels(text), self._fitter)


class SentenceChunker(FittedChunker):
    """Packs whole sentences (Unicode annex 29) until the limit is reached.

    *Does*: fills chunks well and never cuts a sentence that fits. *Needs*: nothing.
    *Relation*: unlike `recursive` it pays no heed to paragraphs, and an edit moves the boundaries behind it.
    """

    def spans(self, text: str) -> Iterator[Span]:
        """Yield the spans of the text, in order."""
        # To the splitter a line break is stronger than a sentence's end; here it is only space.
        starts = self._starts(_BREAK.sub(" ", encodable(text)))
        return self._fitter.fit(Ruler(text, self._fitter.counter), pieces_between(text, starts))

    def _starts(self, text: str) -> list[int]:
        starts = [0]
        window = max(WINDOW, self._fitter.room * 40)
        while starts[-1] < len(text):
            here = starts[-1]
            found = [here + offset for offset, _ in self._splitter.chunk_indices(text[here : here + window])][1:]
            if here + window >= len(text):
                return starts + found
            # The window's end is no boundary: what ends there is cut again, with what follows it.
            starts += found or [here + window]
        return starts

    @cached_property
    def _splitter(self) -> TextSplitter:
        counter, room = self._fitter.counter, self._fitter.room
        if isinstance(counter, HuggingFaceTokens):
            return TextSplitter.from_huggingface_tokenizer(counter.tokenizer, room)
        return TextSplitter.from_callback(counter.count, room)


class TokenChunker(FittedChunker):
    """Cuts every so many tokens, between words where the tokenizer allows.

    *Does*: the largest and most even chunks. *Needs*: nothing.
    *Relation*: the only one that may cut inside a sentence that would fit; an edit moves the boundaries behind it.
    """

    def spans(self, text: str) -> Iterator[Span]:
        """Yield the spans of the text, in order."""
        ruler = Ruler(text, self._fitter.counter)
        return self._fitter.fit(ruler, pieces_between(text, self._starts(ruler)))

    def _starts(self, ruler: Ruler) -> list[int]:
        starts, length = [0], len(ruler.text)
        while (end := ruler.forward(starts[-1], self._fitter.room, length)) < length:
            starts.append(word_start(ruler.text, starts[-1], end))
        return starts


class WholeDocument:
    """Leaves a document whole, however long it is.

    *Does*: one chunk a document, for search of documents rather than passages. *Needs*: a window strategy that reads
    what is longer than the model (`windows`, `pcw`, `late`).
    *Relation*: the only one that keeps no limit.
    """

    def __init__(self, counter: TokenCounter, limit: ChunkLimit) -> None:
        if limit.overlap:
            raise ConfigurationError("the chunker 'document' makes one chunk of a document, so there is no overlap.")

    def spans(self, text: str) -> Iterator[Span]:
        """Yield the one span of a text that is not blank, white space at its ends included."""
        if text and not text.isspace():
            yield Span(0, len(text))


def chunk_by_levels(text: str, levels: Mapping[int, int], fitter: Fitter) -> Iterator[Span]:
    """Yield the spans into which boundaries of these levels part a text that has no headings."""
    ruler = Ruler(text, fitter.counter)
    parts = cut(ruler, levels, fitter.room, lambda starts: [0] * len(starts))
    return fitter.fit(ruler, (TextPart(Span(start, end)) for start, end in parts))


def word_start(text: str, start: int, end: int) -> int:
    """Move a cut back to the beginning of the word that it falls into, or else of the character."""
    for place in range(end, (start + end) // 2, -1):
        if text[place - 1].isspace():
            return place
    return natural_cut(text, start, end, end)


def pieces_between(text: str, starts: Sequence[int]) -> Iterator[TextPart]:
    """Yield what lies between the cuts, without what is blank."""
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        first, last = trimmed(text, start, end)
        if first < last:
            yield TextPart(Span(first, last))
