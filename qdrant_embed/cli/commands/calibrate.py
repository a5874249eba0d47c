"""`qdrant-embed calibrate`: measure what compression costs and saves, and apply it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from qdrant_embed.cli import parameters
from qdrant_embed.cli.locations import open_stored
from qdrant_embed.cli.output import results, say, write_json


def calibrate(  # noqa: PLR0913 - one parameter for each flag
    *,
    at: parameters.At = parameters.DEFAULT_LOCATION,
    collection: parameters.Name = parameters.DEFAULT_COLLECTION,
    questions: Annotated[
        Path | None, typer.Option(help="Questions, one per line (or JSON lines: text, relevant); else drawn.")
    ] = None,
    k: Annotated[int, typer.Option("-k", "--k", min=1, help="Results per question.")] = 10,
    target_recall: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Recall@k to reach, by the lower end of its confidence interval.")
    ] = 0.98,
    max_bytes_per_vector: Annotated[float | None, typer.Option(help="Maximum bytes per vector in memory.")] = None,
    max_disk_bytes_per_vector: Annotated[float | None, typer.Option(help="Maximum bytes per vector on disk.")] = None,
    setting: Annotated[
        list[str] | None, typer.Option(help="Try this compression instead of the default grid; repeatable.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for calibration.json, .png and .html.")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Apply the chosen setting to the collection.")] = False,
    as_json: parameters.AsJson = False,
) -> None:
    """Try compressions on a collection's own vectors and name the cheapest that answers as well."""
    from qdrant_embed.calibration import CalibrateOptions
    from qdrant_embed.evaluation import figures, read_questions

    if out is not None:
        figures("a plot of the calibration")
    asked = read_questions(questions) if questions else None
    chosen = CalibrateOptions(
        k=k,
        target_recall=target_recall,
        max_bytes_per_vector=max_bytes_per_vector,
        max_disk_bytes_per_vector=max_disk_bytes_per_vector,
        settings=tuple(setting or ()),
        progress=lambda text, done, count: say(f"{done + 1}/{count} {text}", style="dim"),
    )
    with open_stored(collection, at) as docs:
        found = docs.calibrate(asked, options=chosen)
        written = [str(path) for path in found.save(out)] if out else []
        applied = docs.recompress(found.chosen.setting) if apply and found.chosen else None
    if as_json:
        change = None if applied is None else {"in_place": applied.in_place, "collection": applied.collection}
        write_json({"at": at, **found.as_dict(), "files": written, "applied": change})
    else:
        results().print(found)
        for path in written:
            say(f"written: {path}")
        if applied is not None:
            say(f"{collection!r} is now {applied.recipe.compression!r}" + (", in place." if applied.in_place else "."))
    if found.chosen is None:
        raise typer.Exit(1)
