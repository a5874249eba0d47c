"""`qdrant-embed mcp`: collections for agents, over the Model Context Protocol."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Annotated, Any

import typer

from qdrant_embed.cli import parameters
from qdrant_embed.cli.output import say
from qdrant_embed.extras import require_extra

TOKEN_VARIABLE = "QDRANT_EMBED_MCP_TOKEN"  # noqa: S105 - the name of a variable
"""Not a flag: other users of a machine can see what was typed."""


def mcp(  # noqa: PLR0913 - one parameter for each flag
    *,
    at: parameters.At = parameters.DEFAULT_LOCATION,
    collection: Annotated[
        str | None,
        typer.Option(
            "--collection",
            "-c",
            help="Default collection, where the agent names none.",
            metavar="NAME",
            show_default="the only one there is",
        ),
    ] = None,
    http: Annotated[
        int | None,
        typer.Option(
            "--http",
            min=1,
            max=65535,
            metavar="PORT",
            help="Serve at http://127.0.0.1:PORT/mcp instead of standard input and output. "
            f"With a secret in {TOKEN_VARIABLE}, clients have to send it.",
        ),
    ] = None,
    allow_writes: Annotated[
        bool, typer.Option("--allow-writes", help="Also offer the tools ingest and delete.")
    ] = False,
    folder: Annotated[
        list[str] | None, typer.Option(help="Folder that ingest may read; repeatable.", metavar="DIR")
    ] = None,
    rerank: Annotated[
        list[str] | None,
        typer.Option(help="A reranker that loads a model, which agents may ask for: cross-encoder:NAME; repeatable."),
    ] = None,
    model: Annotated[
        str, typer.Option("--model", "-m", help="Model of collections that ingest creates.")
    ] = parameters.DEFAULT_MODEL,
    attach: parameters.Attach = None,
    runtime: parameters.Runtime = "auto",
) -> None:
    """Serve collections to agents: search, read, list; to be started by the agent's program (MCP)."""
    require_extra("qdrant-embed mcp", "mcp")
    package: Any = import_module("qdrant_embed_mcp")
    settings = package.Settings(
        at=at, collection=collection, runtime=runtime, allow_writes=allow_writes, folders=tuple(folder or ()),
        model=model if allow_writes else None, rerankers=tuple(rerank or ()), attach=attach or "auto",
    )  # fmt: skip
    if http is None:
        if sys.stdin.isatty():
            say("waiting for an agent's program, which is to start this, on standard input; Ctrl-C ends it")
        package.serve_stdio(settings)
    else:
        say(f"serving at http://127.0.0.1:{http}/mcp on this machine; Ctrl-C ends it")
        package.serve_http(settings, http, token=os.environ.get(TOKEN_VARIABLE))
