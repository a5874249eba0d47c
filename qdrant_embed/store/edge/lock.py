"""One process at a time: a lock on the folder that says who holds it, and that ends with its process."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from qdrant_embed.display import reason
from qdrant_embed.errors import LocationLockedError, StoreError

LOCK_FILE = ".lock"

if sys.platform == "win32":
    import msvcrt

    # Locked bytes cannot be read on Windows, so the lock lies far behind the note about its holder.
    _LOCKED_BYTE = 1 << 30

    def _try_lock(descriptor: int) -> None:
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

    def _is_alive(pid: int) -> bool:
        # os.kill would end the process on Windows; a lock there cannot outlive its process anyway.
        return pid > 0
else:
    import fcntl

    def _try_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(descriptor: int) -> None:
        # Closing would not do: a forked child may have inherited the descriptor, and the lock with it.
        fcntl.flock(descriptor, fcntl.LOCK_UN)

    def _is_alive(pid: int) -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True


class FolderLock:
    """The lock on one folder, held from construction until `release` or the end of the process, however it ends.

    :raises LocationLockedError: Another process holds it; the message says which, and what can be done.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / LOCK_FILE
        self._descriptor: int | None = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _try_lock(self._descriptor)
        except OSError as error:
            self.abandon()
            if isinstance(error, (BlockingIOError, PermissionError)):
                raise held_by_another(folder, _read_holder(path)) from None
            raise StoreError(
                f"the folder {str(folder)!r} cannot be locked ({reason(error)}); some network drives cannot. "
                "Choose a folder on a local disk."
            ) from error
        _write_holder(self._descriptor)

    def release(self) -> None:
        """Let another process have the folder."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            _unlock(self._descriptor)
            self.abandon()

    def abandon(self) -> None:
        """Close the file without unlocking: what a forked child does with the lock of its parent."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def held_by_another(folder: Path, holder: dict[str, Any]) -> LocationLockedError:
    """Return the error for a folder that another process has."""
    ways = (
        "Close the collection there (docs.close(), or end the notebook's kernel), wait until that program has ended, "
        "or let several processes share a Qdrant server: at='http://localhost:6333'."
    )
    pid = holder.get("pid")
    if not isinstance(pid, int):
        return LocationLockedError(f"another process holds the folder {str(folder)!r}. {ways}")
    who = f"process {pid} ({holder.get('program')}, since {holder.get('started')})"
    if not _is_alive(pid):
        return LocationLockedError(
            f"the folder {str(folder)!r} was locked by {who}, which has ended or runs on another machine; "
            f"a process that it started still holds the lock. {ways}",
            pid,
        )
    return LocationLockedError(f"the folder {str(folder)!r} is held by {who}. {ways}", pid)


def _write_holder(descriptor: int) -> None:
    note = {
        "pid": os.getpid(),
        "program": _program(),
        "started": datetime.now(UTC).isoformat(sep=" ", timespec="seconds"),
    }
    os.ftruncate(descriptor, 0)
    os.write(descriptor, json.dumps(note).encode())


def _read_holder(path: Path) -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError):
        found = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(found, dict):
            return found
    return {}


def _program() -> str:
    """Name this program by its file alone: its arguments may hold secrets, and the note is read by others."""
    path = Path(sys.argv[0] if sys.argv and sys.argv[0] else "python")
    if "ipykernel" in path.name or "ipykernel" in path.parent.name:
        return "a notebook kernel"
    return path.parent.name if path.name == "__main__.py" else path.name
