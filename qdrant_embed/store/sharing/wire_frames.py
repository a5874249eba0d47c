"""Frames between processes: a header (mark, bytes of JSON, bytes of the rest), the JSON, and the rest."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from qdrant_embed.errors import StoreError
from qdrant_embed.store.sharing.wire_values import BrokenFrameError, Packer, Unpacker

if TYPE_CHECKING:
    import socket

MOST_BYTES = 1 << 30
"""Of one frame: what a request may make the other side keep in memory."""

_HEADER = struct.Struct(">4sIQ")
_MARK = b"QES1"
_AT_ONCE = 1 << 20


class EndedError(BrokenFrameError):
    """The other end has closed the connection."""


def packed(value: Any) -> list[bytes]:
    """Return a frame, in parts.

    :raises StoreError: The value cannot be sent, or is too large.
    """
    packer = Packer()
    try:
        text = json.dumps(packer.pack(value), separators=(",", ":")).encode()
    except RecursionError:
        raise StoreError("a filter or a query is nested too deep.") from None
    rest = b"".join(packer.parts)
    if len(text) + len(rest) > MOST_BYTES:
        raise StoreError(
            f"{(len(text) + len(rest)) / 2**20:.0f} MB are too much for one call through the process that holds the "
            f"folder, which takes {MOST_BYTES >> 20}. Ask for fewer points at a time, or write fewer."
        )
    return [_HEADER.pack(_MARK, len(text), len(rest)) + text, *([rest] if rest else [])]


def send(connection: socket.socket, frame: Iterable[bytes], wait: Callable[[], None] | None = None) -> None:
    """Send a frame.

    :param wait: Called whenever the socket's time is over and nothing has gone on; else that is an error.
    """
    for part in frame:
        left = memoryview(part)
        while left:
            try:
                left = left[connection.send(left[:_AT_ONCE]) :]
            except TimeoutError:
                if wait is None:
                    raise
                wait()


def receive(connection: socket.socket, wait: Callable[[], None] | None = None) -> Any:
    """Return the value of the next frame.

    :raises EndedError: There is none.
    :raises BrokenFrameError: What comes is none.
    """
    mark, length, rest = _HEADER.unpack(_read(connection, _HEADER.size, wait))
    if mark != _MARK or length + rest > MOST_BYTES:
        raise BrokenFrameError("this is no frame")
    text = _read(connection, length, wait)
    beside = _read(connection, rest, wait)
    try:
        return Unpacker(beside).unpack(json.loads(text))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise BrokenFrameError(f"a frame cannot be read: {error}") from error


def _read(connection: socket.socket, size: int, wait: Callable[[], None] | None) -> bytearray:
    found = bytearray(size)
    left = memoryview(found)
    while left:
        try:
            count = connection.recv_into(left[:_AT_ONCE])
        except TimeoutError:
            if wait is None:
                raise
            wait()
            continue
        if not count:
            raise EndedError
        left = left[count:]
    return found
