"""What every benchmark shares: the machine, the versions, and where results go."""

import json
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from qdrant_embed import Collection

PACKAGES = (
    "qdrant-embed", "qdrant-edge-py", "qdrant-client", "sentence-transformers", "torch", "numpy", "llama-index-core",
    "llama-index-vector-stores-qdrant", "langchain-qdrant",
)  # fmt: skip
DATA = Path(os.environ.get("QDRANT_EMBED_DATA", Path(__file__).parents[2] / "shared" / "data"))


def machine() -> dict:
    """Describe the machine and the versions, without names or paths."""
    model = "unknown"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "versions": versions,
    }


def results_of(folder: Path) -> Path:
    """Return where a benchmark's results go: beside it, or below the folder that QDRANT_EMBED_RESULTS names."""
    named = os.environ.get("QDRANT_EMBED_RESULTS")
    place = Path(named) / folder.name if named else folder / "results"
    place.mkdir(parents=True, exist_ok=True)
    return place


def save(folder: Path, name: str, results: dict) -> Path:
    """Write results, with machine and date, and return the file."""
    target = results_of(folder) / f"{name}.json"
    stamped = {"date": datetime.now(UTC).date().isoformat(), "machine": machine(), **results}
    target.write_text(json.dumps(stamped, indent=2) + "\n")
    return target


def token_bytes(collection: Collection) -> int:
    """Return the mean bytes that codes of tokens take of a chunk, of a hundred; 0 where there are none."""
    if collection.parts.stored_tokens is None:
        return 0
    records, _ = collection.engine.scroll(collection.name, limit=100, with_vectors=["tokens"])
    sizes = [len(record.vector["tokens"]) * len(record.vector["tokens"][0]) for record in records]
    return round(sum(sizes) / max(1, len(sizes)))


def data(name: str) -> Path:
    """Return a data set's folder.

    :raises SystemExit: It is not there; the variable that names its place is given.
    """
    folder = DATA / name
    if not folder.exists():
        raise SystemExit(f"no data set {name!r} in the data folder; set QDRANT_EMBED_DATA to the folder that holds it")
    return folder
