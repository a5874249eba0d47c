"""Documents a page at a time, and characters of one of them: in memory is what is returned, however much there is."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

from qdrant_embed.errors import ConfigurationError, UnknownNameError
from qdrant_embed.retrieval.documents import Documents, StoredDocument
from qdrant_embed.retrieval.hits import Hit, Hits
from qdrant_embed.store.filters import Pattern
from qdrant_embed.store.points import CHUNK_COUNT
from qdrant_embed.store.scroll import pages, payloads_of

if TYPE_CHECKING:
    from qdrant_client import models

    from qdrant_embed.store.engine import Engine

DOCUMENT_FIELDS = ("source", "root", "title", "media_type", "size", "modified", "document_id", CHUNK_COUNT)
PAGE = 4096
PROBES = 32
"""Chunks of a document that are asked at once where they begin."""
SCANNED = 128
"""Chunks among which one is looked for by reading them."""
_LIKELY = 500
"""Names that are compared with one that nothing has."""

Key = tuple[str, str]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DocumentPage:
    """Some of the documents of a collection, by root and source.

    :param total: How many documents there are that were asked for, on all pages together.
    :param after: Root and source behind which the next page begins, whatever comes and goes meanwhile; None for none.
    """

    documents: Documents
    total: int
    after: Key | None = None


@dataclass(frozen=True, slots=True)
class DocumentSpan:
    """Some chunks of a document, in reading order.

    :param length: Characters of the whole document's text.
    """

    source: str
    root: str
    title: str
    chunks: Hits
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentsWanted:
    """Which documents a page is of.

    :param pattern: As in filters: `guide/*`; None for any source.
    :param words: Parts of root, source or title, all of them, whatever their case.
    :param after: Root and source that the page begins behind.
    """

    pattern: str | None = None
    words: tuple[str, ...] = ()
    after: Key | None = None
    limit: int = 100
    _pattern: Pattern | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        if self.pattern is not None:
            object.__setattr__(self, "_pattern", Pattern.of(self.pattern))
        object.__setattr__(self, "words", tuple(word.casefold() for word in self.words))

    @property
    def beginning(self) -> str:
        """What all sources that the pattern matches begin with."""
        return self._pattern.beginning if self._pattern is not None else ""

    @property
    def named_by(self) -> tuple[str, ...]:
        """The fields that say whether a document is wanted, and where it stands."""
        return ("root", "source", "title") if self.words else ("root", "source")

    def wants(self, source: str, named: str) -> bool:
        """Tell whether a document is one of those asked for, on whatever page."""
        if self._pattern is not None and not self._pattern.matches(source):
            return False
        return not self.words or all(word in named for word in self.words)

    def chosen(self, documents: Iterable[tuple[Sequence[str], T]]) -> tuple[list[T], int, Key | None]:
        """Return those of a page, how many there are on all pages, and behind which one the next page begins.

        :param documents: The values of `named_by` and anything, in any order.
        """
        total, after = 0, self.after or ("", "")

        def behind() -> Iterator[tuple[str, str, int, T]]:
            nonlocal total
            for names, one in documents:
                root, source = names[0], names[1]
                if self.wants(source, " ".join(names).casefold() if self.words else ""):
                    total += 1
                    if (root, source) > after:
                        yield root, source, total, one

        found = heapq.nsmallest(self.limit + 1, behind())
        shown = found[: self.limit]
        return [one[3] for one in shown], total, shown[-1][:2] if len(found) > self.limit else None


def document_page(engine: Engine, name: str, wanted: DocumentsWanted) -> DocumentPage:
    """Return a page of a collection's documents; the names of all are gone through, as engines order none by name."""
    from qdrant_client import models

    first = models.FieldCondition(key="chunk_index", match=models.MatchValue(value=0))
    begun = models.FieldCondition(key="source", match=models.MatchPrefix(prefix=wanted.beginning))
    narrowed = wanted.beginning and not engine.lacks("prefix match")
    where = models.Filter(must=[first, begun] if narrowed else [first])
    heads = chain.from_iterable(pages(engine, name, PAGE, where=where, fields=wanted.named_by))
    names = ((record.payload or {}, record.id) for record in heads)
    ids, total, after = wanted.chosen(
        ([str(payload.get(field, "")) for field in wanted.named_by], key) for payload, key in names
    )
    told = payloads_of(engine, name, ids, fields=DOCUMENT_FIELDS)
    return DocumentPage(Documents(StoredDocument.from_payload(told[key]) for key in ids if key in told), total, after)


