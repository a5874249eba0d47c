"""Documents that are gone: their points go too, and no others.

What could not be looked at is unknown, not gone. And where most of a root seems to be gone at once, or all of a folder
that is still there, nothing is removed before somebody has said that it is right: a drive that is not mounted looks
like that.
"""

from __future__ import annotations

import os
import re
import stat
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from qdrant_embed.ingest.changed_documents import LOOK_UP_BATCH, Run, in_batches
from qdrant_embed.ingest.context import IngestContext, below, matching
from qdrant_embed.ingest.stored_documents import look_up
from qdrant_embed.reading.contents import why
from qdrant_embed.store.metadata import WITHHELD_KEY

ATTEMPTS = 3
"""Deletions of a document that another program goes on writing."""
FEW_POINTS = 20
"""So many may go unasked, whatever their share."""
MOST = 0.5

_ESCAPED = re.compile(rb"\\x([0-9a-f]{2})")


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a source that was not met.

    :param place: For `unknown`: what could not be looked at. For `emptied`: the folder that is there, and empty.
    """

    kind: Literal["gone", "there", "unknown", "emptied"]
    place: str = ""
    reason: str = ""


@dataclass(slots=True)
class Gone:
    """A document that was not met, with the ids of its points."""

    id: str
    source: str = ""
    content: str = ""
    ids: list[str] = field(default_factory=list)


def prune(run: Run, within: str = "", fate: Callable[[str], Fate] = lambda _: Fate("gone")) -> Sequence[str]:
    """Delete the documents of a root that this run did not meet, and return their sources.

    :param within: Prefix of the sources that can have vanished.
    :param fate: Says what became of a source that was not met; `there` means that it stays.
    """
    unmet = list(_unmet(run, within))
    fates = {document.source: fate(document.source) for document in unmet}
    _report_unknown(run, unmet, fates)
    gone = [document for document in unmet if fates[document.source].kind in ("gone", "emptied")]
    # A document of which another one has the content was moved, and loses nothing.
    lost = [document for document in gone if document.content not in run.seen.contents]
    allowed = run.options.allow_delete
    waiting = bool(run.target.engine.stored_metadata(run.target.name).get(f"{WITHHELD_KEY}{run.root}"))
    whole = not allowed and _is_most(lost, len(unmet) + run.seen.known, asked_before=waiting)
    if whole:
        documents = len(unmet) + run.seen.known
        there = "its one document" if documents == 1 else f"{len(lost):,} of its {documents:,} documents"
        would_go = f"{there} ({_points(lost):,} chunks) would go"
        _withhold(run, f"{run.root}/{within}".removeprefix("/"), would_go, _points(lost))
    withheld = lost if whole else [] if allowed else _withheld_of_emptied(run, lost, fates)
    kept = {document.source for document in withheld}
    going = [document for document in gone if document.source not in kept]
    if run.options.dry_run:
        for document in going:
            run.tally.would("to_delete", document.source)
        return ()
    if whole:
        _remember(run, before=waiting, now=True)
    elif not (within or withheld or run.seen.hidden or any(fate.kind == "unknown" for fate in fates.values())):
        _remember(run, before=waiting, now=False)
    _remove(run, going)
    return [document.source for document in going]


def _remove(run: Run, going: list[Gone]) -> None:
    """Delete documents as wholes: of one that another program is writing, no half may be left that it takes for all."""
    for batch in in_batches(going, LOOK_UP_BATCH):
        run.target.write_guard.require()
        left = [document.id for document in batch]
        for _ in range(ATTEMPTS):
            run.target.engine.delete(run.target.name, points_selector=matching(document_id=left))
            left = [document for document, state in look_up(run.target, left).items() if not state.head]
            if not left:
                break
        run.tally.add(deleted=sum(len(document.ids) for document in batch))


def _unmet(run: Run, within: str) -> Iterator[Gone]:
    """Yield the documents of the scope that were not met, and do not stand below something that was not seen."""
    target, scope = run.target, below(run.target.engine, run.target.name, run.root, within)
    points = target.engine.count(target.name, count_filter=scope, exact=True).count
    if not points:
        return
    hits = target.engine.facet(target.name, "document_id", facet_filter=scope, limit=points, exact=True).hits
    for batch in in_batches((str(hit.value) for hit in hits if str(hit.value) not in run.seen.ids), LOOK_UP_BATCH):
        yield from (document for document in _described(target, batch) if not run.seen.hides(document.source))


def _described(target: IngestContext, document_ids: list[str]) -> list[Gone]:
    found: dict[str, Gone] = {}
    for record in target.scroll(matching(document_id=document_ids), ["source", "document_id", "document_hash"]):
        fields = record.payload or {}
        key = str(fields["document_id"])
        document = found.setdefault(key, Gone(key))
        document.source, document.content = str(fields["source"]), str(fields.get("document_hash", ""))
        document.ids.append(str(record.id))
    return list(found.values())


def _report_unknown(run: Run, unmet: list[Gone], fates: Mapping[str, Fate]) -> None:
    behind: defaultdict[tuple[str, str], int] = defaultdict(int)
    for document in unmet:
        fate = fates[document.source]
        if fate.kind == "unknown":
            behind[fate.place, fate.reason] += 1
    for (place, reason), count in sorted(behind.items()):
        stay = "the document read from it stays" if count == 1 else f"the {count:,} documents read from it stay"
        run.tally.fail(place, f"{reason}; {stay}", "inaccessible")


def _is_most(lost: list[Gone], documents: int, *, asked_before: bool) -> bool:
    """Tell whether so much is lost that somebody has to be asked.

    :param documents: How many the collection held of the scope before this run.
    :param asked_before: Whether an earlier run withheld a deletion of this root, and nobody has allowed it.
    """
    return _points(lost) > FEW_POINTS and (asked_before or len(lost) > MOST * documents)


def _withheld_of_emptied(run: Run, lost: list[Gone], fates: Mapping[str, Fate]) -> list[Gone]:
    """Return the documents of folders that are there and empty, and list those folders as failed."""
    emptied: defaultdict[str, list[Gone]] = defaultdict(list)
    for document in lost:
        if fates[document.source].kind == "emptied":
            emptied[fates[document.source].place].append(document)
    withheld: list[Gone] = []
    for place, documents in sorted(emptied.items()):
        points = _points(documents)
        if points > FEW_POINTS:
            what = f"the folder is there and empty; {points:,} chunks that were read from it would go"
            _withhold(run, place, what, points)
            withheld += documents
    return withheld


def _points(documents: list[Gone]) -> int:
    return sum(len(document.ids) for document in documents)


def _withhold(run: Run, source: str, what: str, points: int) -> None:
    kept = "would not be deleted" if run.options.dry_run else "were not deleted"
    run.tally.withhold(
        source, f"{what}. They {kept}: a drive may not be mounted. If they are really gone: allow_delete=True", points
    )


def _remember(run: Run, *, before: bool, now: bool) -> None:
    """Keep in mind whether a root waits for a word: by the next run, new documents may have made the lost ones few."""
    if now != before:
        run.target.engine.update_collection(run.target.name, metadata={f"{WITHHELD_KEY}{run.root}": now})


def fate_of_file(base: Path, source: str) -> Fate:
    """Look whether the file of a source is gone.

    :param base: The folder that sources are relative to.
    """
    names = {source, os.fsdecode(_ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), os.fsencode(source)))}
    for name in sorted(names):
        fate = _fate_of_path(base, name, source)
        if fate.kind != "gone":
            return fate
    return _fate_of_way(base, source)


def _fate_of_path(base: Path, name: str, source: str) -> Fate:
    path = base / name
    try:
        found = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return Fate("gone")
    except (OSError, ValueError) as error:
        return Fate("unknown", source, _told(error))
    if stat.S_ISLNK(found.st_mode) and not os.path.exists(path):  # noqa: PTH110 - Path.exists fails where one may not look
        return Fate("unknown", source, "the link leads nowhere")
    return Fate("gone") if os.path.isdir(path) else Fate("there")  # noqa: PTH112


def _fate_of_way(base: Path, source: str) -> Fate:
    """Look at the innermost folder that is left on the way to a file that is not there."""
    parts = source.split("/")[:-1]
    for end in range(len(parts), -1, -1):
        folder, place = base.joinpath(*parts[:end]), "/".join(parts[:end]) + "/"
        try:
            found = folder.lstat()
            if stat.S_ISLNK(found.st_mode) and not os.path.exists(folder):  # noqa: PTH110
                return Fate("unknown", place, "the link leads nowhere")
            emptied = end > 0 and os.path.isdir(folder) and not os.listdir(folder)  # noqa: PTH112, PTH208
            return Fate("emptied", place) if emptied else Fate("gone")
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            return Fate("unknown", place, _told(error))
    return Fate("unknown", source, "the folder itself is not there any more")


def _told(error: OSError | ValueError) -> str:
    return f"cannot be looked at: {why(error) if isinstance(error, OSError) else error}"
