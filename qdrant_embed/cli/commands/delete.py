"""`qdrant-embed delete`: remove documents, or a whole collection."""

from __future__ import annotations

from typing import Annotated

import typer

from qdrant_embed.cli import parameters
from qdrant_embed.cli.commands.search import parse_filters
from qdrant_embed.cli.locations import open_stored
from qdrant_embed.cli.output import results, say, write_json
from qdrant_embed.display import counted
from qdrant_embed.errors import DamagedError
from qdrant_embed.types import Json


def delete(  # noqa: PLR0913 - one parameter for each flag
    *,
    source: Annotated[
        str | None, typer.Option(help="A document's source, or a prefix: 'drafts/*'.", metavar="PATTERN")
    ] = None,
    root: Annotated[str | None, typer.Option(help="Label of an ingested folder.", metavar="LABEL")] = None,
    filter: Annotated[
        list[str] | None,
        typer.Option(help="Passages that search --filter would let through: key=value or JSON; repeatable."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Delete the whole collection, with its recipe.")] = False,
    at: parameters.At = parameters.DEFAULT_LOCATION,
    collection: parameters.Name = parameters.DEFAULT_COLLECTION,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show how much would be deleted; delete nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
    as_json: parameters.AsJson = False,
) -> None:
    """Remove documents by source, by folder, by a filter, or all of these at once; with --all, the whole collection."""
    where = parse_filters(filter or ())
    if everything == any(given is not None for given in (source, root, where)):
        raise typer.BadParameter(
            "say what to delete: --source, --root, --filter, or several of them; or --all", param_hint="--source"
        )
    if everything:
        chunks = _matched(collection, at)
        if not (yes or dry_run):
            holding = "that it holds" if chunks is None else f"its {counted(chunks, 'chunk')}"
            _ask(f"Remove the collection {collection!r} with all {holding}?")
        if not dry_run:
            from qdrant_embed import Collection

            Collection.drop(collection, at=at)
    else:
        with open_stored(collection, at) as docs:
            asking = not (yes or dry_run)
            chunks = docs.delete(source, root=root, filter=where, dry_run=dry_run or asking)
            if chunks and asking:
                _ask(f"Remove from {collection!r} {counted(chunks, 'chunk')}?")
            # Once more where nothing matched only for what a root leaves behind: a filter's warning has been given.
            if asking and (chunks or not where):
                chunks = docs.delete(source, root=root, filter=where)
    if as_json:
        told: dict[str, Json] = {"collection": collection, "at": at, "dry_run": dry_run}
        write_json({**told, "deleted": 0 if dry_run else chunks, "matched": chunks})
        return
    what = f"the collection {collection!r}" if chunks is None else counted(chunks, "chunk")
    results().print(f"{'would remove' if dry_run else 'removed'} {what}", highlight=False, markup=False)
    if not chunks and not everything:
        say("nothing matched. Sources are relative to the ingested folder; search shows them.")


def _ask(question: str) -> None:
    typer.confirm(question, abort=True, err=True)


def _matched(name: str, at: str) -> int | None:
    """Return the number of chunks of a collection; None, and a word why, for one that is damaged."""
    try:
        with open_stored(name, at) as docs:
            return docs.count()
    except DamagedError as error:
        say(str(error), style="yellow")
        return None
