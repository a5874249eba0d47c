"""`qdrant-embed explore`: a page to look at a collection."""

from __future__ import annotations

import threading
import webbrowser
from typing import Annotated

import typer

from qdrant_embed.cli import parameters
from qdrant_embed.cli.locations import open_stored
from qdrant_embed.cli.output import say


def explore(
    *,
    at: parameters.At = parameters.DEFAULT_LOCATION,
    collection: parameters.Name = parameters.DEFAULT_COLLECTION,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the page; 0 picks a free one.")] = 0,
    browse: Annotated[bool, typer.Option("--open", help="Also open it in the browser.")] = False,
    attach: parameters.Attach = None,
    runtime: parameters.Runtime = "auto",
) -> None:
    """Show a collection on a local page: search, documents, a map, statistics. Ends with Ctrl-C."""
    from qdrant_embed.explore import ExplorerPage

    with open_stored(collection, at, runtime, attach=attach) as docs, ExplorerPage.of(docs, port) as page:
        typer.echo(page.url)
        say("Whoever has this address can read the collection. Ctrl-C ends it.", style="dim")
        if browse:
            webbrowser.open(page.url)
        threading.Event().wait()
