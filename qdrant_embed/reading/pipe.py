"""The messages between the reader and its worker: a length, JSON, and a length and raw bytes; no pickle."""

from __future__ import annotations

import json
import struct
from typing import BinaryIO, cast

from qdrant_embed.types import Json

LENGTH = struct.Struct("<Q")


def send(stream: BinaryIO, message: dict[str, Json], data: bytes = b"") -> None:
    """Write one message.

    :raises OSError: The other side is gone.
    """
    encoded = json.dumps(message).encode()
    stream.write(LENGTH.pack(len(encoded)) + encoded + LENGTH.pack(len(data)))
    stream.write(data)
    stream.flush()


def receive(stream: BinaryIO) -> tuple[dict[str, Json], bytes]:
    """Read one message.

    :raises EOFError: The other side is gone.
    """
    message = cast("dict[str, Json]", json.loads(_block(stream)))
    return message, _block(stream)


def _block(stream: BinaryIO) -> bytes:
    (length,) = LENGTH.unpack(_exactly(stream, LENGTH.size))
    return _exactly(stream, length)


def _exactly(stream: BinaryIO, length: int) -> bytes:
    data = stream.read(length)
    if len(data) < length:
        raise EOFError
    return data
