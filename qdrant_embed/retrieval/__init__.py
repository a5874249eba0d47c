"""From questions to ranked passages.

Files, in reading order: frames, documents, query_plan, binary, lists, fusion, render, hits, best_window, root_labels,
browse, searcher.

Public: `Hit`, `Hits` and `Answers` (what searches return), `Documents` and `StoredDocument` (what browsing returns),
and `Mode` (how a search ranks).
"""

from typing import TYPE_CHECKING

from qdrant_embed.registry import lazy_names

if TYPE_CHECKING:
    from qdrant_embed.retrieval.documents import Documents, StoredDocument
    from qdrant_embed.retrieval.hits import Answers, Hit, Hits
    from qdrant_embed.retrieval.searcher import Mode
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "documents": ["Documents", "StoredDocument"],
            "hits": ["Answers", "Hit", "Hits"],
            "searcher": ["Mode"],
        },
    )

__all__ = ["Answers", "Documents", "Hit", "Hits", "Mode", "StoredDocument"]
