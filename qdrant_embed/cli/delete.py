"""`qdrant-embed delete`: remove documents, or a whole collection."""

from __future__ import annotations

from typing import Annotated

import typer

from qdrant_embed.cli import options
from qdrant_embed.cli.opening import open_stored
from qdrant_embed.cli.output import results, say, write_json


def delete(
    *,
    source: Annotated[
        str | None, typer.Option(help="A document's source, or a prefix: 'drafts/*'.", metavar="PATTERN")
    ] = None,
    root: Annotated[str | None, typer.Option(help="Label of an ingested folder.", metavar="LABEL")] = None,
    everything: Annotated[bool, typer.Option("--all", help="The collection itself, with its recipe.")] = False,
    at: options.At = options.DEFAULT_LOCATION,
    collection: options.Name = options.DEFAULT_COLLECTION,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: options.AsJson = False,
) -> None:
    """Remove documents by source, by folder, or both; with --all, the whole collection."""
    given = {name: value for name, value in (("source", source), ("root", root)) if value is not None}
    if everything == bool(given):
        raise typer.BadParameter("say what to delete: --source, --root or both; or --all", param_hint="--source")
    with open_stored(collection, at) as docs:
        chunks = docs.count(filter=given or None)
        if not yes and (chunks or everything):
            what = f"the collection {collection!r} with all its" if everything else f"from {collection!r}"
            typer.confirm(f"Remove {what} {chunks:,} chunks?", abort=True, err=True)
        if not everything:
            chunks = docs.delete(source, root=root)
    if everything:
        from qdrant_embed.collection import Collection

        Collection.drop(collection, at=at)
    if as_json:
        write_json({"collection": collection, "at": at, "deleted": chunks})
        return
    results().print(f"removed {chunks:,} chunks", highlight=False)
    if not chunks and not everything:
        say("nothing matched. Sources are relative to the ingested folder; search shows them.")
