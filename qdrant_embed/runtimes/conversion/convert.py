"""What converted runtimes share: one conversion per model and machine, kept on disk, measured once."""

from __future__ import annotations

import gc
import json
import logging
import os
import platform
import shutil
import tempfile
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from filelock import FileLock, Timeout

from qdrant_embed.concurrency import pause, went_on
from qdrant_embed.errors import ModelError, QdrantEmbedError, first_line
from qdrant_embed.models.files.word_vectors import CACHE_VARIABLE
from qdrant_embed.models.fingerprint import model_fingerprint
from qdrant_embed.models.resolve import ResolvedModel, pools_inside
from qdrant_embed.native import return_memory
from qdrant_embed.runtimes.batching import cores, processor_flags
from qdrant_embed.runtimes.choice import RuntimeChoice, least_cosine
from qdrant_embed.runtimes.conversion.cache_folder import UNFINISHED, hold, lock_file, place_of, prune
from qdrant_embed.runtimes.conversion.fidelity import Original, Run, compare
from qdrant_embed.types import Json, content_hash

log = logging.getLogger(__name__)

_FORMAT = 8
"""To be raised when what is stored under a key changes, or is not to be trusted: up to 5, it was a log that told of
missing weights, and logs can be turned off; up to 6, OpenVINO's own joining of gated layers could end the process."""
LONGEST_WAIT = 900.0
"""Seconds to wait for another process that converts the same model."""
_BETWEEN_LOOKS = 0.1
_NOTE = "fidelity.json"
_SAID_ONLY = ("name", "about", "sources", "license", "license_note", "languages", "parameters", "runtime", "tasks")
"""Values of a preset that change nothing about its graph."""


class FidelityWarning(UserWarning):
    """A converted model's vectors are too far from the original's, and another runtime runs the model instead."""


class LowFidelityError(ModelError):
    """A converted model misses its minimum cosine; another runtime is started in its place, with a warning."""


class _UnusableError(Exception):
    """What was converted is not there, not whole, or cannot be started."""


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Converted:
    """A model that another runtime runs; all embedders of a process that read alike share one.

    :param folder: Where its files are.
    :param run: Safe to call from several threads.
    :param pooled: Whether vectors (n, dim) come out, rather than token states (n, tokens, dim).
    """

    folder: Path
    run: Run
    pooled: bool


_RUNNING: weakref.WeakValueDictionary[tuple[object, ...], Converted] = weakref.WeakValueDictionary()
"""What this process runs: weights and compiled graph once, however many embedders use them."""


@dataclass(frozen=True, slots=True)
class ModelConverter:
    """How one runtime makes its files of a model, and runs them.

    :param made_by: What made the files, package → version; another one makes them anew.
    :param convert: Writes the files of a model to a folder, pooled inside or not, and returns what its vectors are
        measured by.
    :param start: Folder → what runs it; changes nothing there, since it is tried out before the folder gets its name.
    """

    choice: RuntimeChoice
    made_by: Callable[[ResolvedModel], Mapping[str, Json]]
    convert: Callable[[ResolvedModel, Path, bool], Original]
    start: Callable[[Path], Run]


def converted(resolved: ResolvedModel, converter: ModelConverter, *, pooled: bool = True) -> Converted:
    """Return a model's converted form, running; made and tried now if it never was, or cannot be read any more.

    :param pooled: Whether to pool inside, where that is possible.
    :raises ModelError: It cannot be converted or started, or its vectors are too far from the original's.
    """
    inside = pooled and pools_inside(resolved)
    folder = _folder(resolved, converter, inside)
    with suppress(_UnusableError):
        return _started(resolved, converter, folder)
    with _one_at_a_time(folder):
        try:
            return _started(resolved, converter, folder)  # another process may have been at it
        except _UnusableError as reason:
            if folder.exists():
                log.warning("converting %s again: %s", resolved.preset.name, reason)
            return _made(resolved, converter, folder, inside)


def fidelity_error(resolved: ResolvedModel, converter: ModelConverter) -> str | None:
    """Return how an earlier conversion misses its minimum cosine; empty if it reaches it, None if there is none."""
    note = _note(_folder(resolved, converter, pools_inside(resolved)))
    return _shortfall(resolved, converter, note) if note else None


def _shortfall(resolved: ResolvedModel, converter: ModelConverter, note: Mapping[str, Json]) -> str:
    minimum = least_cosine(resolved, converter.choice.precision)
    if note["worst"] >= minimum:
        return ""
    return (
        f"{resolved.preset.name!r} in {converter.choice} has a cosine of {note['worst']:.4f} to "
        f"{note['measured_by']} on the worst of the texts it was tried on, and {minimum} is the minimum."
    )


def _note(folder: Path) -> Mapping[str, Json] | None:
    """Return what was noted of a conversion; None unless all of its files are there, as long as they were.

    A tool that evicts a cache takes away the large ones.
    """
    try:
        note: dict[str, Json] = json.loads((folder / _NOTE).read_text(encoding="utf-8"))
        return note if all((folder / name).stat().st_size == size for name, size in note["files"].items()) else None
    except (OSError, ValueError):
        return None


