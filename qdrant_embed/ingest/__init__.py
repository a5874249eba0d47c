"""From documents to stored points, as one stream of overlapping stages.

Files, in reading order: context, embed_retry, monitoring, options, inputs, prefetch, roots, contested,
stored_documents, changed_documents, chunk_stage, preview, vector_source, embed_stage, auxiliary_stage, prune, scopes,
write_stage, settle, pipeline.

Public: `IngestOptions` (as fields one by one `IngestSettings`), `IngestReport` and `Failure` of an ingest,
`FailureRecord` and `RecordedFailure` of what a collection keeps of those, `Preview` and `PreviewedChunk` of a preview,
and for programs that ingest several paths `require_paths` (are they there?) and `combined` (one report of many).
"""

from typing import TYPE_CHECKING

from qdrant_embed.registry import lazy_names

if TYPE_CHECKING:
    from qdrant_embed.ingest.monitoring.failure_record import FailureRecord, RecordedFailure
    from qdrant_embed.ingest.monitoring.report import Failure, IngestReport, combined
    from qdrant_embed.ingest.options import IngestOptions, IngestSettings
    from qdrant_embed.ingest.preview.chunk_preview import Preview, PreviewedChunk
    from qdrant_embed.ingest.scopes import require_paths
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "preview.chunk_preview": ["Preview", "PreviewedChunk"],
            "monitoring.failure_record": ["FailureRecord", "RecordedFailure"],
            "monitoring.report": ["Failure", "IngestReport", "combined"],
            "options": ["IngestOptions", "IngestSettings"],
            "scopes": ["require_paths"],
        },
    )

__all__ = [
    "Failure",
    "FailureRecord",
    "IngestOptions",
    "IngestReport",
    "IngestSettings",
    "Preview",
    "PreviewedChunk",
    "RecordedFailure",
    "combined",
    "require_paths",
]
