"""Conformance suites: plain functions that assert, for our parts and for yours.

Files, in reading order: conformance.

Public: `check_chunker` (and `check_text`, for one text), `check_embedder`, `check_auxiliary` (sparse and multi-vector
models), `check_reranker`, `check_engine`, and `assert_same_answers` (of two engines).
"""

from typing import TYPE_CHECKING

from qdrant_embed.registry import lazy_names

if TYPE_CHECKING:
    from qdrant_embed.testing.conformance.auxiliary_models import check_auxiliary as check_auxiliary
    from qdrant_embed.testing.conformance.chunkers import check_chunker as check_chunker
    from qdrant_embed.testing.conformance.chunkers import check_text as check_text
    from qdrant_embed.testing.conformance.embedders import check_embedder as check_embedder
    from qdrant_embed.testing.conformance.engines import assert_same_answers as assert_same_answers
    from qdrant_embed.testing.conformance.engines import check_engine as check_engine
    from qdrant_embed.testing.conformance.rerankers import check_reranker as check_reranker
else:
    __getattr__, __dir__, __all__ = lazy_names(
        __name__,
        {
            "conformance.auxiliary_models": ["check_auxiliary"],
            "conformance.chunkers": ["check_chunker", "check_text"],
            "conformance.embedders": ["check_embedder"],
            "conformance.engines": ["assert_same_answers", "check_engine"],
            "conformance.rerankers": ["check_reranker"],
        },
    )
