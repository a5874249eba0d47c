"""`qdrant-embed models`: the presets, and every value of one with where it came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from qdrant_embed.cli import options
from qdrant_embed.cli.output import results, say, write_json

if TYPE_CHECKING:
    from qdrant_embed.types import Json

app = typer.Typer(help="List the models that have a preset; 'models show NAME' says everything about one.")


@app.callback(invoke_without_command=True)
def models(
    context: typer.Context,
    *,
    filter: Annotated[str, typer.Option(help="Only models with this text in their name or description.")] = "",
    as_json: options.AsJson = False,
) -> None:
    """List the models that have a preset."""
    if context.invoked_subcommand is not None:
        return
    from qdrant_embed.embedding import describe, list_models

    listed: list[dict[str, Json]] = []
    for name in list_models():
        values, origin = describe(name)
        if filter.lower() in f"{name} {values.get('about', '')} {values.get('source', '')}".lower():
            listed.append({"name": name, **values, "origin": origin})
    if as_json:
        write_json({"models": listed})
        return
    if not listed:
        say(f"no preset has {filter!r} in its name or description; without --filter all are listed.")
        return
    table = Table("model", "dims", "tokens", "about", box=None, padding=(0, 2, 0, 0))
    for number in (1, 2):
        table.columns[number].justify = "right"
    for model in listed:
        counts = [str(model.get(key) or "–") for key in ("dim", "max_tokens")]
        table.add_row(Text(model["name"]), *counts, Text(model.get("about", "")))
    results().print(table)
    say("any sentence-transformers folder or hub id works too: --model PATH or --model OWNER/NAME")


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="Preset, folder or hub id.")], *, as_json: options.AsJson = False
) -> None:
    """Say every value that is used for a model, and where it came from."""
    from qdrant_embed.cli.weights import find_weights

    weights = find_weights(name)
    rows = _all_values(name) if weights.here else _preset_values(name)
    if as_json:
        values = {key: {"value": value, "origin": origin} for key, value, origin in rows}
        write_json({"name": name, "weights_here": weights.here, "weights": weights.place, "values": values})
        return
    table = Table("value", "is", "from", box=None, padding=(0, 2, 0, 0))
    for key, value, origin in rows:
        table.add_row(key, Text("–" if value in ("", (), None) else str(value), overflow="fold"), Text(origin))
    console = results()
    console.print(table)
    console.print(Text(f"weights: {weights.place}"))
    if weights.advice:
        say(f"What is not listed is read from the model's own files. To get them: {weights.advice}")


def _all_values(name: str) -> list[tuple[str, Json, str]]:
    from dataclasses import asdict

    from qdrant_embed.embedding import load_embedder

    embedder = load_embedder(name)
    return [
        (key, list(value) if isinstance(value, tuple) else value, embedder.origins.get(key, ""))
        for key, value in asdict(embedder.preset).items()
        if key != "name"
    ]


def _preset_values(name: str) -> list[tuple[str, Json, str]]:
    from qdrant_embed.embedding import describe
    from qdrant_embed.errors import UnknownNameError

    try:
        values, origin = describe(name)
    except UnknownNameError:
        return []  # a hub id: nothing is known before its files are here
    return [(key, value, origin) for key, value in values.items()]
