"""What converted runtimes share: one conversion per model and machine, kept on disk, tried against torch once."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import platform
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from qdrant_embed.embedding.fidelity import Fidelity, compare
from qdrant_embed.embedding.graphs import Graph, build_graph, pools_inside, quiet
from qdrant_embed.embedding.model_files import weights_fingerprint
from qdrant_embed.embedding.resolving import Resolved
from qdrant_embed.embedding.runtimes import Batch
from qdrant_embed.embedding.runtimes.choice import PROMISES, RuntimeChoice
from qdrant_embed.errors import ModelError, QdrantEmbedError
from qdrant_embed.types import FloatArray, Json

log = logging.getLogger(__name__)

CACHE_VARIABLE = "QDRANT_EMBED_CACHE"
"""Environment variable that names the folder of what is made once and used again."""
_FORMAT = 3
"""To be raised when what is stored under a key changes."""
_NOTE = "fidelity.json"
_SAID_ONLY = ("name", "about", "sources", "licence", "licence_note", "languages", "parameters", "runtime", "tasks")
"""Values of a preset that change nothing about its graph."""


class FidelityWarning(UserWarning):
    """A converted model's vectors are too far from torch's, and torch runs the model instead."""


class TooFarError(ModelError):
    """A converted model does not keep its promise; whoever starts runtimes takes another one then, and warns."""


@dataclass(frozen=True, slots=True)
class Converted:
    """A model that another runtime can read.

    :param folder: Where its files are.
    :param pooled: Whether vectors (n, dim) come out, rather than token states (n, tokens, dim).
    :param fidelity: How near it is to torch.
    """

    folder: Path
    pooled: bool
    fidelity: Fidelity


@dataclass(frozen=True, slots=True)
class Converter:
    """How one runtime makes its files from a torch graph, and runs them.

    :param packages: What made the files; another version makes them anew.
    :param convert: Writes the files of a graph to a folder.
    :param runner: Folder → a function from batches to what the graph gives.
    """

    choice: RuntimeChoice
    packages: tuple[str, ...]
    convert: Callable[[Resolved, Graph, Path], None]
    runner: Callable[[Path], Callable[[Batch], FloatArray]]


def cache_folder() -> Path:
    """Return where converted models are kept: `QDRANT_EMBED_CACHE`, else the user's own cache folder."""
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        return Path(named).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "qdrant-embed"


def converted(resolved: Resolved, converter: Converter, *, pooled: bool = True) -> Converted:
    """Return a model's converted form, made and tried now if it never was.

    :param pooled: Whether to pool inside, where that is possible.
    :raises ModelError: It cannot be converted, or its vectors are too far from torch's.
    """
    inside = pooled and pools_inside(resolved)
    folder = cache_folder() / "converted" / _key(resolved, converter, inside)
    if not (folder / _NOTE).exists():
        _make(resolved, converter, folder, inside)
    note = json.loads((folder / _NOTE).read_text(encoding="utf-8"))
    made = Converted(folder, note["pooled"], Fidelity(note["worst"], note["mean"]))
    promise = PROMISES[converter.choice.precision]
    if made.fidelity.worst < promise:
        raise TooFarError(
            f"{resolved.preset.name!r} in {converter.choice} has a cosine of {made.fidelity.worst:.4f} to torch in "
            f"float32 on the worst of the texts it was tried on, and {promise} is promised."
        )
    return made


def _key(resolved: Resolved, converter: Converter, pooled: bool) -> str:  # noqa: FBT001
    """Hash everything that the files depend on."""
    preset, files = resolved.preset, resolved.files
    shape: dict[str, Json] = {
        field.name: repr(getattr(preset, field.name)) for field in fields(preset) if field.name not in _SAID_ONLY
    }
    parts = {
        "format": _FORMAT,
        "model": weights_fingerprint(files) if files else preset.name,
        "shape": shape,
        "stretch": repr(resolved.stretch),
        "runtime": str(converter.choice),
        "pooled": pooled,
        "machine": f"{platform.machine()} {platform.processor()} {_processor()}",
        "versions": {package: _version(package) for package in ("torch", "transformers", *converter.packages)},
    }
    digest = hashlib.blake2b(json.dumps(parts, sort_keys=True).encode(), digest_size=16)
    return digest.hexdigest()


def _make(resolved: Resolved, converter: Converter, folder: Path, pooled: bool) -> None:  # noqa: FBT001
    """Convert, try, and put the result in place in one step, so that a kill leaves nothing half made."""
    log.info("converting %s for %s; this is done once", resolved.preset.name, converter.choice)
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=folder.parent, prefix="making-"))
    try:
        with quiet():
            graph = build_graph(resolved, pooled=pooled)
            converter.convert(resolved, graph, work)
            fidelity = compare(resolved, graph, converter.runner(work))
        (work / _NOTE).write_text(json.dumps({"pooled": graph.pooled, **asdict(fidelity)}), encoding="utf-8")
        if not folder.exists():
            work.rename(folder)
    except QdrantEmbedError:
        raise
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        raise ModelError(
            f"{resolved.preset.name!r} could not be converted for {converter.choice}: {reason}. "
            "Give the runtime torch, which runs every model."
        ) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _processor() -> str:
    """Return what the processor can do, so that a cache folder on a network drive serves several kinds."""
    place = Path("/proc/cpuinfo")
    if not place.exists():
        return ""
    flags = next((line for line in place.read_text().splitlines() if line.startswith("flags")), "")
    return " ".join(flag for flag in ("avx2", "avx512f", "avx512_bf16", "avx512_vnni", "amx_bf16") if flag in flags)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
