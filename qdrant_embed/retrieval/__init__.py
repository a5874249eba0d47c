"""From questions to ranked passages.

Files, in reading order: frames, documents, term_query, query_plan, binary, lists, fusion, document_groups, explanation,
render, hits, hit_explanations, best_window, root_labels,
document_pages, browse, expansion, search_request, searcher.

Public: `Hit`, `Hits` and `Answers` (what searches return), `Documents` and `StoredDocument` (what browsing returns),
`DocumentsWanted`, `DocumentPage` and `DocumentSpan` (of `collection.parts.browser`: a page of many documents, a part of
one), `Mode` (how a search ranks), `GroupBy` and `Expansion` (what gives one passage, and how far it reaches), and
`to_rich` (hits as a terminal shows them).
"""

from typing import TYPE_CHECKING

from qdrant_embed.registry import lazy_names

if TYPE_CHECKING:
    from qdrant_embed.retrieval.document_pages import DocumentPage as DocumentPage
    from qdrant_embed.retrieval.document_pages import DocumentSpan as DocumentSpan
    from qdrant_embed.retrieval.document_pages import DocumentsWanted as DocumentsWanted
    from qdrant_embed.retrieval.documents import Documents as Documents
    from qdrant_embed.retrieval.documents import StoredDocument as StoredDocument
    from qdrant_embed.retrieval.expansion import Expansion as Expansion
    from qdrant_embed.retrieval.hits import Answers as Answers
    from qdrant_embed.retrieval.hits import Hit as Hit
    from qdrant_embed.retrieval.hits import Hits as Hits
    from qdrant_embed.retrieval.render import to_rich as to_rich
    from qdrant_embed.retrieval.search_request import GroupBy as GroupBy
    from qdrant_embed.retrieval.search_request import Mode as Mode
else:
    __getattr__, __dir__, __all__ = lazy_names(
        __name__,
        {
            "document_pages": ["DocumentPage", "DocumentSpan", "DocumentsWanted"],
            "documents": ["Documents", "StoredDocument"],
            "expansion": ["Expansion"],
            "hits": ["Answers", "Hit", "Hits"],
            "render": ["to_rich"],
            "search_request": ["GroupBy", "Mode"],
        },
    )
