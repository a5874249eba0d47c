"""`qdrant-embed info`: what a location holds, and how a collection was made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from qdrant_embed.cli import options
from qdrant_embed.cli.opening import open_stored, require_location
from qdrant_embed.cli.output import pairs, results, say, write_json
from qdrant_embed.errors import StoreError

if TYPE_CHECKING:
    from qdrant_embed.store.engine import Engine
    from qdrant_embed.types import Json


def info(
    *,
    at: options.At = options.DEFAULT_LOCATION,
    collection: Annotated[
        str | None,
        typer.Option("--collection", "-c", help="Say all about this one; left out, all are listed.", metavar="NAME"),
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """List the collections of a location, or say how one was made and what it holds."""
    if collection is not None:
        with open_stored(collection, at) as docs:
            found = docs.info()
        write_json({"at": at, **found}) if as_json else _show_one(found, at)
        return
    listed = list_collections(at)
    write_json({"at": at, "collections": listed}) if as_json else _show_all(listed, at)


def list_collections(at: str) -> list[dict[str, Json]]:
    """Return name, chunks and model of every collection at a location; the model of a foreign one is None.

    :raises CollectionNotFoundError: The location is a folder that does not exist.
    """
    from qdrant_embed.store.location import open_engine

    require_location(at)
    engine = open_engine(at)
    try:
        return [_brief(engine, name) for name in _names(engine)]
    finally:
        engine.close()


def _names(engine: Engine) -> list[str]:
    """Return the names to open collections by: an alias instead of what it leads to."""
    aliases = engine.get_aliases().aliases
    behind = {alias.collection_name for alias in aliases}
    own = {found.name for found in engine.get_collections().collections} - behind
    return sorted(own | {alias.alias_name for alias in aliases})


def _brief(engine: Engine, name: str) -> dict[str, Json]:
    from qdrant_embed.store.schema import read_metadata

    try:
        recipe = read_metadata(engine, name)["recipe"]
    except StoreError:
        recipe = None
    return {
        "name": name,
        "chunks": engine.count(name, exact=True).count,
        "model": recipe and recipe["model"],
        "recipe": recipe,
    }


def _show_all(listed: list[dict[str, Json]], at: str) -> None:
    if not listed:
        say(f"no collections at {at}. Type: qdrant-embed ingest PATH")
        return
    table = Table("collection", "chunks", "model", box=None, padding=(0, 3, 0, 0))
    table.columns[1].justify = "right"
    for found in listed:
        model = Text(found["model"]) if found["model"] else Text("not made by qdrant-embed", style="dim")
        table.add_row(Text(found["name"]), f"{found['chunks']:,}", model)
    results().print(table)


def _show_one(found: dict[str, Json], at: str) -> None:
    table = pairs()
    table.add_row("collection", Text(f"{found['name']} at {at}"))
    table.add_row("documents", f"{found['documents']:,}")
    table.add_row("chunks", f"{found['chunks']:,}")
    reads = f"{found['model']['max_tokens']:,} tokens at once, longer texts by {found['recipe']['window']!r}"
    table.add_row("reads", Text(reads))
    table.add_row("folders", Text(", ".join(found["roots"]) or "none"))
    table.add_row("recipe", _lines(found["recipe"]))
    table.add_row("model", _lines(found["model"]))
    table.add_row("fingerprint", found["fingerprint"])
    results().print(table)


def _lines(values: dict[str, Json]) -> Table:
    table = pairs()
    table.columns[0].style = ""
    for name, value in values.items():
        table.add_row(name, Text("–" if value in (None, "") else str(value)))
    return table
