"""What changes a collection: documents in and out, indexes, compression; each refused while a copy is made of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qdrant_embed.compression import Compression, Transform
from qdrant_embed.errors import ConfigurationError, require_type
from qdrant_embed.migration.recompression import Change, RecompressResult
from qdrant_embed.migration.recompression import recompress as run_recompression
from qdrant_embed.operations.collection_handle import CollectionHandle
from qdrant_embed.store.copies import copy_lease
from qdrant_embed.store.copies.revision import bump_revision
from qdrant_embed.store.filters import both, filter_of, warn_of_unknown_fields
from qdrant_embed.store.filters.field_indexes import declare
from qdrant_embed.store.metadata import note_root

if TYPE_CHECKING:
    from qdrant_client import models

    from qdrant_embed.ingest.monitoring.report import IngestReport
    from qdrant_embed.ingest.options import IngestOptions, IngestSettings


def ingest(
    handle: CollectionHandle, what: Any, options: IngestOptions | None, settings: IngestSettings
) -> IngestReport:
    """Bring the collection in line with files, or add documents."""
    from qdrant_embed.ingest.pipeline import ingest as run
    from qdrant_embed.ingest.roots import Roots

    copy_lease.require_no_copy(handle.engine, handle.name)
    changed = _options(options, settings)
    return run(Roots(handle.points, handle.name), changed, what, handle.target)


def ingest_each(
    handle: CollectionHandle, paths: Sequence[str | Path], options: IngestOptions | None, settings: IngestSettings
) -> Iterator[IngestReport]:
    """Ingest paths one after the other, all of them checked before the first."""
    from qdrant_embed.ingest.pipeline import ingest_each as run
    from qdrant_embed.ingest.roots import Roots

    copy_lease.require_no_copy(handle.engine, handle.name)
    require_type("paths", paths, (list, tuple), "a list of paths")
    changed = _options(options, settings)
    return run(Roots(handle.points, handle.name), changed, paths, handle.target)


def _options(given: IngestOptions | None, settings: IngestSettings) -> IngestOptions:
    from qdrant_embed.ingest.options import IngestOptions

    if given is not None:
        require_type(
            "options", given, IngestOptions, "IngestOptions(…), or its fields one by one: ingest(…, force=True)"
        )
    return (given or IngestOptions()).changed(settings)


def delete(handle: CollectionHandle, places: dict[str, str | None], where: Any, *, dry_run: bool) -> int:
    """See `Collection.delete`.

    :param places: `source` and `root`, None where it does not matter.
    """
    points, name = handle.points, handle.name
    plain = {key: value for key, value in places.items() if value is not None}
    wanted = both(filter_of(points, name, plain), filter_of(points, name, where))
    if wanted is None:
        raise ConfigurationError("say what to delete: source, root or filter; Collection.drop removes all.")
    found = points.count(name, count_filter=wanted, exact=True).count
    warn_of_unknown_fields(points, name, where, found)
    if not dry_run:
        _remove(handle, wanted, found)
        if plain.keys() == {"root"} and not where:
            note_root(handle.engine, name, plain["root"], "")
    return found


def _remove(handle: CollectionHandle, wanted: models.Filter, found: int) -> None:
    copy_lease.require_no_copy(handle.engine, handle.name)
    if found:
        handle.points.delete(handle.name, points_selector=wanted)
        bump_revision(handle.engine, handle.name, Compression.parse(handle.recipe.compression))


def index_field(handle: CollectionHandle, field: str, kind: str) -> None:
    """See `Collection.index_field`."""
    copy_lease.require_no_copy(handle.engine, handle.name)
    declare(handle.engine, handle.name, {field: kind})


def recompress(
    handle: CollectionHandle, compression: str, *, trained: Transform | None, refit: bool
) -> RecompressResult:
    """Change the compression, and go on with the new one."""
    parts, change = handle.parts, Change(compression=compression, trained=trained, refit=refit)
    done = run_recompression(handle.engine, handle.name, parts, parts.recipe, change)
    handle.use(done.recipe)
    return done
