"""The engine of a process that found its folder held by another: it asks that one, and takes its place when it is gone.

Every call may be made twice. Points are written, changed and removed by id or by filter, metadata and attachments are
set and not added to, so a call that a holder may or may not have carried out before it died is simply made again, by
whoever holds the folder then. Two calls say what was there before, making and removing a collection: see `_repeated`.
"""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, cast

from qdrant_embed.concurrency import pause
from qdrant_embed.errors import CollectionExistsError, LocationLockedError, StoreError
from qdrant_embed.native import make_reentrant_lock
from qdrant_embed.servers.features import Feature
from qdrant_embed.store.edge import EdgeEngine
from qdrant_embed.store.edge.edge_client import EdgeClient
from qdrant_embed.store.edge.lacking_features import lacked_by_folder
from qdrant_embed.store.edge.lock import described_holder, held_by_another, read_holder
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.engine_wrappers import P, R, WholeForwardingEngine
from qdrant_embed.store.payload_values import json_payload
from qdrant_embed.store.sharing.folder_server import offer
from qdrant_embed.store.sharing.holder_answers import may_be_asked
from qdrant_embed.store.sharing.holder_link import HolderGoneError, HolderLink, NotSharedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qdrant_client import models

JOIN_SECONDS = 10.0
"""How long one tries to reach a holder, or to become one: between two holders there is a moment without any."""
UNTOLD_SECONDS = 2.0
"""How long a holder may take to say where it listens; one of an earlier version never does."""
_PAUSE_SECONDS = 0.02
_MOST_LOST = 3
_MOST_IDLE = 8


