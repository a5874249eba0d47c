"""Further training of a model's positions, so that it reads longer texts."""

from qdrant_embed.extending.run import Extended, ExtendOptions, extend

__all__ = ["ExtendOptions", "Extended", "extend"]
