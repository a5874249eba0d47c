"""`qdrant-embed models`: the presets, narrowed down, and every value of one with where it was read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from qdrant_embed.cli import parameters
from qdrant_embed.cli.output import cell, results, say, write_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qdrant_embed.models.catalog import Row, Rows
    from qdrant_embed.types import Json

app = typer.Typer(help="List the models that have a preset; 'models show NAME' says everything about one.")


@app.callback(invoke_without_command=True)
def models(
    context: typer.Context,
    *,
    filter: Annotated[str, typer.Option(help="Only models with all these words in name, source or description.")] = "",
    language: Annotated[str, typer.Option(help="Only models for this language, e.g. de.")] = "",
    kind: Annotated[str, typer.Option(help="dense, sparse, multivector, static, api; or an architecture.")] = "",
    license: Annotated[str, typer.Option("--license", help="Only licenses with these words.")] = "",
    dim: Annotated[int, typer.Option(help="Only vectors that have, or can be cut to, this many dimensions.")] = 0,
    as_json: parameters.AsJson = False,
) -> None:
    """List the models that have a preset, narrowed down by any of the flags."""
    if context.invoked_subcommand is not None:
        return
    from qdrant_embed.models.catalog import ModelFilter, list_presets

    listed = list_presets(ModelFilter(filter, language, kind, license, dim))
    if as_json:
        write_json({"models": listed})
        return
    if not listed:
        say("no preset is like that; leave a flag out, or see all of them with: qdrant-embed models")
        return
    table = Table("model", "dims", "tokens", "about", box=None, padding=(0, 2, 0, 0))
    table.columns[0].no_wrap = True
    for number in (1, 2):
        table.columns[number].justify = "right"
    for model in listed:
        counts = [str(model.get(key) or "–") for key in ("dim", "max_tokens")]
        table.add_row(cell(model["name"]), *counts, cell(_about(model)))
    results().print(table)
    say(f"{len(listed)} models. What is not here (–) is read from a model's own files.")
    say("any sentence-transformers folder or hub id works too: --model PATH or --model OWNER/NAME")


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="Preset, folder or hub id.")], *, as_json: parameters.AsJson = False
) -> None:
    """Say every value that is used for a model, and where it was read."""
    from qdrant_embed.models.availability import find_weights
    from qdrant_embed.models.catalog import prompted_texts, rows_of

    weights = find_weights(name)
    rows = rows_of(name, here=weights.here)
    texts = prompted_texts(rows)
    if as_json:
        values = {row.key: {"value": row.value, "origin": row.origin, "read_in": row.read_in} for row in rows}
        write_json(
            {"name": name, "weights_here": weights.here, "weights": weights.place, "texts": texts, "values": values}
        )
        return
    _print_rows(rows)
    console = results()
    for side, text in texts.items():
        console.print(cell(f"{side}: {_shown(text)}"))
    console.print(cell(f"weights: {weights.place}"))
    _print_warnings(rows)
    if weights.advice and not any(row.key == "unloadable" and row.value for row in rows):
        say(f"What is not listed is read from the model's own files. To get them: {weights.advice}")


@app.command("clear-cache")
def clear_cache(*, as_json: parameters.AsJson = False) -> None:
    """Remove converted models from this machine's cache, but those that a process has open; they are made again."""
    from qdrant_embed.runtimes.conversion.cache_folder import cache_folder, conversions, prune

    size = sum(one.size for one in prune(most=0))
    left = sum(one.size for one in conversions())
    if as_json:
        write_json({"folder": str(cache_folder()), "removed_bytes": size, "left_bytes": left})
        return
    say(f"removed {size / 2**30:.2f} GB of converted models from {cache_folder()}; {left / 2**30:.2f} GB are in use.")


def _about(model: Mapping[str, Json]) -> str:
    about = str(model.get("about", ""))
    return f"{about} Cannot be loaded here: see 'models show'." if model.get("unloadable") else about


def _print_rows(rows: Rows) -> None:
    table = Table("value", "is", "from", box=None, padding=(0, 2, 0, 0))
    for row in rows:
        table.add_row(cell(row.key), cell(_shown(row.value)), cell(_origin(row)))
    results().print(table)


def _print_warnings(rows: Rows) -> None:
    stated = {row.key: row.value for row in rows}
    if stated.get("unloadable"):
        say(f"It cannot be loaded: it {stated['unloadable']}.", style="yellow")
    if stated.get("license_note"):
        say(f"license: {stated['license_note']}", style="yellow")


def _shown(value: Json) -> str:
    if value in ("", (), [], {}, None):
        return "–"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return "; ".join(f"{key} = {inner!r}" for key, inner in value.items())
    # Line breaks in prompts matter; they must not look like those of the table.
    return repr(value)[1:-1] if isinstance(value, str) else str(value)


def _origin(row: Row) -> str:
    return f"{row.origin}: {row.read_in}" if row.read_in else row.origin
