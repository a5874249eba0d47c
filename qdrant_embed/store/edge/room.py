"""Room on the disk, asked for before the engine writes: writing into a mapped file on a full disk ends the process."""

from __future__ import annotations

import errno
import os
import shutil
import time
from pathlib import Path

from qdrant_embed.errors import DiskFullError

MEGABYTE = 1024 * 1024
TO_CREATE = 40 * MEGABYTE
"""A new collection with the payload indexes of this library, on file systems where holes of files take room."""
TO_CHANGE = 8 * MEGABYTE
"""What indexes and the log may grow by, whatever is written."""
PROBED_SECONDS = 5.0
"""How long a trial holds: quotas are known by nothing else, and it costs more than a question."""

_probed: dict[Path, float] = {}


def require_room(folder: Path, needed: int = TO_CHANGE) -> None:
    """Refuse to write where that many bytes are not free.

    :raises DiskFullError: It is so; the message says how many are missing.
    """
    free = shutil.disk_usage(folder).free
    if free >= needed and time.monotonic() - _probed.get(folder, -PROBED_SECONDS) >= PROBED_SECONDS:
        free = free if _can_allocate(folder, needed) else 0
        _probed[folder] = time.monotonic()
    if free < needed:
        missing = -(-(needed - free) // MEGABYTE)
        raise DiskFullError(
            f"the disk is full: {str(folder)!r} can take {free // MEGABYTE} MB more, and this needs "
            f"{-(-needed // MEGABYTE)} MB. Make room for {missing} MB and do the same again; what was stored is kept."
        )


def has_room_for_copy(folder: Path) -> bool:
    """Tell whether the files of a folder could be written once more, as when segments are merged."""
    return shutil.disk_usage(folder).free >= disk_sizes(folder)[0] + TO_CHANGE


def disk_sizes(folder: Path) -> tuple[int, int]:
    """Return the bytes that the files of a folder take on the disk, and those that they seem to have.

    The engine maps its files into memory and makes them large beforehand; what was not written yet is a hole.
    """
    found = [file.stat() for file in folder.rglob("*") if file.is_file()]
    apparent = sum(status.st_size for status in found)
    # Windows tells no blocks, and makes no holes unasked.
    taken = sum(status.st_blocks * 512 for status in found) if hasattr(os.stat_result, "st_blocks") else apparent
    return taken, apparent


def _can_allocate(folder: Path, needed: int) -> bool:
    """Try whether that many bytes can be had, in a file that has no name and goes when it is closed."""
    if not hasattr(os, "O_TMPFILE"):
        return True
    try:
        descriptor = os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o600)
    except OSError:
        return True
    try:
        os.posix_fallocate(descriptor, 0, needed)
    except OSError as error:
        return error.errno not in (errno.ENOSPC, errno.EDQUOT)
    finally:
        os.close(descriptor)
    return True
