"""`qdrant-embed info`: what a location holds, and how a collection was made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from qdrant_embed.cli import parameters
from qdrant_embed.cli.locations import open_stored
from qdrant_embed.cli.output import cell, pairs, results, say, write_json
from qdrant_embed.display import one_line
from qdrant_embed.store import require_location

if TYPE_CHECKING:
    from qdrant_embed.attachment import ForeignLayout
    from qdrant_embed.ingest import FailureRecord
    from qdrant_embed.store import Listing
    from qdrant_embed.types import Json


def info(
    *,
    at: parameters.At = parameters.DEFAULT_LOCATION,
    collection: Annotated[
        str | None,
        typer.Option(
            "--collection", "-c", help="Show the details of this collection; without it, list all.", metavar="NAME"
        ),
    ] = None,
    attach: parameters.Attach = None,
    failed: Annotated[bool, typer.Option("--failed", help="Show what could not be ingested, with reasons.")] = False,
    as_json: parameters.AsJson = False,
) -> None:
    """List the collections of a location, or show how one was made and what it holds."""
    if failed:
        _say_failures(at, collection, as_json=as_json)
    elif collection is not None:
        with open_stored(collection, at, attach=attach) as docs:
            found, layout = docs.info(), docs.layout
        if as_json:
            write_json({"at": at, **found})
        else:
            _show_one(found, at) if layout.ours else _show_attached(found, at, layout)
    else:
        listed = _listed(at)
        every = [found.as_dict() for found in listed]
        write_json({"at": at, "collections": every}) if as_json else _show_all(listed, at)


def _listed(at: str) -> Listing:
    require_location(at)
    from qdrant_embed import Collection

    return Collection.list(at=at)


def _say_failures(at: str, collection: str | None, *, as_json: bool) -> None:
    """Say what failed in one collection, or in each that this library made."""
    names = [collection] if collection is not None else [found.name for found in _listed(at) if found.recipe]
    every: list[Json] = []
    for name in names:
        with open_stored(name, at) as docs:
            found = docs.failures()
        every.append({"name": name, "failed": found.as_dict()})
        if not as_json:
            _show_failures(name, found)
    if as_json:
        write_json({"at": at, "collections": every})


def _show_failures(name: str, found: FailureRecord) -> None:
    if not found.total:
        say(f"{one_line(name)}: nothing failed when it was last looked at")
        return
    table = Table("source", "root", "kind", "reason", "at", box=None, padding=(0, 3, 0, 0))
    for one in found:
        at = one.at[:16].replace("T", " ")
        table.add_row(*(cell(value) for value in (one.source, one.root, one.kind, one.reason, at)))
    if found:
        results().print(table)
    say(f"{one_line(name)}: {found.summary}")


def _show_all(listed: Listing, at: str) -> None:
    if not listed:
        say(f"no collections at {at}. Type: qdrant-embed ingest PATH")
        return
    table = Table("collection", "chunks", "model", box=None, padding=(0, 3, 0, 0))
    table.columns[1].justify = "right"
    for found in listed:
        name, chunks, model = found.row()
        table.add_row(cell(name), chunks, cell(model, "" if found.recipe else "dim"))
    results().print(table)


def _show_one(found: dict[str, Json], at: str) -> None:
    table = pairs()
    table.add_row("collection", cell(f"{found['name']} at {at}"))
    table.add_row("documents", f"{found['documents']:,}")
    table.add_row("chunks", f"{found['chunks']:,}")
    if found["foreign_points"]:
        table.add_row("foreign points", f"{found['foreign_points']:,}, written by another program; left out")
    reads = f"{found['model']['max_tokens']:,} tokens at once, longer texts by {found['recipe']['window']!r}"
    table.add_row("reads", cell(reads))
    table.add_row("folders", cell(", ".join(found["roots"]) or "none"))
    if found["failed"]:
        table.add_row("failed", f"{found['failed']:,}; to see which and why, add --failed")
    if "disk_bytes" in found:
        taken, apparent = (f"{found['disk_bytes'][kind] / 1e6:,.1f} MB" for kind in ("taken", "apparent"))
        table.add_row("disk", f"{taken}; {apparent} with the holes of its files, which a plain copy fills")
    if "copied_by" in found:
        table.add_row("being copied by", cell(found["copied_by"]))
    if "held_by" in found:
        table.add_row("held by", cell(found["held_by"]))
    if "server" in found:
        table.add_row("server", ", ".join(f"{option}={value}" for option, value in found["server"].items()))
    table.add_row("recipe", _lines(found["recipe"]))
    table.add_row("model", _lines(found["model"]))
    table.add_row("fingerprint", found["fingerprint"])
    results().print(table)


def _show_attached(found: dict[str, Json], at: str, layout: ForeignLayout) -> None:
    table = pairs()
    table.add_row("collection", cell(f"{found['name']} at {at}, attached"))
    of = "" if found["documents"] is None else f" of {found['documents']:,} documents"
    table.add_row("points", f"{found['chunks']:,}{of}")
    table.add_row("layout", _found(layout))
    table.add_row("model", _lines(found["model"]) if found["model"] else "none: words and filters alone")
    results().print(table)


def _found(layout: ForeignLayout) -> Table:
    table = pairs()
    table.columns[0].style = ""
    table.add_column()
    for row in layout.rows():
        table.add_row(*map(cell, row))
    return table


def _lines(values: dict[str, Json]) -> Table:
    table = pairs()
    table.columns[0].style = ""
    for name, value in values.items():
        table.add_row(name, cell("–" if value in (None, "") else value))
    return table
