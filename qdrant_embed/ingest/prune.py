"""Documents that are gone: their points go too, and no others."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from qdrant_embed.ingest.sources import LOOK_UP_BATCH, Seen, in_batches
from qdrant_embed.ingest.target import Target, match, match_any


def prune(target: Target, root: str, within: str, seen: Seen, keep: Callable[[str], bool]) -> int:
    """Delete the documents of a root that this run did not meet, and return how many points that were.

    :param within: Only sources that start with this; empty for the whole root.
    :param keep: Told a source that was not met, says whether its document stays all the same.
    """
    from qdrant_client import models

    conditions: list[models.Condition] = [match("root", root)]
    if within:
        conditions.append(models.FieldCondition(key="source", match=models.MatchPrefix(prefix=within)))
    scope = models.Filter(must=conditions)
    points = target.engine.count(target.name, count_filter=scope, exact=True).count
    if not points:
        return 0
    hits = target.engine.facet(target.name, "document_id", facet_filter=scope, limit=points, exact=True).hits
    unmet = [str(hit.value) for hit in hits if str(hit.value) not in seen]
    return sum(_delete(target, batch, keep) for batch in in_batches(unmet, LOOK_UP_BATCH))


def _delete(target: Target, document_ids: Sequence[str], keep: Callable[[str], bool]) -> int:
    from qdrant_client import models

    where = models.Filter(must=[match_any("document_id", document_ids)])
    gone = [
        str(record.id) for record in target.scroll(where, ["source"]) if not keep(str((record.payload or {})["source"]))
    ]
    return target.delete_ids(gone)
