"""The histograms of the conventions, with the boundaries that these ask for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from qdrant_embed.telemetry.otel_providers import meter

if TYPE_CHECKING:
    from opentelemetry.metrics import Histogram, Meter

_MODEL_SECONDS = tuple(0.01 * 2**step for step in range(14))
_ENGINE_SECONDS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0)
_TOKENS = tuple(4.0**step for step in range(14))

EMBEDDINGS_SECONDS = "gen_ai.client.embeddings.duration"
EMBEDDINGS_TOKENS = "gen_ai.client.embeddings.operation.input_tokens"
RETRIEVAL_SECONDS = "gen_ai.retrieval.duration"
ENGINE_SECONDS = "db.client.operation.duration"
INGEST_SECONDS = "qdrant_embed.ingest.duration"

_KINDS: Mapping[str, tuple[str, str, tuple[float, ...]]] = {
    EMBEDDINGS_SECONDS: ("s", "Duration of an embeddings operation.", _MODEL_SECONDS),
    EMBEDDINGS_TOKENS: ("{token}", "Tokens that an embeddings operation read.", _TOKENS),
    RETRIEVAL_SECONDS: ("s", "Duration of a retrieval.", _MODEL_SECONDS),
    ENGINE_SECONDS: ("s", "Duration of a call of the vector engine.", _ENGINE_SECONDS),
    INGEST_SECONDS: ("s", "Duration of an ingest.", _MODEL_SECONDS),
}
"""Name → unit, description, boundaries."""

_made: dict[str, tuple[Meter, Histogram]] = {}


def histogram(name: str) -> Histogram | None:
    """Return an instrument; None where the application measures nothing."""
    measuring = meter()
    if measuring is None:
        return None
    kept = _made.get(name)
    if kept is None or kept[0] is not measuring:
        unit, description, boundaries = _KINDS[name]
        made = measuring.create_histogram(name, unit, description, explicit_bucket_boundaries_advisory=list(boundaries))
        kept = _made[name] = measuring, made
    return kept[1]
