"""The last step of every chunker: trimmed spans, overlap, and an exact count of what the model will see."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise

import regex
from semantic_text_splitter import TextSplitter

from qdrant_embed.chunking.base import ChunkLimit
from qdrant_embed.chunking.ruler import Ruler
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.tokens import HuggingFaceTokens, TokenCounter
from qdrant_embed.types import Span, join_context

CONTEXT_SHARE = 3
"""The context may take one part in so many of a chunk."""
_SENTENCE_END = re.compile(r"[.!?…][\"'”’)\]]*\s+|[。！？]+[」』”’）]*")
_SPACE = re.compile(r"\s+")
_GRAPHEME = regex.compile(r"\X")


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the span without the white space at its ends; empty if there is nothing else."""
    part = text[start:end]
    lead = len(part) - len(part.lstrip())
    return start + lead, start + max(lead, len(part.rstrip()))


@lru_cache(maxsize=8)
def text_splitter(counter: TokenCounter, tokens: int) -> TextSplitter:
    """Return a splitter by sentences, words and characters (Unicode annex 29) with exact counts."""
    if isinstance(counter, HuggingFaceTokens):
        return TextSplitter.from_huggingface_tokenizer(counter.tokenizer, tokens)
    return TextSplitter.from_callback(counter.count, tokens)


def split_exactly(text: str, start: int, end: int, counter: TokenCounter, tokens: int) -> list[tuple[int, int]]:
    """Cut a span at sentence, word or character boundaries, counting exactly, without gaps."""
    window = max(20_000, tokens * 40)
    cuts = [start]
    while cuts[-1] < end:
        # The splitter looks at all of what it is given, many times; a window keeps giant lines from being quadratic.
        piece = text[cuts[-1] : min(end, cuts[-1] + window)]
        last = cuts[-1] + len(piece) >= end
        found = [offset for offset, _ in text_splitter(counter, tokens).chunk_indices(piece)][1:]
        if last:
            cuts += [cuts[-1] + offset for offset in found] + [end]
        else:
            # The window's end is no boundary: its last chunk is cut again with what follows it.
            cuts += [cuts[-1] + offset for offset in found] or [cuts[-1] + len(piece)]
    return list(pairwise(cuts))


def split_plain(ruler: Ruler, start: int, end: int, tokens: int) -> list[tuple[int, int]]:
    """Cut a span without structure: after a sentence, else before a word, else between two characters."""
    cuts = [start]
    while ruler.tokens(cuts[-1], end) > tokens:
        farthest = ruler.forward(cuts[-1], tokens, end)
        cuts.append(_best_cut(ruler.text, cuts[-1], farthest))
    return list(pairwise([*cuts, end]))


def _best_cut(text: str, start: int, end: int) -> int:
    """Return the best place to cut in `(start, end]`: late, and as natural as it can be."""
    half = (start + end) // 2
    for pattern in (_SENTENCE_END, _SPACE):
        places = [match.end() for match in pattern.finditer(text, half, end)]
        if places:
            return places[-1]
    # Between two user-perceived characters: an emoji with its modifiers is not torn.
    near = max(start, end - 64)
    places = [near + match.end() for match in _GRAPHEME.finditer(text[near : end + 64]) if near + match.end() <= end]
    return places[-1] if places and places[-1] > start else end


class Fitter:
    """Makes spans keep the promise: context and text together fit the limit, counted exactly."""

    def __init__(self, counter: TokenCounter, limit: ChunkLimit) -> None:
        self._counter = counter
        self._limit = limit

    def fit(self, ruler: Ruler, spans: Iterable[Span]) -> Iterator[Span]:
        """Yield the spans trimmed, with their overlap, each within the limit."""
        text = ruler.text
        kept: list[Span] = []
        for span in spans:
            start, end = trimmed(text, span.start, span.end)
            if start < end:
                kept.append(replace(span, start=start, end=end, context=self._shortened(span.context)))
        for span, counted in zip(kept, self._count(text, kept), strict=True):
            parts = [span] if counted <= self._limit.tokens - self._limit.overlap else self._halved(text, span)
            yield from (self._overlapped(ruler, part) for part in parts)

    def _count(self, text: str, spans: Sequence[Span]) -> list[int]:
        return self._counter.count_batch([join_context(span.context, text[span.start : span.end]) for span in spans])

    def _halved(self, text: str, span: Span) -> list[Span]:
        """Cut a span that the ruler took for shorter than it is, at exact counts."""
        room = self._limit.tokens - self._limit.overlap
        room -= self._counter.count(join_context(span.context, "")) if span.context else 0
        while room > 0:
            bounds = split_exactly(text, span.start, span.end, self._counter, room)
            parts = [replace(span, start=start, end=end) for start, end in (trimmed(text, *b) for b in bounds)]
            parts = [part for part in parts if part.start < part.end]
            if all(counted <= self._limit.tokens for counted in self._count(text, parts)):
                return parts
            room -= 1
        if span.context:
            return self._halved(text, replace(span, context=""))
        raise ConfigurationError(
            f"a chunk may have {self._limit.tokens} tokens, but a single character of "
            f"{text[span.start : span.end][:12]!r} has more. Allow chunks of at least 8 tokens."
        )

    def _overlapped(self, ruler: Ruler, span: Span) -> Span:
        """Let the span begin earlier, by what the limit leaves."""
        wanted = self._limit.overlap
        while wanted > 0:
            start = ruler.back(span.start, wanted, 0)
            start, _ = trimmed(ruler.text, start, span.end)
            longer = replace(span, start=start)
            if self._count(ruler.text, [longer])[0] <= self._limit.tokens:
                return longer
            wanted -= max(1, wanted // 4)
        return span

    def _shortened(self, context: str) -> str:
        """Drop outer headings, then cut, until the context takes no more than its share."""
        most = self._limit.tokens // CONTEXT_SHARE
        while context and self._counter.count(join_context(context, "")) > most:
            _, found, rest = context.partition(" › ")
            context = rest if found else context[: len(context) // 2].rstrip()
        return context
