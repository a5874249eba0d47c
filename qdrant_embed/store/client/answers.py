"""Answers made the same whichever way they came: gRPC has an empty payload where none was asked for, JSON has none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def without_unasked(method: str, named: dict[str, Any], arguments: tuple[Any, ...], found: Any) -> None:
    """Take payloads off points that were asked for without, in place.

    :param method: Of `QdrantClient`.
    :param named: What it was called with; `arguments` likewise.
    """
    for point in _bare(method, named, arguments, found):
        point.payload = None


def _bare(method: str, named: dict[str, Any], arguments: tuple[Any, ...], found: Any) -> Iterator[Any]:
    if method == "query_batch_points":
        requests = named["requests"] if "requests" in named else arguments[1]
        for request, answer in zip(requests, found, strict=True):
            yield from () if request.with_payload else answer.points
    elif named.get("with_payload") is False:
        yield from {"retrieve": lambda: found, "scroll": lambda: found[0]}.get(method, lambda: found.points)()
