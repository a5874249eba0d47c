"""The engine of a folder: who holds it, and what searches ask of it.

What it is asked as a client is, `EdgeClient` answers, which is loaded with `qdrant_client` when that comes up first.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, Self

import qdrant_edge as edge

from qdrant_embed.servers.features import Feature
from qdrant_embed.store.edge.edge_rankings import edge_ranking, found_points, lacking
from qdrant_embed.store.edge.folder import SHARDS, EdgeFolder, closed
from qdrant_embed.store.edge.lacking_features import lacked_by_folder
from qdrant_embed.store.edge.point_ids import edge_ids, plain_id
from qdrant_embed.store.edge.room import disk_sizes
from qdrant_embed.store.edge.shard import Shard, refusals
from qdrant_embed.store.engine_wrappers import ForwardingEngine, P, R
from qdrant_embed.store.methods.ranking_request import CollectionFacts, FoundPoint, RankingRequest
from qdrant_embed.store.payload_values import json_payload
from qdrant_embed.types import Json

if TYPE_CHECKING:
    from qdrant_client import models

    from qdrant_embed.store.engine import Engine
    from qdrant_embed.store.methods.client_methods import PointId


class EdgeEngine(ForwardingEngine):
    """The engine of a folder; see `qdrant_embed.store.Engine` for what its methods mean.

    Several of a process may share one folder.

    :param make: Make the folder one of collections where it is none yet.
    :raises LocationLockedError: Another process holds the folder.
    """

    def __init__(self, path: Path, *, make: bool = True) -> None:
        self.path = path
        self._folder = EdgeFolder.acquire(path, make=make)
        # Also lets go when the engine is forgotten (a notebook cell run twice) and when the interpreter ends.
        self._leave = weakref.finalize(self, self._folder.release)

    @classmethod
    def within(cls, folder: EdgeFolder) -> Self:
        """Return an engine on a folder that others have open, and close."""
        made = cls.__new__(cls)
        made.path, made._folder = folder.path, folder
        made._leave = weakref.finalize(made, bool)
        return made

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.path)!r})"

    def close(self) -> None:
        """Let go of the folder; another process may have it once every engine on it in this process is closed."""
        self._leave()

    # As a client is asked

    def forward(self, method: Callable[Concatenate[Engine, P], R], *arguments: P.args, **named: P.kwargs) -> R:
        """Have it answered in the words of `qdrant_client`."""
        found: R = self._as_client(method.__name__, *arguments, **named)
        return found

    def query_points_groups(
        self, collection_name: str, group_by: str, *given: Any, **named: Any
    ) -> models.GroupsResult:
        """Return the best points of each value of a payload field, the value with the best point first."""
        found: models.GroupsResult = self._as_client("query_points_groups", collection_name, group_by, *given, **named)
        return found

    def upload_points(self, collection_name: str, points: Iterable[models.PointStruct], **named: Any) -> None:
        """Write points from any iterable, some at a time; what was written survives."""
        self._as_client("upload_points", collection_name, points, **named)

    def _as_client(self, name: str, *given: Any, **named: Any) -> Any:
        from qdrant_embed.store.edge.edge_client import EdgeClient

        return getattr(EdgeClient(self.folder()), name)(*given, **named)

    # As searches ask

    def collection_names(self) -> list[str]:
        """Return the names of all collections."""
        return list(self.folder().catalog.collections)

    def alias_targets(self) -> dict[str, str]:
        """Return the name of the collection behind every alias."""
        return dict(self.folder().catalog.aliases)

    def collection_facts(self, collection_name: str) -> CollectionFacts:
        """Return what has to be known of a collection to open it."""
        shard, entry = self.shard(collection_name), self.folder().catalog.resolve(collection_name)[1]
        with refusals(collection_name):
            indexed = frozenset(shard.edge.info().payload_schema)
        return CollectionFacts(entry.metadata or {}, frozenset(entry.config.get("sparse_vectors") or ()), indexed)

    def rank(self, collection_name: str, requests: Sequence[RankingRequest]) -> list[list[FoundPoint]]:
        """Return the points of several rankings, planned together, each best first."""
        shard = self.shard(collection_name)
        with refusals(collection_name):
            batch = list(map(edge_ranking, requests))
            found = shard.edge.query_batch(edge.QueryBatchRequest(batch)) if batch else []
            return [found_points(own, asked.vectors) for asked, own in zip(requests, found, strict=True)]

    def payloads(
        self, collection_name: str, ids: Sequence[PointId], *, fields: bool | Sequence[str] = True
    ) -> dict[PointId, dict[str, Any]]:
        """Return the payloads of points by their ids."""
        shard, wanted = self.shard(collection_name), edge_ids(ids)
        with refusals(collection_name):
            found = shard.edge.retrieve(wanted, fields if isinstance(fields, bool) else list(fields), False)  # noqa: FBT003
        return {plain_id(record.id): record.payload or {} for record in found}

    def count_points(self, collection_name: str) -> int:
        """Return the number of points."""
        return self._count(collection_name, None)

    def count_lacking(self, collection_name: str, fields: tuple[str, ...], ids: tuple[PointId, ...] = ()) -> int:
        """Return how many points have no value in one of some fields, or are among the given ones."""
        return self._count(collection_name, lacking(fields, edge_ids(ids)))

    def _count(self, collection_name: str, where: edge.Filter | None) -> int:
        shard = self.shard(collection_name)
        with refusals(collection_name):
            count: int = shard.edge.count(edge.CountRequest(exact=True, filter=where))
        return count

    # About the folder

    def folder(self) -> EdgeFolder:
        """Return the folder.

        :raises StoreError: The engine is closed.
        """
        if not self._leave.alive or self._folder.closed:
            raise closed(self.path)
        return self._folder

    def shard(self, collection_name: str) -> Shard:
        """Return a collection's shard, opened at its first use."""
        return self.folder().shard(collection_name)

    @property
    def identity(self) -> str:
        """The folder, wherever it is opened from."""
        return str(self._folder.path)

    @property
    def joined(self) -> bool:
        """Whether other processes have asked this one for the folder."""
        server = self._folder.server
        return self.shared or (server is not None and server.used)

    @property
    def described(self) -> str:
        """What answers, with its version."""
        return f"embedded, qdrant-edge-py {version('qdrant-edge-py')}"

    def lacks(self, feature: Feature) -> str:
        """Say why a feature is not to be had: a folder has what the newest server has, but for more than one copy."""
        return lacked_by_folder(feature)

    def stored_metadata(self, collection_name: str) -> Mapping[str, Json]:
        """Return a collection's metadata without opening its shard."""
        return self.folder().catalog.resolve(collection_name)[1].metadata or {}

    def save_attachment(self, collection_name: str, data: bytes, noted: dict[str, Json]) -> None:
        """Keep a file beside a collection's shard, and then say in its metadata which one."""
        self.folder().attach(collection_name, data)
        self.folder().set_metadata(collection_name, json_payload(noted))

    def load_attachment(self, collection_name: str) -> bytes | None:
        """Return the file beside a collection's shard; None if there is none."""
        return self.folder().attachment(collection_name)

    def disk_sizes(self, collection_name: str) -> tuple[int, int]:
        """Return the bytes that a collection takes on the disk, and those that its files seem to have."""
        _, entry = self.folder().catalog.resolve(collection_name)
        return disk_sizes(self.path / SHARDS / entry.folder)

    def finish_bulk_load(self, collection_name: str) -> None:
        """Build the HNSW graph where enough points are new, and flush; other threads wait meanwhile."""
        self.shard(collection_name).optimize()
