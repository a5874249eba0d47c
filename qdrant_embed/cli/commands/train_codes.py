"""`qdrant-embed train-codes`: short codes learned from a collection's own vectors or texts."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from qdrant_embed.cli import parameters
from qdrant_embed.cli.locations import open_stored
from qdrant_embed.cli.output import say, say_step, write_json


class Kind(StrEnum):
    """What the codes are learned from."""

    VECTORS = "real-binary"
    TEXTS = "pv-dbow"


def train_codes(  # noqa: PLR0913 - one parameter for each flag
    *,
    at: parameters.At = parameters.DEFAULT_LOCATION,
    collection: parameters.Name = parameters.DEFAULT_COLLECTION,
    kind: Annotated[
        Kind, typer.Option(help="A code of the collection's vectors, or paragraph vectors of its texts alone.")
    ] = Kind.VECTORS,
    bits: Annotated[int, typer.Option(help="Code length in bits.")] = 64,
    seed: Annotated[int, typer.Option(help="The same seed gives the same code.")] = 0,
    steps: Annotated[int, typer.Option(min=1, help="Batches that a real-binary code is trained on.")] = 2400,
    words: Annotated[bool, typer.Option("--words", help="Train real-binary codes to predict the words too.")] = False,
    model: Annotated[
        Path | None,
        typer.Option("--model-out", help="Write the code (safetensors), or the model of texts (a folder)."),
    ] = None,
    codes: Annotated[Path | None, typer.Option("--codes-out", help="Write ids and codes (.npy or .parquet).")] = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Search the collection by the code, and rank by the real vectors.")
    ] = False,
    rescore: Annotated[
        float,
        typer.Option(min=1, help="With --apply: candidates ranked again, as a multiple of 108, or of k+8 if more."),
    ] = 20,
    as_json: parameters.AsJson = False,
) -> None:
    """Train short codes on a collection; write them, or search by them."""
    if apply and kind is Kind.TEXTS:
        raise typer.BadParameter(
            "paragraph vectors are an embedder of their own: write it by --model-out FOLDER, ingest --model FOLDER."
        )

    from qdrant_embed.compression import learned_setting

    def shown(number: int, loss: float) -> None:
        say_step(number, steps, loss)

    with open_stored(collection, at) as docs:
        if kind is Kind.VECTORS:
            target = learned_setting(docs.recipe.compression, bits, rescore) if apply else ""
            written = docs.vectors.train_codes(
                bits, seed=seed, steps=steps, words=words, progress=shown, model_out=model, codes_out=codes
            )
            if apply:
                docs.recompress(target, trained=written)
        else:
            docs.vectors.train_paragraphs(bits, seed=seed, model_out=model, codes_out=codes)
        recipe = docs.recipe.as_dict()
    files = [str(path) for path in (model, codes) if path is not None]
    if as_json:
        write_json({"at": at, "collection": collection, "kind": kind.value, "bits": bits, "files": files,
                    "recipe": recipe})  # fmt: skip
        return
    for path in files:
        say(f"written: {path}")
    say(f"{bits}-bit codes trained" + (f"; {collection!r} is now {recipe['compression']!r}." if apply else "."))
