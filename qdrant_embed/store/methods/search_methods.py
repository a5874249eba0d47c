"""The methods that searches, and the opening of a collection, ask an engine by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from qdrant_embed.store.methods.client_methods import ClientMethods

if TYPE_CHECKING:
    from qdrant_embed.store.methods.client_methods import PointId
    from qdrant_embed.store.methods.ranking_request import CollectionFacts, FoundPoint, RankingRequest


class SearchMethods(ClientMethods, Protocol):
    """What an engine need not write: each of these asks by a method of a client, which answers in its own way."""

    def collection_names(self) -> list[str]:
        """Return the names of all collections, aliases not among them."""
        return [found.name for found in self.get_collections().collections]

    def alias_targets(self) -> dict[str, str]:
        """Return the name of the collection behind every alias."""
        return {found.alias_name: found.collection_name for found in self.get_aliases().aliases}

    def collection_facts(self, collection_name: str) -> CollectionFacts:
        """Return what has to be known of a collection to open it."""
        from qdrant_embed.store.methods.client_requests import facts_of

        return facts_of(self.get_collection(collection_name))

    def rank(self, collection_name: str, requests: Sequence[RankingRequest]) -> list[list[FoundPoint]]:
        """Return the points of several rankings, each best first."""
        from qdrant_embed.store.methods.client_requests import found_point, query_request

        answers = self.query_batch_points(collection_name, requests=[query_request(asked) for asked in requests])
        return [[found_point(point) for point in answer.points] for answer in answers]

    def payloads(
        self, collection_name: str, ids: Sequence[PointId], *, fields: bool | Sequence[str] = True
    ) -> dict[PointId, dict[str, Any]]:
        """Return the payloads of points by their ids, some of their fields or all; those that are gone are left out."""
        wanted = fields if isinstance(fields, bool) else list(fields)
        records = self.retrieve(collection_name, list(ids), with_payload=wanted, with_vectors=False)
        return {record.id: record.payload or {} for record in records}

    def count_points(self, collection_name: str) -> int:
        """Return the number of points."""
        return self.count(collection_name, exact=True).count

    def count_lacking(self, collection_name: str, fields: tuple[str, ...], ids: tuple[PointId, ...] = ()) -> int:
        """Return how many points have no value in one of some fields, or are among the given ones."""
        from qdrant_embed.store.methods.client_requests import lacking

        return self.count(collection_name, lacking(fields, ids)).count
