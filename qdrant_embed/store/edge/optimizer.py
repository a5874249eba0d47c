"""The search graph of a shard, built by a process of its own, which this file is the program of.

Qdrant Edge holds Python's global lock while it builds, for minutes where there are many points: no other thread would
go on, no progress be shown, and no Ctrl-C seen.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path


class NotBuiltError(Exception):
    """The process could not build the graph; the message is what it said.

    :param killed: Whether a signal ended it, as where memory runs out.
    """

    def __init__(self, message: str, *, killed: bool = False) -> None:
        super().__init__(message)
        self.killed = killed


def build(shard: Path) -> None:
    """Build the graph of a shard that no process has open, and wait for it; an interruption ends the building too.

    What was not finished is left as it was.

    :raises NotBuiltError: It could not be built.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path or "." for path in sys.path)}
    try:
        process = subprocess.Popen(  # noqa: S603 - this file, by this interpreter
            [sys.executable, "-P", __file__, str(shard), str(os.getpid())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=environment,
        )
    except OSError as error:
        raise NotBuiltError(f"no process could be started: {error}") from error
    with process:
        try:
            _, said = process.communicate()
        finally:
            process.kill()
    if process.returncode:
        lines = said.decode(errors="replace").strip().splitlines() or ["it said nothing"]
        raise NotBuiltError(f"exit code {process.returncode}: {lines[-1]}", killed=process.returncode < 0)


def main() -> None:
    """Build the graph of the shard that the command line names, and end with the process that wants it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    with suppress(AttributeError, OSError):
        end_with_parent = 1
        ctypes.CDLL(None).prctl(end_with_parent, signal.SIGKILL)
    if os.getppid() != int(sys.argv[2]):
        return
    import qdrant_edge

    shard = qdrant_edge.EdgeShard.load(sys.argv[1])
    shard.optimize()
    shard.flush()
    shard.close()


if __name__ == "__main__":
    main()
