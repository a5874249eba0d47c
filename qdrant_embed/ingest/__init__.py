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
    from qdrant_embed.ingest.monitoring.failure_record import FailureRecord as FailureRecord
    from qdrant_embed.ingest.monitoring.failure_record import RecordedFailure as RecordedFailure
    from qdrant_embed.ingest.monitoring.report import Failure as Failure
    from qdrant_embed.ingest.monitoring.report import IngestReport as IngestReport
    from qdrant_embed.ingest.monitoring.report import combined as combined
    from qdrant_embed.ingest.options import IngestOptions as IngestOptions
    from qdrant_embed.ingest.options import IngestSettings as IngestSettings
    from qdrant_embed.ingest.preview.chunk_preview import Preview as Preview
    from qdrant_embed.ingest.preview.chunk_preview import PreviewedChunk as PreviewedChunk
    from qdrant_embed.ingest.scopes import require_paths as require_paths
else:
    __getattr__, __dir__, __all__ = lazy_names(
        __name__,
        {
            "preview.chunk_preview": ["Preview", "PreviewedChunk"],
            "monitoring.failure_record": ["FailureRecord", "RecordedFailure"],
            "monitoring.report": ["Failure", "IngestReport", "combined"],
            "options": ["IngestOptions", "IngestSettings"],
            "scopes": ["require_paths"],
        },
    )
