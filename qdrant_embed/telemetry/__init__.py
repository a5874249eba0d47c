"""Spans and metrics for OpenTelemetry, by its semantic conventions; nothing where the application has not set it up.

Nothing here imports OpenTelemetry before the application has: whoever sets a provider has imported it. What is
recorded, `docs/guide/telemetry.md` says. `configure` gives providers other than the global ones.

Files, in reading order: otel_providers, instruments, recorded_operation, recording.
"""

from qdrant_embed.telemetry.otel_providers import configure

__all__ = ["configure"]
