"""How a command ends: exit codes, errors as one plain message, Ctrl-C."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import sys
import threading
import warnings
from contextlib import suppress
from functools import partial
from typing import Any

import typer
from typer.core import TyperGroup

from qdrant_embed.cli.output import say
from qdrant_embed.cli.parameters import forget_place, in_flags
from qdrant_embed.errors import (
    CollectionNotFoundError,
    FilterWarning,
    ForeignPointsWarning,
    QdrantEmbedError,
    RecipeMismatchError,
    UnreadableWarning,
)

ERROR = 1
SOME_FAILED = 3
INTERRUPTED = 130

EXIT_CODES = (
    "Exit codes: 0 success (also a search without hits); 1 an error, described on stderr; 2 an invalid command line; "
    "3 the ingest finished, but some files failed and are listed; 130 interrupted by Ctrl-C or SIGTERM (run the same "
    "command again to resume)."
)

_HINTS = {
    CollectionNotFoundError: "On the command line: qdrant-embed ingest PATH --collection NAME creates one; "
    "qdrant-embed info lists those that exist.",
    RecipeMismatchError: "On the command line: leave recipe flags that differ out to use the collection as it is, "
    "give another --collection, or remove this one with qdrant-embed delete --all.",
}

_notices = logging.getLogger("qdrant_embed.runtimes.conversion.convert")
_downloads = logging.getLogger("qdrant_embed.models.hub")
_absences = logging.getLogger("qdrant_embed.servers")
"""What takes half a minute at the first use of a model is told of, and a server that is waited for; all else that is
logged is for programs."""
_stopping = threading.Event()
_debugging = threading.Event()


class _Notices(logging.Handler):
    """Says what is logged on stderr."""

    def emit(self, record: logging.LogRecord) -> None:
        """Say it."""
        say(record.getMessage())


class Commands(TyperGroup):
    """The commands, each ending in one plain message if something goes wrong."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; errors of this library end in exit code 1, an interruption in 130."""
        if ctx.params.get("debug"):
            _debugging.set()
        forget_place()
        for told in (_notices, _downloads):
            ctx.call_on_close(partial(told.setLevel, told.level))  # a program that runs a command goes on
        try:
            with warnings.catch_warnings():
                warnings.showwarning = _show_warning
                return super().invoke(ctx)
        except KeyboardInterrupt:
            _say_interrupted(ctx.invoked_subcommand)
            raise typer.Exit(INTERRUPTED) from None
        except QdrantEmbedError as error:
            if ctx.params.get("debug"):
                raise
            fail(in_flags(str(error)), next((hint for kind, hint in _HINTS.items() if isinstance(error, kind)), ""))
            raise typer.Exit(ERROR) from None


def _show_warning(message: Warning | str, category: type[Warning], *place: Any, **options: Any) -> None:
    """Say on stderr what this library warns of, without the line of code that a program's author would want."""
    if issubclass(category, (FilterWarning, ForeignPointsWarning, UnreadableWarning)):
        say(f"warning: {message}", style="yellow")
    else:
        sys.stderr.write(warnings.formatwarning(message, category, *place[:2]))


def be_quiet() -> None:
    """Tell of nothing that goes as it should."""
    for told in (_notices, _downloads):
        told.setLevel(logging.WARNING)


def fail(message: str, hint: str = "") -> None:
    """Say on stderr what went wrong, and what to type."""
    say(f"error: {message}", style="red")
    if hint:
        say(hint)


def run(app: typer.Typer) -> None:
    """Run the program in this process, to its end: signals, exit code, no traceback unless one was asked for."""
    _listen()
    for stream in (sys.stdout, sys.stderr):
        # A file name in another encoding, or a terminal that knows only ASCII, must not be what ends a command.
        getattr(stream, "reconfigure", lambda **_: None)(errors="backslashreplace")
    for told in (_notices, _downloads, _absences):
        told.addHandler(_Notices())
    for told in (_notices, _downloads):
        told.setLevel(logging.INFO)
    code = 0
    try:
        app(prog_name="qdrant-embed")
    except SystemExit as ended:
        if not _stopping.is_set():
            raise
        code = INTERRUPTED if ended.code else 0
    except Exception as error:
        code = INTERRUPTED if _stopping.is_set() else ERROR
        if _stopping.is_set():
            # Interrupted inside a foreign library, which turned the interruption into an error of its own.
            _say_interrupted("")
        elif _debugging.is_set():
            raise
        else:
            fail(f"unexpected {type(error).__name__}: {error}", "Set QDRANT_EMBED_DEBUG=1 to see where it happened.")
    if _stopping.is_set():
        _leave(code)
    sys.exit(code)


def _leave(code: int) -> None:
    """End the process without waiting for threads: one that was called off may still be inside a native library."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):
            stream.flush()
    os._exit(code)


def _listen() -> None:
    """Let SIGTERM do what Ctrl-C does; a second one ends the process at once, which loses nothing either."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else: told to ignore it, as under nohup
        _stop_at(signal.SIGINT)
    _stop_at(signal.SIGTERM)


def _stop_at(number: int) -> None:
    """Stop the command at a signal, and leave the next one of its kind to the system, which ends the process.

    Python runs a handler only when the main thread gets the interpreter's lock, which a native library may hold for
    long. So the system is told to hand over no more than the first signal; where it cannot be told (`sysv_signal` is
    of glibc), the handler does so when it is run.
    """
    signal.signal(number, _stop)
    if sys.platform != "linux":
        return
    with suppress(AttributeError, OSError):
        library = ctypes.CDLL(None)
        for setter in (library.sysv_signal, library.signal):
            setter.argtypes, setter.restype = (ctypes.c_int, ctypes.c_void_p), ctypes.c_void_p
        # What Python has set for the signal, now for one time.
        library.sysv_signal(number, library.signal(number, None))


def _stop(number: int, frame: object) -> None:
    signal.signal(number, signal.SIG_DFL)
    _stopping.set()
    show_cursor = b"\x1b[?25h" if os.isatty(2) else b""  # a progress bar hides it, and cannot bring it back later
    with suppress(OSError):
        os.write(2, show_cursor + b"\nstopping; once more to stop at once\n")
    raise KeyboardInterrupt


def _say_interrupted(command: str) -> None:
    kept = "What was finished is kept; run the same command again to carry on." if command == "ingest" else ""
    say(f"interrupted. {kept}".rstrip())
