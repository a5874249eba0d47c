"""An engine whose calls are told to OpenTelemetry, where the application wants to know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Concatenate

from qdrant_embed.store.engine import Engine
from qdrant_embed.store.engine_wrappers import KEEPING, HandingOn, P, R
from qdrant_embed.telemetry import recording

NAMES = {
    "collection_names": "get_collections",
    "alias_targets": "get_aliases",
    "collection_facts": "get_collection",
    "rank": "query_batch_points",
    "payloads": "retrieve",
    "count_points": "count",
    "count_lacking": "count",
}
"""The operations of a database that the methods of searches are."""


class TracedEngine(HandingOn):
    """An engine around another one, with a span around each of its calls."""

    def forward(self, method: Callable[Concatenate[Engine, P], R], *arguments: P.args, **named: P.kwargs) -> R:
        """Call the other engine's method of the same name."""
        call: Callable[..., R] = getattr(self.whole, method.__name__)
        if method.__name__ in KEEPING or not recording.wanted():
            return call(*arguments, **named)
        first = named.get("collection_name", arguments[0] if arguments else "")
        collection = first if isinstance(first, str) else ""
        name = NAMES.get(method.__name__, method.__name__)
        place = self.whole.identity if self.whole.shared else ""
        with recording.engine_call(collection, name, place, _requests(name, arguments, named)):
            return call(*arguments, **named)


def _requests(name: str, arguments: tuple[object, ...], named: dict[str, object]) -> int:
    if name != "query_batch_points":
        return 0
    requests = named.get("requests", arguments[1] if len(arguments) > 1 else ())
    return len(requests) if isinstance(requests, list | tuple) else 0
