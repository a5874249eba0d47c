"""What changes a collection: documents in and out, indexes, compression; each refused while a copy is made of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qdrant_embed.collection_parts import CollectionParts
from qdrant_embed.compression import Compression, Transform
from qdrant_embed.errors import ConfigurationError, require_type
from qdrant_embed.migration.recompression import Change, RecompressResult
from qdrant_embed.migration.recompression import recompress as run_recompression
from qdrant_embed.operations.collection_handle import CollectionHandle
from qdrant_embed.servers.patience import patient, require_patience
from qdrant_embed.store.copies.revision import bump_revision
from qdrant_embed.store.filters import both, filter_of, warn_of_unknown_fields
from qdrant_embed.store.metadata import forget_failures, note_root
from qdrant_embed.telemetry import recording
from qdrant_embed.telemetry.recorded_operation import Unrecorded

if TYPE_CHECKING:
    from qdrant_embed.ingest.monitoring.report import IngestReport
    from qdrant_embed.ingest.options import IngestOptions, IngestSettings


def ingest(
    handle: CollectionHandle, what: Any, options: IngestOptions | None, settings: IngestSettings
) -> IngestReport:
    """Bring the collection in line with files, or add documents."""
    from qdrant_embed.ingest.pipeline import ingest as run
    from qdrant_embed.ingest.roots import Roots

    changed = _options(options, settings)
    with recording.ingest(handle.name, handle.recipe.model) as operation:
        with patient(changed.patience), _changing(handle, dry=changed.dry_run) as parts:
            report = run(Roots(parts.points, handle.name), changed, what, handle.target)
        _note_counts(operation, report)
    return report


def ingest_each(
    handle: CollectionHandle, paths: Sequence[str | Path], options: IngestOptions | None, settings: IngestSettings
) -> Iterator[IngestReport]:
    """Ingest paths one after the other, all of them checked before the first."""
    from qdrant_embed.ingest.pipeline import ingest_each as run
    from qdrant_embed.ingest.roots import Roots

    require_type("paths", paths, (list, tuple), "a list of paths")
    changed = _options(options, settings)
    with patient(changed.patience), _changing(handle, dry=changed.dry_run) as parts:
        reports = run(Roots(parts.points, handle.name), changed, paths, handle.target)
    return _each_noted(handle, reports, len(paths))


def _each_noted(handle: CollectionHandle, reports: Iterator[IngestReport], paths: int) -> Iterator[IngestReport]:
    for _ in range(paths):  # of which each has a report
        with recording.ingest(handle.name, handle.recipe.model) as operation:
            report = next(reports)
            _note_counts(operation, report)
        handle.forget()
        yield report


def _note_counts(operation: Unrecorded, report: IngestReport) -> None:
    from qdrant_embed.ingest.monitoring.report import COUNTS

    counts = {name: getattr(report, name) for name in COUNTS}
    recording.ingested(operation, {**counts, "failed": len(report.failed)})


@contextmanager
def _changing(handle: CollectionHandle, *, dry: bool) -> Iterator[CollectionParts]:
    """Give the parts of a collection that is about to be changed, and forget afterwards what was known of its roots.

    :param dry: Whether nothing will be written, and so nothing has to be settled.
    :raises StoreError: It is being copied.
    """
    try:
        yield handle.parts if dry else handle.settle()
    finally:
        handle.forget()


def _options(given: IngestOptions | None, settings: IngestSettings) -> IngestOptions:
    from qdrant_embed.ingest.options import IngestOptions

    if given is not None:
        require_type(
            "options", given, IngestOptions, "IngestOptions(…), or its fields one by one: ingest(…, force=True)"
        )
    return (given or IngestOptions()).changed(settings)


def delete(
    handle: CollectionHandle,
    places: dict[str, str | None],
    where: Any,
    ids: Sequence[str] | None = None,
    *,
    dry_run: bool,
) -> int:
    """See `Collection.delete`.

    :param places: `source` and `root`, None where it does not matter.
    """
    from qdrant_client import models

    if ids is not None:
        require_type("ids", ids, (list, tuple), "a list of ids, as hit.id gives them")
        chosen = models.Filter(must=[models.HasIdCondition(has_id=list(ids))])
        where = both(filter_of(handle.points, handle.name, where), chosen)
    with _changing(handle, dry=dry_run) as parts:
        return _delete(parts, handle.name, places, where, dry_run=dry_run)


def _delete(parts: CollectionParts, name: str, places: dict[str, str | None], where: Any, *, dry_run: bool) -> int:
    points = parts.points
    plain = {key: value for key, value in places.items() if value is not None}
    wanted = both(filter_of(points, name, plain), filter_of(points, name, where))
    if wanted is None:
        raise ConfigurationError("say what to delete: source, root, ids or filter; Collection.drop removes all.")
    found = points.count(name, count_filter=wanted, exact=True).count
    warn_of_unknown_fields(points, name, where, found)
    if not dry_run:
        if found:
            points.delete(name, points_selector=wanted)
            bump_revision(points, name, Compression.parse(parts.recipe.compression))
        if plain.keys() == {"root"} and not where:
            note_root(points, name, plain["root"], "")
            forget_failures(points, name, plain["root"])
    return found


def index_field(handle: CollectionHandle, field: str, kind: str) -> None:
    """See `Collection.index_field`."""
    handle.settle()
    handle.index_field(field, kind)


def recompress(
    handle: CollectionHandle, compression: str, *, trained: Transform | None, refit: bool, patience: float
) -> RecompressResult:
    """Change the compression, and go on with the new one."""
    require_patience(patience)
    handle.require_ours()
    with patient(patience):
        parts, change = handle.settle(), Change(compression=compression, trained=trained, refit=refit)
        done = run_recompression(handle.engine, handle.name, parts, parts.recipe, change)
        handle.go_on()
    return done
