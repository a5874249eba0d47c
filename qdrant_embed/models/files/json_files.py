"""JSON files of models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from qdrant_embed.errors import ModelError


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
