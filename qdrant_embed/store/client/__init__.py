"""Collections on a Qdrant server, through `qdrant_client`.

Files, in reading order: errors, grpc, local_limits, portions, engine.
"""
