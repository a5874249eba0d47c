"""The parent's side of the worker: start it, hand it a file, kill it at the time limit."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import suppress
from typing import BinaryIO

from qdrant_embed.errors import ReadError
from qdrant_embed.reading.parsed import Parsed
from qdrant_embed.reading.pipe import receive, send

START_SECONDS = 60.0
"""Time for an interpreter to start on a busy machine; it does not count towards the file's."""

ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
"""Parsers need no thread pools; on a machine of many cores, these alone would exhaust the limit of memory."""


class Worker:
    """A process that parses; started on first use, replaced after it was killed or died."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._process: subprocess.Popen[bytes] | None = None

    def parse(self, data: bytes, extension: str, name: str) -> Parsed:
        """Parse a file's bytes.

        :raises ReadError: The file is broken, takes too long, or ended the process.
        """
        process = self._process or self._start()
        request = {"extension": extension, "name": name, "timeout": self._timeout}
        limit = _Limit(process, self._timeout)
        try:
            with limit:
                send(_pipe(process.stdin), request, data)
                answer, _ = receive(_pipe(process.stdout))
        except (OSError, EOFError):
            raise ReadError(self._cause_of_death(limit, process)) from None
        except BaseException:
            self.close()  # a Ctrl-C in the middle of an answer: what is left of it must not be read as the next one
            raise
        if limit.expired:
            self.close()
        if "error" in answer:
            raise ReadError(answer["error"])
        return Parsed(**{**answer, "page_starts": tuple(answer["page_starts"]), "notes": tuple(answer["notes"])})

    def close(self) -> None:
        """End the process; a later `parse` starts another."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            for pipe in (process.stdin, process.stdout):
                with suppress(OSError):
                    _pipe(pipe).close()
            process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        paths = [path or "." for path in sys.path]
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "qdrant_embed.reading.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **ONE_THREAD, "PYTHONPATH": os.pathsep.join(paths)},
        )
        self._process = process
        try:
            with _Limit(process, START_SECONDS):
                receive(_pipe(process.stdout))
        except EOFError:
            self.close()
            message = f"the process that parses it did not start; try: {sys.executable} -m qdrant_embed.reading.worker"
            raise ReadError(message) from None
        return process

    def _cause_of_death(self, limit: _Limit, process: subprocess.Popen[bytes]) -> str:
        self.close()
        if limit.expired:
            return f"timed out: parsing took longer than {self._timeout:g} s; raise ReadOptions.file_timeout to wait"
        return f"parsing it crashed the worker process (exit code {process.returncode})"


class _Limit:
    """Kills a process when its time is up, so that plain blocking reads of its pipes come to an end on any system."""

    def __init__(self, process: subprocess.Popen[bytes], seconds: float) -> None:
        self.expired = False
        self._process = process
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True

    def _expire(self) -> None:
        self.expired = True
        self._process.kill()

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._timer.join()


def _pipe(stream: object) -> BinaryIO:
    return stream  # type: ignore[return-value]
