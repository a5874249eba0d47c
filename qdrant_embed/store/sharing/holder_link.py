"""One connection to the process that holds a folder, and how long one waits for it."""

from __future__ import annotations

import logging
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qdrant_embed.concurrency import stop_if_called_off
from qdrant_embed.errors import StoreError
from qdrant_embed.store.sharing import wire_frames
from qdrant_embed.store.sharing.holder_answers import greeting
from qdrant_embed.store.sharing.socket_place import is_private, peer
from qdrant_embed.store.sharing.wire_values import BrokenFrameError

log = logging.getLogger(__name__)

GREETING_SECONDS = 10.0
STOPPED_SECONDS = 10.0
"""How long a holder may be stopped (Ctrl-Z, a debugger) before those who wait are told."""
ANSWER_SECONDS = 600.0
"""How long a holder may take for one call, but for the building of a search graph."""
TELL_SECONDS = 30.0
_SLICE_SECONDS = 0.5
_LONG = {"finish_bulk_load"}


class HolderGoneError(Exception):
    """Nobody answers any more.

    :ivar asked: Whether the request had gone out whole, so that it may have been carried out.
    """

    def __init__(self, *, asked: bool) -> None:
        super().__init__()
        self.asked = asked


class NotSharedError(Exception):
    """There is a holder, and it cannot be asked; the message says why."""


@dataclass
class _Patience:
    """Called every half second in which nothing came; raises where waiting on makes no sense."""

    holder: str
    pid: int
    limit: float
    what: str

    def __post_init__(self) -> None:
        self._began = time.monotonic()
        self._told = TELL_SECONDS

    def __call__(self) -> None:
        stop_if_called_off()
        waited = time.monotonic() - self._began
        if waited >= STOPPED_SECONDS and _is_stopped(self.pid):
            raise StoreError(
                f"{self.holder} holds the folder and is stopped, so nobody answers. Let it go on (kill -CONT "
                f"{self.pid}, or fg in its terminal), or end it. It may still do what was asked ({self.what}) then; "
                "doing it again does no harm."
            )
        if waited >= self.limit:
            raise StoreError(
                f"{self.holder} holds the folder and has not answered for {waited:.0f} s ({self.what}). Look what it "
                "does, end it, or try again: doing it again does no harm."
            )
        if waited >= self._told:
            self._told *= 2
            log.warning("waiting for %s, which holds the folder, since %.0f s (%s)", self.holder, waited, self.what)


class HolderLink:
    """A connection; one thread at a time uses it.

    :param holder: What to call the holder in messages.
    :ivar free: Whether the next call may be made; not after one whose answer was not waited for.
    :raises HolderGoneError: Nobody listens there.
    :raises NotSharedError: It is another user's, or of another version, or does not answer.
    """

    def __init__(self, address: str, holder: str) -> None:
        self._holder = holder
        self.free = True
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._greet(Path(address))
        except (OSError, BrokenFrameError) as error:
            self.close()
            if isinstance(error, PermissionError):
                raise NotSharedError("it is another user's") from error
            if isinstance(error, TimeoutError):
                raise NotSharedError(f"it has not answered for {GREETING_SECONDS:g} s") from error
            raise HolderGoneError(asked=False) from error
        except BaseException:
            self.close()
            raise

    def _greet(self, address: Path) -> None:
        self._socket.settimeout(GREETING_SECONDS)
        if not is_private(address.parent):
            raise NotSharedError("it is another user's")
        self._socket.connect(str(address))
        self._pid, ours = peer(self._socket)
        if not ours:
            raise NotSharedError("it is another user's")
        own = greeting()
        wire_frames.send(self._socket, wire_frames.packed(own))
        came = wire_frames.receive(self._socket)
        theirs = came["greeting"] if isinstance(came, dict) else {}
        differing = [f"{name} {theirs.get(name)}, not {own[name]}" for name in own if theirs.get(name) != own[name]]
        if differing:
            raise NotSharedError(f"it runs {', '.join(differing)}, as this program does")
        self._socket.settimeout(_SLICE_SECONDS)

    def call(self, name: str, *arguments: Any, **named: Any) -> Any:
        """Have a method called, and return what it returns or raise what it raises.

        :raises HolderGoneError: The holder has ended, or closed the folder.
        """
        frame = wire_frames.packed([name, list(arguments), named])
        limit = float("inf") if name in _LONG else ANSWER_SECONDS
        wait = _Patience(self._holder, self._pid, limit, name)
        self.free, asked = False, False
        try:
            wire_frames.send(self._socket, frame, wait)
            asked = True
            came = wire_frames.receive(self._socket, wait)
        except (OSError, wire_frames.EndedError) as error:
            raise HolderGoneError(asked=asked) from error
        except BrokenFrameError as error:
            raise StoreError(f"{self._holder} holds the folder and cannot be understood: {error}.") from error
        self.free = True
        if "error" in came:
            raise came["error"]
        return came["answer"]

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()


def _is_stopped(pid: int) -> bool:
    with suppress(OSError, IndexError):
        stated = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        return stated.rpartition(")")[2].split()[0] in ("T", "t")
    return False
