"""Suites that every chunker, embedder and engine passes, those of plug-ins included."""
