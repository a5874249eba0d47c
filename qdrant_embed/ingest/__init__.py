"""From documents to stored points, as one stream of overlapping stages.

Files, in reading order: chunk_preview, context, embed_retry, monitoring, options, inputs, prefetch, roots,
stored_documents, changed_documents, chunk_stage, dry_run, embed_stage, auxiliary_stage, prune, scopes, write_stage,
pipeline.
"""

from qdrant_embed.ingest.monitoring.report import Failure, IngestReport

__all__ = ["Failure", "IngestReport"]
