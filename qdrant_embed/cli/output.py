"""Results on stdout, everything else on stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from qdrant_embed.display import json_text, one_line, printable
from qdrant_embed.types import Json


class SafeConsole(Console):
    """Prints what it is given and nothing else: no name or text of a document becomes a control sequence."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yield the pieces to print, those that are text made safe, whoever forgot to."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=printable(segment.text))


class ResultConsole(SafeConsole):
    """Prints to stdout; a reader that has gone away (`| head`) has seen enough, so the rest is dropped quietly."""

    def on_broken_pipe(self) -> None:
        """Drop what is still to come."""
        _drop_rest()


def results() -> Console:
    """Return the console for what was asked for."""
    return ResultConsole()


def messages() -> Console:
    """Return the console for everything else."""
    return SafeConsole(stderr=True)


def say(text: str, style: str = "") -> None:
    """Print an error or advice to stderr; long lines are left to the terminal, so that commands can be copied."""
    messages().print(printable(text), style=style, markup=False, highlight=False, soft_wrap=True)


def cell(text: object, style: str = "") -> Text:
    """Return a name, a path or a reason as a table has it: in one line, and no markup."""
    return Text(one_line(text), style, overflow="fold")


def say_step(number: int, count: int, loss: float) -> None:
    """Say how far a training is, some twenty times in all."""
    if number % max(1, count // 20) == 0 or number == count:
        say(f"{number}/{count} loss {loss:.4f}", style="dim")


def write_json(value: Json, *, indent: int | None = 2) -> None:
    """Write one JSON document to stdout; it means the same on every terminal, and steers none.

    :param indent: None for a document in one line.
    """
    text = json_text(json.dumps(value, indent=indent, ensure_ascii=False))
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(value, indent=indent)
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_rest()


def pairs() -> Table:
    """Return a table for names and values."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _drop_rest() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
