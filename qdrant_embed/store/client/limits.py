"""What a server's strict mode allows: the limits of a collection as a value, and what its refusals mean."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, TypeVar

from qdrant_embed.errors import LimitError

if TYPE_CHECKING:
    from qdrant_client import models

N = TypeVar("N", int, float)
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What may be asked of a collection, in the server's own names; None where there is no limit.

    :param max_query_limit: Points that one request may bring, in a page, a ranking or a stage of one.
    :param search_max_batchsize: Queries that go together.
    :param search_max_hnsw_ef: Candidates kept while walking the graph.
    :param search_max_oversampling: How many times more points may be rescored than are wanted.
    :param search_allow_exact: Whether points may be counted and compared one by one.
    :param upsert_max_batchsize: Points that may be written at once.
    :param filter_max_conditions: Conditions of a filter, nested ones included.
    :param condition_max_size: Values of one condition.
    :param max_payload_index_count: Indexes of payload fields.
    :param read_rate_limit: What may be read in a minute: a page and a query cost 1, and 1 more for each condition;
        points fetched by their ids 1 each. A request that costs more is never answered.
    :param write_rate_limit: Points that may be written or removed in a minute.
    :param indexed: Payload fields that have an index.
    """

    max_query_limit: int | None = None
    search_max_batchsize: int | None = None
    search_max_hnsw_ef: int | None = None
    search_max_oversampling: float | None = None
    search_allow_exact: bool = True
    upsert_max_batchsize: int | None = None
    filter_max_conditions: int | None = None
    condition_max_size: int | None = None
    max_payload_index_count: int | None = None
    read_rate_limit: int | None = None
    write_rate_limit: int | None = None
    indexed: frozenset[str] = frozenset()

    @classmethod
    def of(cls, info: models.CollectionInfo) -> Limits:
        """Read the limits of a collection."""
        strict, indexed = info.config.strict_mode_config, frozenset(info.payload_schema or {})
        if strict is None or not strict.enabled:
            return cls(indexed=indexed)
        names = (field.name for field in fields(cls) if field.name != "indexed")
        given = {name: getattr(strict, name) for name in names if getattr(strict, name, None) is not None}
        return cls(indexed=indexed, **given)

    @property
    def any(self) -> bool:
        """Whether anything is limited."""
        return self != Limits(indexed=self.indexed)


def least(wanted: N, *limits: N | None) -> N:
    """Return how many of what is wanted one request may have, at least 1."""
    found = wanted
    for limit in limits:
        found = found if limit is None else min(found, limit)
    return found or type(wanted)(1)


def in_parts(listed: Sequence[T], size: int | None) -> Iterator[Sequence[T]]:
    """Yield a sequence in parts of at most `size`; as it is where there is no limit."""
    step = max(1, len(listed) if size is None else size)
    for start in range(0, len(listed), step):
        yield listed[start : start + step]


_PARAMETERS: Mapping[str, tuple[str, str]] = {
    "limit": ("max_query_limit", "ask for fewer points at once"),
    "hnsw_ef": ("search_max_hnsw_ef", "ask for less"),
    "oversampling": ("search_max_oversampling", "choose a compression that rescores less"),
    "upsert limit": ("upsert_max_batchsize", "write fewer points at once"),
    "update limit": ("upsert_max_batchsize", "write fewer points at once"),
    "search batch size": ("search_max_batchsize", "ask fewer questions at once"),
    "timeout": ("max_timeout", "give requests a shorter timeout"),
}
_EXACT = ("search_allow_exact", "a vector without a graph is searched exactly, and so are exact counts")
_REFUSALS: tuple[tuple[str, str, str], ...] = (
    (r"Exact search disabled", *_EXACT),
    (r"Request is forbidden.* vector indexing is disabled", *_EXACT),
    (r"Filter condition limit reached \(\d+ > (?P<value>\d+)", "filter_max_conditions", "filter by fewer conditions"),
    (r"Condition size limit reached \(\d+ > (?P<value>\d+)", "condition_max_size", "filter by fewer values"),
    (
        r"maximum number of payload indices \((?P<value>\d+)",
        "max_payload_index_count",
        "remove an index that is not needed (client.delete_payload_index)",
    ),
    (r"Max vector storage size limit of (?P<value>\S+) ", "max_collection_vector_size_bytes", "remove documents"),
    (r"Max payload storage size limit of (?P<value>\S+) ", "max_collection_payload_size_bytes", "remove documents"),
    (r"Max points count limit of (?P<value>\d+) ", "max_points_count", "remove documents"),
    (r"Read rate limit exceeded, request larger", "read_rate_limit", "ask for less at once"),
    (r"Write rate limit exceeded, request larger", "write_rate_limit", "write fewer points at once"),
)
_UNINDEXED = re.compile(
    r'Index required but not found for "(?P<key>.+?)"(?: of one .*types: \[(?P<kind>\w+)|\. Help|$)'
)
_EXCEEDED = re.compile(r'Limit exceeded \S+ > (?P<value>\S+) for "(?P<parameter>[^"]+)"')


def limit_error(detail: str, said: str) -> LimitError | None:
    """Return the error that names the limit by which a server refuses; None if it has other reasons.

    :param detail: What the server says.
    :param said: The same, with the server's name before it.
    """
    if found := _UNINDEXED.search(detail):
        return _unindexed(found["key"], found["kind"] or "keyword", said)
    limit, value, advice = "", "", ""
    if (found := _EXCEEDED.search(detail)) and found["parameter"] in _PARAMETERS:
        (limit, advice), value = _PARAMETERS[found["parameter"]], found["value"]
    for pattern, name, instead in _REFUSALS:
        if found := re.search(pattern, detail):
            limit, value, advice = name, found.groupdict().get("value") or "", instead
    if not limit:
        return None
    value = "false" if limit == "search_allow_exact" else value
    named = f"{limit}={value}" if value else limit
    return LimitError(
        f"the limit {named} in the strict mode of this collection forbids that: {advice}, or have it raised: "
        f"client.update_collection(name, strict_mode_config=models.StrictModeConfig({limit}=…)). {said}.",
        limit,
    )


def _unindexed(key: str, kind: str, said: str) -> LimitError:
    field, kinds = key.removeprefix("metadata.").replace('"', ""), "" if kind == "keyword" else f", {kind!r}"
    advice = f"index it once: collection.index_field({field!r}{kinds}), or qdrant-embed ingest … --index {field}={kind}"
    if not key.startswith("metadata."):
        advice = "open the collection with a key that may write, which makes the index"
    return LimitError(
        f"field {field!r} has no index, and the strict mode of this collection (unindexed_filtering_retrieve=false or "
        f"unindexed_filtering_update=false) lets filter by none without: {advice}. {said}.",
        "unindexed_filtering",
    )
