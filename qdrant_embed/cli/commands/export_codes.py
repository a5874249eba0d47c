"""`qdrant-embed export-codes`: a collection's codes in a file that others read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from qdrant_embed.cli import parameters
from qdrant_embed.cli.locations import open_stored
from qdrant_embed.cli.output import say, write_json


def export_codes(
    file: Annotated[Path, typer.Argument(help="File to write: .npy or .parquet.", metavar="FILE")],
    *,
    at: parameters.At = parameters.DEFAULT_LOCATION,
    collection: parameters.Name = parameters.DEFAULT_COLLECTION,
    as_json: parameters.AsJson = False,
) -> None:
    """Write the ids and codes of a collection's points."""
    with open_stored(collection, at) as docs:
        docs.vectors.export_codes(file)
    if as_json:
        write_json({"at": at, "collection": collection, "file": str(file)})
        return
    say(f"written: {file}")
