"""Where collections live: a folder, a server's URL, `:memory:`, or a `QdrantClient` or an engine the user made."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit

from qdrant_embed.errors import CollectionNotFoundError, ConfigurationError
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.engine_wrappers import LentEngine

if TYPE_CHECKING:
    from qdrant_client import QdrantClient

    Location: TypeAlias = str | Path | QdrantClient | Engine

_LIKE_A_SERVER = re.compile(r"://|:\d+")

MEMORY = ":memory:"
API_KEY_VARIABLE = "QDRANT_API_KEY"
TIMEOUT = 60
"""Seconds a server may take for one request."""

_EXPECTED = "a folder, a URL such as 'http://localhost:6333', ':memory:', a QdrantClient, or an Engine"
_HOST_AND_PORT = re.compile(r"(localhost|[\w-]+(\.[\w-]+)+):\d{2,5}(/.*)?")


def open_engine(at: Location, *, timeout: int = TIMEOUT, make: bool = True) -> Engine:
    """Open the location and return the engine that answers for it; the caller closes it.

    A folder opened several times in one process is shared, and let go when the last engine on it is closed. One that
    another process of this user holds is used through that process, and taken over when it lets go or ends. A
    `QdrantClient` or an engine that was handed in stays its owner's: closing what is returned does not close it.

    :param timeout: Seconds a server may take for one request.
    :param make: Whether a folder that holds no collections becomes one that does; else nothing is written into it.
    :raises CollectionNotFoundError: The folder holds no collections, and shall not be made one that does.
    :raises ConfigurationError: The location makes no sense, or a URL carries a secret.
    :raises LocationLockedError: Another process holds the folder and cannot be asked, another user's for one.
    :raises StoreError: The server cannot be reached.
    """
    if isinstance(at, Path) or (isinstance(at, str) and _is_folder(at)):
        from qdrant_embed.store.sharing import open_folder

        return open_folder(Path(at).expanduser(), make=make)
    if isinstance(at, Engine):
        return LentEngine(at)
    from qdrant_embed.store.client.clients import connect, in_memory, of_client

    if not isinstance(at, str):
        return of_client(_require_client(at))
    return in_memory() if at == MEMORY else connect(_checked_url(at), os.environ.get(API_KEY_VARIABLE), timeout)


def _is_folder(at: str) -> bool:
    """Tell a folder from a URL and `:memory:`.

    :raises ConfigurationError: It is neither, or something else was probably meant.
    """
    if not at.strip():
        raise ConfigurationError(f"the location is empty; expected {_EXPECTED}.")
    if _HOST_AND_PORT.fullmatch(at):
        raise ConfigurationError(f"{at!r} looks like a server but names no protocol; did you mean 'http://{at}'?")
    return at != MEMORY and "://" not in at


def _checked_url(at: str) -> str:
    """Return the URL, made sure to carry no secret: it would end up in logs, histories and error messages."""
    parts = urlsplit(at)
    if parts.scheme not in ("http", "https"):
        raise ConfigurationError(f"cannot open a {parts.scheme!r} location; expected {_EXPECTED}.")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ConfigurationError(
            f"the URL of {parts.hostname} carries credentials or parameters. Give the plain URL "
            f"and put the API key into the environment variable {API_KEY_VARIABLE}."
        )
    try:
        valid = bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise ConfigurationError(f"{at!r} is not a URL of a server; expected one such as 'http://localhost:6333'.")
    return at.rstrip("/")


def _require_client(at: Any) -> QdrantClient:
    from qdrant_client import AsyncQdrantClient, QdrantClient

    if isinstance(at, QdrantClient):
        return at
    if isinstance(at, AsyncQdrantClient):
        raise ConfigurationError("an AsyncQdrantClient cannot be used here; give a QdrantClient.")
    raise ConfigurationError(f"cannot open a {type(at).__name__} as a location; expected {_EXPECTED}.")


def folder_of(at: str) -> Path | None:
    """Return the folder that a location is, None for anything else: a server, `:memory:`, a URL without its `http`."""
    return None if at == ":memory:" or _LIKE_A_SERVER.search(at) else Path(at).expanduser()


def require_location(at: str) -> None:
    """Refuse to look for collections where there is no folder, instead of making an empty one.

    :raises CollectionNotFoundError: The location is a folder that does not exist.
    :raises ConfigurationError: It is a file.
    """
    folder = folder_of(at)
    if folder is not None and folder.is_file():
        raise ConfigurationError(f"{at!r} is a file; a location is a folder, a server's URL, or :memory:.")
    if folder is not None and not folder.is_dir():
        raise CollectionNotFoundError(f"there is no folder {at!r} yet, so there are no collections in it.")
