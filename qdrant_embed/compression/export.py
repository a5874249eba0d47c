"""Codes in files that others read: `.npy` with ids and codes side by side, or parquet."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from qdrant_embed.compression.codes import ByteArray
from qdrant_embed.errors import ConfigurationError, MissingExtraError


def require_codes_file(path: str | Path) -> None:
    """Refuse a file that codes could not be written to, before they are made.

    :raises ConfigurationError: The name ends neither in `.npy` nor in `.parquet`, or there is no such folder.
    :raises MissingExtraError: pyarrow, which parquet needs, is not installed.
    """
    target = Path(path)
    if target.suffix not in (".npy", ".parquet"):
        raise ConfigurationError(f"{target.name!r} must end in .npy or .parquet.")
    require_folder(target)
    if target.suffix == ".parquet":
        _arrow()


def require_folder(path: str | Path) -> None:
    """Refuse a file in a folder that does not exist.

    :raises ConfigurationError: There is no such folder.
    """
    folder = Path(path).parent
    if not folder.is_dir():
        raise ConfigurationError(f"there is no folder {str(folder)!r} to write {Path(path).name!r} to; make it first.")


def write_codes(path: str | Path, ids: Sequence[str], codes: ByteArray, windows: Sequence[int] | None = None) -> Path:
    """Write packed codes (n, bytes), most significant bit first, with their ids.

    A `.npy` file holds a structured array with the fields `id`, perhaps `window`, and `code`; a `.parquet` file a
    column of each.

    :param windows: Which window of its point each code is of, where points have several.
    :raises ConfigurationError: The name ends otherwise, or there are not as many ids as codes.
    :raises MissingExtraError: pyarrow, which parquet needs, is not installed.
    """
    require_codes_file(path)
    target = Path(path)
    if len(ids) != len(codes):
        raise ConfigurationError(f"{len(ids)} ids cannot stand beside {len(codes)} codes.")
    if target.suffix == ".npy":
        width = max(map(len, ids), default=1)
        numbered = [("window", np.uint32)] if windows is not None else []
        rows = np.zeros(len(ids), [("id", f"U{width}"), *numbered, ("code", np.uint8, (codes.shape[1],))])
        rows["id"], rows["code"] = list(ids), codes
        if windows is not None:
            rows["window"] = windows
        np.save(target, rows, allow_pickle=False)
        return target
    arrow, parquet = _arrow()
    columns = {"id": list(ids), **({} if windows is None else {"window": list(windows)})}
    parquet.write_table(arrow.table({**columns, "code": [row.tobytes() for row in codes]}), str(target))
    return target


def _arrow() -> tuple[Any, Any]:
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        raise MissingExtraError("a parquet file", "pyarrow", "qdrant-embed[parquet]") from None
