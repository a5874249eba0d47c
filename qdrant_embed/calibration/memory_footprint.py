"""Bytes that vectors really take: blocks on disk, and memory of a process that opens and searches them."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from qdrant_embed.errors import StoreError
from qdrant_embed.retrieval.binary.index import BinaryIndex
from qdrant_embed.store.location import open_engine

if TYPE_CHECKING:
    from qdrant_embed.store.engine import Engine

SMAPS = Path("/proc/self/smaps")
BLOCK_BYTES = 512
_FOLDER = "vector_storage-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """Bytes of all dense vectors of a collection, codes included, graph and payload not.

    :param resident: Whether memory was counted by resident pages; otherwise it is the sizes of the files searched.
    """

    disk: int
    ram: int
    resident: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A search that brings into memory what searches need.

    :param vector: Name of the vector that is searched.
    :param query: As the vector is asked: numbers, a list of them where points have several vectors, or packed bits.
    :param vectors: Names of all dense vectors.
    :param bits: Bits of sign codes, which are compared in this process; 0 where the engine searches.
    :param page: Points read at once where sign codes are.
    :param encoded: Whether the engine searches codes beside what is stored.
    """

    vector: str
    query: list[Any]
    vectors: tuple[str, ...]
    bits: int = 0
    page: int = 1
    encoded: bool = False


def measure_footprint(at: Path, name: str, probe: Probe) -> Footprint:
    """Open a folder in a process of its own, search it without rescoring, and count what that brought into memory.

    Vectors that only rescoring reads stay on disk and are counted there; the pages that a query's few rescored
    candidates touch belong to the system's cache, which gives them up when memory is short.

    :raises StoreError: The process failed.
    """
    code = "import sys; from qdrant_embed.calibration.memory_footprint import child; child(*sys.argv[1:])"
    command = [sys.executable, "-c", code, str(at), name]
    asked = json.dumps(asdict(probe))
    done = subprocess.run(command, input=asked, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        said = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise StoreError(f"the process that counts the bytes of a collection in memory failed: {said}. Try again.")
    disk = sum(blocks(path) for vector in probe.vectors for path in _files(at, vector))
    return Footprint(disk=disk, **json.loads(done.stdout))


def child(at: str, name: str) -> None:
    """Search as told on stdin and print the bytes that this takes in memory."""
    asked = json.load(sys.stdin)
    probe = Probe(**{**asked, "vectors": tuple(asked["vectors"])})
    engine = open_engine(Path(at))
    held = _search_codes(engine, name, probe) if probe.bits else _search(engine, name, probe)
    resident = SMAPS.exists()
    if resident:
        files = {str(path.resolve()) for vector in probe.vectors for path in _files(Path(at), vector)}
        counted = resident_bytes(files, SMAPS.read_text())
    else:
        counted = sum(map(blocks, searched_files(Path(at), probe)))
    sys.stdout.write(json.dumps({"ram": held + counted, "resident": resident}) + "\n")
    engine.close()


def resident_bytes(files: Collection[str], smaps: str) -> int:
    """Return the bytes of files that are in a process's memory.

    :param smaps: What `/proc/PID/smaps` says of it.
    """
    # A file may be mapped twice, for reading here and there and for reading in order; its pages are the same ones.
    most: dict[tuple[str, str], int] = {}
    current = ("", "")
    for line in smaps.splitlines():
        parts = line.split()
        if not parts[0].endswith(":"):
            current = (parts[5], parts[2]) if len(parts) > 5 else ("", "")
        elif parts[0] == "Rss:" and current[0] in files:
            most[current] = max(most.get(current, 0), int(parts[1]) * 1024)
    return sum(most.values())


def searched_files(at: Path, probe: Probe) -> Iterator[Path]:
    """Yield the files that hold what is searched: all of a vector's, or its codes alone."""
    for path in _files(at, probe.vector):
        inside = path.parts[path.parts.index(f"{_FOLDER}{probe.vector}") + 1 :]
        if inside[0].startswith("quantized") if probe.encoded else "deleted" not in inside[0]:
            yield path


def held_bytes(root: object, others: Collection[object]) -> int:
    """Return the bytes of a Python object and of all that it alone leads to.

    :param others: Objects that belong to somebody else.
    """
    seen = set(map(id, others))
    found: list[Any] = [root]
    total = 0
    while found:
        one = found.pop()
        if id(one) in seen or isinstance(one, (type, ModuleType, FunctionType)):
            continue
        seen.add(id(one))
        total += sys.getsizeof(one)
        found += [one.base] if isinstance(one, np.ndarray) else gc.get_referents(one)
    return total


def blocks(path: Path) -> int:
    """Return the bytes that a file takes on disk; sparse files take less than they are long."""
    status = path.stat()
    return int(getattr(status, "st_blocks", -(-status.st_size // BLOCK_BYTES)) * BLOCK_BYTES)


def _search(engine: Engine, name: str, probe: Probe) -> int:
    from qdrant_client import models

    # Codes are mapped, not pinned, for this measurement, so that the system counts them by file.
    params = models.SearchParams(quantization=models.QuantizationSearchParams(rescore=False))
    query = np.asarray(probe.query, np.float32)
    engine.query_points(name, query, using=probe.vector, limit=10, search_params=params)
    return 0


def _search_codes(engine: Engine, name: str, probe: Probe) -> int:
    index = BinaryIndex(engine, name, probe.vector, probe.bits, probe.page)
    index.nearest(np.asarray(probe.query, np.float32), 10, None)
    return held_bytes(index, [engine])


def _files(at: Path, vector: str) -> Iterator[Path]:
    return (path for path in at.rglob("*") if path.is_file() and f"{_FOLDER}{vector}" in path.parts)
