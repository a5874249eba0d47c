"""What an ingest is told: what it reads, what it may delete, how it is watched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from numbers import Real
from typing import Any, TypedDict

from qdrant_embed.errors import ConfigurationError, UnknownNameError, require_type
from qdrant_embed.ingest.monitoring.report import Progress
from qdrant_embed.ingest.monitoring.watchdog import STALL_SECONDS
from qdrant_embed.reading.files import ReadOptions
from qdrant_embed.servers.patience import RUN_SECONDS, require_patience

TEXT_COLUMN, SOURCE_COLUMN = "text", "source"
DISPLAYS = ("auto", "bar", "plain", "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestOptions:
    """What an ingest reads, what it may delete, and how it is watched.

    :param root: Label of the folder, see docs/guide/ingesting.md; None for the folder's name.
    :param reading: Limits and patterns for files.
    :param progress: `auto` (a bar on a terminal and in a notebook, else lines to the log `qdrant_embed.ingest`), `bar`,
        `plain` (lines on stderr), `none` or None, or a function that is called after each batch with the counts so far.
    :param allow_delete: Whether most of a root may be removed at once; else that is refused, since a drive that is not
        mounted looks like an empty folder.
    :param prune: Whether documents go that `include` and `exclude` leave out, though their files are there.
    :param sync: For documents that come from no folder: whether those of the root that are not among them go.
    :param force: Whether files are read again whose size and time are as stored.
    :param dry_run: Whether to read, chunk and count only; nothing is embedded, stored or deleted.
    :param accept_failed: Patterns as in `.gitignore`; a failure of a source like these is listed under
        `IngestReport.accepted`.
    :param list_skipped: Whether `IngestReport.skipped_files` names what was passed over.
    :param stall_seconds: If no stage goes on for so long, stderr says which one stands still and shows the stacks of
        all threads, and the ingest goes on waiting; 0 for never.
    :param patience: Seconds that a server which goes away is waited for; 0 to give up at once.
    :param text_column: Column of a data frame, or key of a dict, that holds the text.
    :param source_column: The one that names where it comes from.
    :raises ConfigurationError: A value makes no sense.
    """

    root: str | None = None
    reading: ReadOptions = field(default_factory=ReadOptions)
    progress: Progress | str | None = "auto"
    allow_delete: bool = False
    prune: bool = False
    sync: bool = False
    force: bool = False
    dry_run: bool = False
    accept_failed: tuple[str, ...] = ()
    list_skipped: bool = False
    stall_seconds: float = STALL_SECONDS
    patience: float = RUN_SECONDS
    text_column: str = TEXT_COLUMN
    source_column: str = SOURCE_COLUMN

    def __post_init__(self) -> None:
        require_type("reading", self.reading, ReadOptions, "ReadOptions(…)")
        require_type("stall_seconds", self.stall_seconds, Real, "seconds, or 0 to watch nothing")
        if not 0 <= self.stall_seconds < float("inf"):
            raise ConfigurationError(
                f"stall_seconds={self.stall_seconds!r} is no time to wait; give seconds, or 0 to watch nothing."
            )
        require_patience(self.patience)
        patterns: object = self.accept_failed
        if isinstance(patterns, str):
            raise ConfigurationError(f"accept_failed={patterns!r} is one string; give a tuple: ({patterns!r},).")
        object.__setattr__(self, "accept_failed", tuple(self.accept_failed))
        if isinstance(self.progress, str) and self.progress not in DISPLAYS:
            raise UnknownNameError("progress display", self.progress, DISPLAYS)
        if self.progress is not None and not isinstance(self.progress, str) and not callable(self.progress):
            raise ConfigurationError(f"progress={self.progress!r}; give one of {', '.join(DISPLAYS)}, or a function.")
        if self.root is not None and not isinstance(self.root, str):
            raise ConfigurationError(f"root={self.root!r}; give a label, or leave it out.")
        object.__setattr__(self, "root", self.root or None)

    def changed(self, settings: Mapping[str, Any]) -> IngestOptions:
        """Return these options with some of them changed.

        :raises UnknownNameError: There is no such option.
        """
        known = {option.name for option in fields(self)}
        for name in settings:
            if name not in known:
                raise UnknownNameError("option of ingest", name, known)
        return replace(self, **settings) if settings else self


class IngestSettings(TypedDict, total=False):
    """The fields of `IngestOptions`, as `Collection.ingest` takes them one by one."""

    root: str | None
    reading: ReadOptions
    progress: Progress | str | None
    allow_delete: bool
    prune: bool
    sync: bool
    force: bool
    dry_run: bool
    accept_failed: tuple[str, ...]
    list_skipped: bool
    stall_seconds: float
    patience: float
    text_column: str
    source_column: str
