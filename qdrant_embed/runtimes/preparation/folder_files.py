"""The files of a prepared folder: copied, narrowed, noted with their checksums, put in their place as a whole."""

from __future__ import annotations

import errno
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from qdrant_embed.display import reason
from qdrant_embed.errors import ConfigurationError, ModelError
from qdrant_embed.models.files.graph_files import BESIDE, GRAPH_FILES
from qdrant_embed.models.files.model_folder import ModelFiles
from qdrant_embed.models.files.prepared_folder import MANIFEST, is_prepared
from qdrant_embed.models.hub.checksums import digest_of
from qdrant_embed.models.hub.needed_files import needed_files
from qdrant_embed.runtimes.preparation.bf16_weights import write_bf16
from qdrant_embed.types import Json


def copy_files(files: ModelFiles, work: Path, *, weights: str) -> None:
    """Copy what a model's folder needs.

    :param weights: `float32` to copy them as they are, `bf16` to narrow those of the transformer, empty for none.
    """
    listed = [path.relative_to(files.folder).as_posix() for path in sorted(files.folder.rglob("*")) if path.is_file()]
    narrowed = files.transformer.relative_to(files.folder)
    for name in needed_files(listed, files.folder):
        if not weights and (name.endswith(".safetensors") or name.endswith((*GRAPH_FILES, *BESIDE))):
            continue
        source, target = files.folder / name, work / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".safetensors") and weights == "bf16" and Path(name).parent == narrowed:
            write_bf16(source, target)
        elif not name.endswith("safetensors.index.json") or weights:
            shutil.copyfile(source, target)
    tokenizer = work / narrowed / "tokenizer.json"
    if not tokenizer.exists():  # a vocabulary alone, of which transformers makes one
        files.tokenizer().save(str(tokenizer))


def write_json(path: Path, values: Json) -> None:
    """Write a JSON file."""
    path.write_text(json.dumps(values, indent=1), encoding="utf-8")


def noted(work: Path) -> dict[str, dict[str, Json]]:
    """Return size, digest and time of every file but the one that says so."""
    found = {}
    for path in sorted(work.rglob("*")):
        if path.is_file() and path.name != MANIFEST:
            status = path.stat()
            values: dict[str, Any] = {"size": status.st_size, "digest": digest_of(path), "time": int(status.st_mtime)}
            found[path.relative_to(work).as_posix()] = values
    return found


def require_free(target: Path) -> None:
    """Refuse a place where something else stands.

    :raises ConfigurationError: It is a file, or a folder with other things than a prepared model.
    """
    if target.exists() and not target.is_dir():
        raise ConfigurationError(f"{target} is a file; name a folder that is not there yet, or an empty one.")
    if target.is_dir() and not is_prepared(target) and any(target.iterdir()):
        raise ConfigurationError(
            f"{target} holds other things than a prepared model; name a folder that is not there yet, or an empty one."
        )


@contextmanager
def written(target: Path) -> Iterator[Path]:
    """Give a folder to write to, and put it in the place of the target when the block is left without an error.

    :raises ModelError: It cannot be written.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as unfinished:
            work = Path(unfinished) / "model"
            work.mkdir()
            yield work
            old = Path(unfinished) / "old"
            if target.exists():
                target.rename(old)
            try:
                work.rename(target)
            except OSError:
                if old.exists():
                    old.rename(target)
                raise
    except OSError as error:
        cure = "Name a folder that can be written"
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            cure = "Make room there"
        if error.errno in (errno.EBUSY, errno.EXDEV):  # where a volume is mounted
            cure = f"Name a folder inside it: {target / 'model'}"
        raise ModelError(f"{target} could not be written: {reason(error)}. {cure}.") from error
