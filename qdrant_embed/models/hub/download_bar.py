"""How a download gets on: a bar on a terminal, a line before and after it for programs that listen."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from qdrant_embed.display import in_words, one_line

log = logging.getLogger("qdrant_embed.models.hub")


@dataclass(frozen=True, slots=True)
class DownloadState:
    """How far a download is.

    :param repository: What is downloaded.
    :param file: The file that is on its way.
    :param done: Bytes that are here, of all files.
    :param total: Bytes that will be.
    """

    repository: str
    file: str
    done: int
    total: int


DownloadProgress = Callable[[DownloadState], None]
"""Called whenever more is here."""


@contextmanager
def shown_download(name: str, total: int, folder: Path, own: DownloadProgress | None) -> Iterator[DownloadProgress]:
    """Show a download while the block runs.

    :param own: What is called instead.
    """
    if own is not None:
        yield own
        return
    log.info("downloading %s (%s) to %s, which is done once", one_line(name), in_words(total), folder)
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda state: None
        return
    from rich import progress
    from rich.console import Console

    columns = (
        *(progress.TextColumn("{task.description}", markup=False), progress.BarColumn(), progress.DownloadColumn()),
        *(progress.TransferSpeedColumn(), progress.TimeRemainingColumn()),
    )
    with progress.Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False) as bar:
        task = bar.add_task(one_line(name), total=total)
        yield lambda state: bar.update(task, completed=state.done, description=one_line(state.file))
