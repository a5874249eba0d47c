"""Contested documents done once more, until each is whole and what its file says; `write_stage` says why."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from qdrant_embed.concurrency import pause
from qdrant_embed.ingest.changed_documents import LOOK_UP_BATCH, Run, in_batches
from qdrant_embed.ingest.contested import Contested, has_changed
from qdrant_embed.ingest.stored_documents import look_up
from qdrant_embed.reading.files import SourceFile, as_it_is
from qdrant_embed.types import Document

ATTEMPTS = 8
REREADS = 4
"""Attempts at a file that is nothing but another one each time, such as a log; the next ingest goes on with it."""
FIRST_PAUSE_SECONDS = 0.1
"""The longest pause before the second attempt; each further one may be twice as long."""

Origins = Sequence[SourceFile | Document]


def settle(run: Run, contested: Sequence[Contested], again: Callable[[Origins], Sequence[Contested]]) -> None:
    """Do contested documents again; after many attempts, list those that others still write as failed.

    Pauses differ by chance, so that of two programs one comes first.

    :param again: Ingests documents once more, and returns those that are contested again.
    """
    contested = [*contested, *_not_as_noted(run)]
    for attempt in range(ATTEMPTS):
        contested = [document for document in contested if document.mixed or attempt < REREADS]
        if not contested:
            return
        if attempt and any(document.mixed for document in contested):
            pause(random.uniform(0, FIRST_PAUSE_SECONDS * 2**attempt))  # noqa: S311
        for document in contested:  # as if it had not been met; if its file is gone, it is removed as others are
            run.seen.ids.discard(document.key.id)
            run.seen.known -= document.stored
            run.tally.add(documents=-1, stored=-document.texts, chunks=-document.chunks)
        origins = [document.origin for document in contested]
        now = [as_it_is(origin) if isinstance(origin, SourceFile) else origin for origin in origins]
        contested = [*again([origin for origin in now if origin is not None]), *_not_as_noted(run)]
    for document in contested:
        if document.mixed:
            wrote = "other programs wrote this document all the time; ingest it again"
            run.tally.fail(document.key.source, wrote, "contested")


def _not_as_noted(run: Run) -> Iterator[Contested]:
    """Yield documents of which a new time of change was noted, and that are not as noted, or have another by now."""
    touched = run.seen.touched.copy()
    run.seen.touched.clear()
    for batch in in_batches(touched, LOOK_UP_BATCH):
        stored = look_up(run.target, [document.key.id for document in batch])
        for document in batch:
            found = stored.get(document.key.id)
            mixed = found is None or found.version != document.key.version
            if mixed or has_changed(document.origin):
                yield replace(document, mixed=mixed)
