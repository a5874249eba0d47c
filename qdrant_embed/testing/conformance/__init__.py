"""Suites that every chunker, embedder and engine passes, those of plug-ins included.

Files, in reading order: chunkers, embedders, auxiliary_models, engine_cases, engine_values, engine_vectors, engines.
"""
