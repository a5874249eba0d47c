"""A `QdrantClient` as an engine: patient with the network, and with errors that say what to type.

Everything that the library asks of a server may safely be asked twice (a point's id decides what it is), so what failed
on its way is repeated with growing pauses. Points that a server takes only in smaller portions are sent in such.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Concatenate

from qdrant_embed.errors import StoreError, UnsupportedByEngineError
from qdrant_embed.native import make_lock
from qdrant_embed.servers.features import LACKED_IN_MEMORY, Feature, lacked_by_server
from qdrant_embed.store.client.errors import TRANSIENT, UNSENT, FaultError, told
from qdrant_embed.store.client.persistence import Persistence, Retries
from qdrant_embed.store.client.portions import completed, plain, points_at_once
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.engine_wrappers import ForwardingEngine, P, R
from qdrant_embed.store.payload_values import json_payload
from qdrant_embed.store.points import require_finite
from qdrant_embed.types import Json

if TYPE_CHECKING:
    from qdrant_client import QdrantClient, models

    from qdrant_embed.store.methods.client_methods import Selector

GREEN_SECONDS = 60.0
"""How long `finish_bulk_load` waits for a server's indexes; it goes on building them when nobody waits."""
INDEXING_THRESHOLD_KB = 10_000
"""The server's default, restored where a bulk load had switched indexing off."""

_ASKING = frozenset({"query_points", "query_batch_points"})
_ONE_AT_A_TIME = make_lock()
"""For clients in memory, of which several engines may share one."""
_OF_NO_EFFECT = "Payload indexes have no effect in the local|Local mode performs exact"


