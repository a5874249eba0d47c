"""JSON files of models, and the JSON at the head of their weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from qdrant_embed.errors import ModelError

_LARGEST_HEADER = 100_000_000
"""That of the safetensors library."""


def read_json(path: Path) -> Any:
    """Return what a JSON file holds, an empty dict if there is no such file.

    :raises ModelError: It is not valid JSON.
    """
    if not path.exists():
        return {}
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError(f"{path.name} in {path.parent} is not valid JSON: {error}") from error


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
