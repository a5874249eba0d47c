"""What an ingest did, counted."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from qdrant_embed.concurrency import went_on
from qdrant_embed.display import counted, html_table, one_line, printable
from qdrant_embed.types import Json

COUNTS = (
    "documents", "chunks", "embedded", "reused", "deleted", "withheld", "skipped", "truncated", "windowed", "extended",
    "late", "tokens",
)  # fmt: skip
_ALWAYS = ("embedded", "reused", "deleted", "skipped", "truncated", "windowed")
_SOMETIMES = ("extended", "late", "withheld")
"""Counts of a printed report that are said even if they are zero, and those that are not."""
STAGES = ("read", "chunk", "embed", "write", "index")


_LISTS = ("failed", "accepted", "notes", "warnings", "skipped_files", "to_embed", "to_delete")


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that did not make it into the collection, and why.

    :param kind: `unreadable` (a file), `inaccessible` (a file or folder could not be looked at), `refused` (a document
        is none, or has what cannot be stored), `nameless` (so has an item, which names no source), `not embedded` (all
        of a document, or some), `contested` (other programs wrote it, too) or `withheld` (a deletion).
    """

    source: str
    reason: str
    kind: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class SkippedFile:
    """A file or folder (its source ends with `/`) that was passed over on purpose."""

    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class Note:
    """Something that a document was ingested without, or that is in doubt about its text."""

    source: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReport:
    """Every count of one ingest.

    :param documents: Documents met, the unchanged and the failed included.
    :param stored: Those of them that the collection now holds; it lacks the failed ones and those without any text.
    :param chunks: Chunks that the collection now holds of these documents.
    :param embedded: Distinct texts that went through the model.
    :param reused: Chunks whose vectors were there already, or equal to another chunk's.
    :param deleted: Points removed because their text is gone.
    :param withheld: Points that were not removed though their files are not there, since they are most of a root; see
        `IngestOptions.allow_delete`.
    :param skipped: Files passed over on purpose; `skipped_reasons` says how many for which reason, and `skipped_files`
        which, if that was asked for.
    :param failed: Documents, or parts of them, that could not be ingested.
    :param accepted: Failures that `IngestOptions.accept_failed` accepts.
    :param to_embed: Of a dry run: sources of the documents that are new or changed.
    :param to_delete: Of a dry run: sources of the documents that would be removed.
    :param notes: What files hold and their documents lack, such as pages without a text layer.
    :param guessed_encodings: Texts whose encoding nothing in the file says, counted by the encoding that was taken.
    :param truncated: Texts longer than the model whose end was cut off (window strategy `truncate`).
    :param windowed: Texts longer than the model that were read in several windows; under the strategy `late`, documents
        that were read in several macro windows.
    :param extended: Texts longer than the window that the model was trained for, read by stretching it (`pi:4096` and
        its like); under `late`, chunks read in such a window.
    :param late: Chunks whose vectors were pooled from their whole document or a macro window of it (strategy `late`).
    :param tokens: Tokens that went through the model.
    :param warnings: What was done and is in doubt all the same, each with what to type.
    :param seconds: Wall-clock time, until the call returns.
    :param stage_seconds: Busy time of each stage; they overlap, so their sum can exceed `seconds`. `index` is the
        building of the search graph at the end.
    """

    documents: int = 0
    stored: int = 0
    chunks: int = 0
    embedded: int = 0
    reused: int = 0
    deleted: int = 0
    withheld: int = 0
    skipped: int = 0
    skipped_reasons: Mapping[str, int] = field(default_factory=dict)
    skipped_files: tuple[SkippedFile, ...] = ()
    failed: tuple[Failure, ...] = ()
    accepted: tuple[Failure, ...] = ()
    to_embed: tuple[str, ...] = ()
    to_delete: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    guessed_encodings: Mapping[str, int] = field(default_factory=dict)
    truncated: int = 0
    windowed: int = 0
    extended: int = 0
    late: int = 0
    tokens: int = 0
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0
    stage_seconds: Mapping[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Json]:
        """Return the report as JSON-ready values."""
        return asdict(self)

    def __str__(self) -> str:
        counts = [counted(self.documents, "document"), counted(self.chunks, "chunk")]
        counts += [f"{getattr(self, name):,} {name}" for name in _ALWAYS]
        counts += [f"{getattr(self, name):,} {name}" for name in _SOMETIMES if getattr(self, name)]
        lines = [f"{', '.join(counts)}, {len(self.failed):,} failed in {self.seconds:.1f} s"]
        lines += [f"  {label}: {printable(text)}" for label, text in self._listed()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        counts = [(name, f"{getattr(self, name):,}") for name in COUNTS if getattr(self, name)]
        return html_table((), [*counts, ("seconds", f"{self.seconds:.1f}"), *self._listed()])

    def _listed(self) -> list[tuple[str, str]]:
        """Return what the report names one by one, each with what it is."""
        found = [("failed", f"{one_line(failure.source)}: {one_line(failure.reason)}") for failure in self.failed]
        found += [("accepted", f"{one_line(failure.source)}: {one_line(failure.reason)}") for failure in self.accepted]
        found += [("would embed", one_line(source)) for source in self.to_embed]
        found += [("would delete", one_line(source)) for source in self.to_delete]
        found += [("skipped", f"{one_line(file.source)}: {one_line(file.reason)}") for file in self.skipped_files]
        found += [("note", f"{one_line(note.source)}: {one_line(note.text)}") for note in self.notes]
        return found + [("warning", warning) for warning in self.warnings]


def combined(reports: Sequence[IngestReport]) -> IngestReport:
    """Add up the reports of several runs, one after the other."""
    if len(reports) == 1:
        return reports[0]
    sums: dict[str, Any] = {}
    empty = IngestReport()
    for name in (count.name for count in fields(IngestReport)):
        first = getattr(empty, name)
        found = [getattr(report, name) for report in reports]
        if isinstance(first, Mapping):
            counted: Counter[str] = Counter()
            for counts in found:
                counted.update(counts)
            sums[name] = dict(sorted(counted.items()) if name != "stage_seconds" else counted.items())
        elif isinstance(first, tuple):
            sums[name] = tuple(dict.fromkeys(item for items in found for item in items))
        else:
            sums[name] = sum(found)
    return IngestReport(**{**sums, "seconds": round(sum(report.seconds for report in reports), 3)})


class Tally:
    """Counts while the stages run, each in its own thread; `report` freezes them.

    :param accepts: Tells of a source whether its failure is accepted.
    :param list_skipped: Whether files passed over are named.
    :param dry: Whether nothing will be embedded.
    """

    def __init__(
        self, accepts: Callable[[str], bool] = lambda _: False, *, list_skipped: bool = False, dry: bool = False
    ) -> None:
        self.dry = dry
        self._accepts = accepts
        self._list_skipped = list_skipped
        self._counts: Counter[str] = Counter()
        self._skipped: Counter[str] = Counter()
        self._guessed: Counter[str] = Counter()
        self._lists: dict[str, list[Any]] = {name: [] for name in _LISTS}
        self._stages: dict[str, float] = dict.fromkeys(STAGES, 0.0)
        self._lock = threading.Lock()
        self._started = time.perf_counter()
        self.anything_stored = False
        """Whether the collection holds anything of what was met so far, from this run or an earlier one."""
        self.phase = ""
        """What is done once all stages are through."""
        self._phase_started = 0.0

    @property
    def phase_seconds(self) -> float:
        """How long the phase has been going on."""
        return time.perf_counter() - self._phase_started

    def begin(self, phase: str) -> None:
        """Say what is done once all stages are through; nothing ends it."""
        self._phase_started = time.perf_counter()
        self.phase = phase

    def add(self, **counts: int) -> None:
        """Add to the counts of the report, by name."""
        went_on()
        with self._lock:
            self._counts.update(counts)

    def skip(self, source: str, reason: str) -> None:
        """Count a file passed over."""
        went_on()
        with self._lock:
            self._skipped[reason] += 1
        if self._list_skipped:
            self._list("skipped_files", SkippedFile(source, reason))

    def fail(self, source: str, reason: str, kind: str) -> None:
        """List something that could not be ingested; `Failure` says which kinds there are."""
        went_on()
        self._list("accepted" if self._accepts(source) else "failed", Failure(source, reason, kind))

    def failed(self) -> list[Failure]:
        """Return what could not be ingested so far, and nobody accepts."""
        with self._lock:
            return list(self._lists["failed"])

    def withhold(self, source: str, reason: str, points: int) -> None:
        """List what was not removed, and count its points; nobody can have accepted that beforehand."""
        self.add(withheld=points)
        self._list("failed", Failure(source, reason, "withheld"))

    def note(self, source: str, text: str) -> None:
        """List what a document lacks or what is in doubt about it."""
        self._list("notes", Note(source, text))

    def guess(self, source: str, encoding: str) -> None:
        """Count a text whose encoding was guessed, and list it."""
        with self._lock:
            self._guessed[encoding] += 1
        self.note(source, f"its encoding was guessed: {encoding}")

    def warn(self, warning: str) -> None:
        """List something that was done and is in doubt."""
        self._list("warnings", warning)

    def would(self, what: str, source: str) -> None:
        """List what a dry run found to be done: `to_embed` or `to_delete`."""
        self._list(what, source)

    def _list(self, name: str, item: object) -> None:
        with self._lock:
            self._lists[name].append(item)

    @contextmanager
    def busy(self, stage: str) -> Iterator[None]:
        """Count the time spent inside as work of `stage`."""
        started = time.perf_counter()
        try:
            yield
        finally:
            with self._lock:
                self._stages[stage] += time.perf_counter() - started

    def report(self) -> IngestReport:
        """Return the counts as they stand."""
        with self._lock:
            counts: dict[str, Any] = {**self._counts, **{name: tuple(items) for name, items in self._lists.items()}}
            return IngestReport(
                **counts,
                skipped=self._skipped.total(),
                skipped_reasons=dict(sorted(self._skipped.items())),
                guessed_encodings=dict(sorted(self._guessed.items())),
                seconds=round(time.perf_counter() - self._started, 3),
                stage_seconds={stage: round(seconds, 3) for stage, seconds in self._stages.items()},
            )


Progress = Callable[[IngestReport], None]
"""Called after each batch with the counts so far."""
