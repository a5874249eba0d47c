"""The messages between the reader and its worker: two lengths, JSON, and raw bytes; no pickle."""

from __future__ import annotations

import json
import struct
from typing import BinaryIO, cast

from qdrant_embed.types import Json

LENGTHS = struct.Struct("<QQ")
JOINED = 65_536
"""Bytes up to which a message is written in one go; a larger one is not copied for it."""


def send(stream: BinaryIO, message: dict[str, Json], data: bytes = b"") -> None:
    """Write one message.

    :raises OSError: The other side is gone.
    """
    encoded = json.dumps(message).encode()
    head = LENGTHS.pack(len(encoded), len(data)) + encoded
    if len(data) <= JOINED:
        stream.write(head + data)
    else:
        stream.write(head)
        stream.write(data)
    stream.flush()


def receive(stream: BinaryIO) -> tuple[dict[str, Json], bytes]:
    """Read one message.

    :raises EOFError: The other side is gone.
    """
    length, size = LENGTHS.unpack(_exactly(stream, LENGTHS.size))
    message = cast("dict[str, Json]", json.loads(_exactly(stream, length)))
    return message, _exactly(stream, size)


def _exactly(stream: BinaryIO, length: int) -> bytes:
    data = stream.read(length)
    if len(data) < length:
        raise EOFError
    return data
