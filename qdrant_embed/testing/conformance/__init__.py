"""Suites that every chunker, embedder, reranker and engine passes, those of plug-ins included.

Files, in reading order: chunkers, embedders, auxiliary_models, rerankers, engine_cases, engine_values,
engine_vectors, engines.
"""
