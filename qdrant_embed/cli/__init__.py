"""The command line: resolves arguments, calls the library, renders what it gives back."""

from qdrant_embed.cli.app import app, main

__all__ = ["app", "main"]
