"""The embedded engine: `qdrant-edge-py`, Qdrant's own Rust code, over one folder that holds many collections.

    folder/.lock           who holds the folder          lock.py
    folder/catalog.json    names, configuration, aliases  catalog.py
    folder/shards/<uuid>/  one Qdrant Edge shard each     shard.py, folder.py

`engine.py` answers searches by itself; `edge_client.py` speaks `qdrant_client.models`, and the modules of `convert/`
translate. What Qdrant Edge cannot do raises `UnsupportedByEngineError`: nothing that was asked for is ignored.

Files, in reading order: catalog_file, groups, lock, optimizer, room, lacking_features, point_ids, vector_checks,
shard_config, convert, client_arguments, mmr, shard, folder, collection_methods, queries, edge_client, edge_rankings,
engine.
"""

from qdrant_embed.store.edge.engine import EdgeEngine

__all__ = ["EdgeEngine"]
