"""The parent's side of the worker: start it, hand it files, kill it at the time limit."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import BinaryIO, cast

from qdrant_embed.reading.worker.messages import receive, send
from qdrant_embed.types import Json

START_SECONDS = 60.0
"""Time for an interpreter to start, or a parser to be imported, on a busy machine; it does not count as the file's."""
POLL_SECONDS = 0.05
END_SECONDS = 5.0
"""A process that waits for a device may outlive its being killed; nobody waits longer for it."""
BUFFER = 2**16

ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
"""Parsers need no thread pools; on a machine of many cores, these alone would exhaust the limit of memory."""

Answer = tuple[dict[str, Json], bytes]
"""What the worker says of a file, and its text in UTF-8."""


class StoppedError(Exception):
    """Nothing is read any more, since the other stages have stopped."""


class Worker:
    """A process that reads files; started on first use, replaced after it was killed or died.

    :param seconds: Time for each file.
    :param limits: The other limits for each file, as the worker reads them.
    """

    def __init__(self, seconds: float, limits: Mapping[str, Json]) -> None:
        self._seconds = seconds
        self._limits = {**limits, "seconds": seconds}
        self._process: _Process | None = None
        self._stopped = False

    def answers(self, paths: Sequence[str]) -> Generator[Answer, None, None]:
        """Yield the answer for each file, in order; the process works ahead as far as the pipe holds.

        One that is killed or dies gives the answer for its file (`{"error": …}`), and another reads the rest.

        :raises StoppedError: `stop` was called.
        """
        done = 0
        try:
            while done < len(paths):
                process = self._running()
                if process is not None:
                    process.send({"files": list(paths[done:]), "limits": self._limits})
                answer: Answer | None = None
                while done < len(paths) and (answer is None or self._process is not None):
                    answer = self._answer(process)
                    done += 1
                    yield answer
        finally:
            if done < len(paths):
                self.close()  # what is left of the answers must not be read as the next ones

    def more(self) -> Answer:
        """Return the next part of the text whose first part the last answer had.

        :raises StoppedError: `stop` was called.
        """
        process = self._process
        if process is None:
            self.require_not_stopped()
            return {"error": "the process that read it has ended"}, b""
        process.send({"more": True})
        return self._answer(process)

    def enough(self) -> None:
        """Let go of the other parts of that text."""
        process = self._process
        if process is not None:
            process.send({"more": False})

    def close(self) -> None:
        """End the process; later calls start another."""
        process, self._process = self._process, None
        if process is not None:
            process.end()

    def stop(self) -> None:
        """End the process for good, from any thread: whoever waits for an answer gets a `StoppedError`."""
        self._stopped = True
        process = self._process
        if process is not None:
            process.kill()

    def require_not_stopped(self) -> None:
        """Raise an error if nothing is to be read any more.

        :raises StoppedError: `stop` was called.
        """
        if self._stopped:
            self.close()
            raise StoppedError

    def _running(self) -> _Process | None:
        """Return the process, started if need be; None if it does not start."""
        if self._process is None:
            self._process = _Process()
            try:
                self._process.wait_until_ready()
            except EOFError:
                self.close()
        self.require_not_stopped()
        return self._process

    def _answer(self, process: _Process | None) -> Answer:
        if process is None:
            message = f"the process that reads it did not start; try: {sys.executable} -m qdrant_embed.reading.worker"
            return {"error": message}, b""
        try:
            answer = process.answer(self._seconds)
        except (OSError, EOFError):
            self.require_not_stopped()
            self.close()
            return {"error": self._cause_of_death(process)}, b""
        except BaseException:
            self.close()  # an interrupt in the middle of an answer
            raise
        if process.expired:
            self.close()
        return answer

    def _cause_of_death(self, process: _Process) -> str:
        if process.expired:
            return f"timed out: reading took longer than {self._seconds:g} s; raise ReadOptions.file_timeout to wait"
        return f"parsing it crashed the worker process (exit code {process.exit_code})"


class _Process:
    """A worker process, and a thread that kills it when its time is up.

    So plain blocking reads of its pipes come to an end on any system.
    """

    def __init__(self) -> None:
        paths = [path or "." for path in sys.path]
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "qdrant_embed.reading.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=BUFFER,
            env={**os.environ, **ONE_THREAD, "PYTHONPATH": os.pathsep.join(paths)},
        )
        self._requests = cast("BinaryIO", self._process.stdin)
        self._answers = cast("BinaryIO", self._process.stdout)
        self._due, self._lock, self._ended = math.inf, threading.Lock(), threading.Event()
        self.expired = False
        threading.Thread(target=self._watch, name="qdrant-embed-time-limit", daemon=True).start()

    @property
    def exit_code(self) -> int | None:
        return self._process.returncode

    def wait_until_ready(self) -> None:
        """Wait for the interpreter.

        :raises EOFError: It did not start.
        """
        with self._limit(START_SECONDS):
            receive(self._answers)

    def send(self, request: dict[str, Json]) -> None:
        """Send a request; that the process is gone is noticed by whoever waits for the answer."""
        with suppress(OSError):
            send(self._requests, request)

    def answer(self, seconds: float) -> Answer:
        """Return the next answer.

        :raises EOFError: The process died, or was killed since it took longer.
        """
        with self._limit(seconds):
            message, data = receive(self._answers)
        if "loading" in message:
            with self._limit(START_SECONDS):
                receive(self._answers)
            return self.answer(seconds)
        return message, data

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> None:
        self._ended.set()
        self._process.kill()
        for pipe in (self._requests, self._answers):
            with suppress(OSError):
                pipe.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(END_SECONDS)

    @contextmanager
    def _limit(self, seconds: float) -> Iterator[None]:
        self._due = time.monotonic() + seconds
        try:
            yield
        finally:
            with self._lock:
                self._due = math.inf

    def _watch(self) -> None:
        while not self._ended.wait(POLL_SECONDS):
            with self._lock:
                if time.monotonic() > self._due:
                    self.expired = True
                    self._process.kill()
                    return