def _started(resolved: ResolvedModel, converter: ModelConverter, folder: Path) -> Converted:
    note = _note(folder)
    if note is None or not hold(folder):
        raise _UnusableError(f"{folder} is not whole")
    short = _shortfall(resolved, converter, note)
    if short:
        raise LowFidelityError(short)
    try:
        # A forked child starts its own, and so does one that finds other files.
        written = tuple((folder / name).stat().st_mtime_ns for name in note["files"])
        key = os.getpid(), cores(), folder, written
        made = _RUNNING.get(key)
        if made is None:
            made = _RUNNING[key] = Converted(folder, converter.start(folder), note["pooled"])
        return made
    except QdrantEmbedError:
        raise
    except Exception as error:
        raise _UnusableError(f"{folder} cannot be started: {first_line(error)}") from error


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Let one process convert a model while the others wait for it: each would take three times the weights' memory.

    The wait has an end: the other one may have been stopped, or stand on another machine. Then both convert.
    """
    lock = FileLock(lock_file(folder))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _acquire(lock)
    except (OSError, NotImplementedError) as error:  # some network drives have no locks; nothing but thrift is lost
        log.info("%s cannot be locked (%s)", folder, error)
    try:
        yield
    finally:
        lock.release()


def _acquire(lock: FileLock) -> None:
    """Take a lock, or give it up after `LONGEST_WAIT`."""
    until, said = time.monotonic() + LONGEST_WAIT, False
    while True:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            if not said:
                log.info("another process is converting this model; waiting for it")
            said = True
            if time.monotonic() > until:
                log.warning("the other process has not converted the model in %g s; not waiting longer", LONGEST_WAIT)
                return
            pause(_BETWEEN_LOOKS)
        else:
            return


def _folder(resolved: ResolvedModel, converter: ModelConverter, pooled: bool) -> Path:  # noqa: FBT001
    """Return where a conversion is kept: under a hash of everything that its files depend on."""
    preset, files = resolved.preset, resolved.files
    shape: dict[str, Json] = {
        field.name: repr(getattr(preset, field.name)) for field in fields(preset) if field.name not in _SAID_ONLY
    }
    parts = {
        "format": _FORMAT,
        "model": model_fingerprint(files) if files else preset.name,
        **({"prepared": files.prepared.digest} if files and files.prepared else {}),
        "shape": shape,
        "stretch": repr(resolved.extension_plan),
        "runtime": str(converter.choice),
        "pooled": pooled,
        "machine": f"{platform.machine()} {platform.processor()} {processor_features()}",
        "made by": dict(converter.made_by(resolved)),
    }
    return place_of(content_hash(json.dumps(parts, sort_keys=True)))


def _made(resolved: ResolvedModel, converter: ModelConverter, folder: Path, pooled: bool) -> Converted:  # noqa: FBT001
    """Convert, try, and put the result in place in one step, so that a kill leaves nothing half made."""
    log.info("converting %s for %s, which is done once and kept for later", resolved.preset.name, converter.choice)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=UNFINISHED, ignore_cleanup_errors=True) as made:
            work = Path(made) / "model"
            work.mkdir()
            _write(resolved, converter, work, pooled)
            gc.collect()  # what traces a model ties its weights into cycles, and they are about to be loaded again
            return_memory()
            _put(work, folder)
        went_on()
        try:
            return _started(resolved, converter, folder)
        finally:
            prune(keep=folder)
    except QdrantEmbedError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and resolved.files and resolved.files.prepared:
            log.info("nothing is kept of %s: %s", resolved.preset.name, first_line(error))
            return _unkept(resolved, converter, folder, pooled)
        cure = "Give the runtime torch, which runs every model."
        if isinstance(error, OSError):
            cure = f"Set {CACHE_VARIABLE} to a folder that can be written and has room, or: {cure}"
        raise ModelError(
            f"{resolved.preset.name!r} could not be converted for {converter.choice}: {first_line(error)}. {cure}"
        ) from error


def _unkept(resolved: ResolvedModel, converter: ModelConverter, folder: Path, pooled: bool) -> Converted:  # noqa: FBT001
    """Run a model that was prepared where nothing can be kept, as in an image that is read only."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as made:
        work = Path(made)
        _write(resolved, converter, work, pooled)
        note = _note(work) or {"worst": 0.0, "measured_by": "the original", "pooled": pooled}
        if short := _shortfall(resolved, converter, note):
            raise LowFidelityError(short)
        return Converted(folder, converter.start(work), note["pooled"])


def _write(resolved: ResolvedModel, converter: ModelConverter, work: Path, pooled: bool) -> None:  # noqa: FBT001
    # Each step may take a minute or more of a large model, and none of them is a standstill.
    original = converter.convert(resolved, work, pooled)
    went_on()
    fidelity = compare(resolved, original, lambda: converter.start(work))
    sizes = {path.name: path.stat().st_size for path in work.iterdir()}
    note = {"pooled": original.pooled, "measured_by": original.name, **asdict(fidelity), "files": sizes}
    (work / _NOTE).write_text(json.dumps(note), encoding="utf-8")


def _put(work: Path, folder: Path) -> None:
    """Rename a finished folder, in place of one that cannot be used."""
    shutil.rmtree(folder, ignore_errors=True)
    try:
        work.rename(folder)
    except OSError:  # another process was faster, where there are no locks
        if _note(folder) is None:
            raise


def processor_features() -> str:
    """Return what the processor can do, so that a cache folder on a network drive serves several kinds."""
    flags = processor_flags() or ""
    return " ".join(flag for flag in ("avx2", "avx512f", "avx512_bf16", "avx512_vnni", "amx_bf16") if flag in flags)


def versions(*packages: str) -> dict[str, Json]:
    """Return package → its version, empty where it is not installed."""
    return {package: _version(package) for package in packages}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
