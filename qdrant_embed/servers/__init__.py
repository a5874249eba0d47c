"""Qdrant servers as values: what came with which version, and how one is to keep a collection.

Files, in reading order: features, server_options.
"""
