"""How an ingest gets on, shown on a terminal, in a notebook, or as lines: files, chunks, rates, time left."""

from __future__ import annotations

import logging
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from qdrant_embed.display import counted, one_line
from qdrant_embed.ingest.monitoring.report import IngestReport, Progress, Tally
from qdrant_embed.reading.files import SourceFile

log = logging.getLogger("qdrant_embed.ingest")

WINDOW_SECONDS = 60.0
"""Rates are those of the last minute: a resumed run is fast where the work is done already, slow after that."""
LINE_SECONDS = 10.0
NOTEBOOK_SECONDS = 1.0


def kind_of_display(progress: Progress | str | None) -> str:
    """Return how an ingest is shown: `bar`, `notebook`, `plain`, `log`, or `none`."""
    if progress is None or callable(progress) or progress == "none":
        return "none"
    if progress == "plain":
        return "plain"
    if _in_notebook():
        return "notebook"
    terminal = sys.stderr is not None and sys.stderr.isatty()
    return "bar" if terminal or progress == "bar" else "log"


@contextmanager
def shown(kind: str, name: str, tally: Tally, files: Callable[[], Iterable[object]] | int | None) -> Iterator[None]:
    """Show how far an ingest is while the block runs.

    :param kind: As `kind_of_display` has it.
    :param name: What is ingested.
    :param files: Walks the files, which are counted in a thread beside the ingest so that the time left can be told; or
        the number of documents. None where nobody knows how many will come.
    """
    if kind == "none":
        yield
        return
    with _counted(files) as count:
        watch = Watch(count, tally, "file" if callable(files) else "document")
        if kind == "bar":
            with _terminal_bar(watch):
                yield
        elif kind == "notebook":
            with _notebook_bar(watch):
                yield
        else:
            with _lines(watch, name, _print if kind == "plain" else log.info):
                yield


class FileCount:
    """The number of files, None until it is known."""

    def __init__(self, total: int | None = None) -> None:
        self.total = total
        self._stopped = threading.Event()

    def run(self, files: Iterable[object]) -> None:
        """Count; an error leaves the number unknown, since it is the ingest's to report."""
        found = 0
        try:
            for item in files:
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

    :param chunks: Chunks that are stored.
    :param fraction: Share of the work done, 0 to 1; None while the number of files is unknown.
    :param left: Seconds left; None while they cannot be told.
    """

    files: int = 0
    total: int | None = None
    fraction: float | None = None
    chunk_rate: float = 0.0
    token_rate: float = 0.0
    left: float | None = None
    chunks: int = 0

    def line(self, noun: str = "file") -> str:
        """Say it in at most 80 characters or so, what matters most first."""
        known = f"{self.files:,}/{self.total:,} {noun}s" if self.total is not None else ""
        parts = [known or counted(self.files, noun)]
        if self.fraction is not None:
            parts.insert(0, f"{self.fraction:.0%}")
        parts += [counted(self.chunks, "chunk"), f"{_short(self.chunk_rate)} chunks/s"]
        if self.fraction == 1.0:
            parts.append("finishing")
        elif self.left is not None:
            parts.append(f"{_clock(self.left)} left")
        return " · ".join([*parts, f"{_short(self.token_rate)} tokens/s"])


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
        return Standing(report.documents, total, fraction, chunk_rate, token_rate, self._seconds_left(), done)

    def _seconds_left(self) -> float | None:
        known = [(seconds, fraction) for seconds, _, _, fraction in self._samples if fraction is not None]
        (since, before), (now, fraction) = known[0] if known else (0.0, 0.0), known[-1] if known else (0.0, 0.0)
        return (1.0 - fraction) * (now - since) / (fraction - before) if fraction > before else None


class Watch:
    """What there is to show now; asked by the display's own thread."""

    def __init__(self, count: FileCount, tally: Tally, noun: str = "file") -> None:
        self._noun = noun
        self._count = count
        self._tally = tally
        self._pace = Pace()

    def now(self) -> tuple[float | None, str]:
        """Return the share of the work done and what to say about it."""
        report = self._tally.report()
        if self._tally.dry:  # what is chunked is done
            report = replace(report, embedded=report.chunks - report.reused)
            self._tally.anything_stored |= report.chunks > 0
        if self._tally.phase:
            return 1.0, f"{self._tally.phase} · {_clock(self._tally.phase_seconds)}"
        if not self._tally.anything_stored:
            parts = counted(report.documents, self._noun), f"{counted(report.chunks, 'chunk')} found"
            found = "".join(f"{part} · " for part in parts) if report.documents else ""
            return None, f"{found}reading, loading the model · {_clock(report.seconds)}"
        standing = self._pace.update(report, self._count.total)
        return standing.fraction, standing.line(self._noun)

    def done(self) -> str:
        """Return the last line."""
        report = self._tally.report()
        failed = f", {len(report.failed):,} failed" if report.failed else ""
        done = f"{counted(report.documents, self._noun)}, {counted(report.chunks, 'chunk')}"
        return f"done: {done}{failed} · {_clock(report.seconds)}"


@contextmanager
def _counted(files: Callable[[], Iterable[object]] | int | None) -> Iterator[FileCount]:
    count = FileCount(files if isinstance(files, int) else None)
    if callable(files):
        threading.Thread(target=count.run, args=(files(),), name="qdrant-embed-count", daemon=True).start()
    try:
        yield count
    finally:
        count.stop()


@contextmanager
def _every(seconds: float, act: Callable[[], object]) -> Iterator[None]:
    """Do something now and then, in a thread, while the block runs."""
    ended = threading.Event()

    def run() -> None:
        while not ended.wait(seconds):
            act()

    thread = threading.Thread(target=run, name="qdrant-embed-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@contextmanager
def _lines(watch: Watch, name: str, say: Callable[[str], object]) -> Iterator[None]:
    say(f"ingest {name}: started")
    with _every(LINE_SECONDS, lambda: say(f"ingest {name}: {watch.now()[1]}")):
        yield
    say(f"ingest {name}: {watch.done()}")


def _print(line: str) -> None:
    if sys.stderr is not None:
        sys.stderr.write(f"{one_line(line)}\n")
        sys.stderr.flush()


@contextmanager
def _terminal_bar(watch: Watch) -> Iterator[None]:
    # stdout is left alone: it may be a pipe that somebody reads JSON from.
    with Live(
        get_renderable=lambda: _bar(*watch.now()),
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=False,
    ):
        yield


def _bar(fraction: float | None, line: str) -> Table:
    bar = ProgressBar(total=None if fraction is None else 1.0, completed=fraction or 0.0)
    grid = Table.grid(expand=True, padding=(0, 1))
    grid.add_column(ratio=1)
    grid.add_column(no_wrap=True, overflow="ellipsis")
    grid.add_row(bar, Text(line))
    return grid


@contextmanager
def _notebook_bar(watch: Watch) -> Iterator[None]:
    # rich's own bar would need ipywidgets in a notebook.
    display: Any = import_module("IPython.display")
    drawn = display.display(display.HTML(_html(*watch.now())), display_id=True)

    def draw() -> None:
        drawn.update(display.HTML(_html(*watch.now())))

    with _every(NOTEBOOK_SECONDS, draw):
        yield
    drawn.update(display.HTML(_html(1.0, watch.done())))


def _html(fraction: float | None, line: str) -> str:
    value = "" if fraction is None else f" value='{fraction:.3f}'"
    return f"<progress{value} max='1' style='vertical-align:middle;width:16em'></progress> {line}"


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return type(shell).__name__ in ("ZMQInteractiveShell", "Shell")  # the second one is Colab's


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
