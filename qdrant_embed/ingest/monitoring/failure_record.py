"""What failed when documents were last looked at, as a collection keeps it: an entry of its metadata for each root.

Metadata are read at every search, so that an entry has little room: reasons stand there once, and what does not fit is
counted by its kind alone.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from qdrant_embed.display import aligned, counted, html_table, one_line
from qdrant_embed.store.metadata import FAILED_KEY
from qdrant_embed.types import Json

MOST_BYTES, LEAST_BYTES = 48_000, 4_000
"""Room for the failures of all roots together, and for those of one whatever the others have."""
LONGEST_REASON = 300
_HEAD = ("source", "root", "kind", "reason", "at")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedFailure:
    """A document, file or folder that could not be ingested when it was last looked at.

    :param kind: As of `Failure`.
    :param at: When that was: ISO 8601, UTC.
    """

    source: str
    root: str
    kind: str
    reason: str
    at: str

    def as_dict(self) -> dict[str, Json]:
        """Return the failure as JSON-ready values."""
        return asdict(self)


class FailureRecord(list[RecordedFailure]):
    """What failed, by root and source: a list that also draws itself as a table, and prints a line for each.

    :ivar unlisted: How many more there were than a collection has room for, by their kinds.
    """

    def __init__(self, failures: Iterable[RecordedFailure] = (), unlisted: Mapping[str, int] | None = None) -> None:
        super().__init__(failures)
        self.unlisted = dict(unlisted or {})

    @property
    def total(self) -> int:
        """How many failed, those that are not listed included."""
        return len(self) + sum(self.unlisted.values())

    @property
    def kinds(self) -> dict[str, int]:
        """How many failed of each kind, the most frequent first."""
        return dict((Counter(one.kind for one in self) + Counter(self.unlisted)).most_common())

    def as_dict(self) -> dict[str, Json]:
        """Return the record as JSON-ready values."""
        return {"total": self.total, "kinds": self.kinds, "listed": [one.as_dict() for one in self]}

    def __str__(self) -> str:
        if not self.total:
            return "nothing failed"
        rows = [_HEAD, *self._rows()] if self else []
        return "\n".join([*([aligned(rows)] if rows else []), self.summary])

    def _repr_html_(self) -> str:
        return html_table(
            _HEAD, [*self._rows(), *([(self.summary,)] if self.unlisted else [])], nothing="nothing failed"
        )

    @property
    def summary(self) -> str:
        """How many failed, of which kinds, in a line."""
        more = f", of which the first {len(self):,} are listed" if self.unlisted else ""
        kinds = ", ".join(f"{often:,} {kind}" for kind, often in self.kinds.items())
        return f"{counted(self.total, 'failure')}{more}: {one_line(kinds)}"

    def _rows(self) -> Iterator[tuple[str, ...]]:
        for one in self:
            yield tuple(one_line(getattr(one, name)) for name in _HEAD)


def failures_in(metadata: Mapping[str, Any]) -> FailureRecord:
    """Return what stands among a collection's metadata entries, of all roots."""
    found = FailureRecord()
    for key in sorted(key for key in metadata if key.startswith(FAILED_KEY)):
        of_root = read_entry(metadata[key], key.removeprefix(FAILED_KEY))
        found += of_root
        found.unlisted = dict(Counter(found.unlisted) + Counter(of_root.unlisted))
    return found


def read_entry(entry: Any, root: str) -> FailureRecord:
    """Return what an entry says; nothing, where it is none of this library's."""
    try:
        reasons = [str(one) for one in entry["reasons"]]
        listed = [
            RecordedFailure(source=str(source), root=root, kind=str(kind), reason=reasons[number], at=str(at))
            for source, number, kind, at in entry["listed"]
        ]
        return FailureRecord(listed, {str(kind): int(often) for kind, often in entry["unlisted"].items()})
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return FailureRecord()


def entry_of(failures: Iterable[RecordedFailure], unlisted: Mapping[str, int], room: int) -> Json:
    """Return failures as an entry of no more than about so many bytes; those that do not fit are counted."""
    reasons: dict[str, int] = {}
    listed: list[Json] = []
    more = Counter(unlisted)
    for one in failures:
        row = [one.source, reasons.get(one.reason, len(reasons)), one.kind, one.at]
        takes = len(json.dumps(row)) + (0 if one.reason in reasons else len(json.dumps(one.reason)))
        if takes > room:
            more[one.kind] += 1
            continue
        room -= takes
        reasons.setdefault(one.reason, len(reasons))
        listed.append(row)
    return {"reasons": list(reasons), "listed": listed, "unlisted": dict(more)} if listed or more else ""


def room_for(metadata: Mapping[str, Any], root: str) -> int:
    """Return how many bytes the entry of a root may have beside those of the others."""
    others = (entry for key, entry in metadata.items() if key.startswith(FAILED_KEY) and key != f"{FAILED_KEY}{root}")
    return max(LEAST_BYTES, MOST_BYTES - sum(len(json.dumps(entry)) for entry in others))
