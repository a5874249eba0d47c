"""Work in several threads that can be watched and called off."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from contextvars import ContextVar, copy_context
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")

_LEAVE_SECONDS = 0.5
"""How long one waits for other threads after Ctrl-C; they are daemons, and what they still make nobody reads."""
_SLICE_SECONDS = 0.2


class Cancelled(BaseException):
    """The work was called off by whoever asked for it."""


class Job:
    """Work that tells when it last went on, and that can be called off from any thread."""

    def __init__(self) -> None:
        self.cancelled = threading.Event()
        self.last = time.monotonic()

    def went_on(self) -> None:
        """Note that something was done just now."""
        self.last = time.monotonic()


current_job: ContextVar[Job | None] = ContextVar("qdrant_embed_job", default=None)
"""The job that the code running now is part of; threads get it from whoever starts them here."""


def went_on() -> None:
    """Say, between two parts of a long work, that it went on; a no-op outside a job.

    :raises Cancelled: It was called off.
    """
    job = current_job.get()
    if job is not None:
        job.went_on()
    stop_if_called_off()


def stop_if_called_off() -> None:
    """Leave a wait for others that shall count as a standstill; a no-op outside a job.

    :raises Cancelled: The job was called off.
    """
    job = current_job.get()
    if job is not None and job.cancelled.is_set():
        raise Cancelled


def pause(seconds: float, ended: threading.Event | None = None) -> None:
    """Wait until the time is over, or `ended` is set. A pause of a job is no standstill of it.

    :raises Cancelled: The job was called off.
    """
    ended, until = ended or threading.Event(), time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0 and not ended.wait(min(left, _SLICE_SECONDS)):
        went_on()


def in_threads(function: Callable[[T], R], items: Sequence[T], threads: int, name: str) -> list[R]:
    """Return what `function` gives for every item, in their order; several are worked on at once.

    The threads are daemons, unlike those of `concurrent.futures`, which the interpreter waits for when it ends:
    neither Ctrl-C nor an exit is held up by a batch that a native library works on.

    :raises BaseException: The first error of any item; no other item is begun after it.
    """
    todo: queue.SimpleQueue[int] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[int, Any, BaseException | None]] = queue.SimpleQueue()
    stopped = threading.Event()
    for place in range(len(items)):
        todo.put(place)

    def work() -> None:
        while not stopped.is_set():
            try:
                place = todo.get_nowait()
            except queue.Empty:
                return
            try:
                went_on()
                done.put((place, function(items[place]), None))
            except BaseException as error:
                stopped.set()
                done.put((place, None, error))

    started: list[threading.Thread] = []
    found: list[Any] = [None] * len(items)
    patience: float | None = _LEAVE_SECONDS
    try:
        for number in range(min(threads, len(items))):
            thread = threading.Thread(target=copy_context().run, args=(work,), name=f"{name}_{number}", daemon=True)
            thread.start()
            started.append(thread)
        for _ in items:
            place, value, error = done.get()
            if error is not None:
                raise error
            found[place] = value
        patience = None
    except Exception:
        patience = None
        raise
    finally:
        stopped.set()
        join(started, patience)
    return found


def join(threads: Sequence[threading.Thread], patience: float | None) -> None:
    """Wait until the threads have ended.

    :param patience: Seconds after which those that still run are left alone; None to wait for all.
    """
    until = None if patience is None else time.monotonic() + patience
    for thread in threads:
        thread.join(None if until is None else max(0.0, until - time.monotonic()))
