"""From questions to ranked passages.

Files, in reading order: frames, documents, query_plan, binary, lists, fusion, render, hits, best_window, root_labels,
browse, searcher.
"""

from qdrant_embed.retrieval.hits import Hit, Hits

__all__ = ["Hit", "Hits"]
