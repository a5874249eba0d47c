"""The codes of a collection in a file that others read."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from qdrant_embed.calibration.reading import read_rows
from qdrant_embed.compression import Compression
from qdrant_embed.compression.codes import pack_signs
from qdrant_embed.compression.export import require_codes_file, write_codes
from qdrant_embed.errors import ConfigurationError
from qdrant_embed.parts import Parts
from qdrant_embed.store.engine import Engine
from qdrant_embed.store.schema import DENSE, DENSE_SMALL

BYTES = ("bits", "uint8")
"""Stored formats that are codes themselves, of whole bytes."""
FROM_SIGNS = ("", "binary")
"""Codes that are the signs of what is stored; the engine makes the others of what it knows alone, and keeps them."""


def export_codes(engine: Engine, name: str, parts: Parts, path: str | Path) -> Path:
    """Write every point's code to a `.npy` or `.parquet` file, as `write_codes` says.

    A collection of `bits` or `uint8` gives the bytes it stores; any other one the signs of the numbers it stores, after
    centring and rotation, packed most significant bit first.

    :raises ConfigurationError: Its codes are made inside the engine, or the file could not be written.
    """
    require_codes_file(path)
    compression = parts.coding.compression
    _require_exportable(compression)
    stored = read_rows(engine, name, parts, vector=DENSE_SMALL if compression.full else DENSE)
    codes = stored.vectors.astype(np.uint8) if compression.datatype in BYTES else pack_signs(stored.vectors)
    return write_codes(path, stored.ids, codes, stored.windows)


def _require_exportable(compression: Compression) -> None:
    if compression.code not in FROM_SIGNS:
        raise ConfigurationError(
            f"the codes of {compression.code!r} are made and kept inside the engine, which does not give them out. "
            "Export those of a collection that is stored as 'bits' or 'uint8', or searched by 'binary'."
        )
