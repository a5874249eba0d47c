"""What the holder of a folder answers on one connection. Loaded with `qdrant_client` when another process comes."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from qdrant_client import QdrantClient

from qdrant_embed.errors import QdrantEmbedError, StoreError
from qdrant_embed.store.engine_wrappers import KEEPING
from qdrant_embed.store.sharing import wire_frames
from qdrant_embed.store.sharing.socket_place import peer
from qdrant_embed.store.sharing.wire_values import PROTOCOL, BrokenFrameError

if TYPE_CHECKING:
    from qdrant_embed.store.engine import Engine

log = logging.getLogger(__name__)

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


class HolderAnswers:
    """The holder's side of one connection.

    :param engine: What answers.
    :param busy: Held while a request is carried out.
    :param closed: Set when the folder has been closed here.
    :param came: Called when another process has been let in.
    """

    def __init__(self, engine: Engine, busy: Any, closed: threading.Event, came: Callable[[], None]) -> None:
        self._engine, self._busy, self._closed, self._came = engine, busy, closed, came

    def answer_all(self, connection: socket.socket) -> None:
        """Answer until the other end, or this one, has had enough."""
        with connection, suppress(OSError, BrokenFrameError):
            if self._greet(connection):
                while self._answer_next(connection):
                    pass

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
        self._came()
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
        with self._busy:
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
