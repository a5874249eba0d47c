"""The command line: resolves arguments, calls the library, renders what it gives back.

Files, in reading order: locations, output, parameters, exit_codes, ingest_summary, commands, app.

Public: `main` (the program) and `app` (its commands).
"""

from qdrant_embed.cli.app import app, main

__all__ = ["app", "main"]
