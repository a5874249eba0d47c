"""The holder's side: what other processes ask of a folder is done here, by threads beside whatever the program does.

The threads are daemons and touch nothing of the program's: each waits for a request, calls the engine, and answers.
The engine's own locks order what they do, as for any two threads of one process. A connection that is in the middle of
a request is left to finish it before the folder is closed; one that waits is closed at once, and whoever is at its
other end finds out with the next request, which nobody has carried out.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qdrant_client import QdrantClient

from qdrant_embed.errors import QdrantEmbedError, StoreError
from qdrant_embed.native import make_reentrant_lock
from qdrant_embed.store.engine_wrappers import KEEPING
from qdrant_embed.store.sharing import wire_frames
from qdrant_embed.store.sharing.socket_place import peer, place_of
from qdrant_embed.store.sharing.wire_values import PROTOCOL, BrokenFrameError

if TYPE_CHECKING:
    from qdrant_embed.store.engine import Engine

log = logging.getLogger(__name__)

MOST_CONNECTIONS = 256
FINISH_SECONDS = 5.0
"""How long a request may go on after the folder was closed here; what is left without an answer is asked elsewhere."""
ANSWER_SECONDS = 60.0
"""How long the other end may take nothing of an answer."""
_NOT_ASKED = {"close", "upload_points"}


def greeting() -> dict[str, Any]:
    """Return what both sides have to be equal in to understand each other."""
    used = {name: version(name) for name in ("qdrant-embed", "qdrant-client", "qdrant-edge-py")}
    return {"protocol": PROTOCOL, **used}


def may_be_asked(engine: type[Engine], name: str) -> bool:
    """Tell whether a method of an engine answers other processes."""
    wanted = name in KEEPING or (hasattr(QdrantClient, name) and name not in _NOT_ASKED)
    return wanted and not name.startswith("_") and hasattr(engine, name)


class FolderServer:
    """Listens for other processes of this user from now on.

    :param engine: What answers; it does not keep the folder open.
    :ivar address: Path of the socket.
    :ivar used: Whether another process has come.
    :raises OSError: There is no place for a socket.
    """

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.used = False
        self._engine = engine
        self._closed = threading.Event()
        self._connections: dict[socket.socket, Any] = {}
        self._changing = make_reentrant_lock()
        place = place_of(folder)
        self.address = str(place)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            place.unlink(missing_ok=True)  # of a holder that was killed: the lock says that it is gone
            self._listener.bind(self.address)
            self._listener.listen(64)
        except OSError:
            self._listener.close()
            raise
        threading.Thread(target=self._accept, name="folder-server", daemon=True).start()

    def close(self) -> None:
        """Answer nobody any more, when the requests that have begun are done."""
        self._closed.set()
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as knock:
            knock.settimeout(0)
            knock.connect(self.address)  # wakes the thread that accepts
        with suppress(OSError):
            Path(self.address).unlink()
        self._listener.close()
        with self._changing:
            left = dict(self._connections)
        until = time.monotonic() + FINISH_SECONDS
        for connection, busy in left.items():
            # Bounded: the garbage collector may run this in a thread that a request waits for.
            finished = busy.acquire(timeout=max(0.0, until - time.monotonic()))
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            if finished:
                busy.release()

    def abandon(self) -> None:
        """Let go of the sockets in a forked child: they are its parent's."""
        self._closed.set()
        for one in (self._listener, *self._connections):
            one.close()

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                if self._closed.is_set():
                    return
                time.sleep(0.1)  # too many files are open; another time
                continue
            if self._closed.is_set() or len(self._connections) >= MOST_CONNECTIONS:
                connection.close()
                continue
            with self._changing:
                self._connections[connection] = make_reentrant_lock()
            threading.Thread(target=self._serve, args=(connection,), name="folder-server", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, suppress(OSError, BrokenFrameError):
                if self._greet(connection):
                    while self._answer_next(connection):
                        pass
        finally:
            with self._changing:
                self._connections.pop(connection, None)

    def _greet(self, connection: socket.socket) -> bool:
        """Let another process in, if it is this user's and of the same version."""
        connection.settimeout(ANSWER_SECONDS)
        _, ours = peer(connection)
        if not ours:
            return False
        came, own = wire_frames.receive(connection), greeting()
        wire_frames.send(connection, wire_frames.packed({"greeting": own, "pid": os.getpid()}))
        if came != own:
            return False
        self.used = True
        return True

    def _answer_next(self, connection: socket.socket) -> bool:
        connection.settimeout(None)
        try:
            request = wire_frames.receive(connection)
        except wire_frames.EndedError:
            return False
        except BrokenFrameError as error:
            wire_frames.send(
                connection, wire_frames.packed({"error": StoreError(f"a request was not understood: {error}.")})
            )
            return False
        with self._connections[connection]:
            if self._closed.is_set():
                return False
            frame = self._answer(request)
            if frame is not None:
                connection.settimeout(ANSWER_SECONDS)
                wire_frames.send(connection, frame)
        return frame is not None

    def _answer(self, request: Any) -> list[bytes] | None:
        """Return the frame of an answer; none where the request failed, and the folder was closed meanwhile."""
        try:
            found = {"answer": self._done(request)}
            return wire_frames.packed(found)
        except Exception as error:
            if self._closed.is_set():
                return None
            if not isinstance(error, (QdrantEmbedError, TypeError, ValueError)):
                log.debug("a request of another process failed", exc_info=True)
            return wire_frames.packed({"error": error})

    def _done(self, request: Any) -> Any:
        name, arguments, named = request
        if not may_be_asked(type(self._engine), name):
            raise StoreError(f"the process that holds the folder answers no {name!r}.")
        return getattr(self._engine, name)(*arguments, **named)
