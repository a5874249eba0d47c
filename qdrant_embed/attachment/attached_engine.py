"""An engine by which a collection that something else wrote looks like one of this library's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from qdrant_embed.attachment.filter_view import foreign_filter, foreign_key, own_id
from qdrant_embed.attachment.foreign_layout import ForeignLayout
from qdrant_embed.attachment.payload_view import keys_for, own_payload
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.engine_wrappers import WrappedEngine
from qdrant_embed.store.metadata import LAYOUT_VERSION, METADATA_KEY
from qdrant_embed.store.scroll import pages
from qdrant_embed.types import BM25, DENSE, SPARSE, TERMS, Json

if TYPE_CHECKING:
    from qdrant_client import models
    from qdrant_client.http.models import QueryResponse

    from qdrant_embed.store.methods.client_methods import Payload, PointId, Selector, Vectors

FoundPoint = TypeVar("FoundPoint", bound="models.Record | models.ScoredPoint")

PAGE = 1024


class AttachedEngine(WrappedEngine):
    """An engine around another one: fields and vectors of one collection have other names there.

    :param told: What is said to have been noted by this library: its recipe and its model.
    :param writable: Whether points may be removed.
    """

    def __init__(self, engine: Engine, layout: ForeignLayout, told: Mapping[str, Json], *, writable: bool) -> None:
        super().__init__(engine)
        self.layout, self.writable = layout, writable
        self.terms_of: Callable[[str], list[str]] = str.split
        """What makes words of a text, where an engine has no index to count them by."""
        self._told = {"layout": LAYOUT_VERSION, "fingerprint": "", "roots": {}, **told}

    # What it is

    def get_collection(self, collection_name: str) -> models.CollectionInfo:
        """Return counts and configuration, with what this library would have noted in the metadata."""
        info = self.whole.get_collection(collection_name)
        config = info.config.model_copy(update={"metadata": self._noted(info.config.metadata or {})})
        return info.model_copy(update={"config": config})

    def stored_metadata(self, collection_name: str) -> Mapping[str, Json]:
        """Return the metadata entries of a collection, with what this library would have noted."""
        return self._noted(self.whole.stored_metadata(collection_name))

    def _noted(self, metadata: Mapping[str, Json]) -> dict[str, Json]:
        return {**metadata, METADATA_KEY: self._told}

    def update_collection(self, collection_name: str, **changes: Any) -> bool:
        """Refuse: what another program configured is not changed from here.

        :raises ConfigurationError: Always.
        """
        raise ConfigurationError(
            f"collection {collection_name!r} is another program's: its settings and metadata stay as they are. Ingest "
            "into a collection of your own to have them changed, or see collection.attachment.adopt()."
        )

    # Points in

    def require_writable(self) -> None:
        """Refuse to change what something else wrote, where nobody allowed it.

        :raises ConfigurationError: It is so.
        """
        if not self.writable:
            raise ConfigurationError(
                "this collection was attached to be read; to change it, type: Collection.attach(…, writable=True)."
            )

    def upsert(
        self, collection_name: str, points: Sequence[models.PointStruct], *, wait: bool = True
    ) -> models.UpdateResult:
        """Write points as they are, in the other program's layout."""
        self.require_writable()
        return self.whole.upsert(collection_name, points, wait=wait)

    def delete(self, collection_name: str, points_selector: Selector, *, wait: bool = True) -> models.UpdateResult:
        """Remove points by id, or those that match a filter."""
        from qdrant_client import models

        self.require_writable()
        if isinstance(points_selector, models.FilterSelector):
            points_selector = points_selector.filter
        if isinstance(points_selector, models.PointIdsList):
            points_selector = points_selector.points
        wanted: Any = (
            foreign_filter(self.layout, points_selector)
            if isinstance(points_selector, models.Filter)
            else [own_id(one) for one in points_selector]
        )
        return self.whole.delete(collection_name, wanted, wait=wait)

    def set_payload(
        self, collection_name: str, payload: dict[str, Json], points: Selector, *, wait: bool = True
    ) -> models.UpdateResult:
        """Refuse: fields of chunks have no place in what something else wrote."""
        raise ConfigurationError("fields of points that something else wrote are changed by what wrote them.")

    # Points out

    def retrieve(
        self,
        collection_name: str,
        ids: Sequence[PointId],
        *,
        with_payload: Payload = True,
        with_vectors: Vectors = False,
    ) -> list[models.Record]:
        """Return the points with these ids as chunks."""
        records = self.whole.retrieve(
            collection_name, list(map(own_id, ids)), with_payload=self._keys(with_payload),
            with_vectors=self._vectors(with_vectors),
        )  # fmt: skip
        return [self._own(record, with_payload) for record in records]

    def scroll(
        self,
        collection_name: str,
        scroll_filter: models.Filter | None = None,
        *,
        with_payload: Payload = True,
        with_vectors: Vectors = False,
        **named: Any,
    ) -> tuple[list[models.Record], PointId | None]:
        """Return a page of points as chunks."""
        records, following = self.whole.scroll(
            collection_name, foreign_filter(self.layout, scroll_filter), with_payload=self._keys(with_payload),
            with_vectors=self._vectors(with_vectors), **named,
        )  # fmt: skip
        return [self._own(record, with_payload) for record in records], following

    def count(
        self, collection_name: str, count_filter: models.Filter | None = None, *, exact: bool = True
    ) -> models.CountResult:
        """Return the number of points that match."""
        return self.whole.count(collection_name, foreign_filter(self.layout, count_filter), exact=exact)

    def facet(
        self,
        collection_name: str,
        key: str,
        facet_filter: models.Filter | None = None,
        *,
        limit: int = 10,
        exact: bool = False,
    ) -> models.FacetResponse:
        """Return the values of a field of chunks with their numbers; nothing promises an index, so points are read."""
        from qdrant_client import models

        found: Counter[Any] = Counter()
        for page in pages(self, collection_name, PAGE, where=facet_filter, fields=[key]):
            found.update((record.payload or {}).get(key) for record in page)
        values = [(value, count) for value, count in found.most_common() if isinstance(value, (str, int))]
        return models.FacetResponse(hits=[models.FacetValueHit(value=v, count=n) for v, n in values[:limit]])

    def query_batch_points(self, collection_name: str, requests: Sequence[models.QueryRequest]) -> list[QueryResponse]:
        """Return the answers to several queries, in order, with chunks."""
        answers = self.whole.query_batch_points(collection_name, requests=[self._asked(one) for one in requests])
        for request, answer in zip(requests, answers, strict=True):
            answer.points = [self._own(point, request.with_payload or False) for point in answer.points]
        return answers

    def create_payload_index(
        self, collection_name: str, field_name: str, field_schema: Any, *, wait: bool = True
    ) -> Any:
        """Index a field of the payload, by its name as a field of chunks."""
        self.require_writable()
        return self.whole.create_payload_index(
            collection_name, foreign_key(self.layout, field_name), field_schema, wait=wait
        )

    # Names

    def _asked(self, asked: Any) -> Any:
        """Return a query, or a stage of one, by the other program's names."""
        stages = asked.prefetch or []
        changes: dict[str, Any] = {"filter": foreign_filter(self.layout, asked.filter)}
        if stages:
            changes["prefetch"] = [self._asked(one) for one in (stages if isinstance(stages, list) else [stages])]
        if asked.using is not None:
            changes["using"] = self._using(asked.using)
        if hasattr(asked, "with_payload"):
            changes["with_payload"] = self._keys(asked.with_payload)
            changes["with_vector"] = self._vectors(asked.with_vector or False)
        return asked.model_copy(update=changes)

    def _using(self, name: str) -> str | None:
        if name == TERMS:
            return foreign_key(self.layout, TERMS)
        known = {DENSE: self.layout.vector, BM25: self.layout.sparse, SPARSE: self.layout.sparse}
        return known.get(name, name) or None

    def _keys(self, wanted: Any) -> Any:
        return keys_for(self.layout, wanted) if isinstance(wanted, (list, tuple)) else wanted

    def _vectors(self, wanted: Vectors) -> Vectors:
        if isinstance(wanted, bool):
            return wanted
        return [name for one in wanted if (name := self._using(one))] or True

    def _own(self, point: FoundPoint, wanted: Payload) -> FoundPoint:
        """Return a point as a chunk, in place."""
        if wanted is not False and wanted is not None:
            made = own_payload(self.layout, point.id, point.payload or {})
            if isinstance(wanted, (list, tuple)):
                if TERMS in wanted:
                    made[TERMS] = " ".join(self.terms_of(made["text"]))
                made = {field: made[field] for field in wanted if field in made}
            point.payload = made
        if isinstance(point.vector, dict):
            back = {self.layout.vector: DENSE, self.layout.sparse: SPARSE}
            point.vector = {back.get(name, name): vector for name, vector in point.vector.items()}
        elif point.vector is not None:
            point.vector = {DENSE: point.vector}
        return point
