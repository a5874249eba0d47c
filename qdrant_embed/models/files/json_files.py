"""JSON files of models, and the JSON at the head of their weights."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from qdrant_embed.errors import ModelError, QdrantEmbedError

MODULES = "modules.json"
_LARGEST_HEADER = 100_000_000
"""That of the safetensors library."""


@contextmanager
def odd_settings_told(model: str) -> Iterator[None]:
    """Turn what a value of an odd type in a model's files leads to within into a sentence.

    :raises ModelError: Something was read that is of another type than in other models.
    """
    try:
        yield
    except QdrantEmbedError:
        raise
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"a value in the JSON files of the model {model!r} is of another type than in other models "
            f"({type(error).__name__}: {error}). Fetch the files again from where the model comes from."
        ) from error


def read_json(path: Path) -> Any:
    """Return what a JSON file holds, an empty dict if there is no such file.

    :raises ModelError: It is not valid JSON, or no dict (no list, if it lists the modules).
    """
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError(f"{path.name} in {path.parent} is not valid JSON: {error}") from error
    if not isinstance(found, list if path.name == MODULES else dict):
        wanted = "a list of modules" if path.name == MODULES else "names with their values"
        raise ModelError(
            f"{path.name} in {path.parent} holds {wanted} in other models, and {reprlib.repr(found)} here. Fetch the "
            "file again from where the model comes from."
        )
    return found


def read_header(path: Path) -> tuple[dict[str, Any], int]:
    """Return the entries of a safetensors file, and where its data begins.

    :raises ModelError: It is missing or no such file.
    """
    try:
        with path.open("rb") as stream:
            size = int.from_bytes(stream.read(8), "little")
            entries: dict[str, Any] = json.loads(stream.read(size) if size <= _LARGEST_HEADER else b"")
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read as safetensors: {error}") from error
    return entries, 8 + size
