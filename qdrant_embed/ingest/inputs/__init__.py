"""What people hand over to be ingested, as one of two things: paths, or a stream of documents and refusals."""

from qdrant_embed.ingest.inputs.given import WRAP_TEXTS, Stream, given, split_label
from qdrant_embed.ingest.inputs.items import Refused

__all__ = ["WRAP_TEXTS", "Refused", "Stream", "given", "split_label"]
