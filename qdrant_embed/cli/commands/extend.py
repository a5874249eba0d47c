"""`qdrant-embed extend`: a model that reads longer texts, by training new positions on your own documents."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from qdrant_embed.cli import parameters
from qdrant_embed.cli.output import say, say_step, write_json


class Method(StrEnum):
    """Where the old positions stand among the new ones."""

    INTERPOLATED = "pi"
    RECURRENT = "rp"


def extend(  # noqa: PLR0913 - one parameter for each flag
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Preset, folder or hub id.")],
    *,
    to: Annotated[int, typer.Option(min=2, help="New maximum length in tokens.")],
    corpus: Annotated[Path, typer.Option(exists=True, help="Documents to train on: a folder or a file.")],
    out: Annotated[Path | None, typer.Option(help="Folder to write.", show_default="MODEL-TOKENS")] = None,
    method: Annotated[
        Method, typer.Option(help="Old positions as anchors among new ones, or in front of them.")
    ] = Method.INTERPOLATED,
    steps: Annotated[int, typer.Option(min=1, help="Batches to train on.")] = 300,
    batch: Annotated[int, typer.Option(min=2, help="Passages per batch.")] = 16,
    sample_tokens: Annotated[
        int | None, typer.Option(min=16, help="Maximum passage length in tokens.", show_default="the trained window")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same model.")] = 0,
    as_json: parameters.AsJson = False,
) -> None:
    """Train new positions for a model, with all else frozen; write a sentence-transformers folder."""
    from qdrant_embed import ExtendOptions
    from qdrant_embed import extend as train

    folder = out or Path(f"{Path(model).name}-{to}")
    chosen = ExtendOptions(
        method=method.value, steps=steps, batch=batch, sample_tokens=sample_tokens or 0, seed=seed, progress=say_step
    )
    made = train(model, to, corpus, folder, options=chosen)
    if as_json:
        write_json({"folder": str(made.folder), "tokens": made.tokens, "passages": made.passages,
                    "cosine_before": made.before, "cosine_after": made.after})  # fmt: skip
        return
    say(
        f"written: {made.folder} reads {made.tokens} tokens. Vectors of passages anywhere in that window have a mean "
        f"cosine of {made.after:.4f} to those of {model} ({made.before:.4f} before training)."
    )
    say(f"use it: qdrant-embed ingest … --model {made.folder}")
