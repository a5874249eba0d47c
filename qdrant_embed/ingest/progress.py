"""How an ingest gets on, shown in a terminal or a notebook: files, chunks and tokens per second, time left."""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qdrant_embed.ingest.report import IngestReport
from qdrant_embed.reading.files import ReadOptions, SourceFile, find_root, walk

if TYPE_CHECKING:
    from rich.table import Table

Callback = Callable[[IngestReport], None]

WINDOW_SECONDS = 60.0
"""Rates are those of the last minute: a resumed run is fast where the work is done already, slow after that."""


@contextmanager
def progress_display(
    path: str | Path | None, *, reading: ReadOptions | None = None, shown: bool | None = None
) -> Iterator[Callback]:
    """Show a progress bar while the block runs; yields the callback to give to `IngestOptions.progress`.

    :param path: What is ingested; its files are counted in a thread beside the ingest, so that the time left can be
        told. None where nobody knows how many documents will come.
    :param reading: The options that the ingest reads with, so that the count is of the same files.
    :param shown: None to show it if stderr is a terminal, or in a notebook.
    """
    notebook = _in_notebook()
    if not (sys.stderr.isatty() or notebook if shown is None else shown):
        yield lambda _: None
        return
    with _counted(path, reading or ReadOptions()) as count:
        watch = Watch(count)
        with _notebook_bar(watch) if notebook else _terminal_bar(watch) as callback:
            yield callback


class FileCount:
    """The number of files under a path, None until it is known."""

    def __init__(self) -> None:
        self.total: int | None = None
        self._stopped = threading.Event()

    def run(self, path: str | Path, reading: ReadOptions) -> None:
        """Count; an error leaves the number unknown, since it is the ingest's to report."""
        found = 0
        try:
            for item in walk(find_root(path), reading):
                found += isinstance(item, SourceFile)
                if self._stopped.is_set():
                    return
        except Exception:  # a display must never be what stops an ingest
            return
        self.total = found

    def stop(self) -> None:
        """Give up counting at the next file."""
        self._stopped.set()


@dataclass(frozen=True, slots=True)
class Standing:
    """How far an ingest has come.

    :param fraction: Share of the work done, 0 to 1; None while the number of files is unknown.
    :param left: Seconds left; None while they cannot be told.
    """

    files: int = 0
    total: int | None = None
    fraction: float | None = None
    chunk_rate: float = 0.0
    token_rate: float = 0.0
    left: float | None = None

    def line(self, waited: float = 0.0) -> str:
        """Say it in at most 64 characters or so.

        :param waited: Seconds gone by since this was true.
        """
        parts = [f"{self.files:,}/{self.total:,} files" if self.total is not None else f"{self.files:,} files"]
        if self.fraction is not None:
            parts.insert(0, f"{self.fraction:.0%}")
        parts += [f"{_short(self.chunk_rate)} chunks/s", f"{_short(self.token_rate)} tokens/s"]
        if self.fraction == 1.0:
            parts.append("finishing")
        elif self.left is not None:
            parts.append(f"{_clock(max(0.0, self.left - waited))} left")
        return " · ".join(parts)


@dataclass(slots=True)
class Pace:
    """Turns the counts of a run into rates and a forecast."""

    _samples: deque[tuple[float, int, int, float | None]] = field(default_factory=lambda: deque([(0.0, 0, 0, 0.0)]))

    def update(self, report: IngestReport, total: int | None) -> Standing:
        """Take in the counts so far.

        The files read run ahead of the chunks stored, so the share of the work done is that of both together.
        """
        done = report.embedded + report.reused
        fraction = None
        if total is not None:
            read = min(1.0, report.documents / total) if total else 1.0
            fraction = read * (min(1.0, done / report.chunks) if report.chunks else 1.0)
        self._samples.append((report.seconds, done, report.tokens, fraction))
        while len(self._samples) > 2 and report.seconds - self._samples[1][0] >= WINDOW_SECONDS:
            self._samples.popleft()
        since, chunks, tokens, _ = self._samples[0]
        seconds = max(report.seconds - since, 1e-9)
        chunk_rate, token_rate = (done - chunks) / seconds, (report.tokens - tokens) / seconds
        return Standing(report.documents, total, fraction, chunk_rate, token_rate, self._seconds_left())

    def _seconds_left(self) -> float | None:
        known = [(seconds, fraction) for seconds, _, _, fraction in self._samples if fraction is not None]
        (since, before), (now, fraction) = known[0] if known else (0.0, 0.0), known[-1] if known else (0.0, 0.0)
        return (1.0 - fraction) * (now - since) / (fraction - before) if fraction > before else None


class Watch:
    """The newest standing, with its age; written by the ingest, read by the display's own thread."""

    def __init__(self, count: FileCount) -> None:
        self._count = count
        self._pace = Pace()
        self._started = time.monotonic()
        self._latest: tuple[Standing, float] | None = None

    def update(self, report: IngestReport) -> None:
        """Take in the counts so far."""
        self._latest = (self._pace.update(report, self._count.total), time.monotonic())

    def now(self) -> tuple[float | None, str]:
        """Return the share of the work done and what to say about it."""
        if self._latest is None:
            return None, f"reading, loading the model · {_clock(time.monotonic() - self._started)}"
        standing, since = self._latest
        return standing.fraction, standing.line(time.monotonic() - since)


@contextmanager
def _counted(path: str | Path | None, reading: ReadOptions) -> Iterator[FileCount]:
    count = FileCount()
    if path is not None:
        threading.Thread(target=count.run, args=(path, reading), name="qdrant-embed-count", daemon=True).start()
    try:
        yield count
    finally:
        count.stop()


@contextmanager
def _terminal_bar(watch: Watch) -> Iterator[Callback]:
    from rich.console import Console
    from rich.live import Live

    # stdout is left alone: it may be a pipe that somebody reads JSON from.
    with Live(
        get_renderable=lambda: _bar(*watch.now()),
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=False,
    ):
        yield watch.update


def _bar(fraction: float | None, line: str) -> Table:
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    bar = ProgressBar(total=None if fraction is None else 1.0, completed=fraction or 0.0)
    grid = Table.grid(expand=True, padding=(0, 1))
    grid.add_column(ratio=1)
    grid.add_column(no_wrap=True, overflow="ellipsis")
    grid.add_row(bar, Text(line))
    return grid


@contextmanager
def _notebook_bar(watch: Watch) -> Iterator[Callback]:
    # rich's own bar would need ipywidgets in a notebook.
    display: Any = import_module("IPython.display")
    shown = display.display(display.HTML(_html(*watch.now())), display_id=True)

    def update(report: IngestReport) -> None:
        watch.update(report)
        shown.update(display.HTML(_html(*watch.now())))

    yield update


def _html(fraction: float | None, line: str) -> str:
    value = "" if fraction is None else f" value='{fraction:.3f}'"
    return f"<progress{value} max='1' style='vertical-align:middle;width:16em'></progress> {line}"


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return type(shell).__name__ == "ZMQInteractiveShell"


def _short(number: float) -> str:
    """Write a number in at most four characters: 7.4, 87, 930, 12k, 1.2M."""
    for size, mark in ((1e6, "M"), (1e3, "k")):
        if number >= size:
            scaled = number / size
            return f"{scaled:.1f}{mark}" if scaled < 10 else f"{scaled:.0f}{mark}"
    return f"{number:.1f}" if 0 < number < 10 else f"{number:.0f}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
