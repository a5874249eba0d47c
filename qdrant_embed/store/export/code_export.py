"""The codes of a collection in a file that others read."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from qdrant_embed.compression.binary_codes import ByteArray, pack_signs
from qdrant_embed.errors import ConfigurationError, require_type
from qdrant_embed.extras import require_extra
from qdrant_embed.store.collection_codec import CollectionCodec
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.stored_vectors import read_rows
from qdrant_embed.types import DENSE, DENSE_SMALL

BYTES = ("bits", "uint8")
"""Stored formats that are codes themselves, of whole bytes."""
FROM_SIGNS = ("", "binary")
"""Codes that are the signs of what is stored; the engine makes the others of what it knows alone, and keeps them."""


def export_codes(engine: Engine, name: str, codec: CollectionCodec, path: str | Path) -> Path:
    """Write every point's code to a `.npy` or `.parquet` file, as `write_codes` says.

    A collection of `bits` or `uint8` gives the bytes it stores; any other one the signs of the numbers it stores, after
    centering and rotation, packed most significant bit first.

    :raises ConfigurationError: Its codes are made inside the engine, or the file could not be written.
    """
    require_codes_file(path)
    compression = codec.compression
    if compression.code not in FROM_SIGNS:
        raise ConfigurationError(
            f"the codes of {compression.code!r} are made and kept inside the engine, which does not give them out. "
            "Export those of a collection that is stored as 'bits' or 'uint8', or searched by 'binary'."
        )
    stored = read_rows(engine, name, codec, vector=DENSE_SMALL if compression.full else DENSE)
    codes = stored.vectors.astype(np.uint8) if compression.datatype in BYTES else pack_signs(stored.vectors)
    return write_codes(path, stored.ids, codes, stored.windows)


def require_codes_file(path: str | Path) -> None:
    """Refuse a file that codes could not be written to, before they are made.

    :raises ConfigurationError: The name ends neither in `.npy` nor in `.parquet`, or there is no such folder.
    :raises MissingExtraError: pyarrow, which parquet needs, is not installed.
    """
    require_type("path", path, (str, Path), "a file that ends in .npy or .parquet")
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
    require_extra("a parquet file", "parquet")
    return import_module("pyarrow"), import_module("pyarrow.parquet")
