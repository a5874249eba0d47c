"""Ingest the user guide into ./qdrant_data and answer three questions from it: `make demo`."""

import os
import sys
from pathlib import Path

from rich.console import Console

from qdrant_embed import Collection, Recipe

PROJECT = Path(__file__).resolve().parents[1]
QUESTIONS = (
    "what happens to my collection when the ingest is killed half-way?",
    "how do I search only the files below a folder?",
    "where do I put the API key of my Qdrant server?",
)


def main() -> None:
    """Ingest, ask, and say what to type next."""
    console = Console()
    with Collection.open("guide", at=PROJECT / "qdrant_data", recipe=Recipe(model="minilm")) as guide:
        console.print("Ingesting docs/ …")
        console.print(str(guide.ingest(PROJECT / "docs")))
        for question in QUESTIONS:
            console.print(guide.search(question, k=2))
    program = Path(sys.executable).with_name("qdrant-embed")
    command = min(os.path.relpath(program), str(program), key=len)
    console.print(
        "\nNow ask something yourself:\n"
        f'  {command} search "your question" --collection guide\n'
        "or ingest a folder of your own:\n"
        f"  {command} ingest PATH --collection mine\n"
        f'  {command} search "your question" --collection mine\n'
        f"What is installed and what could be better: {command} doctor",
        markup=False,
        highlight=False,
        soft_wrap=True,  # a command that is broken into lines cannot be pasted
    )


if __name__ == "__main__":
    main()
