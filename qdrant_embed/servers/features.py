"""What came with which Qdrant server: the one table. Whoever needs a feature asks `Engine.lacks`, which reads it here.

Filled from the release notes of 1.16 to 1.20 and from what servers of 1.18.3 and 1.19.0 answered. Errors, `doctor` and
docs/reference/servers.md say what stands here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from qdrant_embed.errors import UnsupportedByEngineError

Feature: TypeAlias = Literal[
    "indexes", "codes", "server options", "relevance feedback", "weighted rank fusion", "turboquant", "slices",
    "prefix match", "idf over a filter", "stored turbo4", "word match", "stored turbo8", "stored turbo16",
    "turboquant of 8 bits", "text ranking", "substring match",
]  # fmt: skip
Version: TypeAlias = tuple[int, ...]

OLDEST: Version = (1, 16)
"""Collections keep their recipe in their metadata, which came with it; an older server drops that without a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFeature:
    """A feature of Qdrant.

    :param what: What it is, for people.
    :param since: The first server that has it.
    :param by_grpc: The first that has it through gRPC, where that is an older one.
    :param without: What happens where it is missing.
    """

    what: str
    since: Version
    by_grpc: Version | None = None
    without: str

    def told_since(self) -> str:
        """Return since when it is there, for a table or a sentence."""
        by_grpc = f" (through gRPC {_dotted(self.by_grpc)})" if self.by_grpc else ""
        return f"{_dotted(self.since)}{by_grpc}"


_REFUSED = "refused before anything is made; the error names the nearest that can be had"
_YOURS = "nothing of ours needs it; your own requests by it fail"
_LOOKED_UP = "the values that match are looked up, and matched one by one: the same answer, later"
FEATURES: Mapping[Feature, ServerFeature] = {
    "indexes": ServerFeature(what="payload indexes and facets", since=OLDEST, without="a filter looks at every point"),
    "codes": ServerFeature(what="`int8`, `pq…` and `binary…` beside what is stored", since=OLDEST, without=_REFUSED),
    "server options": ServerFeature(what="shards, replicas, write consistency", since=OLDEST, without="refused"),
    "relevance feedback": ServerFeature(what="`RelevanceFeedbackQuery`", since=(1, 17), without=_YOURS),
    "weighted rank fusion": ServerFeature(what="`Rrf(weights=…)`", since=(1, 17), without=_YOURS),
    "turboquant": ServerFeature(
        what="`turbo1` to `turbo4` beside what is stored", since=(1, 18), without=_REFUSED
    ),
    "slices": ServerFeature(what="`SliceCondition`", since=(1, 19), by_grpc=(1, 18), without=_YOURS),
    "prefix match": ServerFeature(
        what='filters such as `{"source": "guide/*"}`, ingesting a part of a folder', since=(1, 19),
        without=_LOOKED_UP,
    ),
    "idf over a filter": ServerFeature(what="`SearchParams(idf=…)`", since=(1, 19), without=_YOURS),
    "stored turbo4": ServerFeature(what="vectors stored as `turbo4`", since=(1, 19), without=_YOURS),
    "word match": ServerFeature(
        what="filters by words or a phrase of a field without a text index", since=(1, 19, 1),
        without="texts are read and compared here: the same answer, much later",
    ),
    "stored turbo8": ServerFeature(what="vectors stored as `turbo8`", since=(1, 20), without=_REFUSED),
    "stored turbo16": ServerFeature(what="vectors stored as `turbo16`", since=(1, 20), without=_REFUSED),
    "turboquant of 8 bits": ServerFeature(
        what="`turbo8` beside what is stored", since=(1, 20), without=_REFUSED
    ),
    "text ranking": ServerFeature(
        what="BM25 over a text index", since=(1, 20), without="BM25's terms are stored as sparse vectors"
    ),
    "substring match": ServerFeature(what="`MatchSubstring`", since=(1, 20), without=_LOOKED_UP),
}  # fmt: skip
LACKED_IN_MEMORY: frozenset[Feature] = frozenset({
    "indexes", "codes", "server options", "turboquant", "stored turbo4", "stored turbo8", "stored turbo16",
    "turboquant of 8 bits",
})  # fmt: skip
"""What qdrant_client's engine in memory takes as a setting, and ignores."""


def lacked_by_server(feature: Feature, version: str, *, grpc: bool) -> str:
    """Say why a server does not have a feature; empty if it has it.

    :param version: As the server gives it; one that is no number (`nightly`) has everything.
    :param grpc: Whether it is spoken to through gRPC.
    """
    row, found = FEATURES[feature], _read(version)
    since = row.by_grpc if grpc and row.by_grpc else row.since
    if found is None or found >= since:
        return ""
    by = ", and spoken to without gRPC" if row.by_grpc and not grpc else ""
    return f"{feature} came with Qdrant {row.told_since()}; this server is {version}{by}"


def require_supported(version: str, place: str) -> None:
    """Refuse a server that is too old for collections of this library.

    :raises UnsupportedByEngineError: It is older than `OLDEST`.
    """
    found = _read(version)
    if found is not None and found < OLDEST:
        raise UnsupportedByEngineError(
            f"the server at {place} is Qdrant {version}; the oldest that can be used is {_dotted(OLDEST)}, since "
            "older ones keep no metadata with a collection. Upgrade it (one minor version at a time), or use a "
            "folder: at='./qdrant_data'."
        )


def _read(version: str) -> Version | None:
    found = re.match(r"v?(\d+(?:\.\d+)+)", version)
    return tuple(map(int, found[1].split("."))) if found else None


def _dotted(version: Version) -> str:
    return ".".join(map(str, version))