def document_span(engine: Engine, name: str, source: str, root: str | None, start: int, end: int) -> DocumentSpan:
    """Return the chunks of a document that hold any of the characters `[start, end)`, or white space between these.

    :raises UnknownNameError: There is no such document.
    :raises ConfigurationError: Several roots have one.
    """
    from qdrant_client import models

    named = {"source": source} | ({"root": root} if root is not None else {})
    conditions = [models.FieldCondition(key=key, match=models.MatchValue(value=value)) for key, value in named.items()]
    chunks = _Chunks(engine, name, conditions)
    about = chunks.require(source, root)
    last = chunks.at([chunks.last], ("end",))
    length = max((int(record.payload["end"]) for record in last if record.payload), default=0)
    return DocumentSpan(
        source=source, root=str(about.get("root", "")), title=str(about.get("title", "")),
        chunks=Hits(chunks.between(start, end)), length=length,
    )  # fmt: skip


@dataclass(slots=True)
class _Chunks:
    """The chunks of one document, asked for by their numbers."""

    engine: Engine
    name: str
    conditions: list[Any]
    last: int = -1

    def require(self, source: str, root: str | None) -> dict[str, Any]:
        """Find out the number of the last chunk, and return fields that all of them have.

        :raises UnknownNameError: There is no such document.
        :raises ConfigurationError: Several roots have one.
        """
        heads = [head.payload or {} for head in self.at([0], DOCUMENT_FIELDS)]
        if not (heads and heads[0].get(CHUNK_COUNT)):  # an ingest of it is under way, or was cut off
            heads = [one.payload or {} for one in self._scroll(self.conditions, ("root", "title", "chunk_index"))]
        if not heads:
            raise self._unknown(source, root)
        roots = sorted({str(head.get("root", "")) for head in heads})
        if len(roots) > 1:
            listed = ", ".join(map(repr, roots))
            raise ConfigurationError(f"several folders hold {source!r}; give root= with one of: {listed}.")
        self.last = max(int(head.get(CHUNK_COUNT) or head.get("chunk_index", 0) + 1) - 1 for head in heads)
        return heads[0]

    def between(self, start: int, end: int) -> Iterator[Hit]:
        """Yield the chunks that hold some of the characters, in reading order."""
        from qdrant_client import models

        number = self._holding(start)
        while number <= self.last:
            upto = min(self.last, number + SCANNED - 1)
            these = models.FieldCondition(key="chunk_index", range=models.Range(gte=number, lte=upto))
            found = map(Hit.from_point, self._scroll([*self.conditions, these]))
            hits = sorted(found, key=lambda hit: hit.chunk_index)
            yield from (hit for hit in hits if hit.end > start and hit.start < end)
            if any(hit.start >= end for hit in hits):
                return
            number = upto + 1

    def at(self, numbers: Iterable[int], fields: tuple[str, ...]) -> list[models.Record]:
        """Return fields of the chunks with these numbers."""
        from qdrant_client import models

        these = models.FieldCondition(key="chunk_index", match=models.MatchAny(any=list(numbers)))
        return list(self._scroll([*self.conditions, these], fields))

    def _holding(self, start: int) -> int:
        """Return a number not greater than that of the chunk that holds a character, and by at most `SCANNED` less."""
        low, high = 0, self.last
        while high - low >= SCANNED:
            step = max(1, (high - low) // PROBES)
            begins = [
                (int(fields["chunk_index"]), int(fields["start"]))
                for fields in (
                    record.payload or {} for record in self.at(range(low + step, high, step), ("chunk_index", "start"))
                )
            ]
            before = max((number for number, begin in begins if begin <= start), default=low)
            behind = min((number for number, begin in begins if begin > start), default=high)
            if (before, behind) == (low, high):
                break
            low, high = before, behind
        return low

    def _scroll(self, conditions: list[Any], fields: tuple[str, ...] = ()) -> Iterator[models.Record]:
        """Yield the chunks that all conditions hold for, with these fields, or with all."""
        from qdrant_client import models

        where = models.Filter(must=conditions)
        return chain.from_iterable(pages(self.engine, self.name, PAGE, where=where, fields=fields or True))

    def _unknown(self, source: str, root: str | None) -> UnknownNameError:
        """Return the error for a document that is not there, with those that may have been meant."""
        if root is not None:
            roots = {str((head.payload or {}).get("root", "")) for head in self._scroll(self.conditions[:1], ("root",))}
            if roots:
                return UnknownNameError(f"root of {source!r}", root, roots)
        every = _Chunks(self.engine, self.name, self.conditions[1:]).heads("source")
        return UnknownNameError("document", source, heapq.nlargest(_LIKELY, every, key=likeness_to(source)))

    def heads(self, field: str) -> Iterator[str]:
        """Yield a field of the first chunks."""
        from qdrant_client import models

        first = models.FieldCondition(key="chunk_index", match=models.MatchValue(value=0))
        for record in self._scroll([*self.conditions, first], (field,)):
            yield str((record.payload or {})[field])


def likeness_to(name: str) -> Callable[[str], int]:
    """Return what says how many characters another name has in common with this one at its beginning and its end."""

    def common(one: Iterable[str], other: Iterable[str]) -> int:
        same = 0
        for left, right in zip(one, other, strict=False):
            if left != right:
                break
            same += 1
        return same

    return lambda other: common(name, other) + common(reversed(name), reversed(other))
