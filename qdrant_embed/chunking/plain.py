"""Chunkers for text without markup: `recursive`, `sentences` and `tokens`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from qdrant_embed.chunking.base import ChunkLimit
from qdrant_embed.chunking.fitting import Fitter, split_exactly, split_plain, trimmed
from qdrant_embed.chunking.ruler import Ruler
from qdrant_embed.chunking.splitting import Boundary, Cutter
from qdrant_embed.tokens import TokenCounter
from qdrant_embed.types import Span

TINY_SHARE = 4
"""A part smaller than one in so many of the limit is joined to its neighbour where it can be."""
_PARAGRAPH, _LINE = 10, 12
_BREAKS = re.compile(r"\r\n|\r|\n|\f|\u2029")


def line_boundaries(text: str) -> list[Boundary]:
    """Return a boundary at every line start: strong after a blank line, weaker elsewhere."""
    found: list[Boundary] = []
    blank = False
    last = 0
    for match in _BREAKS.finditer(text):
        blank = blank or not text[last : match.start()].strip()
        last = match.end()
        following = text[last : last + 1]
        if following and following not in "\r\n":
            found.append(Boundary(last, _PARAGRAPH if blank else _LINE))
            blank = False
        else:
            blank = True
    return found


class RecursiveChunker:
    """Cuts at blank lines, then lines, then sentences, words and characters.

    *Does*: cuts only what does not fit, at the strongest boundary, so that an edit stays local.
    *Needs*: nothing. *Relation*: `markdown` knows headings and blocks besides; `tokens` ignores structure.
    """

    def __init__(self, counter: TokenCounter, limit: ChunkLimit) -> None:
        self._counter = counter
        self._limit = limit
        self._fitter = Fitter(counter, limit)

    def spans(self, text: str) -> Iterator[Span]:
        """Yield the spans of the text, in order."""
        ruler = Ruler(text, self._counter)
        room = self._limit.tokens - self._limit.overlap
        cutter = Cutter(
            text,
            line_boundaries(text),
            fits=lambda start, end: ruler.tokens(*trimmed(text, start, end)) <= room,
            tiny=lambda start, end: ruler.tokens(start, end) < room // TINY_SHARE,
            leaf=lambda start, end: split_plain(ruler, start, end, room),
        )
        return self._fitter.fit(ruler, (Span(start, end) for start, end in cutter.cut()))


class SentenceChunker:
    """Packs whole sentences (Unicode annex 29) until the limit is reached.

    *Does*: fills chunks well and never cuts a sentence that fits. *Needs*: nothing.
    *Relation*: unlike `recursive` it pays no heed to paragraphs, and an edit may move later boundaries.
    """

    def __init__(self, counter: TokenCounter, limit: ChunkLimit) -> None:
        self._counter = counter
        self._limit = limit
        self._fitter = Fitter(counter, limit)

    def spans(self, text: str) -> Iterator[Span]:
        """Yield the spans of the text, in order."""
        folded = _BREAKS.sub(lambda match: " " * len(match.group()), text)
        room = self._limit.tokens - self._limit.overlap
        bounds = split_exactly(folded, 0, len(text), self._counter, room)
        return self._fitter.fit(Ruler(text, self._counter), (Span(start, end) for start, end in bounds))


class TokenChunker:
    """Cuts every so many tokens, between words where the tokenizer allows.

    *Does*: the largest and most even chunks. *Needs*: nothing. *Relation*: the only one that may cut inside a sentence
    that would fit.
    """

    def __init__(self, counter: TokenCounter, limit: ChunkLimit) -> None:
        self._counter = counter
        self._limit = limit
        self._fitter = Fitter(counter, limit)

    def spans(self, text: str) -> Iterator[Span]:
        """Yield the spans of the text, in order."""
        ruler = Ruler(text, self._counter)
        return self._fitter.fit(ruler, self._every(ruler, self._limit.tokens - self._limit.overlap))

    def _every(self, ruler: Ruler, room: int) -> Iterator[Span]:
        start, length = 0, len(ruler.text)
        while start < length:
            end = ruler.forward(start, room, length)
            if end < length:
                end = _word_start(ruler.text, start, end)
            yield Span(start, end)
            start = end


def _word_start(text: str, start: int, end: int) -> int:
    """Move a cut back to the beginning of the word it falls into, if that word begins in the span's second half."""
    place = end
    while place > (start + end) // 2 and not text[place - 1].isspace():
        place -= 1
    return place if place > (start + end) // 2 else end
