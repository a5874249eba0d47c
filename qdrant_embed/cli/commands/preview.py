"""`qdrant-embed preview`: how a file would be cut into chunks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from qdrant_embed.cli import parameters
from qdrant_embed.cli.locations import CollectionFlags, recipe_of
from qdrant_embed.cli.output import cell, results, write_json
from qdrant_embed.display import printable


def preview(  # noqa: PLR0913 - one parameter for each flag
    path: Annotated[str, typer.Argument(help="A file.", metavar="FILE")],
    *,
    at: parameters.At = parameters.DEFAULT_LOCATION,
    collection: parameters.Name = parameters.DEFAULT_COLLECTION,
    model: parameters.Model = None,
    chunker: parameters.Chunker = None,
    chunk_tokens: parameters.ChunkTokens = None,
    overlap: parameters.Overlap = None,
    window: parameters.Window = None,
    full: Annotated[bool, typer.Option("--full", help="Print chunks in full.")] = False,
    as_json: parameters.AsJson = False,
) -> None:
    """Show the chunks of a file with their numbers of tokens; nothing is embedded or stored.

    Cut as the collection would, if there is one of that name; else as the recipe flags say.
    """
    recipe = recipe_of(
        CollectionFlags.by_flags(
            collection, at, model=model, chunker=chunker, chunk_tokens=chunk_tokens, overlap=overlap, window=window
        )
    )
    from qdrant_embed import preview_chunks

    found = preview_chunks(recipe, Path(path))
    if as_json:
        write_json({"source": found.source, "limit": found.limit, "chunks": [chunk.as_dict() for chunk in found]})
        return
    table = Table(box=box.HORIZONTALS, show_lines=True, pad_edge=False)
    table.add_column("#", justify="right", no_wrap=True)
    table.add_column("tokens", justify="right", no_wrap=True)
    table.add_column(cell(found.title), overflow="fold")
    for chunk in found:
        text = printable(chunk.text)
        cut = text if full or len(text) <= parameters.SHOWN else f"{text[: parameters.SHOWN].rstrip()} …"
        above = (printable(chunk.context) + "\n", "dim") if chunk.context else ""
        table.add_row(str(chunk.index), f"{chunk.tokens:,}", Text.assemble(above, cut))
    results().print(table)
