"""Models behind an API."""

from qdrant_embed.runtimes.api.runtime import ApiRuntime

__all__ = ["ApiRuntime"]