class ClientEngine(ForwardingEngine):
    """An engine around a `QdrantClient`.

    :param place: What to call it in messages.
    :param secret: The API key, which is struck out of every message.
    :param owned: Close the client with the engine.
    """

    client: QdrantClient

    def __init__(
        self,
        client: QdrantClient,
        *,
        place: str,
        secret: str | None = None,
        owned: bool = True,
        retries: Retries | None = None,
    ) -> None:
        self.client = client
        self.place = place
        self._owned = owned
        self._persistence = Persistence(place, retries or Retries(), secret)
        self._closed = False

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.place!r})"

    @property
    def shared(self) -> bool:
        """Whether a server answers, which other processes use too."""
        return not self._is_local()

    @property
    def identity(self) -> str:
        """The server's URL, or the client that the collections are in."""
        return self.place if self._owned and self.shared else str(id(self.client))

    @cached_property
    def version(self) -> str:
        """The server's version; asked for once, since one that is upgraded under an open engine gains nothing new."""
        return str(self.request("info").version)

    @property
    def described(self) -> str:
        """What answers, with its version."""
        if self._is_local():
            return "in memory, by qdrant-client"
        return f"Qdrant {self.version}, {'through gRPC' if self._by_grpc() else 'by REST'}"

    def lacks(self, feature: Feature) -> str:
        """Say why a feature is not to be had: in memory some are not, and older servers lack others."""
        if self._is_local():
            none = f"qdrant_client's engine in memory has no {feature}: it would take the setting and ignore it"
            return none if feature in LACKED_IN_MEMORY else ""
        return lacked_by_server(feature, self.version, grpc=self._by_grpc())

    def forward(self, method: Callable[Concatenate[Engine, P], R], *arguments: P.args, **named: P.kwargs) -> R:
        """Call the client's method of the same name."""
        if method.__name__ in _ASKING:
            for part in (*arguments, *named.values()):
                require_finite(part)
            if self._is_local():
                asked: Any = arguments[1] if len(arguments) > 1 else named.get("requests", named.get("query"))
                single = method.__name__ == "query_points"
                offset: Any = named.get("offset")
                _require_answerable([(asked, offset)] if single else [(one.query, one.offset) for one in asked])
        found: R = self.request(method.__name__, *arguments, **named)
        for point in _without_payload(method.__name__, named, arguments, found):
            point.payload = None
        return found

    def request(self, method: str, *arguments: Any, **named: Any) -> Any:
        """Call a method of the client, again where that may help.

        :raises CollectionNotFoundError: The collection is missing.
        :raises StoreError: It failed for good.
        """
        if named.get("metadata") is not None:
            named["metadata"] = json_payload(named["metadata"])
        try:
            return self._persist(method, *arguments, **named)
        except FaultError as error:
            collection = named.get("collection_name", arguments[0] if arguments else None)
            raise told(error.fault, self.place, collection) from None

    def upsert(
        self, collection_name: str, points: Sequence[models.PointStruct], *, wait: bool = True
    ) -> models.UpdateResult:
        """Write points, in portions that the server takes."""
        listed = [plain(point) for point in points]
        result = completed()
        portion = self.points_at_once(collection_name, listed) if listed else 1
        for start in range(0, len(listed), portion):
            result = self._upsert_portion(collection_name, listed[start : start + portion], wait=wait)
        return result

    def points_at_once(self, collection_name: str, points: Sequence[models.PointStruct]) -> int:
        """Return how many of these points one request may hold."""
        return len(points) if self._is_local() else points_at_once(points)

    def set_payload(
        self, collection_name: str, payload: dict[str, Json], points: Selector, *, wait: bool = True
    ) -> models.UpdateResult:
        """Set some payload fields of points and leave the others."""
        given = json_payload(payload)
        done: models.UpdateResult = self.request(
            "set_payload", collection_name, payload=given, points=points, wait=wait
        )
        return done

    def finish_bulk_load(self, collection_name: str) -> None:
        """Wait, for a while, until the server has indexed what was written."""
        from qdrant_client import models

        if self._is_local():
            return
        config = self.request("get_collection", collection_name).config.optimizer_config
        if config.indexing_threshold == 0:
            restored = models.OptimizersConfigDiff(indexing_threshold=INDEXING_THRESHOLD_KB)
            self.request("update_collection", collection_name=collection_name, optimizers_config=restored)
        until = time.monotonic() + GREEN_SECONDS
        while time.monotonic() < until:
            if self.request("get_collection", collection_name).status != models.CollectionStatus.YELLOW:
                return
            time.sleep(0.5)

    def close(self) -> None:
        """Close the client, unless it is the user's."""
        if not self._closed and self._owned:
            self.client.close()
        self._closed = True

    def _persist(self, method: str, *arguments: Any, **named: Any) -> Any:
        if self._closed:
            raise StoreError(f"the location {self.place!r} has been closed; open the collection again.")
        action = partial(getattr(self.client, method), *arguments, **named)
        repeatable = UNSENT if _only_once(method, *arguments, **named) else TRANSIENT
        if not self._is_local():
            return self._persistence.ask(action, repeatable)
        # In memory, qdrant_client reads arrays while another thread lengthens them.
        with _ONE_AT_A_TIME, quiet(_OF_NO_EFFECT):
            return self._persistence.ask(action, repeatable)

    def _upsert_portion(
        self, collection_name: str, points: list[models.PointStruct], *, wait: bool
    ) -> models.UpdateResult:
        try:
            done: models.UpdateResult = self._persist(
                "upsert", collection_name=collection_name, points=points, wait=wait
            )
        except FaultError as error:
            if error.fault.kind != "too large" or len(points) == 1:
                raise told(error.fault, self.place, collection_name) from None
            middle = len(points) // 2
            self._upsert_portion(collection_name, points[:middle], wait=wait)
            done = self._upsert_portion(collection_name, points[middle:], wait=wait)
        return done

    def _by_grpc(self) -> bool:
        return bool(getattr(self.client._client, "_prefer_grpc", False))

    def _is_local(self) -> bool:
        from qdrant_client.local.qdrant_local import QdrantLocal

        return isinstance(self.client._client, QdrantLocal)


def _require_answerable(asked: Iterable[tuple[Any, int | None]]) -> None:
    """Refuse queries, each with its offset, whose offset `qdrant_client` would not look at in memory."""
    from qdrant_client import models

    if any(isinstance(query, models.SampleQuery) and offset for query, offset in asked):
        raise UnsupportedByEngineError(
            "in memory a random sample has no offset; ask for as many more points and leave the first out, or use a "
            "folder or a server: at='qdrant_data', at='http://localhost:6333'."
        )


def _only_once(method: str, *arguments: Any, **named: Any) -> bool:
    """Tell whether doing it again fails where it was done: a collection is there then, or an alias has another name."""
    if method != "update_collection_aliases":
        return method == "create_collection"
    changes = arguments[0] if arguments else named["change_aliases_operations"]
    return any(hasattr(change, "rename_alias") for change in changes)


@contextmanager
def quiet(message: str) -> Iterator[None]:
    """Keep a warning of `qdrant_client` back where it says what is meant to be so."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message)
        yield


def _without_payload(method: str, named: dict[str, Any], arguments: tuple[Any, ...], found: Any) -> Iterator[Any]:
    """Yield the points that were asked for without a payload: by gRPC they have an empty one, by JSON none."""
    if method == "query_batch_points":
        requests = named["requests"] if "requests" in named else arguments[1]
        for request, answer in zip(requests, found, strict=True):
            yield from () if request.with_payload else answer.points
    elif named.get("with_payload") is False:
        yield from {"retrieve": lambda: found, "scroll": lambda: found[0]}.get(method, lambda: found.points)()