class SharedEngine(WholeForwardingEngine):
    """An engine on a folder that another process holds, or has held; see `qdrant_embed.store.Engine`.

    :raises LocationLockedError: The holder cannot be asked.
    """

    def __init__(self, path: Path, *, make: bool = True) -> None:
        self.path = path
        self._place = path.resolve()
        self._make = make
        self._own: EdgeEngine | None = None
        self._process = os.getpid()
        self._idle: list[HolderLink] = []
        self._changing = make_reentrant_lock()
        self._leave = weakref.finalize(self, _close_all, self._idle)
        found = self._answering()
        if isinstance(found, HolderLink):
            self._idle.append(found)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.path)!r})"

    def __getattr__(self, name: str) -> Any:
        """Return what `EdgeEngine` has of `QdrantClient` beside the methods of `Engine`."""
        if name.startswith("_") or not may_be_asked(EdgeEngine, name):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return partial(self.ask, name)

    def forward(self, method: Callable[Concatenate[Engine, P], R], *arguments: P.args, **named: P.kwargs) -> R:
        """Have the holder call its engine's method of the same name."""
        found: R = self.ask(method.__name__, *arguments, **named)
        return found

    def ask(self, name: str, *arguments: Any, **named: Any) -> Any:
        """Call a method of the holder's engine, whoever that is by now.

        :raises StoreError: The engine refused, or whoever held the folder ended again and again meanwhile.
        """
        arguments, named = _in_json(name, arguments, named)
        lost = 0
        while lost < _MOST_LOST:
            found = self._answering()
            call = partial(_call, found) if isinstance(found, EdgeEngine) else found.call
            try:
                return _repeated(call, name, arguments, named) if lost else call(name, *arguments, **named)
            except HolderGoneError as error:
                lost += error.asked
            finally:
                self._keep(found)
        raise StoreError(
            f"{lost} processes that held the folder {str(self.path)!r} ended while they did this ({name}). It may or "
            "may not be done; look what ended them before you try again."
        )

    def upload_points(self, collection_name: str, points: Iterable[models.PointStruct], **named: Any) -> None:
        """Write points from any iterable, as `EdgeEngine` does."""
        EdgeClient.upload_points(cast("EdgeClient", self), collection_name, points, **named)

    def _answering(self) -> EdgeEngine | HolderLink:
        """Return what answers now: the engine in this process, once it holds the folder, or a free connection."""
        with self._changing:
            if not self._leave.alive:
                raise StoreError(f"the location {str(self.path)!r} has been closed; open the collection again.")
            if self._process != os.getpid():  # what was opened is the parent's
                _close_all(self._idle)
                self._own, self._process = None, os.getpid()
            if self._own is not None:
                return self._own
            return self._idle.pop() if self._idle else self._reach()

    def _reach(self) -> EdgeEngine | HolderLink:
        """Connect to the holder, or become it.

        :raises LocationLockedError: Neither can be done.
        """
        began = time.monotonic()
        while True:
            holder = read_holder(self._place)
            address = holder.get("socket")
            if address and holder.get("pid") != os.getpid():
                try:
                    return HolderLink(str(address), described_holder(holder))
                except NotSharedError as error:
                    raise held_by_another(self.path, holder, f"It cannot be asked for it: {error}. ") from error
                except HolderGoneError:
                    pass  # just now; the lock says whether anybody has the folder
            try:
                own = EdgeEngine(self.path, make=self._make)
            except LocationLockedError:
                waited = time.monotonic() - began
                untold = holder.get("pid") and not address
                if waited >= JOIN_SECONDS or (untold and ("socket" in holder or waited >= UNTOLD_SECONDS)):
                    raise
            else:
                offer(own, used=True)
                self._own = own
                _close_all(self._idle)
                return own
            pause(_PAUSE_SECONDS)

    def _keep(self, found: EdgeEngine | HolderLink) -> None:
        """Let another call use a connection, unless an answer may still come on it."""
        if isinstance(found, EdgeEngine):
            return
        with self._changing:
            if found.free and self._leave.alive and self._own is None and len(self._idle) < _MOST_IDLE:
                self._idle.append(found)
            else:
                found.close()

    @property
    def joined(self) -> bool:
        """Whether other processes use it, too."""
        return True

    @property
    def identity(self) -> str:
        """The folder, wherever it is opened from."""
        return str(self._place)

    @property
    def described(self) -> str:
        """What answers, with its version, and in which process."""
        own = f"embedded, qdrant-edge-py {version('qdrant-edge-py')}"
        return f"{own}, in {self.held_by}" if self.held_by else own

    @property
    def held_by(self) -> str:
        """The process that holds the folder; empty once it is this one."""
        return "" if self._own is not None else described_holder(read_holder(self._place))

    def lacks(self, feature: Feature) -> str:
        """Say why a feature is not to be had; empty if it is."""
        return lacked_by_folder(feature)

    def close(self) -> None:
        """Let go of the holder, or of the folder where this process holds it by now."""
        with self._changing:
            self._leave()
            if self._own is not None:
                self._own.close()


def _call(engine: EdgeEngine, name: str, *arguments: Any, **named: Any) -> Any:
    return getattr(engine, name)(*arguments, **named)


def _in_json(name: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return arguments whose payloads and metadata have the form in which they are stored.

    :raises StoreError: They have none.
    """
    if name.endswith("_payload") and len(arguments) > 1:
        arguments = (arguments[0], json_payload(arguments[1]), *arguments[2:])
    stored = {key: json_payload(named[key]) for key in ("payload", "metadata") if named.get(key) is not None}
    return arguments, {**named, **stored}


def _repeated(call: Callable[..., Any], name: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
    """Make a call that a holder may have carried out before it ended, and return what the first one would have."""
    try:
        found = call(name, *arguments, **named)
    except CollectionExistsError:
        made = str(arguments[0] if arguments else named["collection_name"])
        wanted = named.get("metadata")
        if name == "create_collection" and wanted and call("stored_metadata", made) == wanted:
            return True
        raise
    return True if name == "delete_collection" else found


def _close_all(links: list[HolderLink]) -> None:
    while links:
        links.pop().close()
