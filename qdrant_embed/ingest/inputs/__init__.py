"""What people hand over to be ingested, as one of two things: paths, or a stream of documents and refusals.

Files, in reading order: items, given.
"""

from qdrant_embed.ingest.inputs.given import WRAP_TEXTS, Stream, given, split_label
from qdrant_embed.ingest.inputs.items import RefusedItem

__all__ = ["WRAP_TEXTS", "RefusedItem", "Stream", "given", "split_label"]
