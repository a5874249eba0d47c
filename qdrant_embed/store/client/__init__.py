"""Collections on a Qdrant server, through `qdrant_client`.

Files, in reading order: limits, errors, persistence, grpc, portions, engine, filter_portions,
paged_query, query_pages, collected, limited_engine, server_engine, clients.
"""
