"""The bytes of a file, which may have become something else since it was found."""

from __future__ import annotations

import errno
import os
import stat
from typing import BinaryIO

from qdrant_embed.display import reason
from qdrant_embed.errors import ReadError

FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
"""Not blocking: opening a FIFO would wait for a writer for ever. Regular files do not care."""
BLOCK = 2**20


def open_file(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a regular file for reading.

    :raises OSError: It cannot be opened, or is something else: a FIFO, a device, a folder.
    """
    descriptor = os.open(path, FLAGS)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
    except OSError:
        os.close(descriptor)
        raise
    return open(descriptor, "rb")  # noqa: PTH123


def read_file(file: BinaryIO, limit: int) -> bytes:
    """Return all bytes of a file that nothing was read of, or that is to be read again from its beginning.

    :param limit: The most that there may be.
    :raises OSError: It cannot be read.
    :raises ReadError: It is larger.
    """
    file.seek(0)
    size = os.fstat(file.fileno()).st_size
    data = b"" if size > limit else _all(file, size, limit)
    if max(size, len(data)) > limit:
        size = max(size, len(data))
        raise ReadError(f"too large: {size:,} bytes, the limit is {limit:,}; raise ReadOptions.max_file_bytes")
    return data


def _all(stream: BinaryIO, expected: int, limit: int) -> bytes:
    """Read to the end, or a little beyond the limit: the file may grow meanwhile."""
    wanted = expected + 1
    blocks = [stream.read(wanted)]
    total = len(blocks[0])
    while len(blocks[-1]) == wanted and total <= limit:
        wanted = BLOCK
        blocks.append(stream.read(wanted))
        total += len(blocks[-1])
    return b"".join(blocks)


def why(error: OSError) -> str:
    """Return what the system says, without the path, which is a matter of the user's machine."""
    return reason(error).lower()
