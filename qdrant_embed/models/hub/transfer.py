"""One file from the hub to this machine: resumed where it broke off, in this process or an earlier one, and hashed.

(The hub's own client begins a file anew in each process, since version 1.2.) Plain HTTP, which mirrors speak, too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

from filelock import FileLock

from qdrant_embed.concurrency import pause, went_on
from qdrant_embed.models.hub.checksums import KeptFile, digest_for, feed

TRIES = 5
"""How often a transfer goes on after a break, without anything having come in between."""
SECONDS_BETWEEN = 1.0
_PARTIAL = 206
_BUSY = (408, 429, 500, 502, 503, 504)


class Tick(Protocol):
    """What is told how a transfer gets on."""

    def __call__(self, count: int, *, came: bool) -> None:
        """Take a number of bytes; see `transfer`."""


class DamagedTransferError(OSError):
    """What came is not what the hub stated."""


def transfer(url: str, blobs: Path, stated: KeptFile, tick: Tick) -> tuple[Path, str]:
    """Download a file and return where it is and its digest.

    :param blobs: Folder of the cache, in which it is named by its digest.
    :param stated: Size (-1 if nobody stated it) and digest.
    :param tick: Called with a number of bytes that are here, and whether they came just now rather than earlier; the
        number is negative where they have to come again.
    :raises OSError: It cannot be written, or what came is not what was stated.
    """
    blobs.mkdir(parents=True, exist_ok=True)
    partial = blobs / f"{stated.digest or hashlib.sha256(url.encode()).hexdigest()}.part"
    with _alone(partial):
        finished = blobs / stated.digest
        if stated.digest and finished.exists():  # another process had it at the same time, or another revision has it
            tick(stated.size, came=False)
            return finished, stated.digest
        with partial.open("a+b") as stream:
            found = _Transfer(url, stream, stated, tick).run()
        if stated.digest and found != stated.digest:
            partial.unlink()
            raise DamagedTransferError(
                f"what came as {url} has the digest {found}, and the hub states {stated.digest}; something between "
                "here and there changed it"
            )
        finished = blobs / found
        partial.replace(finished)
        return finished, found


class _Transfer:
    """A file that is on its way."""

    def __init__(self, url: str, stream: IO[bytes], stated: KeptFile, tick: Tick) -> None:
        self._url, self._stream, self._stated, self._tick = url, stream, stated, tick
        stream.seek(0)
        self._digest = digest_for(stated.digest, stated.size)
        feed(self._digest, stream)
        self._done = stream.tell()
        if self._done:
            tick(self._done, came=False)
        if self._done > max(stated.size, 0):
            self._anew()

    def run(self) -> str:
        """Receive what is still to come and return the digest of the whole."""
        tries = TRIES
        while self._done < self._stated.size or (self._stated.size < 0 and not self._done):
            before = self._done
            try:
                self._receive()
            except Exception as error:
                tries = TRIES if self._done > before else tries - 1
                if not tries or not _passes(error):
                    raise
                pause(SECONDS_BETWEEN)
            else:
                if self._done < self._stated.size and self._done == before:
                    raise DamagedTransferError(f"{self._url} ended after {self._done} of {self._stated.size} bytes")
            if self._done > self._stated.size >= 0:
                raise DamagedTransferError(f"{self._url} has more than the {self._stated.size} bytes it should have")
        return self._digest.hexdigest()

    def _receive(self) -> None:
        from huggingface_hub import constants, utils

        hub: Any = utils
        headers = {**hub.build_hf_headers(), "Accept-Encoding": "identity"}
        if self._done:
            headers["Range"] = f"bytes={self._done}-"
        limit = constants.HF_HUB_DOWNLOAD_TIMEOUT
        with hub.get_session().stream("GET", self._url, headers=headers, timeout=limit) as response:
            hub.hf_raise_for_status(response)
            if self._done and response.status_code != _PARTIAL:
                self._anew()
            for piece in response.iter_bytes():
                self._stream.write(piece)
                self._digest.update(piece)
                self._done += len(piece)
                self._tick(len(piece), came=True)
                went_on()
                if self._done > self._stated.size >= 0:
                    return

    def _anew(self) -> None:
        self._tick(-self._done, came=False)
        self._stream.truncate(0)
        self._digest, self._done = digest_for(self._stated.digest, self._stated.size), 0


def _passes(error: Exception) -> bool:
    """Tell whether it may go better the next time: a broken connection, a server that has too much to do."""
    status = getattr(getattr(error, "response", None), "status_code", 0)
    # By name: which library it is, httpx or httpx2, depends on the version of the hub's client.
    return status in _BUSY or any(kind.__name__ == "TransportError" for kind in type(error).__mro__)


@contextmanager
def _alone(partial: Path) -> Iterator[None]:
    """Let one process at a time write a file; some network drives have no locks, and nothing but thrift is lost."""
    lock = FileLock(partial.with_suffix(".lock"))
    try:
        lock.acquire(poll_interval=0.2)
    except (OSError, NotImplementedError):
        yield
        return
    try:
        yield
    finally:
        lock.release()
        partial.with_suffix(".lock").unlink(missing_ok=True)
