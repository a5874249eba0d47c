"""`qdrant-embed recompress`: change how a collection's vectors are stored and searched."""

from __future__ import annotations

from typing import Annotated

import typer

from qdrant_embed.cli import parameters
from qdrant_embed.cli.locations import open_stored
from qdrant_embed.cli.output import results, write_json


def recompress(
    setting: Annotated[
        str, typer.Argument(help="What to store and search by, e.g. float16+binary+rescore4.", metavar="SETTING")
    ],
    *,
    refit: Annotated[
        bool,
        typer.Option("--refit", help="Learn rotations, means, medians and scales again from the current vectors."),
    ] = False,
    patience: parameters.Patience = parameters.PATIENCE,
    at: parameters.At = parameters.DEFAULT_LOCATION,
    collection: parameters.Name = parameters.DEFAULT_COLLECTION,
    as_json: parameters.AsJson = False,
) -> None:
    """Change a collection's compression without embedding anything again."""
    with open_stored(collection, at) as docs:
        before = docs.recipe.compression
        done = docs.recompress(setting, refit=refit, patience=patience)
    now = done.recipe.compression
    if as_json:
        write_json({"at": at, "collection": collection, "before": before, "compression": now,
                    "in_place": done.in_place, "stored_as": done.collection})  # fmt: skip
        return
    how = "in place" if done.in_place else "every point written again"
    results().print(f"{collection!r} was {before!r} and is now {now!r}, {how}.", highlight=False, markup=False)
