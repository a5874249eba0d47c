"""From documents to stored points, as one stream of overlapping stages."""

from qdrant_embed.ingest.monitoring.report import Failure, IngestReport

__all__ = ["Failure", "IngestReport"]
