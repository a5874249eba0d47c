"""Results on stdout, everything else on stderr."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from rich.table import Table

    from qdrant_embed.types import Json


class ResultConsole(Console):
    """Prints to stdout; a reader that has gone away (`| head`) has seen enough, so the rest is dropped quietly."""

    def on_broken_pipe(self) -> None:
        """Drop what is still to come."""
        _drop_rest()


def results() -> Console:
    """Return the console for what was asked for."""
    return ResultConsole()


def say(text: str, style: str = "") -> None:
    """Print an error or advice to stderr; long lines are left to the terminal, so that commands can be copied."""
    Console(stderr=True).print(text, style=style, markup=False, highlight=False, soft_wrap=True)


def write_json(value: Json) -> None:
    """Write one JSON document to stdout."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(value, indent=2)
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_rest()


def pairs() -> Table:
    """Return a table for names and values."""
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _drop_rest() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
