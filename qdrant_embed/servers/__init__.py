"""Qdrant servers as values: what came with which version, how one keeps a collection, how long it is waited for.

Files, in reading order: features, server_options, patience.
"""
