"""What an ingest did, counted."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field

from qdrant_embed.concurrency import went_on
from qdrant_embed.display import html_table, one_line, printable
from qdrant_embed.types import Json

COUNTS = (
    "documents", "chunks", "embedded", "reused", "deleted", "skipped", "truncated", "windowed", "stretched", "late",
    "tokens",
)  # fmt: skip
STAGES = ("read", "chunk", "embed", "write")


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that did not make it into the collection, and why."""

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
    :param chunks: Chunks that the collection now holds of these documents.
    :param embedded: Distinct texts that went through the model.
    :param reused: Chunks whose vectors were there already, or equal to another chunk's.
    :param deleted: Points removed because their text is gone.
    :param skipped: Files passed over on purpose; `skipped_reasons` says how many for which reason.
    :param failed: Documents, or parts of them, that could not be ingested.
    :param notes: What files hold and their documents lack, such as pages without a text layer.
    :param guessed_encodings: Texts whose encoding nothing in the file says, counted by the encoding that was taken.
    :param truncated: Texts longer than the model whose end was cut off (window strategy `truncate`).
    :param windowed: Texts longer than the model that were read in several windows; under the strategy `late`, documents
        that were read in several macro windows.
    :param stretched: Texts longer than the window that the model was trained for, read by stretching it (`pi:4096` and
        its like); under `late`, chunks read in such a window.
    :param late: Chunks whose vectors were pooled from their whole document or a macro window of it (strategy `late`).
    :param tokens: Tokens that went through the model.
    :param warnings: What was done and is in doubt all the same, each with what to type.
    :param seconds: Wall-clock time.
    :param stage_seconds: Busy time of each stage; they overlap, so their sum can exceed `seconds`.
    """

    documents: int = 0
    chunks: int = 0
    embedded: int = 0
    reused: int = 0
    deleted: int = 0
    skipped: int = 0
    skipped_reasons: Mapping[str, int] = field(default_factory=dict)
    failed: tuple[Failure, ...] = ()
    notes: tuple[Note, ...] = ()
    guessed_encodings: Mapping[str, int] = field(default_factory=dict)
    truncated: int = 0
    windowed: int = 0
    stretched: int = 0
    late: int = 0
    tokens: int = 0
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0
    stage_seconds: Mapping[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Json]:
        """Return the report as JSON-ready values."""
        return asdict(self)

    def __str__(self) -> str:
        counts = ", ".join(
            f"{getattr(self, name):,} {name[:-1] if getattr(self, name) == 1 and name.endswith('s') else name}"
            for name in ("documents", "chunks", "embedded", "reused", "deleted", "skipped", "truncated", "windowed")
        )
        counts += f", {self.stretched:,} stretched" if self.stretched else ""
        counts += f", {self.late:,} late" if self.late else ""
        lines = [f"{counts}, {len(self.failed)} failed in {self.seconds:.1f} s"]
        lines += [f"  failed: {one_line(failure.source)}: {one_line(failure.reason)}" for failure in self.failed]
        lines += [f"  note: {one_line(note.source)}: {one_line(note.text)}" for note in self.notes]
        lines += [f"  warning: {printable(warning)}" for warning in self.warnings]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        counts = [(name, f"{getattr(self, name):,}") for name in COUNTS if getattr(self, name)]
        rows = [*counts, ("seconds", f"{self.seconds:.1f}")]
        rows += [("failed", f"{one_line(failure.source)}: {one_line(failure.reason)}") for failure in self.failed]
        rows += [("note", f"{one_line(note.source)}: {one_line(note.text)}") for note in self.notes]
        rows += [("warning", warning) for warning in self.warnings]
        return html_table((), rows)


class Tally:
    """Counts while the stages run, each in its own thread; `report` freezes them."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._skipped: Counter[str] = Counter()
        self._failed: list[Failure] = []
        self._warnings: list[str] = []
        self._notes: list[Note] = []
        self._guessed: Counter[str] = Counter()
        self._stages: dict[str, float] = dict.fromkeys(STAGES, 0.0)
        self._lock = threading.Lock()
        self._started = time.perf_counter()

    def add(self, **counts: int) -> None:
        """Add to the counts of the report, by name."""
        went_on()
        with self._lock:
            self._counts.update(counts)

    def skip(self, reason: str) -> None:
        """Count a file passed over."""
        went_on()
        with self._lock:
            self._skipped[reason] += 1

    def fail(self, source: str, reason: str) -> None:
        """List something that could not be ingested."""
        went_on()
        with self._lock:
            self._failed.append(Failure(source, reason))

    def note(self, source: str, text: str) -> None:
        """List what a document lacks or what is in doubt about it."""
        with self._lock:
            self._notes.append(Note(source, text))

    def guess(self, source: str, encoding: str) -> None:
        """Count a text whose encoding was guessed, and list it."""
        with self._lock:
            self._guessed[encoding] += 1
            self._notes.append(Note(source, f"its encoding was guessed: {encoding}"))

    def warn(self, warning: str) -> None:
        """List something that was done and is in doubt."""
        with self._lock:
            self._warnings.append(warning)

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
            return IngestReport(
                **self._counts,
                skipped=self._skipped.total(),
                skipped_reasons=dict(sorted(self._skipped.items())),
                failed=tuple(self._failed),
                notes=tuple(self._notes),
                guessed_encodings=dict(sorted(self._guessed.items())),
                warnings=tuple(self._warnings),
                seconds=round(time.perf_counter() - self._started, 3),
                stage_seconds={stage: round(seconds, 3) for stage, seconds in self._stages.items()},
            )
