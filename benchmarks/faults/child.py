"""An ingest in a process of its own, made to be killed: `python -m benchmarks.faults.child FOLDER AT MODEL`."""

import json
import sys

from qdrant_embed import Collection, Recipe


def main(folder: str, at: str, model: str) -> None:
    """Ingest the folder and print the report as one line of JSON."""
    sys.stdout.write("started\n")
    sys.stdout.flush()
    with Collection.open("faults", at=at, recipe=Recipe(model=model)) as collection:
        report = collection.ingest(folder)
    sys.stdout.write(json.dumps(report.as_dict()) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
