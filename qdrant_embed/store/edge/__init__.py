"""The embedded engine: `qdrant-edge-py`, Qdrant's own Rust code, over one folder that holds many collections.

    folder/.lock           who holds the folder          lock.py
    folder/catalog.json    names, configuration, aliases  catalog.py
    folder/shards/<uuid>/  one Qdrant Edge shard each     shard.py, folder.py

`engine.py` speaks `qdrant_client.models`; the `convert_*` modules translate. What Qdrant Edge cannot do raises
`UnsupportedByEngineError`: nothing that was asked for is ignored.

Files, in reading order: catalog_file, groups, lock, optimizer, room, vector_checks, convert, client_arguments, mmr,
shard, folder, collection_methods, queries, engine.
"""

from qdrant_embed.store.edge.engine import EdgeEngine

__all__ = ["EdgeEngine"]
