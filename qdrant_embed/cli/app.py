"""The program: its commands, put together."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from qdrant_embed import __version__
from qdrant_embed.cli import exit_codes
from qdrant_embed.cli.commands import (
    calibrate,
    delete,
    doctor,
    evaluate,
    explore,
    export_codes,
    extend,
    info,
    ingest,
    mcp,
    models,
    preview,
    recompress,
    search,
    train_codes,
)

STDERR = 2
"""The descriptor of standard error, the last of the three standard streams."""

app = typer.Typer(
    name="qdrant-embed",
    cls=exit_codes.Commands,
    help="Folders of documents in, well-ranked passages out: the embedding layer for the Qdrant vector database.",
    epilog=exit_codes.EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("ingest", epilog=exit_codes.EXIT_CODES)(ingest.ingest)
app.command("search")(search.search)
app.command("preview")(preview.preview)
app.command("info")(info.info)
app.add_typer(models.app, name="models")
app.command("doctor")(doctor.doctor)
app.command("evaluate")(evaluate.evaluate)
app.command("calibrate")(calibrate.calibrate)
app.command("recompress")(recompress.recompress)
app.command("train-codes")(train_codes.train_codes)
app.command("export-codes")(export_codes.export_codes)
app.command("explore")(explore.explore)
app.command("extend")(extend.extend)
app.command("delete")(delete.delete)
app.command("mcp")(mcp.mcp)


@app.callback()
def program(
    *,
    debug: Annotated[
        bool, typer.Option("--debug", envvar="QDRANT_EMBED_DEBUG", help="Show the traceback of an error.")
    ] = False,
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Show the version.", is_eager=True, callback=lambda wanted: _show_version(wanted=wanted)
        ),
    ] = False,
) -> None:
    """Take the flags that stand before the command."""


def main() -> None:
    """Run the command line; the entry point of `qdrant-embed`."""
    _open_standard_streams()
    exit_codes.run(app)


def _open_standard_streams() -> None:
    """Put the null device where a standard stream is closed, as daemons and schedulers have it.

    A file that is opened later would take its number, and get what is written to the stream.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= STDERR:
        os.set_inheritable(descriptor, True)  # noqa: FBT003
    os.close(descriptor)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w" if number else "r", closefd=False))  # noqa: SIM115


def _show_version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"qdrant-embed {__version__}")
        raise typer.Exit
