"""The hits of a search ranked again: what costs too much for a whole collection, for the first hundred of it.

Files, in reading order: base, diversity, recency, late_interaction, cross_encoder, listwise, chain.

Public: `Reranker` (what a new one has to be) and `RerankContext` (what it is given of a collection), `RERANKERS` (all
by name), `make_reranker` (of a word, an object or a list of these: a `Rerank`), `relevance` (scores from 0 to 1), and
ours: `TokensReranker`, `CrossEncoderReranker`, `ListwiseReranker`, `MmrReranker`, `RecencyReranker`.
`collection.parts.reranker("mmr:0.3")` makes one for a collection.
"""

from typing import TYPE_CHECKING

from qdrant_embed.registry import lazy_names

if TYPE_CHECKING:
    from qdrant_embed.reranking.base import Rerank as Rerank
    from qdrant_embed.reranking.base import RerankContext as RerankContext
    from qdrant_embed.reranking.base import Reranker as Reranker
    from qdrant_embed.reranking.base import relevance as relevance
    from qdrant_embed.reranking.chain import RERANKERS as RERANKERS
    from qdrant_embed.reranking.chain import make_reranker as make_reranker
    from qdrant_embed.reranking.cross_encoder import CrossEncoderReranker as CrossEncoderReranker
    from qdrant_embed.reranking.diversity import MmrReranker as MmrReranker
    from qdrant_embed.reranking.late_interaction import TokensReranker as TokensReranker
    from qdrant_embed.reranking.listwise import ListwiseReranker as ListwiseReranker
    from qdrant_embed.reranking.recency import RecencyReranker as RecencyReranker
else:
    __getattr__, __dir__, __all__ = lazy_names(
        __name__,
        {
            "base": ["Rerank", "RerankContext", "Reranker", "relevance"],
            "chain": ["RERANKERS", "make_reranker"],
            "cross_encoder": ["CrossEncoderReranker"],
            "diversity": ["MmrReranker"],
            "late_interaction": ["TokensReranker"],
            "listwise": ["ListwiseReranker"],
            "recency": ["RecencyReranker"],
        },
    )
