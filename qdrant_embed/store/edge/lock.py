"""One process holds a folder: a lock that says who, and where it can be asked, and that ends with its process."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

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


class FolderServing(Protocol):
    """What answers other processes while a folder is open here."""

    address: str
    used: bool

    def close(self) -> None:
        """Answer nobody any more."""

    def abandon(self) -> None:
        """Let go of it in a forked child."""


class FolderLock:
    """The lock on one folder, held from construction until `release` or the end of the process, however it ends.

    :raises LocationLockedError: Another process holds it; the message says which, and what can be done.
    """

    def __init__(self, folder: Path) -> None:
        self._descriptor: int | None = _open(folder)
        try:
            _try_lock(self._descriptor)
        except OSError as error:
            self.abandon()
            if isinstance(error, (BlockingIOError, PermissionError)):
                raise held_by_another(folder, read_holder(folder)) from None
            raise StoreError(
                f"the folder {str(folder)!r} cannot be locked ({reason(error)}); some network drives cannot. "
                "Choose a folder on a local disk."
            ) from error
        self._note = {
            "pid": os.getpid(),
            "program": _program(),
            "started": datetime.now(UTC).isoformat(sep=" ", timespec="seconds"),
        }
        self._write()

    def tell(self, address: str | None) -> None:
        """Say where the holder can be asked; None if nowhere."""
        self._note["socket"] = address
        self._write()

    def _write(self) -> None:
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, json.dumps(self._note).encode(), 0)

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


def _open(folder: Path) -> int:
    """Open the lock file.

    :raises LocationLockedError: Another user's process holds the folder.
    """
    path = folder / LOCK_FILE
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except PermissionError:
        with suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY)
            try:
                _try_lock(descriptor)
            except BlockingIOError:
                raise held_by_another(folder, read_holder(folder)) from None
            finally:
                os.close(descriptor)
        raise


def let_go_of_files(folder: Path) -> None:
    """Put what this process has open in a folder to nothing, after it was forked.

    Locks belong to open files, which a child shares: until it lets go of them, its parent cannot open a shard again.
    The extension still has their numbers, so they are not closed.
    """
    with suppress(OSError), Path(os.devnull).open("r+b") as nothing:
        for entry in Path("/proc/self/fd").iterdir():
            with suppress(OSError):
                if entry.readlink().is_relative_to(folder):
                    os.dup2(nothing.fileno(), int(entry.name), inheritable=False)


def held_by_another(folder: Path, holder: dict[str, Any], why: str = "") -> LocationLockedError:
    """Return the error for a folder that another process has.

    :param holder: As `read_holder` gives it.
    :param why: Why that process cannot be asked, in a sentence.
    """
    if "socket" in holder and holder["socket"] is None:
        why = "It cannot be asked for it: it found no directory for a socket. "
    ways = (
        f"{why}Close the collection there (docs.close(), or end the notebook's kernel), wait until that program has "
        "ended, or let several programs share a Qdrant server: at='http://localhost:6333'."
    )
    pid = holder.get("pid")
    if not isinstance(pid, int):
        return LocationLockedError(f"another process holds the folder {str(folder)!r}. {ways}")
    who = described_holder(holder)
    if not _is_alive(pid):
        return LocationLockedError(
            f"the folder {str(folder)!r} was locked by {who}, which has ended or runs on another machine; "
            f"a process that it started still holds the lock. {ways}",
            pid,
        )
    return LocationLockedError(f"the folder {str(folder)!r} is held by {who}. {ways}", pid)


def described_holder(holder: dict[str, Any]) -> str:
    """Return who holds a folder, for people."""
    if not holder:
        return "another process"
    return f"process {holder.get('pid')} ({holder.get('program')}, since {holder.get('started')})"


def read_holder(folder: Path) -> dict[str, Any]:
    """Return what the holder of a folder has said of itself; nothing where there is none."""
    with suppress(OSError, ValueError):
        found = json.loads((folder / LOCK_FILE).read_text(encoding="utf-8"))
        if isinstance(found, dict):
            return found
    return {}


def _program() -> str:
    """Name this program by its file alone: its arguments may hold secrets, and the note is read by others."""
    path = Path(sys.argv[0] if sys.argv and sys.argv[0] else "python")
    if "ipykernel" in path.name or "ipykernel" in path.parent.name:
        return "a notebook kernel"
    return path.parent.name if path.name == "__main__.py" else path.name
