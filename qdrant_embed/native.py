"""Native libraries: one thread at a time uses them for the first time, and no forked child those of its parent.

A C++ library initializes much when it is first used, behind guards that let one thread through and stop the others.
Where that initialization runs Python code it may lose the interpreter's lock, and a second thread that arrives at the
guard then waits for it while holding that lock: nobody goes on, and no signal is seen. OpenVINO converts its first
tensor that way (the fault is described in pybind11's pull request 4877). So whatever loads such a library, or runs it
for the first time, does so inside `initializing`, and runs it once from end to end before other threads may.
"""

from __future__ import annotations

import ctypes
import os
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Generic, TypeVar

from qdrant_embed.concurrency import stop_if_called_off
from qdrant_embed.errors import ForkedError
from qdrant_embed.extras import require_extra

T = TypeVar("T")

_locks: weakref.WeakSet[Any] = weakref.WeakSet()
_used: dict[str, int] = {}
"""Library with threads of its own → the process that used it first."""
_made: weakref.WeakSet[Once[Any]] = weakref.WeakSet()
_inherited: list[object] = []
"""What a forked child has of its parent and must not destroy: a destructor would wait for threads that are not here."""


def make_lock() -> threading.Lock:
    """Return a lock that is free in a forked child, whoever held it when the process was forked."""
    made = threading.Lock()
    _locks.add(made)
    return made


def make_reentrant_lock() -> threading.RLock:
    """Return a lock as by `make_lock` that the thread which holds it may take again."""
    made = threading.RLock()
    _locks.add(made)
    return made


_initializing = make_reentrant_lock()
_SLICE_SECONDS = 0.2
"""How often a thread that waits for its turn looks whether it is still wanted."""


@contextmanager
def initializing(library: str = "") -> Iterator[None]:
    """Hold off every other thread that would load a native library, or use one for the first time.

    :param library: What is used from now on and has threads of its own, which do not survive a fork.
    :raises ForkedError: The process that this one was forked from has used it.
    :raises Cancelled: The job was called off while it waited: another thread may be at it for minutes.
    """
    if library:
        process = _used.setdefault(library, os.getpid())
        if process != os.getpid():
            raise ForkedError(
                f"process {process} has used {library}, and this process was forked from it: {library} would wait for "
                "threads that a fork does not copy. Start workers with multiprocessing.get_context('spawn'), or load "
                "models only after the fork."
            )
    # The watchdog shall name a thread that waits here for ever, so waiting is not noted as going on.
    while not _initializing.acquire(timeout=_SLICE_SECONDS):
        stop_if_called_off()
    try:
        yield
    finally:
        _initializing.release()


class Once(Generic[T]):
    """Something that one thread of a process makes when it is first asked for; a forked child makes its own.

    :param make: Called inside `initializing`.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: tuple[int, T] | None = None
        _made.add(self)

    def __call__(self) -> T:
        """Return it.

        :raises Exception: What making it raises; the next caller tries again.
        """
        made, process = self._made, os.getpid()
        if made is not None and made[0] == process:
            return made[1]
        with initializing():
            made = self._made
            if made is None or made[0] != process:
                made = self._made = (process, self._make())
        return made[1]


def prepare_torch(what: str) -> None:
    """Import torch, and let it calculate for the first time, with no other thread beside it.

    :param what: What needs it, for the error message.
    :raises MissingExtraError: It is not installed, or what comes with it in the extra `torch`.
    :raises ForkedError: The process that this one was forked from has used it.
    """
    require_extra(what, "torch")
    with initializing("torch"):
        import torch

        torch.ones(1).add(1).numpy()


def return_memory() -> None:
    """Give the system back what was freed: the GNU C library keeps blocks of many megabytes for itself."""
    with suppress(AttributeError, OSError, TypeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)


def _after_fork() -> None:
    _inherited.extend(once._made for once in list(_made))
    for lock in list(_locks):
        lock._at_fork_reinit()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
