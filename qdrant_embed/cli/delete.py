"""`qdrant-embed delete`: remove documents, or a whole collection."""

from __future__ import annotations

from typing import Annotated

import typer

from qdrant_embed.cli import options
from qdrant_embed.cli.opening import open_stored
from qdrant_embed.cli.output import results, say, write_json
from qdrant_embed.cli.search import parse_filters
from qdrant_embed.display import counted
from qdrant_embed.errors import CollectionNotFoundError, LocationLockedError, StoreError


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
    everything: Annotated[bool, typer.Option("--all", help="The collection itself, with its recipe.")] = False,
    at: options.At = options.DEFAULT_LOCATION,
    collection: options.Name = options.DEFAULT_COLLECTION,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say how much would go; remove nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: options.AsJson = False,
) -> None:
    """Remove documents by source, by folder, by a filter, or all of these at once; with --all, the whole collection."""
    where = parse_filters(filter or ())
    if everything == any(given is not None for given in (source, root, where)):
        raise typer.BadParameter(
            "say what to delete: --source, --root, --filter, or several of them; or --all", param_hint="--source"
        )
    if everything and _is_damaged(collection, at):
        _remove_damaged(collection, at, yes=yes, dry_run=dry_run)
        return
    with open_stored(collection, at) as docs:
        chunks = docs.count() if everything else docs.delete(source, root=root, filter=where, dry_run=True)
        if not (yes or dry_run) and (chunks or everything):
            what = f"the collection {collection!r} with all its" if everything else f"from {collection!r}"
            typer.confirm(f"Remove {what} {counted(chunks, 'chunk')}?", abort=True, err=True)
        if not (everything or dry_run):
            chunks = docs.delete(source, root=root, filter=where)
    if everything and not dry_run:
        from qdrant_embed.collection import Collection

        Collection.drop(collection, at=at)
    if as_json:
        write_json(
            {
                "collection": collection,
                "at": at,
                "dry_run": dry_run,
                "deleted": 0 if dry_run else chunks,
                "matched": chunks,
            }
        )
        return
    results().print(f"{'would remove' if dry_run else 'removed'} {counted(chunks, 'chunk')}", highlight=False)
    if not chunks and not everything:
        say("nothing matched. Sources are relative to the ingested folder; search shows them.")


def _is_damaged(name: str, at: str) -> bool:
    """Tell whether a collection is there and cannot be opened; say why."""
    try:
        with open_stored(name, at) as docs:
            docs.count()
    except (CollectionNotFoundError, LocationLockedError):
        raise
    except StoreError as error:
        say(str(error), style="yellow")
        return True
    return False


def _remove_damaged(name: str, at: str, *, yes: bool, dry_run: bool) -> None:
    from qdrant_embed.collection import Collection

    if dry_run:
        return
    if not yes:
        typer.confirm(f"Remove the collection {name!r} with all that it holds?", abort=True, err=True)
    Collection.drop(name, at=at)
    results().print(f"removed the collection {name!r}", highlight=False, markup=False)
