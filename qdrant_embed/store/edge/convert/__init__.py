"""Values of `qdrant_client` as those of Qdrant Edge, and back.

Files, in reading order: values, config, point_structs, filter, formula, query.
"""
