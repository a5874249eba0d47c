"""Bytes that vectors really take: blocks on disk, and pages in the memory of a process that opens and searches them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from qdrant_embed.errors import StoreError

SMAPS = Path("/proc/self/smaps")
BLOCK_BYTES = 512
_FOLDER = "vector_storage-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """Bytes of all dense vectors of a collection, codes included, graph and payload not."""

    disk: int
    ram: int


def measure_footprint(at: Path, name: str, query: dict[str, list[float]], vectors: tuple[str, ...]) -> Footprint:
    """Open a folder in a process of its own, search it without rescoring, and count what that brought into memory.

    Vectors that only rescoring reads stay on disk and are counted there; the pages that a query's few rescored
    candidates touch belong to the system's cache, which gives them up when memory is short.

    :param query: A search for each vector that is searched.
    :param vectors: Names of the dense vectors.
    :raises StoreError: The process failed.
    """
    code = "import sys; from qdrant_embed.calibration.footprint import child; child(*sys.argv[1:])"
    asked = json.dumps({"query": query, "vectors": vectors})
    command = [sys.executable, "-c", code, str(at), name]
    done = subprocess.run(command, input=asked, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        said = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise StoreError(f"the process that counts the bytes of a collection in memory failed: {said}. Try again.")
    return Footprint(disk=sum(map(_blocks, _files(at, vectors))), ram=int(done.stdout))


def child(at: str, name: str) -> None:
    """Search as told on stdin and print the resident bytes of the vectors' files."""
    from qdrant_client import models

    from qdrant_embed.store.location import open_engine

    asked = json.load(sys.stdin)
    engine = open_engine(Path(at))
    # Codes are mapped, not pinned, for this measurement, so that the system counts them by file.
    params = models.SearchParams(quantization=models.QuantizationSearchParams(rescore=False))
    for vector, query in asked["query"].items():
        engine.query_points(name, np.asarray(query, np.float32), using=vector, limit=10, search_params=params)
    files = {str(path.resolve()) for path in _files(Path(at), tuple(asked["vectors"]))}
    sys.stdout.write(str(sum(resident(files))) + "\n")
    engine.close()


def resident(files: set[str]) -> Iterator[int]:
    """Yield the bytes of each file that are in this process's memory; their sizes where the system does not tell."""
    if not SMAPS.exists():
        yield from (Path(file).stat().st_size for file in files)
        return
    # A file may be mapped twice, for reading here and there and for reading in order; its pages are the same ones.
    most: dict[tuple[str, str], int] = {}
    current = ("", "")
    for line in SMAPS.read_text().splitlines():
        parts = line.split()
        if not parts[0].endswith(":"):
            current = (parts[5], parts[2]) if len(parts) > 5 else ("", "")
        elif parts[0] == "Rss:" and current[0] in files:
            most[current] = max(most.get(current, 0), int(parts[1]) * 1024)
    yield from most.values()


def _files(at: Path, vectors: tuple[str, ...]) -> Iterator[Path]:
    wanted = {f"{_FOLDER}{vector}" for vector in vectors}
    for path in at.rglob("*"):
        if path.is_file() and wanted & set(path.parts):
            yield path


def _blocks(path: Path) -> int:
    status = path.stat()
    return int(getattr(status, "st_blocks", -(-status.st_size // BLOCK_BYTES)) * BLOCK_BYTES)
