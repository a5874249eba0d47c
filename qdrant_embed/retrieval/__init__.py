"""From questions to ranked passages."""

from qdrant_embed.retrieval.hits import Hit, Hits

__all__ = ["Hit", "Hits"]
