"""How a command ends: exit codes, errors as one plain message, Ctrl-C."""

from __future__ import annotations

import os
import signal
import sys
import threading
import warnings
from typing import Any

import typer
from typer.core import TyperGroup

from qdrant_embed.cli.output import say
from qdrant_embed.errors import CollectionNotFoundError, FilterWarning, QdrantEmbedError, RecipeMismatchError

ERROR = 1
SOME_FAILED = 3
INTERRUPTED = 130

EXIT_CODES = (
    "Exit codes: 0 all went well (a search that finds nothing too); 1 an error, said on stderr; 2 the command was "
    "typed wrongly; 3 the ingest finished, but some files failed and are listed; 130 interrupted by Ctrl-C or "
    "SIGTERM (type the same command again to carry on)."
)

_HINTS = {
    CollectionNotFoundError: "On the command line: qdrant-embed ingest PATH --collection NAME creates one; "
    "qdrant-embed info lists those that exist.",
    RecipeMismatchError: "On the command line: leave recipe flags that differ out to use the collection as it is, "
    "give another --collection, or remove this one with qdrant-embed delete --all.",
}

_stopping = threading.Event()
_debugging = threading.Event()


class Commands(TyperGroup):
    """The commands, each ending in one plain message if something goes wrong."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; errors of this library end in exit code 1, an interruption in 130."""
        if ctx.params.get("debug"):
            _debugging.set()
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
            fail(str(error), next((hint for kind, hint in _HINTS.items() if isinstance(error, kind)), ""))
            raise typer.Exit(ERROR) from None


def _show_warning(message: Warning | str, category: type[Warning], *place: Any, **options: Any) -> None:
    """Say on stderr what this library warns of, without the line of code that a program's author would want."""
    if issubclass(category, FilterWarning):
        say(f"warning: {message}", style="yellow")
    else:
        sys.stderr.write(warnings.formatwarning(message, category, *place[:2]))


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
    try:
        app(prog_name="qdrant-embed")
    except Exception as error:
        if _stopping.is_set():
            # Interrupted inside a foreign library, which turned the interruption into an error of its own.
            _say_interrupted("")
            sys.exit(INTERRUPTED)
        if _debugging.is_set():
            raise
        fail(f"unexpected {type(error).__name__}: {error}", "Set QDRANT_EMBED_DEBUG=1 to see where it happened.")
        sys.exit(ERROR)


def _listen() -> None:
    """Let SIGTERM do what Ctrl-C does; a second one ends the process at once, which loses nothing either."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else: told to ignore it, as under nohup
        signal.signal(signal.SIGINT, _stop)
    signal.signal(signal.SIGTERM, _stop)


def _stop(number: int, frame: object) -> None:
    if _stopping.is_set():
        os._exit(INTERRUPTED)
    _stopping.set()
    os.write(2, b"\nstopping; once more to stop at once\n")
    raise KeyboardInterrupt


def _say_interrupted(command: str) -> None:
    kept = "What was finished is kept; run the same command again to carry on." if command == "ingest" else ""
    say(f"interrupted. {kept}".rstrip())
