"""The last step of every chunker: overlap, and an exact count of what the model will see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from qdrant_embed.chunking.base import ChunkLimit
from qdrant_embed.chunking.boundaries import NEARBY, is_one_character, natural_cut
from qdrant_embed.chunking.token_ruler import Ruler, trimmed
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.tokens import TokenCounter
from qdrant_embed.types import Span, join_context


@dataclass(frozen=True, slots=True)
class TextPart:
    """A span on its way out.

    :param floor: Where its overlap must not reach beyond: the beginning of its section.
    """

    span: Span
    floor: int = 0


@dataclass(frozen=True, slots=True)
class Fitter:
    """Makes spans keep the promise: context and text together fit the limit, counted exactly."""

    counter: TokenCounter
    limit: ChunkLimit

    @property
    def room(self) -> int:
        """Tokens for context and text without the overlap."""
        return self.limit.tokens - self.limit.overlap

    def fit(self, ruler: Ruler, pieces: Iterable[TextPart]) -> Iterator[Span]:
        """Yield the spans, each within the limit, with its overlap.

        :param pieces: Trimmed, not blank, in order, without overlap.
        :raises ConfigurationError: A single character has more tokens than a chunk may have.
        """
        fitting: list[TextPart] = []
        waiting = list(pieces)
        while waiting:
            counted = list(zip(waiting, self._counts(ruler.text, waiting), strict=True))
            fitting += [piece for piece, count in counted if count <= self.room]
            over = [(piece, count) for piece, count in counted if count > self.room]
            waiting = [part for piece, count in over for part in self._smaller(ruler.text, piece, count)]
        fitting.sort(key=lambda piece: piece.span.start)
        if self.limit.overlap:
            fitting = self._overlapped(ruler, fitting)
        return (piece.span for piece in fitting)

    def _counts(self, text: str, pieces: Iterable[TextPart]) -> list[int]:
        spans = [piece.span for piece in pieces]
        return self.counter.count_batch([join_context(span.context, text[span.start : span.end]) for span in spans])

    def _smaller(self, text: str, piece: TextPart, counted: int) -> list[TextPart]:
        """Halve a span that the ruler took for shorter than it is; leave out the context before tearing a character."""
        span = piece.span
        start, end = span.start, span.end
        if span.context and is_one_character(text, start, end):
            return [replace(piece, span=replace(span, context=""))]
        third = max(1, (end - start) // 3)
        middle = natural_cut(text, start, start + third, max(start + third, end - third))
        bounds = [part for part in (trimmed(text, start, middle), trimmed(text, middle, end)) if part[0] < part[1]]
        if bounds != [(start, end)]:
            return [replace(piece, span=replace(span, start=first, end=last)) for first, last in bounds]
        raise ConfigurationError(
            f"a chunk may have {self.room} tokens beside its overlap, but the single character {text[start:end]!r} has "
            f"{counted} for this model. Allow chunks of at least {counted + self.limit.overlap} tokens."
        )

    def _overlapped(self, ruler: Ruler, pieces: Sequence[TextPart]) -> list[TextPart]:
        """Let each piece begin earlier, by the overlap or, where that would be too much, by less."""
        longer = list(pieces)
        waiting = {place: self.limit.overlap for place in range(1, len(pieces))}
        while waiting:
            for place, tokens in waiting.items():
                longer[place] = self._begun_earlier(ruler, pieces[place], tokens, pieces[place - 1].span.start)
            counts = self._counts(ruler.text, [longer[place] for place in waiting])
            waiting = {
                place: tokens * 3 // 4
                for (place, tokens), count in zip(waiting.items(), counts, strict=True)
                if count > self.limit.tokens
            }
        return longer

    def _begun_earlier(self, ruler: Ruler, piece: TextPart, tokens: int, previous: int) -> TextPart:
        """Begin a piece up to so many tokens earlier, at a natural place, within the section and the chunk before.

        The chunk before is never repeated whole: it would say nothing that this one does not.
        """
        span, floor = piece.span, max(piece.floor, previous)
        start = ruler.back(span.start, tokens, floor)
        if start >= span.start:
            return piece
        if start > floor or start == previous:
            earliest = max(start, previous + 1)
            latest = max(earliest, (start + span.start) // 2)
            start = natural_cut(ruler.text, max(floor, start - 2 * NEARBY), earliest, latest)
        start, _ = trimmed(ruler.text, start, span.end)
        if not any(map(str.isalnum, ruler.text[start : span.start])):
            return piece
        return replace(piece, span=replace(span, start=start))
