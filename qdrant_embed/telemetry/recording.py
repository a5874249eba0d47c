"""What is recorded of each operation, under the names of the conventions (GenAI 0.1, databases 1.45)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Protocol
from urllib.parse import urlsplit

from qdrant_embed.telemetry import instruments
from qdrant_embed.telemetry.otel_providers import meter, tracer
from qdrant_embed.telemetry.recorded_operation import (
    UNRECORDED,
    RecordedOperation,
    Unrecorded,
    Value,
    WhollyUnrecorded,
    inside_unrecorded,
)

OPERATION, PROVIDER, MODEL = "gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model"
DATA_SOURCE, TOP_K = "gen_ai.data_source.id", "gen_ai.retrieval.top_k"
COLLECTION, CALL = "db.collection.name", "db.operation.name"
OURS = "qdrant_embed"


class FoundHit(Protocol):
    """What is noted of a hit."""

    @property
    def id(self) -> str:
        """Id of the point."""

    @property
    def score(self) -> float:
        """Its score."""


def wanted() -> bool:
    """Tell whether anything is recorded now."""
    return not inside_unrecorded() and (tracer() is not None or meter() is not None)


def model_embeddings(model: str, provider: str, dim: int, texts: int) -> Unrecorded:
    """Return what records that a model reads texts; `read` says how many tokens.

    :param provider: The protocol of a model behind an interface; empty for one that runs here.
    """
    if not wanted():
        return UNRECORDED
    told: dict[str, Value] = {
        OPERATION: "embeddings",
        PROVIDER: provider or OURS,
        MODEL: model,
        "gen_ai.embeddings.dimension.count": dim,
        f"{OURS}.embeddings.texts": texts,
    }
    measured = OPERATION, PROVIDER, MODEL
    return RecordedOperation(f"embeddings {model}", told, measured, instruments.EMBEDDINGS_SECONDS, client=True)


def read(operation: Unrecorded, tokens: int) -> None:
    """Note how many tokens a model read."""
    operation.note({"gen_ai.usage.input_tokens": tokens}, {instruments.EMBEDDINGS_TOKENS: tokens})


def retrieval(collection: str, model: str, k: int, mode: str, queries: Sequence[str] = ()) -> Unrecorded:
    """Return what records a search; `found` says of what."""
    if not wanted():
        return WhollyUnrecorded()
    told: dict[str, Value] = {
        OPERATION: "retrieval",
        DATA_SOURCE: collection,
        MODEL: model,
        TOP_K: k,
        f"{OURS}.search.mode": mode,
        f"{OURS}.search.queries": len(queries),
    }
    measured = OPERATION, DATA_SOURCE, MODEL, f"{OURS}.search.mode"
    return RecordedOperation("retrieval", told, measured, instruments.RETRIEVAL_SECONDS, client=False)


def found(operation: Unrecorded, queries: Sequence[str], answers: Sequence[Sequence[FoundHit]]) -> None:
    """Note what a search found: how many hits; which, and by what question, only where that is wanted."""
    if not isinstance(operation, RecordedOperation):
        return
    listed = [hit for hits in answers for hit in hits]
    told: dict[str, Value] = {f"{OURS}.search.hits": len(listed)}
    if operation.content:
        documents = [{"id": hit.id, "score": hit.score} for hit in listed]
        told["gen_ai.retrieval.documents"] = json.dumps(documents)
        if len(queries) == 1:
            told["gen_ai.retrieval.query.text"] = queries[0]
    operation.note(told)


def engine_call(collection: str, name: str, place: str, batch: int = 0) -> Unrecorded:
    """Return what records a call of the engine.

    :param place: What holds the collections; of a URL, host and port are kept.
    :param batch: Requests of one call.
    """
    if not wanted():
        return UNRECORDED
    told: dict[str, Value] = {"db.system.name": "qdrant", CALL: name, **_server(place)}
    if collection:
        told[COLLECTION] = collection
    measured = tuple(told)
    if batch > 1:
        told["db.operation.batch.size"] = batch
    return RecordedOperation(f"{name} {collection}".rstrip(), told, measured, instruments.ENGINE_SECONDS, client=True)


def ingest(collection: str, model: str) -> Unrecorded:
    """Return what records an ingest; `ingested` says of what."""
    if not wanted():
        return WhollyUnrecorded()
    told: dict[str, Value] = {DATA_SOURCE: collection, COLLECTION: collection, MODEL: model}
    name = f"ingest {collection}"
    return RecordedOperation(name, told, (DATA_SOURCE, MODEL), instruments.INGEST_SECONDS, client=False)


def ingested(operation: Unrecorded, counts: Mapping[str, int]) -> None:
    """Note the counts of an ingest."""
    operation.note({f"{OURS}.ingest.{name}": count for name, count in counts.items()})


@lru_cache(maxsize=64)
def _server(place: str) -> dict[str, Value]:
    if not place.startswith(("http://", "https://")):
        return {}
    parts = urlsplit(place)
    port = parts.port or (443 if parts.scheme == "https" else 6333)
    return {"server.address": parts.hostname or "", "server.port": port}
