"""`qdrant-embed evaluate`: how well each way to search answers questions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from qdrant_embed.cli import parameters
from qdrant_embed.cli.locations import open_stored
from qdrant_embed.cli.output import results, say, write_json


def evaluate(  # noqa: PLR0913 - one parameter for each flag
    *,
    at: parameters.At = parameters.DEFAULT_LOCATION,
    collection: parameters.Name = parameters.DEFAULT_COLLECTION,
    questions: Annotated[
        Path | None,
        typer.Option(help="Judged questions: JSON lines (text, relevant) or a BEIR folder; else drawn."),
    ] = None,
    setting: Annotated[
        list[str] | None, typer.Option(help="Try this (dense, hybrid+mmr:0.3) instead of all modes; repeatable.")
    ] = None,
    compression: Annotated[
        list[str] | None, typer.Option(help="Try this compression of the vectors too; repeatable.")
    ] = None,
    k: Annotated[int, typer.Option("-k", "--k", min=1, help="Results per question.")] = 10,
    n: Annotated[int, typer.Option("--n", min=1, help="Questions to draw from the texts.")] = 200,
    seed: Annotated[int, typer.Option(help="Random seed for drawing questions.")] = 0,
    plot: Annotated[Path | None, typer.Option(help="Write a figure to this file: .png, .svg or .pdf.")] = None,
    page: Annotated[Path | None, typer.Option(help="Write a self-contained page to this file (.html).")] = None,
    runtime: parameters.Runtime = "auto",
    as_json: parameters.AsJson = False,
) -> None:
    """Measure how well each way to search answers questions, and say which to take."""
    from qdrant_embed.evaluation import figures

    if plot or page:
        figures("a plot of the evaluation")
    with open_stored(collection, at, runtime) as docs:
        found = docs.evaluate(
            questions,
            settings=setting or (),
            compressions=compression or (),
            k=k,
            n=n,
            seed=seed,
            progress=lambda name: say(name, style="dim"),
        )
    written = [*([found.plot(plot)] if plot else []), *([found.page(page)] if page else [])]
    if as_json:
        write_json({"at": at, **found.as_dict(), "files": list(map(str, written))})
        return
    results().print(found)
    for path in written:
        say(f"written: {path}")
