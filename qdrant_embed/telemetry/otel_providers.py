"""Where spans and metrics go: the application's providers, if it has any."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.metrics import Meter, MeterProvider
    from opentelemetry.trace import Tracer, TracerProvider

SCOPE = "qdrant_embed"
CONTENT_VARIABLE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
"""The conventions' own variable for questions and the like; see `wants_content`."""
_ON_SPANS = {"true", "1", "span_only", "span_and_event"}


@dataclass(frozen=True, slots=True)
class GivenProviders:
    """What `configure` was told."""

    tracers: TracerProvider | None = None
    meters: MeterProvider | None = None
    content: bool | None = None


@dataclass(frozen=True, slots=True)
class _Made:
    """What was last made, and of which provider."""

    provider: object
    tool: Any


_given = GivenProviders()
_made: dict[str, _Made] = {}


def configure(
    *,
    tracer_provider: TracerProvider | None = None,
    meter_provider: MeterProvider | None = None,
    content: bool | None = None,
) -> None:
    """Record through these providers instead of the global ones; `configure()` goes back to those.

    :param content: Whether questions, and ids and scores of what was found, stand in spans; None for what the variable
        OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT says, and for no where that says nothing.
    """
    global _given
    _given = GivenProviders(tracer_provider, meter_provider, content)


def tracer() -> Tracer | None:
    """Return what makes spans; None where the application has set no provider."""
    provider: Any = _given.tracers
    if provider is None:
        api: Any = sys.modules.get("opentelemetry.trace")
        if api is None or not hasattr(api, "ProxyTracerProvider"):  # not imported, or another thread is about to
            return None
        provider = api.get_tracer_provider()
        if isinstance(provider, api.ProxyTracerProvider | api.NoOpTracerProvider):
            return None
    made: Tracer = _of(provider, "get_tracer")
    return made


def meter() -> Meter | None:
    """Return what makes instruments; None where the application has set no provider."""
    provider: Any = _given.meters
    if provider is None:
        api: Any = sys.modules.get("opentelemetry.metrics")
        if api is None or not hasattr(api, "get_meter_provider"):
            return None
        provider = api.get_meter_provider()
        # The stand-in for a provider that may be set later has no public name.
        if isinstance(provider, api.NoOpMeterProvider) or type(provider).__name__ == "_ProxyMeterProvider":
            return None
    made: Meter = _of(provider, "get_meter")
    return made


def wants_content() -> bool:
    """Tell whether questions and what was found may stand in spans."""
    if _given.content is not None:
        return _given.content
    return os.environ.get(CONTENT_VARIABLE, "").strip().lower() in _ON_SPANS


def _of(provider: Any, method: str) -> Any:
    made = _made.get(method)
    if made is None or made.provider is not provider:
        version = getattr(sys.modules.get("qdrant_embed"), "__version__", "")
        made = _made[method] = _Made(provider, getattr(provider, method)(SCOPE, version))
    return made.tool
