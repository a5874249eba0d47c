"""From documents to stored points, as one stream of overlapping stages."""

from qdrant_embed.ingest.report import Failure, IngestReport

__all__ = ["Failure", "IngestReport"]
