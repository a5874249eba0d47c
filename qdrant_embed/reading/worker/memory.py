"""How much memory the process that reads may take."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

LEAST = 2 * 2**30
"""Bytes of address space that parsers of ordinary files, and what they import, stay below."""
PER_BYTE = 16
"""Bytes of address space for each byte that a file may have."""
SHARE = 2
"""One part in so many of the machine's memory, at most."""
CGROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def memory_limit(file_bytes: int) -> int:
    """Return the bytes of address space for a process that reads files of up to so many bytes."""
    return max(2**29, min(max(LEAST, PER_BYTE * file_bytes), machine_memory() // SHARE))


def machine_memory() -> int:
    """Return the bytes of memory that the machine, or the container, has; a lot where that cannot be told."""
    most = 2**62
    with suppress(AttributeError, ValueError, OSError):
        most = min(most, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    for path in CGROUP_LIMITS:
        with suppress(OSError, ValueError):
            most = min(most, int(path.read_text()))
    return most
