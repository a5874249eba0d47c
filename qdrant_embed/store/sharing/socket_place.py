"""Where the socket of a folder lies: in a directory that nobody but its user may enter, under a short name.

The path of a Unix domain socket has about a hundred bytes, which a folder's own path may well exceed; and a network
drive keeps no sockets. So it lies in the user's runtime directory, or in the one for temporary files, and the folder's
lock file says where.
"""

from __future__ import annotations

import hashlib
import os
import socket
import stat
import struct
import tempfile
import time
from contextlib import suppress
from pathlib import Path

POSSIBLE = hasattr(socket, "AF_UNIX") and hasattr(os, "geteuid")
"""Whether this system has such sockets; on Windows, a folder stays with one process."""
_LONGEST = 100
"""Bytes of a socket's path; systems take 104 or 108."""
_MANY = 32
_OLD_SECONDS = 24 * 3600


def place_of(folder: Path) -> Path:
    """Return where the socket of a folder shall lie; its directory is made.

    :raises OSError: There is no such place.
    """
    found = folder.stat()
    name = hashlib.sha256(f"{found.st_dev}:{found.st_ino}:{folder}".encode()).hexdigest()[:16]
    given = os.environ.get("XDG_RUNTIME_DIR", "")
    for base in (given, tempfile.gettempdir(), "/tmp"):  # noqa: S108 - only to make a private directory in
        own = Path(base) / f"qdrant-embed-{os.geteuid()}"
        if not base or len(os.fsencode(own / name)) > _LONGEST:
            continue
        with suppress(OSError):
            own.mkdir(mode=0o700, exist_ok=True)
            if is_private(own):
                _sweep(own)
                return own / name
    raise OSError("there is no directory for a socket that is this user's alone")


def _sweep(directory: Path) -> None:
    """Remove the sockets of holders that were killed and that nobody came after, once there are many."""
    found = list(directory.iterdir())
    for old in found if len(found) > _MANY else ():
        # One that was made just now may not be listened to yet.
        if time.time() - old.lstat().st_mtime > _OLD_SECONDS and old.is_socket():
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as knock:
                try:
                    knock.settimeout(1)
                    knock.connect(str(old))
                except ConnectionRefusedError:
                    old.unlink(missing_ok=True)
                except OSError:
                    pass  # busy, so it is somebody's


def is_private(directory: Path) -> bool:
    """Tell whether a directory is this user's, and closed to all others; a link is none."""
    found = directory.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077


def peer(connection: socket.socket) -> tuple[int, bool]:
    """Return the process at the other end (0 where the system does not say), and whether it is this user's."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return 0, True  # the directory has kept all others out
    form = struct.Struct("3i")
    pid, user, _ = form.unpack(connection.getsockopt(socket.SOL_SOCKET, option, form.size))
    return pid, user == os.geteuid()
