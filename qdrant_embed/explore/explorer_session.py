"""What a page can ask of a collection, each by a name and JSON-ready values: the same over HTTP and in a notebook."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from qdrant_embed.display import printable
from qdrant_embed.errors import ConfigurationError, QdrantEmbedError
from qdrant_embed.explore.background_task import BackgroundTask
from qdrant_embed.explore.chunk_statistics import chunk_statistics
from qdrant_embed.explore.collection_map import CollectionMap, make_map
from qdrant_embed.explore.passage_views import chunk_view, hit_view, row_view
from qdrant_embed.explore.python_code import of_ids, of_search, opening
from qdrant_embed.operations import collection_queries
from qdrant_embed.operations.collection_handle import CollectionHandle
from qdrant_embed.operations.collection_vectors import CollectionVectors
from qdrant_embed.retrieval.document_pages import DocumentsWanted
from qdrant_embed.retrieval.hits import Hit, Hits
from qdrant_embed.retrieval.search_request import SearchRequest
from qdrant_embed.store.filters import both, filter_of
from qdrant_embed.store.scroll import pages
from qdrant_embed.types import Json

if TYPE_CHECKING:
    import pandas as pd
    from qdrant_client import models

MOST_HITS = 100
MOST_ROWS = 200
MOST_LISTED = 200
AROUND = 60
"""Chunks of a document that are shown before and after the one that was opened."""
MOST_SHOWN = 1000
"""Of a document, where another program did not number its chunks."""
FIELDS = ("source", "root", "page", "media_type", "title", "headings")
"""Fields of every payload that people filter by."""

log = logging.getLogger(__name__)


class ExplorerSession:
    """Answers what a page asks of one collection; nothing of it changes the collection.

    :ivar selected: Ids of the points that are selected in the map, in the order of the map.
    """

    def __init__(self, handle: CollectionHandle) -> None:
        self._handle = handle
        self.selected: list[str] = []
        self._map = BackgroundTask(lambda on: make_map(handle.parts, handle.name, on), "qdrant-embed-explore-map")
        self._counts = BackgroundTask(
            lambda on: chunk_statistics(handle.parts, handle.name, on), "qdrant-embed-explore-statistics"
        )
        self._asked: Mapping[str, Callable[[Mapping[str, Json]], Json]] = {
            "about": self._about, "search": self._search, "document": self._document, "documents": self._documents,
            "map": self._the_map, "rows": self._rows, "select": self._select, "selection": self._selection,
            "statistics": self._statistics, "python": self._python, "warm": self._warm,
        }  # fmt: skip

    def ask(self, name: str, given: Mapping[str, Json]) -> Json:
        """Return the answer; of what cannot be answered, `{"error": …}` with a message for people."""
        try:
            asked = self._asked.get(name)
            if asked is None:
                raise ConfigurationError(f"nothing is called {name!r} here; known: {', '.join(self._asked)}.")
            return asked(given)
        except QdrantEmbedError as error:
            return {"error": printable(str(error))}
        except Exception as error:
            log.exception("the answer to %r failed", name)
            return {"error": printable(f"unexpected {type(error).__name__}: {error}")}

    def frame(self) -> pd.DataFrame:
        """Return the selected chunks as a data frame, one row each."""
        return self._hits(self.selected).to_pandas()

    def close(self) -> None:
        """Call off what is still being computed."""
        self._map.stop()
        self._counts.stop()

    def _about(self, given: Mapping[str, Json]) -> Json:
        parts = self._handle.parts
        found = dict(collection_queries.info(self._handle))
        try:
            capacity = str(CollectionVectors(self._handle).capacity())
        except ConfigurationError as error:
            capacity = str(error)
        width = 0 if parts.codec.windows else parts.codec.ranked_width
        return {
            **found,
            "modes": parts.modes,
            "fields": list(dict.fromkeys((*FIELDS, *parts.recipe.index))),
            "capacity": printable(capacity),
            "vectors": {"dimensions": width, "float32_bytes": width * 4 * found["chunks"]} if width else None,
        }

    @property
    def _opening(self) -> str:
        return opening(self._handle.name, self._handle.recipe, self._handle.layout)

    def _warm(self, given: Mapping[str, Json]) -> Json:
        """Load what searches need, so that the first one need not wait."""
        self._handle.parts.embedder.embed_queries(["ready"])
        return {"ready": True}

    def _search(self, given: Mapping[str, Json]) -> Json:
        query = _text(given, "query")
        where = given.get("filter")
        if given.get("within_selection"):
            where = self._within(where)
        request = SearchRequest(
            k=_whole(given, "k", 10, 1, MOST_HITS),
            offset=_whole(given, "offset", 0, 0, 10_000),
            where=where,
            group_by="document" if given.get("by_document") else None,
            explain=True,
        )
        mode: Any = given.get("mode") or "hybrid"
        rerank = given.get("rerank") or None
        found = collection_queries.search(self._handle, [query], request, mode, rerank)
        hits = cast("Hits", found[0])
        on_map = self._on_map([hit.id for hit in hits])
        return {
            "confidence": hits.confidence,
            "hits": [{**hit_view(hit, hits), "at": on_map.get(hit.id)} for hit in hits],
            "python": of_search(self._opening, given, where),
        }

    def _document(self, given: Mapping[str, Json]) -> Json:
        from qdrant_client import models

        source, root = _text(given, "source"), given.get("root")
        middle = _whole(given, "around", 0, 0, 2**40)
        query = str(given.get("query") or "")
        named = {"source": source} | ({"root": str(root)} if root is not None else {})
        where: list[models.Condition] = [
            models.FieldCondition(key=key, match=models.MatchValue(value=value)) for key, value in named.items()
        ]
        near = models.Range(gte=middle - AROUND, lte=middle + AROUND)
        parts = self._handle.parts
        total = parts.points.count(self._handle.name, count_filter=models.Filter(must=where), exact=True).count
        if not total:
            raise ConfigurationError(f"there is no document {source!r} (any more).")
        every = models.Filter(must=[*where, models.FieldCondition(key="chunk_index", range=near)])
        found = chain.from_iterable(pages(parts.points, self._handle.name, 1024, where=every, fields=True))
        hits = sorted(
            map(Hit.from_point, islice(found, MOST_SHOWN)), key=lambda hit: (hit.root, hit.chunk_index, hit.start)
        )
        first = hits[0] if hits else None
        return {
            "source": source,
            "root": root,
            "title": first.title if first else "",
            "media_type": first.media_type if first else "",
            "metadata": dict(first.metadata) if first else {},
            "total": total,
            "chunks": [chunk_view(hit, query, self._handle.recipe.language) for hit in hits],
        }

    def _documents(self, given: Mapping[str, Json]) -> Json:
        words = tuple(_text(given, "like", "").split())
        after = given.get("after")
        if after is not None and not (isinstance(after, list) and list(map(type, after)) == [str, str]):
            raise ConfigurationError("after has to be the root and the source that the page before ended with.")
        wanted = DocumentsWanted(words=words, after=tuple(after) if after else None, limit=MOST_LISTED)
        page = self._handle.answer(lambda parts: parts.browser.document_page(wanted))
        return {
            "total": page.total,
            "documents": [one.as_dict() for one in page.documents],
            "after": list(page.after) if page.after else None,
        }

    def _the_map(self, given: Mapping[str, Json]) -> Json:
        made = self._map.result()
        state = self._map.state()
        return {**state, "map": made.as_dict()} if made is not None and given.get("whole") else state

    def _rows(self, given: Mapping[str, Json]) -> Json:
        made = self._made()
        places = _places(given, len(made.ids))[:MOST_ROWS]
        hits = self._hits([made.ids[place] for place in places])
        return {"rows": [row_view(hit, place) for hit, place in zip(hits, places, strict=True)]}

    def _select(self, given: Mapping[str, Json]) -> Json:
        made = self._made()
        self.selected = [made.ids[place] for place in _places(given, len(made.ids))]
        return {"selected": len(self.selected)}

    def _selection(self, given: Mapping[str, Json]) -> Json:
        return {"selected": len(self.selected), "python": of_ids(self._opening, self.selected)}

    def _statistics(self, given: Mapping[str, Json]) -> Json:
        made = self._counts.result()
        state = self._counts.state()
        if made is None:
            return state
        found = collection_queries.failures(self._handle)
        listed = [one.as_dict() for one in found[:MOST_LISTED]]
        return {
            **state,
            **made,
            "unfinished": made["unfinished"] if self._handle.layout.ours else None,
            "failed": {"total": found.total, "kinds": found.kinds, "listed": listed},
        }

    def _python(self, given: Mapping[str, Json]) -> Json:
        return {"python": of_search(self._opening, given, given.get("filter"))}

    def _hits(self, ids: list[str]) -> Hits:
        return Hits(collection_queries.get(self._handle, ids)) if ids else Hits()  # type: ignore[arg-type]

    def _made(self) -> CollectionMap:
        made = self._map.result()
        if made is None:
            raise ConfigurationError("the map is not there yet; try again in a moment.")
        return made

    def _on_map(self, ids: list[str]) -> dict[str, int]:
        """Return the numbers that points have in the map, if it is there; nothing is begun for that."""
        state = self._map.state()
        made = self._map.result() if state["state"] == "ready" else None
        if made is None:
            return {}
        places = np.searchsorted(np.asarray(made.ids), ids).tolist() if ids else []
        return {
            one: place
            for one, place in zip(ids, places, strict=True)
            if place < len(made.ids) and made.ids[place] == one
        }

    def _within(self, where: Any) -> models.Filter:
        from qdrant_client import models

        if not self.selected:
            raise ConfigurationError("no points are selected; draw around some in the map first.")
        selected = models.Filter(
            must=[models.HasIdCondition(has_id=[int(one) if one.isdecimal() else one for one in self.selected])]
        )
        other = filter_of(self._handle.parts.points, self._handle.name, where)
        return both(other, selected) or selected


def _text(given: Mapping[str, Json], name: str, usual: str | None = None, most: int = 10_000) -> str:
    found = given.get(name, usual)
    if not isinstance(found, str) or len(found) > most:
        raise ConfigurationError(f"{name} has to be a text of at most {most:,} characters.")
    return found


def _whole(given: Mapping[str, Json], name: str, usual: int, least: int, most: int) -> int:
    found = given.get(name, usual)
    if not isinstance(found, int) or isinstance(found, bool) or not least <= found <= most:
        raise ConfigurationError(f"{name} has to be a whole number from {least} to {most:,}.")
    return found


def _places(given: Mapping[str, Json], points: int) -> list[int]:
    found = given.get("points")
    if not isinstance(found, list) or not all(type(one) is int and 0 <= one < points for one in found):
        raise ConfigurationError(f"points has to be a list of numbers of the map's points, from 0 to {points - 1:,}.")
    return found
