"""The holder's side: what other processes ask of a folder is done here, by threads beside whatever the program does.

The threads are daemons and touch nothing of the program's: each waits for a request, calls the engine, and answers.
The engine's own locks order what they do, as for any two threads of one process. A connection that is in the middle of
a request is left to finish it before the folder is closed; one that waits is closed at once, and whoever is at its
other end finds out with the next request, which nobody has carried out.
"""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qdrant_embed.native import make_reentrant_lock
from qdrant_embed.store.edge import EdgeEngine
from qdrant_embed.store.sharing.socket_place import POSSIBLE, place_of

if TYPE_CHECKING:
    from qdrant_embed.store.engine import Engine

MOST_CONNECTIONS = 256
FINISH_SECONDS = 5.0
"""How long a request may go on after the folder was closed here; what is left without an answer is asked elsewhere."""


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
        from qdrant_embed.store.sharing.holder_answers import HolderAnswers

        try:
            HolderAnswers(self._engine, self._connections[connection], self._closed, self._note).answer_all(connection)
        finally:
            with self._changing:
                self._connections.pop(connection, None)

    def _note(self) -> None:
        self.used = True


def offer(engine: EdgeEngine, *, used: bool = False) -> None:
    """Answer other processes from now on, as long as the folder is open here.

    :param used: Whether others have asked for it before.
    """
    folder = engine.folder()
    if POSSIBLE:
        folder.serve(lambda: FolderServer(EdgeEngine.within(folder), folder.path))
        if used and folder.server is not None:
            folder.server.used = True
