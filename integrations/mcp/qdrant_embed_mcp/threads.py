"""Work in threads, so that the protocol goes on; what a client calls off stops at its next step."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from typing import TypeVar

import anyio
from anyio import to_thread
from mcp.server.mcpserver.exceptions import ToolError

from qdrant_embed.concurrency import Cancelled, Job, current_job
from qdrant_embed.errors import QdrantEmbedError

T = TypeVar("T")
MOST_THREADS = 8
"""Calls that are worked on at once; others wait."""


class Workers:
    """Runs what the tools of one server do."""

    def __init__(self) -> None:
        self._limiter: anyio.CapacityLimiter | None = None

    async def run(self, work: Callable[[], T]) -> T:
        """Return what the work gives, done in a thread. If the call is cancelled, nobody waits for it.

        :raises ToolError: The library refuses; in its words, which say what to type.
        """
        self._limiter = self._limiter or anyio.CapacityLimiter(MOST_THREADS)
        job = Job()
        in_job = partial(copy_context().run, _in_job, job, work)
        try:
            return await to_thread.run_sync(in_job, abandon_on_cancel=True, limiter=self._limiter)
        except QdrantEmbedError as error:
            raise ToolError(str(error)) from None
        finally:
            job.cancelled.set()


def ends_with_call() -> Callable[[object], None]:
    """Return what ends the work at hand, in whatever thread it is called, once the call was called off."""
    job = current_job.get()

    def end(_: object) -> None:
        if job is not None and job.cancelled.is_set():
            raise Cancelled

    return end


def _in_job(job: Job, work: Callable[[], T]) -> T:
    current_job.set(job)
    try:
        return work()
    except Cancelled:
        raise ToolError("the call was called off.") from None
