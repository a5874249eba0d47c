"""Says on stderr which stage of an ingest stands still, and where in the code, instead of waiting without a word."""

from __future__ import annotations

import faulthandler
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import suppress

from qdrant_embed.concurrency import Job

STALL_SECONDS = 300.0
_TICKS = 4
"""How often in the time that a stage may stand still one looks."""
_MOST_SECONDS_BETWEEN = 5.0


class Watchdog:
    """Watches a job in a thread of its own.

    That thread cannot work where native code holds the interpreter's lock, so it also winds up a timer of
    `faulthandler`, which is a thread of C: if it is not wound up again, it writes the stacks. There is one such timer
    in a process; a program that uses it for itself gives `stall_seconds=0`.

    :param working: Threads that work, rather than wait for each other, and the names of their stages.
    :param stall_seconds: How long the job may stand still; 0 to watch nothing.
    """

    def __init__(self, job: Job, working: Mapping[int, str], stall_seconds: float) -> None:
        self._job, self._working, self._limit = job, working, stall_seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="qdrant-embed-watchdog", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        if self._limit:
            self._thread.start()

    def stop(self) -> None:
        """Watch no longer."""
        self._stopped.set()
        if self._limit:
            faulthandler.cancel_dump_traceback_later()

    def _watch(self) -> None:
        said = 0
        tick = min(self._limit / _TICKS, _MOST_SECONDS_BETWEEN)
        while True:
            self._wind_up(self._limit + 2 * tick)
            if self._stopped.wait(tick):
                # After the last winding up, which may have been later than `stop`.
                faulthandler.cancel_dump_traceback_later()
                return
            periods = int((time.monotonic() - self._job.last) / self._limit)
            if periods > said:
                self._say(periods * self._limit, stacks=not said)
            said = periods

    def _wind_up(self, seconds: float) -> None:
        for stream in (sys.stderr, sys.__stderr__):
            # In a notebook stderr is no file, and without a console there is none.
            with suppress(AttributeError, OSError, ValueError, RuntimeError):
                faulthandler.dump_traceback_later(seconds, file=stream.fileno())  # type: ignore[union-attr]
                return

    def _say(self, seconds: float, *, stacks: bool) -> None:
        names = [f"{stage!r}" for stage in dict.fromkeys(list(self._working.values())) if stage]
        who = f"stage {' and '.join(names)} stands still" if names else "all stages wait for each other"
        text = f"qdrant-embed: the ingest has not gone on for {seconds:g} s: {who}."
        text += f" Where each thread is:\n\n{_stacks()}\n" if stacks else " "
        text += "It goes on waiting. Ctrl-C ends it; what was stored is kept.\n"
        with suppress(AttributeError, OSError, ValueError):
            sys.stderr.write(text)
            sys.stderr.flush()


def _stacks() -> str:
    """Return the Python stacks of all threads, named."""
    with tempfile.TemporaryFile() as file:
        faulthandler.dump_traceback(file, all_threads=True)
        file.seek(0)
        found = file.read().decode(errors="backslashreplace")
    for thread in threading.enumerate():
        if thread.ident is not None:
            found = found.replace(f"0x{thread.ident:016x}", f"{thread.name!r}")
    return found
