"""Models behind an API."""

from qdrant_embed.embedding.runtimes.api.runtime import ApiRuntime

__all__ = ["ApiRuntime"]
