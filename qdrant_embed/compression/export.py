"""Codes in files that others read: `.npy` with ids and codes side by side, or parquet."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from qdrant_embed.compression.codes import ByteArray
from qdrant_embed.errors import ConfigurationError, MissingExtraError


def write_codes(path: str | Path, ids: Sequence[str], codes: ByteArray) -> Path:
    """Write packed codes (n, bytes), most significant bit first, with their ids.

    A `.npy` file holds a structured array with the fields `id` and `code`; a `.parquet` file a column of each.

    :raises ConfigurationError: The name ends otherwise, or there are not as many ids as codes.
    :raises MissingExtraError: pyarrow, which parquet needs, is not installed.
    """
    target = Path(path)
    if len(ids) != len(codes):
        raise ConfigurationError(f"{len(ids)} ids cannot stand beside {len(codes)} codes.")
    if target.suffix == ".npy":
        width = max(map(len, ids), default=1)
        rows = np.zeros(len(ids), [("id", f"U{width}"), ("code", np.uint8, (codes.shape[1],))])
        rows["id"], rows["code"] = list(ids), codes
        np.save(target, rows, allow_pickle=False)
    elif target.suffix == ".parquet":
        arrow, parquet = _arrow()
        table = arrow.table({"id": list(ids), "code": [row.tobytes() for row in codes]})
        parquet.write_table(table, str(target))
    else:
        raise ConfigurationError(f"{target.name!r} must end in .npy or .parquet.")
    return target


def _arrow() -> tuple[Any, Any]:
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        raise MissingExtraError("a parquet file", "pyarrow", "qdrant-embed[parquet]") from None
