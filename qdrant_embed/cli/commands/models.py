"""`qdrant-embed models`: the presets, every value of one, and what this machine has of them."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from qdrant_embed.cli import exit_codes, parameters
from qdrant_embed.cli.output import cell, results, say, write_json
from qdrant_embed.display import counted, in_words
from qdrant_embed.errors import QdrantEmbedError

app = typer.Typer(help="List the models that have a preset; 'models show NAME' shows the details of one.")


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
    from qdrant_embed import list_models

    listed = list_models(filter, language=language, kind=kind, license=license, dim=dim)
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
    for row in listed.rows():
        table.add_row(*map(cell, row))
    results().print(table)
    say(f"{len(listed)} models. What is not here (–) is read from a model's own files.")
    say("any sentence-transformers folder or hub id works too: --model PATH or --model OWNER/NAME")


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="Preset, folder or hub id.")], *, as_json: parameters.AsJson = False
) -> None:
    """Show every value that is used for a model and where it comes from."""
    from qdrant_embed import describe_model

    found = describe_model(name)
    if as_json:
        write_json(found.as_dict())
        return
    table = Table("value", "is", "from", box=None, padding=(0, 2, 0, 0))
    for row in found.rows:
        table.add_row(*map(cell, row.cells()))
    console = results()
    console.print(table)
    for note in found.notes:
        console.print(cell(note))
    for warning in found.warnings:
        say(warning, style="yellow")
    if found.weights.advice and not found.values.get("unloadable"):
        say(f"What is not listed is read from the model's own files. To get them: {found.weights.advice}")


@app.command("clear-cache")
def clear_cache(*, as_json: parameters.AsJson = False) -> None:
    """Delete converted models from the cache, except those in use; they are converted again when needed."""
    from qdrant_embed import clear_model_cache

    found = clear_model_cache()
    if as_json:
        write_json(found)
        return
    removed, left = (f"{found[key] / 2**30:.2f} GB" for key in ("removed_bytes", "left_bytes"))
    say(f"removed {removed} of converted models from {found['folder']}; {left} are in use.")


@app.command("fetch")
def fetch(
    names: Annotated[
        list[str], typer.Argument(help="Presets, owner/name, or owner/name@revision.", show_default=False)
    ],
    *,
    verify: Annotated[
        bool, typer.Option("--verify", help="Also verify the checksums of files that are already here.")
    ] = False,
    as_json: parameters.AsJson = False,
) -> None:
    """Download models for later use without a network; interrupted downloads resume.

    Only the files that are needed come, and each is compared with the checksum that the hub states. What is here
    already is left as it is; a damaged file comes anew.
    """
    from qdrant_embed import fetch_model

    fetched, failed = [], 0
    for name in names:
        try:
            fetched.append(fetch_model(name, verify=verify))
        except KeyboardInterrupt:
            say("What was downloaded is kept; run the same command again to carry on.")
            raise
        except QdrantEmbedError as error:
            if len(names) == 1:
                raise
            failed += 1
            exit_codes.fail(str(error))
        else:
            say(str(fetched[-1]))
    if as_json:
        write_json({"models": [one.as_dict() for one in fetched]})
    if failed:
        raise typer.Exit(exit_codes.ERROR)


@app.command("prepare")
def prepare(
    name: Annotated[str, typer.Argument(help="Preset, folder, owner/name or owner/name@revision.")],
    *,
    to: Annotated[str, typer.Option("--to", help="Output folder: new, empty, or one that was prepared.")],
    precision: Annotated[str, typer.Option(help="float32, bf16 (half as large) or int8 (needs VNNI).")] = "float32",
    as_json: parameters.AsJson = False,
) -> None:
    """Write a folder that holds a model with all that it needs, for machines without torch and without a network.

    It is loaded by its path: --model FOLDER. A collection that was made with the original is opened with it.
    """
    from qdrant_embed import prepare_model

    found = prepare_model(name, to, precision=precision)
    if as_json:
        write_json(found.as_dict())
        return
    say(str(found))
    say(f"to use it: --model {found.folder}")


@app.command("list")
def list_here(*, as_json: parameters.AsJson = False) -> None:
    """List the models on this machine and the disk space that they use."""
    from qdrant_embed import list_local_models

    found = list_local_models()
    if as_json:
        write_json({"models": found})
        return
    table = Table("model", "presets", "revision", "size", "state", box=None, padding=(0, 2, 0, 0))
    table.columns[3].justify, table.columns[3].no_wrap = "right", True
    for row in found.rows():
        table.add_row(*map(cell, row))
    if found:
        results().print(table)
    say(f"{counted(len(found), 'model')}, {in_words(found.size)}. To remove one: qdrant-embed models remove NAME")
    say("What was converted for this processor stands elsewhere: qdrant-embed doctor, qdrant-embed models clear-cache")


@app.command("remove")
def remove(
    name: Annotated[str, typer.Argument(help="Preset or owner/name.")], *, as_json: parameters.AsJson = False
) -> None:
    """Remove a downloaded model from this machine, with all of its revisions; it can be fetched again."""
    from qdrant_embed import remove_model

    found = remove_model(name)
    if as_json:
        write_json(found)
        return
    say(f"removed {found['name']} ({in_words(found['removed_bytes'])}) from {found['folder']}.")
