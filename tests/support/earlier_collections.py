"""Collections as earlier versions made them: under the name that users give, without an alias."""

from qdrant_embed import Recipe
from qdrant_embed.collection_parts import create_collection
from qdrant_embed.store.location import open_engine


def make_earlier(name, at, **recipe):
    """Make an empty collection that lies under its name itself."""
    engine = open_engine(at)
    create_collection(engine, name, Recipe(**{"model": "hashing", **recipe}))
    engine.close()
